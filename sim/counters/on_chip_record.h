// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nibble {

/// What staying on chip spared one kind of tensor: the DRAM traffic, in whole bursts, that the same tiles and chunks
/// would have caused had no tensor stayed, less what was moved. What an operation loads whole, to stay, may be more
/// than its tiles need: that is taken off what is spared later.
struct OnChipKind {
    std::uint64_t tensors = 0;  ///< of which a copy stayed at least once
    std::int64_t load_bytes = 0;
    std::int64_t store_bytes = 0;
};

/// Kinds of tensors, as traces call them; in the order of TensorRole.
inline constexpr std::array<std::string_view, 8> tensor_kind_names{
    "activation", "weight", "gradient", "weight_gradient", "state", "statistic", "mask", "index"};

/// What a program kept on chip from one operation to a later one, or from a GEMM to the element-wise work after it.
struct OnChipRecord {
    std::array<OnChipKind, tensor_kind_names.size()> kinds{};
    std::uint64_t fused_gemms = 0;  ///< with element-wise steps that are applied to each tile of results as it drains
    std::uint64_t fused_steps = 0;  ///< those steps
    std::uint64_t fused_quantizations = 0;  ///< copies in a narrow format that are made as results drain
    [[nodiscard]] OnChipKind all() const {
        OnChipKind sum;
        for (const OnChipKind& kind : kinds) {
            sum.tensors += kind.tensors;
            sum.load_bytes += kind.load_bytes;
            sum.store_bytes += kind.store_bytes;
        }
        return sum;
    }
};

}  // namespace nibble
