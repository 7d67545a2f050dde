// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "sim/import/pytorch/replay_context.h"

namespace nibble {

/// A matrix product of the trace with everything decided.
struct Product {
    Matmul work;
    Phase phase = Phase::forward;
    std::uint32_t layer = 0;
    Position position = Position::middle;
    TensorId left = 0, right = 0, out = 0;
    std::optional<TensorId> addend{};  ///< added to the result as it drains
    bool addend_is_bias = false;
};

/// Emits the product. InputError, through `arguments`, if it is beyond the limits of a trace.
void emit_product(ReplayContext& context, Product product, const AtenArguments& arguments);

}  // namespace nibble
