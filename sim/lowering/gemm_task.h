// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/mac_array/mac_array_params.h"
#include "models/scratchpad/scratchpad_params.h"
#include "sim/lowering/gemm_problem.h"

namespace nibble {

inline constexpr std::uint32_t array_result_bits = 16;  ///< of one output, as the array writes it

/// What a GEMM asks of a machine, without addresses and values: all that its mapping is chosen by. Bits are those of
/// one element.
struct GemmTask {
    struct Operand {
        std::uint32_t bits = 16;
        bool on_chip = false;          ///< whole in the scratchpad already
        std::uint64_t stay_bytes = 0;  ///< of the whole operand, if it is loaded once and whole, to stay; else 0
        std::uint32_t rounded_bits =
            0;  ///< of the codes that a tile is rounded to on its way to the array; 0: it is not

        /// Are its tiles parts of what is, or comes, on chip as a whole?
        [[nodiscard]] bool resident() const { return on_chip || stay_bytes > 0; }
        /// Of the buffers for tiles: a loaded tile is rounded in its place.
        [[nodiscard]] std::uint32_t tile_bits() const { return resident() ? rounded_bits : bits; }
        /// As the array reads it.
        [[nodiscard]] std::uint32_t array_bits() const { return rounded_bits > 0 ? rounded_bits : bits; }
        friend bool operator==(const Operand&, const Operand&) = default;
    };

    struct StoredCopy {
        std::uint32_t bits = 16;
        ScratchpadPart part = ScratchpadPart::output;  ///< from which it is stored
    };

    /// A small operand that is moved whole, whatever the tiling: biases before the first tile, statistics after the
    /// last.
    struct WholeCopy {
        std::uint64_t bytes = 0;
        ScratchpadPart part = ScratchpadPart::output;  ///< to which it is loaded, or from which it is stored
    };

    GemmProblem problem;
    ArrayMode mode = ArrayMode::fp16;
    Operand left{}, right{};
    std::vector<Operand> side_inputs{};                   ///< of the epilogue, each as large as the output
    std::vector<StoredCopy> stored{};                     ///< the copies of an output that go to DRAM
    std::vector<WholeCopy> whole_inputs{};                ///< those that come from DRAM
    std::vector<WholeCopy> whole_outputs{};               ///< those that go to DRAM
    ScratchpadPart result_part = ScratchpadPart::output;  ///< where the array writes its results
    ScratchpadPart code_part = ScratchpadPart::gradient;  ///< where codes of gradients are made
    std::uint32_t result_bits = 16;  ///< of the output buffer for one output: every copy but codes, the 16-bit result
                                     ///< and side inputs included
    std::uint32_t code_bits = 0;     ///< of the gradient buffer: radix-4 codes that the log-gradient unit writes
    std::uint32_t kept_result_bits = 0;  ///< of result_bits, those of copies that stay: they take no room in the buffer
    std::uint32_t kept_code_bits = 0;    ///< the same of code_bits
    std::uint64_t lane_ops = 0;          ///< of the vector unit for one output
    PartBytes vector_read_bits{};        ///< what it reads and writes for that, in bits, of each part of the scratchpad
    PartBytes vector_write_bits{};

    /// Equal for tasks that are mapped alike.
    [[nodiscard]] std::string key() const;
    /// Equal for tasks whose commands, with equal tilings and alone, are equal.
    [[nodiscard]] std::string content_key() const;
};

}  // namespace nibble
