// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "sim/counters/value_record.h"
#include "sim/lowering/recorded_values.h"

namespace nibble {

/// Recorded numbers against what their codes stand for, sums in binary64. The toggle rate is left out. A number is
/// clipped if its magnitude is beyond the range's clip, and underflowed if it is not zero but its code stands for zero.
[[nodiscard]] QuantizationRecord quantization_of(std::span<const float> values, const OperandCodes& quantized);

/// Bits that differ between codes that follow each other on the same wires.
class ToggleCounter {
public:
    /// Adds a row-major matrix of codes. A code follows the one `step` rows above it, in the same column.
    void add_down(std::span<const std::uint16_t> codes, std::size_t columns, std::size_t step);
    /// The same, but it follows the one `step` columns before it, in the same row.
    void add_along(std::span<const std::uint16_t> codes, std::size_t columns, std::size_t step);

    /// Mean share of a code's `bits` bits that toggle; nothing if no code followed another.
    [[nodiscard]] std::optional<double> rate(int bits) const;

private:
    void add(std::span<const std::uint16_t> before, std::span<const std::uint16_t> after);

    std::uint64_t toggled_ = 0;
    std::uint64_t pairs_ = 0;
};

/// How far outputs are from those of full precision. Sums in binary64.
class OutputComparison {
public:
    /// One output: of the recorded numbers, of the codes without rounding, and as the array delivers it.
    void add(double exact, double quantized, double delivered);

    [[nodiscard]] OutputRecord record() const;

private:
    /// One way to make the outputs.
    struct Sums {
        double squares = 0;   // of what was made
        double errors = 0;    // squares of made - exact
        double products = 0;  // made * exact

        void add(double exact, double made);
        [[nodiscard]] std::optional<double> relative_error(double exact_squares) const;
        [[nodiscard]] std::optional<double> cosine(double exact_squares) const;
    };

    double exact_squares_ = 0;
    Sums quantized_;
    Sums delivered_;
    std::uint64_t outputs_ = 0;
    std::uint64_t overflowed_ = 0;
};

}  // namespace nibble
