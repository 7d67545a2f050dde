// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nibble {

/// How the range of a quantised operand was chosen.
enum class RangeRule : std::uint8_t {
    sawb,          ///< weights in INT4: clip from the tensor's two moments
    pact,          ///< activations in unsigned INT4: clip is alpha
    symmetric,     ///< activations in signed INT4: clip is the largest magnitude
    grad_scale,    ///< gradients in FP4: a power of two, as GradScale settles on it
    power_of_two,  ///< FP8: a power of two that fits the largest magnitude
    unscaled,      ///< FP16: as it is
    given,         ///< as the source of the values says that it quantised them
};
inline constexpr std::array<std::string_view, 7> range_rule_names{"sawb",         "pact",     "symmetric", "grad_scale",
                                                                  "power_of_two", "unscaled", "given"};

/// What the codes of an operand stand for: code `c` for the number of `c` in its format times `scale`.
struct QuantizationRange {
    RangeRule rule = RangeRule::unscaled;
    double clip = 0;                         ///< the largest magnitude that a code stands for
    double scale = 1;                        ///< 0 for an operand of zeros in INT4
    std::optional<std::int32_t> scale_log2;  ///< where numbers are multiplied by 2^this before they are encoded
};

/// What the log-gradient unit learns of a recorded FP4 operand as it makes both of its codes (GradientStatistics of
/// models/log_gradient/gradient_values.h, of which these are the fields).
struct GradientRecord {
    double largest_scaled = 0;
    std::uint64_t saturated_even = 0;
    std::uint64_t saturated_odd = 0;
    std::uint64_t underflowed_even = 0;
    std::uint64_t underflowed_odd = 0;
};

/// What quantisation did to a recorded operand. Shares are of all its elements, each counted once.
struct QuantizationRecord {
    QuantizationRange range;
    std::uint64_t elements = 0;
    std::optional<double> sqnr_db;  ///< sum of squares over that of the errors; nothing where either is 0
    double clipped = 0;             ///< share beyond the clip
    double underflowed = 0;         ///< share that is not zero and became zero
    double zero_codes = 0;          ///< share whose code stands for zero
    double non_zero = 0;            ///< share that is not zero in the source
    /// Mean share of a code's bits that differ from the code before it on the same wires into the array, padding
    /// included; nothing where no wire carries two codes of a tile.
    std::optional<double> toggle_rate;
    std::optional<GradientRecord> gradient{};  ///< of FP4 operands
};

/// One operand of a GEMM in values mode.
struct OperandRecord {
    std::string name;  ///< x, w, dy of a convolution; left, right of a matrix product
    bool on_left = true;
    std::string format;                          ///< of its codes
    std::optional<QuantizationRecord> recorded;  ///< nothing: its values were drawn from a hash
};

/// The output of a GEMM with recorded operands against the same product of the recorded numbers in binary64, over all
/// outputs: ||made - exact|| / ||exact||, and the cosine of the angle between both. Nothing where a norm is 0.
struct OutputRecord {
    std::optional<double> relative_error;  ///< of the quantised operands' product without any further rounding
    std::optional<double> cosine_similarity;
    std::optional<double> array_relative_error;  ///< of what the array delivers; nothing if any of it overflowed
    std::optional<double> array_cosine_similarity;
    double overflowed = 0;  ///< share of outputs that the array delivers as infinite or not a number
};

/// What the array delivers against what the source of the trace computed, bit for bit: sum times the scales of both
/// operands, as binary32 (scaled_result() in sim/lowering/result_check.h).
struct ResultComparison {
    std::uint64_t outputs_compared = 0;
    std::uint64_t outputs_different = 0;
    double largest_difference = 0;  ///< magnitude; infinite if an output is not a finite number
    /// Were all sums added up in the order of a reduction that is one tile? If not, they may differ for that alone.
    bool untiled_order = true;
};

/// The values of one GEMM.
struct ValueRecord {
    std::array<OperandRecord, 2> operands;     ///< in the order of the operation's inputs
    std::optional<OutputRecord> output;        ///< if both operands are recorded
    std::optional<ResultComparison> result{};  ///< if the trace names the result's values
};

}  // namespace nibble
