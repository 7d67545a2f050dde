// SPDX-License-Identifier: MIT
#include "sim/input/gemm_direction.h"

#include <variant>

namespace nibble {

Phase computed_as(const Operation& operation) {
    const auto* convolution = std::get_if<Convolution>(&operation.work);
    if (convolution != nullptr && convolution->transposed) {
        switch (operation.phase) {
            case Phase::forward:
                return Phase::dx;
            case Phase::dx:
                return Phase::forward;
            default:
                break;
        }
    }
    return operation.phase;
}

std::size_t left_input(const Operation& operation) {
    const auto* convolution = std::get_if<Convolution>(&operation.work);
    return convolution != nullptr && operation.phase == Phase::dw && !convolution->transposed ? 1 : 0;
}

}  // namespace nibble
