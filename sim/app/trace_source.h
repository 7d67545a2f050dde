// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "sim/app/temporary_file.h"
#include "sim/import/import_options.h"
#include "sim/import/import_summary.h"
#include "sim/import/source_format.h"

namespace nibble {

inline constexpr std::uint64_t default_batch = 16;

/// What a command line says of the trace that it means.
struct TraceRequest {
    std::string name;  ///< a trace, a built-in workload or a workload's file, or a file or directory of another program
    std::string from = "auto";  ///< what the file is: a word of --from
    bool quiet = false;         ///< no progress
    bool fuse = true;           ///< element-wise work of another program's file joins what it works on
    ImportOptions options;
};

/// Is `name` a built-in workload or a workload's own file, rather than a trace?
[[nodiscard]] bool names_workload(const std::string& name);

/// The trace meant by a command line: a trace file as it is, or a workload's training step or another program's file
/// translated, written to a temporary file for as long as this object exists.
class TraceSource {
public:
    /// Throws InputError if there is no such workload or regular file, the file is not what it is said to be, or an
    /// option is given that has no meaning for it.
    explicit TraceSource(const TraceRequest& request);

    [[nodiscard]] std::string path() const { return path_.string(); }
    /// What was translated; nothing for traces and workloads.
    [[nodiscard]] const std::optional<ImportSummary>& imported() const { return imported_; }

    /// Calls `read`; problems that it finds in the temporary file are reported as the workload's.
    void checked(const std::function<void()>& read) const;

private:
    void write_temporary(const std::function<void(std::ostream&)>& write);

    std::string name_;
    std::filesystem::path path_;
    std::unique_ptr<TemporaryFile> temporary_;
    std::optional<ImportSummary> imported_;
};

/// The format that --from names, or that the file shows; nothing for nibblesim's own traces. Throws InputError if it
/// is no file or directory, or --from is not known.
[[nodiscard]] std::optional<SourceFormat> source_format(const std::string& path, const std::string& from);

/// Translates another program's file, whose format is known, to a trace. Throws InputError.
[[nodiscard]] ImportSummary write_imported_trace(const TraceRequest& request, SourceFormat format, std::ostream& out);

/// Writes the training step of a workload, given by name or file, as a trace. Throws InputError; failure of the stream
/// is the caller's to check.
void write_workload_trace(const std::string& name, std::uint64_t batch, std::ostream& out);

/// Throws InputError if `path` is no regular file: missing, a directory, a device. `what` says what was expected.
void require_regular_file(const std::filesystem::path& path, const std::string& what);

}  // namespace nibble
