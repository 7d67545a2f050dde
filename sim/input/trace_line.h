// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.h"
#include "sim/input/operation.h"

namespace nibble {

/// Every key that a line of a trace may have; the names in the file equal the enumerators', but "signed" for has_sign.
enum class TraceKey : std::uint8_t {
    // clang-format off
    nibblesim_trace, name, batch,                                        // first line; batch also of a matrix product
    tensor, role, shape, bits, values, quantized,                        // tensor
    clip, has_sign, fp4_scale_log2, fp8_scale_log2,                      // inside "quantized"
    op, phase, layer, group, position, epilogue, operand_bits, result, in, out,  // operation
    n, c, h, w, k, r, s, stride, pad, dilation, groups, transposed,      // convolution
    m, left, right,                                                      // matrix product
    steps, elements,                                                     // vector work
    end, tensors, operations,                                            // last line; the last two inside "end"
    key_count
    // clang-format on
};
inline constexpr std::size_t trace_key_count = static_cast<std::size_t>(TraceKey::key_count);

[[nodiscard]] std::string_view name_of(TraceKey key);

/// One line of a trace as typed values with their places. Knows JSON and the type of each key's value, but not which
/// keys belong together: that is TraceReader's.
class TraceLine {
public:
    /// Lists of numbers, and where each stands.
    struct Numbers {
        std::vector<std::uint64_t> values;
        std::vector<std::uint32_t> columns;
    };
    struct Steps {
        std::vector<VectorStep> values;
        std::vector<std::uint32_t> columns;
    };

    /// Problems go to the list, which must outlive the line.
    explicit TraceLine(ProblemList& problems);
    ~TraceLine();

    /// Reads a line, behind which LineSource::padding more bytes may be touched. Returns false if it is no JSON
    /// object, with that problem added; whatever else is wrong adds problems and makes the key unreadable.
    [[nodiscard]] bool parse(std::string_view line, std::uint64_t number);

    [[nodiscard]] bool has(TraceKey key) const { return columns_[index(key)] != 0; }
    [[nodiscard]] std::uint64_t line() const { return line_; }
    /// Of the key's value; 1 if the line has no such key.
    [[nodiscard]] std::uint32_t column(TraceKey key) const { return has(key) ? columns_[index(key)] : 1; }
    /// The key's value has the type that the key asks for.
    [[nodiscard]] bool readable(TraceKey key) const { return has(key) && !unreadable_[index(key)]; }

    /// Adds a problem of this line, at a column or at a key's value ("key: what").
    void problem(std::uint64_t column, std::string what);
    void problem(TraceKey key, const std::string& what);
    /// No problem of this line has been found so far.
    [[nodiscard]] bool sound() const { return sound_; }

    [[nodiscard]] std::uint64_t number(TraceKey key) const { return numbers_[index(key)]; }
    [[nodiscard]] bool truth(TraceKey key) const { return numbers_[index(key)] != 0; }
    [[nodiscard]] double real(TraceKey key) const { return reals_[index(key)]; }
    [[nodiscard]] std::string_view text(TraceKey key) const { return texts_[index(key)]; }  ///< until the next parse
    [[nodiscard]] const Numbers& list(TraceKey key) const { return lists_[index(key)]; }
    [[nodiscard]] const Steps& steps(TraceKey key) const { return steps_[index(key)]; }

private:
    struct Parser;  // simdjson and the state of one parse
    static constexpr std::size_t index(TraceKey key) { return static_cast<std::size_t>(key); }
    void clear();

    std::unique_ptr<Parser> parser_;
    ProblemList& problems_;
    std::uint64_t line_ = 0;
    bool sound_ = true;
    std::array<std::uint32_t, trace_key_count> columns_{};
    std::array<bool, trace_key_count> unreadable_{};
    std::array<std::uint64_t, trace_key_count> numbers_{};
    std::array<double, trace_key_count> reals_{};
    std::array<std::string_view, trace_key_count> texts_{};
    std::array<Numbers, trace_key_count> lists_;
    std::array<Steps, trace_key_count> steps_;
};

}  // namespace nibble
