// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "models/mac_array/mac_array_params.h"
#include "models/scratchpad/scratchpad_params.h"

namespace nibble {

/// The units that execute commands. Each executes its own in program order.
enum class Unit : std::uint8_t { load, mac_array, log_gradient, vector_unit, store };
inline constexpr std::size_t unit_count = 5;
inline constexpr std::array<std::string_view, unit_count> unit_names{"load", "mac_array", "log_gradient", "vector_unit",
                                                                     "store"};

/// What must have happened before a command may start: for each unit, how many of its commands have completed.
/// As every unit works in order, this says exactly which ones.
using Dependencies = std::array<std::uint64_t, unit_count>;

/// A strided block in DRAM: runs of contiguous bytes, repeated along up to three outer dimensions (outermost first).
struct Slice {
    struct Dimension {
        std::uint64_t count = 1;
        std::uint64_t stride_bytes = 0;
        friend bool operator==(const Dimension&, const Dimension&) = default;
    };
    std::uint64_t address = 0;
    std::uint64_t run_bytes = 0;
    std::array<Dimension, 3> outer{};
    friend bool operator==(const Slice&, const Slice&) = default;

    [[nodiscard]] std::uint64_t runs() const { return outer[0].count * outer[1].count * outer[2].count; }
    [[nodiscard]] std::uint64_t bytes() const { return runs() * run_bytes; }
};

/// Moves a slice between DRAM and a part of the scratchpad (load or store, according to the unit).
struct TransferCommand {
    Slice slice;
    ScratchpadPart part = ScratchpadPart::left;
};

/// One dense product inside a matmul command: m x k times k x n, counted as the array sees it (im2col done).
struct MatmulPass {
    std::uint64_t m = 0, n = 0, k = 0;
    friend bool operator==(const MatmulPass&, const MatmulPass&) = default;
};

struct TileValues;      // operands and result of a tile in values mode
struct GradientValues;  // gradients of a tile and their codes in values mode

/// Multiplies one pair of operand tiles. Passes are independent products over the same operands (the stride classes of
/// an input gradient; the products of a batch); each adds to its own part of the output tile.
struct MatmulCommand {
    ArrayMode mode = ArrayMode::fp16;
    Dataflow dataflow = Dataflow::output_stationary;
    std::uint32_t left_bits = 16;  ///< storage width of one element in the scratchpad
    std::uint32_t right_bits = 16;
    ScratchpadPart left_part = ScratchpadPart::left;  ///< where the operands lie and the results go
    ScratchpadPart right_part = ScratchpadPart::right;
    ScratchpadPart result_part = ScratchpadPart::output;
    bool left_transposed = false;  ///< walked against its layout: goes through the transposer
    bool right_transposed = false;
    bool accumulate = false;  ///< adds to partial sums of an earlier command instead of starting from zero
    bool finish = true;       ///< last part of the reduction: 16-bit results go to the scratchpad
    std::vector<MatmulPass> passes;
    std::shared_ptr<TileValues> values;  ///< null in shapes mode
};

/// Turns FP16 gradients in the scratchpad into radix-4 codes, both phases in one pass.
struct ConvertCommand {
    std::uint64_t elements = 0;
    std::uint32_t code_bits = 8;  ///< written for each gradient: 4 (one phase), 5 (packed pair) or 8 (two codes)
    ScratchpadPart gradient_part = ScratchpadPart::output;  ///< where the FP16 gradients lie
    ScratchpadPart code_part = ScratchpadPart::gradient;    ///< where the codes go
    std::shared_ptr<GradientValues> values;  ///< null in shapes mode, and where the vector unit made the gradients
};

/// Element-wise work on data in the scratchpad.
struct VectorCommand {
    std::uint64_t lane_ops = 0;
    PartBytes read_bytes{};  ///< from each part of the scratchpad
    PartBytes write_bytes{};
    std::uint64_t macs = 0;  ///< those among the lane operations that are a convolution's (depthwise)
};

/// What a command changes in how full the scratchpad is: software knows, units do not. Every byte that is taken is
/// freed once, never before; no unit looks at it.
struct ScratchpadRoom {
    std::uint64_t takes_bytes = 0;          ///< among the tiles, from the cycle in which the command is issued
    std::uint64_t frees_bytes = 0;          ///< among the tiles, when it has completed; what others took included
    std::uint64_t takes_to_stay_bytes = 0;  ///< for tensors that stay; freed by the OperationEnd that ends their stay
    friend bool operator==(const ScratchpadRoom&, const ScratchpadRoom&) = default;
};

/// One unit of work for one unit. The program is a sequence of these, in an order in which every dependency refers
/// to an earlier command: executing them one by one in that order is always correct.
struct Command {
    std::uint64_t operation = 0;  ///< index of the trace's operation that it works for
    Unit unit = Unit::load;
    Dependencies needs{};
    ScratchpadRoom room{};
    std::variant<TransferCommand, MatmulCommand, ConvertCommand, VectorCommand> work;
};

}  // namespace nibble
