// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "sim/import/byte_source.h"
#include "sim/import/byte_window.h"
#include "sim/import/pytorch/recorded_call.h"
#include "sim/import/pytorch/torch_dump_value.h"

namespace nibble {

/// Reads what scripts/nibblesim_torch.py wrote (traces/TORCH.md), in memory that does not depend on its length. The
/// dump holds what PyTorch handed to kernels, so there is no call tree: whatever the table does not ignore is handed
/// on. Every error is an InputError with file and line.
class TorchDumpReader : public CallSource {
public:
    static constexpr std::size_t longest_line = std::size_t{1} << 20U;
    /// How the first line begins, for those who must find out what a file is.
    static constexpr std::string_view beginning = R"({"nibblesim_torch":)";

    /// Reads the first line.
    explicit TorchDumpReader(ByteSource source);

    [[nodiscard]] const RecordedCall* next() override;
    [[nodiscard]] std::string description() const override;
    [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }
    [[nodiscard]] std::string network() const override { return network_; }
    [[nodiscard]] std::optional<std::uint64_t> batch() const override { return batch_; }

private:
    using Object = TorchDumpObject;

    /// The next line, parsed; nothing at the end of the file. Valid until the line after it is asked for.
    [[nodiscard]] std::optional<simdjson::dom::element> next_line();
    [[nodiscard]] std::optional<std::string_view> cut_line();
    [[nodiscard]] Object::Place place() const { return {name_, line_, {}}; }
    void read_header();
    void read_call(Object& line);
    void read_phase(Object& line);
    void read_end(Object& line);

    ByteWindow window_;
    std::string name_;  // of the file, for messages
    TorchDumpValues values_;
    simdjson::dom::parser parser_;
    std::size_t done_ = 0;  // bytes of the window that the last line took
    std::uint64_t line_ = 0;
    std::string network_;
    std::string torch_;
    std::optional<std::uint64_t> batch_;
    std::uint64_t calls_ = 0;
    std::uint64_t steps_ = 0;
    bool ended_ = false;
    RecordedCall call_;
    std::vector<std::string> notes_;
};

}  // namespace nibble
