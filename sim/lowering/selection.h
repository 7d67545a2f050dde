// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "sim/input/operation.h"

namespace nibble {

/// The operations of a trace that are to be simulated.
struct Selection {
    static constexpr std::uint32_t every_phase = 0x1f;
    std::uint32_t phases = every_phase;  ///< one bit for each Phase
    std::string layers = "*";            ///< shell pattern for layer names

    [[nodiscard]] bool contains(const Operation& operation) const;
};

/// "forward,dx,dw,vector,update" (any subset) as bits. Throws InputError naming the part that is no phase.
[[nodiscard]] std::uint32_t parse_phases(const std::string& list);
[[nodiscard]] std::string phase_name(Phase phase);

}  // namespace nibble
