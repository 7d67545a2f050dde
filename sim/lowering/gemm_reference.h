// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "models/numerics/gemm.h"
#include "sim/lowering/layer_values.h"

namespace nibble {

/// Compares a finished tile's sums with a plain reference, bit for bit: for each output the layer's textbook formula,
/// tap by tap and channel by channel, through the element-by-element arithmetic of gemm_accumulate_reference().
/// Shares nothing with the gathering of operands but the numbering of elements. Returns how many outputs were compared;
/// throws ModelError at the first difference.
std::uint64_t check_tile(const LayerValues& layer, const TileRange& tile, const AccumulationRule& rule,
                         const std::vector<float>& sums);

}  // namespace nibble
