// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sim/report/result.h"
#include "sim/report/text_table.h"

namespace nibble {

// The parts of the text report, each with its heading. Empty where there is nothing to say.

/// Network, machines, baseline with its rule.
[[nodiscard]] std::string setup_section(const Result& result, const TextStyle& style);
/// Time, throughput, energy, efficiency; speed-up beside what was promised.
[[nodiscard]] std::string headline_section(const Result& result, const TextStyle& style);
/// Cycles and energy of both machines, by phase and by layer group.
/// What the array delivers against what the trace says; empty if it says nothing.
[[nodiscard]] std::string replay_section(const Result& result, const TextStyle& style);
[[nodiscard]] std::string phase_section(const Result& result, const TextStyle& style);
[[nodiscard]] std::string group_section(const Result& result, const TextStyle& style);
/// The cause of every cycle.
[[nodiscard]] std::string cycles_section(const Result& result, const TextStyle& style);
[[nodiscard]] std::string energy_section(const Result& result, const TextStyle& style);
/// See waterfall_of().
[[nodiscard]] std::string waterfall_section(const Result& result, const TextStyle& style);
/// What stayed on chip, and the DRAM traffic that was spared.
[[nodiscard]] std::string on_chip_section(const Result& result, const TextStyle& style);
/// Errors of outputs and operands with recorded values.
[[nodiscard]] std::string value_section(const Result& result, const TextStyle& style);
/// How fast the simulation itself was.
[[nodiscard]] std::string simulation_section(const Result& result, const TextStyle& style);

}  // namespace nibble
