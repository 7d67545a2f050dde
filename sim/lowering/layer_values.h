// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/numerics/gemm.h"
#include "sim/input/operation.h"
#include "sim/lowering/gemm_problem.h"
#include "sim/lowering/tiling.h"

namespace nibble {

/// An operand's elements as codes: recorded ones, or else drawn from a hash of `key` and element.
struct ValueSource {
    OperandFormat format = OperandFormat::fp16;
    std::uint64_t key = 0;
    std::shared_ptr<const std::vector<std::uint16_t>> recorded;  ///< null: none
    std::shared_ptr<const std::vector<float>> numbers;           ///< what they were made from; null: nobody needs it

    [[nodiscard]] std::uint16_t code(std::uint64_t element) const {
        if (recorded != nullptr) {
            return (*recorded)[element];
        }
        // SplitMix64 (Steele et al. 2014): one well-mixed word for each element.
        std::uint64_t z = key + element * 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        z ^= z >> 31U;
        const auto bits = static_cast<std::uint16_t>(z);
        switch (format) {
            case OperandFormat::int4_signed:
            case OperandFormat::int4_unsigned:
            case OperandFormat::fp4_even:
            case OperandFormat::fp4_odd:
                return bits & 0xfU;
            case OperandFormat::fp8_143:
                return bits & 0xb7U;  // upper exponent bit clear: no special codes
            case OperandFormat::fp8_152:
                return bits & 0xbfU;
            case OperandFormat::fp16:
                break;
        }
        return static_cast<std::uint16_t>((bits & 0x8fffU) | 0x3000U);  // magnitudes from 1/8 to 2
    }
};

/// One GEMM with the values of its operands.
struct LayerValues {
    Operation operation;
    GemmProblem problem;
    Tiling tiling;
    ValueSource left, right;
    std::uint64_t left_elements = 0, right_elements = 0;
    std::uint64_t sample_step = 1;  ///< every so many outputs of the operation one is checked
};

}  // namespace nibble
