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

namespace nibble {

inline constexpr std::uint64_t default_batch = 16;

/// Is `name` a built-in workload or a workload's own file, rather than a trace?
[[nodiscard]] bool names_workload(const std::string& name);

/// The trace meant by a command line's TRACE|WORKLOAD: a trace file as it is, or a workload's training step, written to
/// a temporary file for as long as this object exists.
class TraceSource {
public:
    /// Throws InputError if there is no such workload or regular file, or a batch is given for a trace.
    TraceSource(const std::string& name, std::optional<std::uint64_t> batch);

    [[nodiscard]] std::string path() const { return path_.string(); }

    /// Calls `read`; problems that it finds in the temporary file are reported as the workload's.
    void checked(const std::function<void()>& read) const;

private:
    std::string name_;
    std::filesystem::path path_;
    std::unique_ptr<TemporaryFile> temporary_;
};

/// Writes the training step of a workload, given by name or file, as a trace. Throws InputError; failure of the stream
/// is the caller's to check.
void write_workload_trace(const std::string& name, std::uint64_t batch, std::ostream& out);

/// Throws InputError if `path` is no regular file: missing, a directory, a device. `what` says what was expected.
void require_regular_file(const std::filesystem::path& path, const std::string& what);

}  // namespace nibble
