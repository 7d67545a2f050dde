// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.h"
#include "sim/counters/op_record.h"

namespace nibble {

/// What a machine's process tells its parent. Both run the same program, so values travel as they lie in memory.
enum class MessageKind : std::uint8_t {
    record,       ///< OpRecord
    summary,      ///< RunSummary; the last message of a run that went well
    input_error,  ///< std::vector<Problem>
    model_error,  ///< text
    other_error,  ///< text
};

[[nodiscard]] std::string encode(const OpRecord& record);
[[nodiscard]] std::string encode(const RunSummary& summary);
[[nodiscard]] std::string encode(const std::vector<Problem>& problems);

[[nodiscard]] OpRecord decode_record(std::string_view bytes);
[[nodiscard]] RunSummary decode_summary(std::string_view bytes);
[[nodiscard]] std::vector<Problem> decode_problems(std::string_view bytes);

/// A message as it goes through the pipe.
[[nodiscard]] std::string framed(MessageKind kind, std::string_view body);

struct Message {
    MessageKind kind = MessageKind::record;
    std::string body;
};

/// Cuts what comes out of a pipe, in pieces of any size, into messages.
class MessageSplitter {
public:
    void feed(std::string_view bytes) { bytes_ += bytes; }
    /// Takes the next complete message; false if there is none yet.
    [[nodiscard]] bool next(Message& message);

private:
    std::string bytes_;
    std::size_t begin_ = 0;
};

}  // namespace nibble
