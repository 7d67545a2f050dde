// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>

#include "models/numerics/dlfloat16.h"
#include "models/numerics/float_layout.h"
#include "models/numerics/half.h"

namespace nibble {

/// The format of the running partial sum.
enum class AccumulatorFormat : std::uint8_t { fp16, dlfloat16, fp32 };

/// Chunk-based accumulation (Wang et al. 2018): a sum over k is cut into chunks of `chunk` terms, so that rounding
/// errors grow with the length of a chunk plus the number of chunks instead of with their product.
///
/// * Within a chunk, terms are added in increasing k: exactly where both operands are four-bit, because the adder tree
///   is an integer one (Sun et al. 2020, sec. 6); in binary32, rounded to nearest even, where one of them is FP8 or
///   FP16.
/// * The chunk's sum is added to the partial sum, and the result is rounded once to `format`.
/// The length is not stated for four-bit training; 64 is that of Wang et al. 2018 and of IBM's designs.
struct AccumulationRule {
    std::uint32_t chunk = 64;
    AccumulatorFormat format = AccumulatorFormat::fp16;
};

/// a + b rounded to odd: if inexact, the neighbour with an odd last bit. Rounding that once more, to a format at least
/// two bits narrower, gives the same as rounding the exact sum. An infinite or NaN sum is returned as it is.
template <class Float>
[[nodiscard]] constexpr Float add_round_to_odd(Float a, Float b) {
    using Word = typename FloatLayout<Float>::Bits;
    const Float sum = a + b;
    // What rounding took away, exactly (Knuth's two-sum).
    const Float b_part = sum - a;
    const Float lost = (a - (sum - b_part)) + (b - b_part);
    const Word inexact = lost < Float{0} || lost > Float{0} ? 1 : 0;
    const Word away_from_zero = (lost < Float{0}) != (sum < Float{0}) ? 1 : 0;
    return from_bits<Float>((bits_of(sum) - (inexact & away_from_zero)) | inexact);
}

/// The new partial sum: the exact partial + chunk_sum, rounded once by the rule of `format` (Half: nearest even;
/// DlFloat16: nearest, ties away from zero; binary32: nearest even). NaN results are the default quiet NaN (Half,
/// binary32) or +infinity (DlFloat16). `partial` is a value of the format. The sum comes in binary32 or binary64; both
/// give the same result for the same value.
template <AccumulatorFormat format, class Float>
[[nodiscard]] constexpr float accumulate(float partial, Float chunk_sum) {
    if constexpr (format == AccumulatorFormat::fp16) {
        return static_cast<float>(round_to_half(add_round_to_odd(static_cast<Float>(partial), chunk_sum)));
    } else if constexpr (format == AccumulatorFormat::dlfloat16) {
        return static_cast<float>(round_to_dlfloat16(add_round_to_odd(static_cast<Float>(partial), chunk_sum)));
    } else {
        float sum = 0.0F;
        if constexpr (sizeof(Float) == sizeof(float)) {
            sum = partial + chunk_sum;
        } else {
            sum = static_cast<float>(add_round_to_odd(static_cast<double>(partial), chunk_sum));
        }
        return sum == sum ? sum : std::numeric_limits<float>::quiet_NaN();
    }
}

/// The same with the format chosen at run time.
[[nodiscard]] constexpr float accumulate(AccumulatorFormat format, float partial, double chunk_sum) {
    switch (format) {
        case AccumulatorFormat::fp16:
            return accumulate<AccumulatorFormat::fp16>(partial, chunk_sum);
        case AccumulatorFormat::dlfloat16:
            return accumulate<AccumulatorFormat::dlfloat16>(partial, chunk_sum);
        case AccumulatorFormat::fp32:
            break;
    }
    return accumulate<AccumulatorFormat::fp32>(partial, chunk_sum);
}

}  // namespace nibble
