// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "models/numerics/gemm.h"
#include "sim/program/command.h"

namespace nibble {

/// Operands and running sums of one tile in values mode, gathered as the array would see them: for each pass, the left
/// operand as m x k codes and the right one as k x n codes, row-major, pass after pass.
struct TileValues {
    OperandFormat left_format = OperandFormat::fp16;
    OperandFormat right_format = OperandFormat::fp16;
    std::vector<std::uint16_t> left;
    std::vector<std::uint16_t> right;
    /// Partial sums (values of the accumulator format), pass after pass as m x n; shared by the tiles of one reduction.
    std::shared_ptr<std::vector<float>> sums;
    /// Told of the sums when the last tile of the reduction has been computed.
    std::function<void(const std::vector<float>&)> finished;
};

/// Executes the tile's products on its values: what the PEs compute while the tile streams.
void compute(TileValues& values, const MatmulCommand& tile, const AccumulationRule& rule);

}  // namespace nibble
