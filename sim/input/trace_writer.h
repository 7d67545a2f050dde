// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ostream>

#include <fmt/format.h>

#include "sim/input/trace_item.h"

namespace nibble {

/// Writes a trace (traces/FORMAT.md) line by line. The same items always give the same bytes; keys that would only
/// repeat a default are left out. Throws InputError for a line that no trace may have, because of its length; failure
/// of the stream is the caller's to check.
class TraceWriter {
public:
    TraceWriter(std::ostream& stream, const TraceHeader& header);

    void write(const Tensor& tensor);
    void write(const Operation& operation);
    void write(const TraceItem& item);

    /// Writes the last line, without which a trace counts as cut short.
    void finish();

private:
    void flush_line();

    std::ostream& stream_;
    fmt::memory_buffer line_;
    std::uint64_t tensors_ = 0;
    std::uint64_t operations_ = 0;
};

}  // namespace nibble
