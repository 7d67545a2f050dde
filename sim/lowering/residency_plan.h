// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sim/lowering/copy_format.h"

namespace nibble {

/// Where one operand access finds its data and leaves them. A read concerns one copy, a write all that are made.
///
///   read   spared: it is on chip, whole            not spared: it comes from DRAM
///          stays:  it is on chip from this access to the next one; if it comes from DRAM, it is loaded whole
///   write  spared: the copy is not stored          not spared: it goes to DRAM, whether it stays or not
///          stays:  it is on chip from this access to the next one
struct Placement {
    CopyFormats spared = 0;  ///< copies of which this access causes no DRAM traffic
    CopyFormats stays = 0;   ///< copies that the resident part of the scratchpad holds until they are read next

    [[nodiscard]] bool spares(CopyFormat format) const { return (spared & bit_of(format)) != 0; }
    [[nodiscard]] bool keeps(CopyFormat format) const { return (stays & bit_of(format)) != 0; }
    friend bool operator==(const Placement&, const Placement&) = default;
};

/// Which copies of which tensors stay on chip between which accesses: decided for the whole step before it runs, from
/// sizes and lifetimes alone, so that it depends on no tiling. Two bytes an operand access.
class ResidencyPlan {
public:
    ResidencyPlan() = default;
    explicit ResidencyPlan(std::vector<Placement> placements) : placements_(std::move(placements)) {}

    /// Accesses are numbered through the selected operations, inputs before outputs.
    [[nodiscard]] const Placement& at(std::uint64_t access) const { return placements_[access]; }
    [[nodiscard]] std::uint64_t accesses() const { return placements_.size(); }

private:
    std::vector<Placement> placements_;
};

}  // namespace nibble
