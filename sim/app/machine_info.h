// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "models/machine/machine_params.h"
#include "sim/energy/dram_energy_table.h"
#include "sim/energy/technology.h"
#include "sim/report/text_table.h"

namespace nibble {

/// What a machine could do at best, and what it consists of.
[[nodiscard]] nlohmann::ordered_json machine_info_json(const MachineParameters& machine, const Technology& technology,
                                                       const DramEnergyTable& dram);
[[nodiscard]] std::string machine_info_text(const MachineParameters& machine, const Technology& technology,
                                            const DramEnergyTable& dram, const TextStyle& style);

}  // namespace nibble
