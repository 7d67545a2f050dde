// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "models/machine/machine_params.h"

namespace nibble {

/// What can be made to take no time, to see what it costs.
enum class IdealUnit : std::uint8_t { memory, scratchpad, mac_array, log_gradient, vector_unit };
inline constexpr std::size_t ideal_unit_count = 5;
inline constexpr std::array<std::string_view, ideal_unit_count> ideal_unit_names{"memory", "scratchpad", "mac_array",
                                                                                 "log_gradient", "vector_unit"};

/// The units of a machine that take time.
[[nodiscard]] std::vector<IdealUnit> units_that_take_time(const MachineParameters& machine);

/// The same machine with a unit that takes none, which has `ideal` set; the DMA engines for memory. All of them execute
/// the same commands.
[[nodiscard]] MachineParameters with_ideal(MachineParameters machine, IdealUnit unit);

}  // namespace nibble
