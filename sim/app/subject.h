// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/energy/dram_energy_table.h"
#include "sim/energy/technology.h"
#include "sim/lowering/recipe.h"
#include "sim/report/result.h"

namespace nibble {

/// The recipe of this name. Throws InputError with a suggestion if there is none.
[[nodiscard]] const Recipe& recipe_named(const std::string& name);

/// The machine with its recipe, area and energy model.
[[nodiscard]] Subject make_subject(const MachineParameters& machine, const Technology& technology,
                                   const DramEnergyTable& dram, const std::string& recipe);

/// What --baseline asks for: a rule by which the 16-bit baseline is made from `machine`, "none", or a machine of its
/// own by preset or file. The baseline runs everything in 16 bits.
[[nodiscard]] std::optional<Subject> make_baseline_subject(const std::string& choice, const MachineParameters& machine,
                                                           const Technology& technology, const DramEnergyTable& dram);

/// Where the numbers of the energy tables come from: one line for each row of the technology, and one for each DRAM
/// standard that the machines use.
[[nodiscard]] std::vector<std::string> sources_of(const Technology& technology, const DramEnergyTable& dram,
                                                  const Subject& machine, const Subject* baseline);

}  // namespace nibble
