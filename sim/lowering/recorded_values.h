// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/numerics/operand.h"
#include "sim/counters/value_record.h"
#include "sim/input/npy_file.h"
#include "sim/input/operation.h"
#include "sim/lowering/recipe.h"
#include "sim/lowering/selection.h"

namespace nibble {

/// The codes of a whole operand. The scale is not in them: sums are in units of the operands' scales, as in the array.
struct OperandCodes {
    OperandFormat format = OperandFormat::fp16;
    std::vector<std::uint16_t> codes;
    QuantizationRange range;
};

/// Quantises a whole operand as the machine would, from finite numbers:
///  - int4_signed, which only weights have: zero-aligned SAWB with the clip of the tensor's own moments;
///  - int4_unsigned, activations: [0, max] stretched to 0..15, which is PACT with alpha at the maximum. If any element
///    is negative, [-max, max] to -7..7 instead, and the codes' format is int4_signed;
///  - fp4_even, fp4_odd: radix-4 codes with the power-of-two scale that brings the maximum into (32, 64];
///  - fp8_143, fp8_152: with the power-of-two scale that brings the maximum into (8, 16];
///  - fp16: nearest, without a scale; what is beyond the largest finite number becomes that number.
///
/// Where `given` says how the values were quantised, its clip or scale is used instead: weights by SAWB's levels of
/// that clip, activations stretched from it, FP8 and FP4 with that power of two, FP4 after rounding to FP16, in which
/// gradients arrive at the log-gradient unit. Codes of activations then have a sign if it says so, or, if it does not
/// say, if any element is negative; unsigned ones take negative elements to 0.
[[nodiscard]] OperandCodes quantize_operand(std::span<const float> values, OperandFormat wanted,
                                            const GivenRange& given = {});

/// The format in which the array takes an operand of this role in a GEMM of this phase.
[[nodiscard]] OperandFormat array_format(TensorRole role, Phase phase, const GemmPrecision& precision);

/// Throws InputError if the tensor says how it was quantised, but not to `wanted`. FP16 needs no saying.
void require_given_range_fits(const Tensor& tensor, OperandFormat wanted);

/// Batch, channels, height, width of an image; filters, channels, height, width of a weight.
using ImageShape = std::array<std::uint64_t, 4>;

/// The shape in which the trace gives operand `input` (0 or 1) of a convolution; nothing for a matrix product.
[[nodiscard]] std::optional<ImageShape> image_shape(const Operation& operation, std::size_t input);

/// The shape of the result of a GEMM: of an image or weight, or batch, rows, columns of a matrix product.
[[nodiscard]] std::vector<std::uint64_t> result_shape(const Operation& operation);

/// Throws InputError if the trace declares `tensor`, operand `input` of the operation, as an image of another shape.
void require_image_shape(const Operation& operation, std::size_t input, const Tensor& tensor);

/// Elements of an image or weight of this shape, channels moved from the second place to the last: N,C,H,W to N,H,W,C
/// and K,C,R,S to K,R,S,C. Element is std::uint16_t or float.
template <class Element>
[[nodiscard]] std::vector<Element> channels_last(std::span<const Element> elements, const ImageShape& shape);

/// A recorded operand in the order of its file, which is that of the tensor's shape.
struct RecordedOperand {
    std::vector<float> values;
    OperandCodes quantized;
};

/// The values that a trace names: .npy files beside it (traces/FORMAT.md).
///
/// Nothing is kept: every use of a tensor reads its file, and codes live as long as somebody works on them. An operand
/// takes 10 bytes an element for a moment, then 2, or 6 where the other one is recorded too and the output's error is
/// measured.
class RecordedValues {
public:
    /// Recorded operands of one GEMM, together: 2 GiB of codes and 4 GiB of numbers.
    static constexpr std::uint64_t most_elements = std::uint64_t{1} << 30U;

    /// Paths are relative to the trace's directory, or full.
    explicit RecordedValues(const std::string& trace_path);

    /// Checks that the tensor's file has its shape and holds finite numbers, all of them. Throws InputError.
    void check(const Tensor& tensor) const;
    /// The tensor as this operand. Throws InputError as check() and require_image_shape() do.
    [[nodiscard]] RecordedOperand load(const Operation& operation, std::size_t input, const Tensor& tensor,
                                       OperandFormat wanted) const;

    /// The same of what the trace says that the operation's result was; it must name a file for it.
    void check_result(const Operation& operation) const;
    /// In the order of result_shape().
    [[nodiscard]] std::vector<float> load_result(const Operation& operation) const;

private:
    [[nodiscard]] NpyFile open(const std::string& name, std::span<const std::uint64_t> shape) const;

    std::filesystem::path directory_;
};

/// Throws InputError if the recorded ones of a GEMM's operands are more than RecordedValues::most_elements.
void require_recorded_fit(const Tensor& left, const Tensor& right);

/// Checks the values of all operands that the array reads in selected operations, and those of results, before anything
/// is simulated: the files are there, have the right shape and hold finite numbers, and where a tensor says how it was
/// quantised, it was to the format in which each of the recipes reads it. Reads the trace, which must be a valid one,
/// and each of these files once. Returns how many of these operands are recorded. Throws InputError with every problem
/// found.
std::uint64_t check_recorded_values(const std::string& trace_path, const Selection& selection,
                                    std::span<const Recipe* const> recipes = {});

}  // namespace nibble
