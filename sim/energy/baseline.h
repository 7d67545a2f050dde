// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/energy/area.h"

namespace nibble {

/// How many FP16 FPUs the 16-bit baseline of a machine gets.
enum class BaselineRule : std::uint8_t {
    iso_mac_area,   ///< as many as fit into the area of the machine's MAC array: the comparison of Sun et al. 2020
    iso_core_area,  ///< the same, and those that fit into the area of the log-gradient unit, which it does not need;
                    ///< less what wider accumulators take, where it has more columns
    iso_macs,       ///< as many as the machine does 4-bit MACs a cycle
};
inline constexpr std::size_t baseline_rule_count = 3;
inline constexpr std::array<std::string_view, baseline_rule_count> baseline_rule_names{"iso-mac-area", "iso-core-area",
                                                                                       "iso-macs"};

/// An FP16-only machine and, for people, how it was built: what the rule allows and what was lost by rounding.
struct Baseline {
    MachineParameters machine;
    std::vector<std::string> notes;
};

/// Builds the FP16 baseline of `machine`: an array of PEs with one FP16 FPU each (1 MAC a cycle), no log-gradient unit,
/// and everything else (memory, scratchpad, accumulators, vector unit, dataflows, clock) the same.
///
/// Of n FPUs allowed, the array uses the most that make a grid of rows x cols with a power of two of columns and
/// neither side longer than twice the other; among equals the squarest. Columns are a power of two because channel
/// counts are multiples of one. (The largest grid of 819 FPUs would be 21 x 39, on which 64 channels take two folds and
/// keep 82% of the columns busy; 25 x 32 keeps all of them busy and uses 98% of the FPUs. The baseline shall not lose
/// by an odd shape.)
///
/// Accumulators that cannot take the sums of its columns are built as wide as these. The accumulation chunk, which only
/// orders values, is shortened to a divisor of the rows where a weight- or input-stationary fold would otherwise end
/// inside a chunk. Throws InputError if the rule allows no FPU, or asks for 4-bit MACs of a machine that has none.
[[nodiscard]] Baseline make_baseline(const MachineParameters& machine, BaselineRule rule, const AreaTable& table);

/// What is promised by MAC area alone: density of 4-bit MACs over that of FP16, 4 / 0.55 = 7.27. Sun et al. 2020,
/// section 6: a 4-way INT4 x FP4 unit takes 55% of the area of an FP16 FPU at 4 times its throughput ("7.3x").
inline constexpr double density_promised_by_sun = int4_fp4_4way_macs / int4_fp4_4way_relative_area;

/// What these two machines promise: peak 4-bit MACs a second (INT4, or INT4 x FP4 if it has no INT4) over peak FP16
/// MACs a second of the baseline. 0 if either has no such mode.
[[nodiscard]] double promised_speedup(const MachineParameters& machine, const MachineParameters& baseline);

}  // namespace nibble
