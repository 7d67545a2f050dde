// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <memory>
#include <optional>
#include <string>

#include "sim/base/error.h"
#include "sim/input/line_source.h"
#include "sim/input/trace_item.h"
#include "sim/input/trace_line.h"

namespace nibble {

/// Reads a trace (traces/FORMAT.md) item by item, in memory that does not grow with the trace.
/// It checks each line by itself, that tensors are numbered in order and declared before they are used, and that the
/// trace is complete. That shapes fit between operations is checked by whoever holds the tensors
/// (expected_elements() says what a GEMM needs).
/// A wrong line does not end the reading: next() goes on to find the problems of later lines and throws them together
/// (at most ProblemList's limit; a line that is no JSON ends it, as does a wrong first line).
class TraceReader {
public:
    /// Both read the first line, and throw InputError if the file is no trace.
    explicit TraceReader(const std::filesystem::path& path);
    /// `name` stands for the stream in messages; the stream must outlive the reader.
    TraceReader(std::istream& stream, std::string name);
    ~TraceReader();

    [[nodiscard]] const TraceHeader& header() const { return header_; }

    /// The next tensor or operation; nothing after the last, when the trace was found complete.
    [[nodiscard]] std::optional<TraceItem> next();

private:
    void read_first_line();
    /// Reads a line into line_; false at the end of the file. Throws for what no later line can make good.
    bool advance();
    std::optional<TraceItem> interpret();
    /// Of the tensor in line_; checks that it is the next one.
    TensorId next_tensor_id();
    void check_tensors(const std::vector<TensorId>& ids, TraceKey key);
    void finish();

    std::unique_ptr<std::istream> file_;  // null when reading someone else's stream
    ProblemList problems_;
    LineSource lines_;
    TraceLine line_;
    TraceHeader header_;
    std::uint64_t tensors_ = 0;
    std::uint64_t operations_ = 0;
    bool ended_ = false;
};

}  // namespace nibble
