// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "models/machine/machine_params.h"
#include "sim/counters/op_record.h"
#include "sim/report/result.h"
#include "sim/report/tally.h"

namespace nibble {

[[nodiscard]] double seconds_of(std::uint64_t cycles, const MachineParameters& machine);

/// Peak data rate of the machine's DRAM; nothing if memory is ideal.
[[nodiscard]] std::optional<double> dram_bytes_per_second(const MachineParameters& machine);

/// What the scratchpad's memories together read and write in a second at the most.
[[nodiscard]] double scratchpad_bytes_per_second(const MachineParameters& machine);

/// Bytes read from and written to the scratchpad, in whole lines.
[[nodiscard]] std::uint64_t scratchpad_bytes(const CounterValues& counters, const MachineParameters& machine);

/// Peak rate of one mode, in MACs a second; 0 if the array cannot do it.
[[nodiscard]] double macs_per_second(ArrayMode mode, const MachineParameters& machine);

/// The mode with the highest peak rate; of equals INT4 x FP4, which two of three GEMMs of a 4-bit step use.
[[nodiscard]] ArrayMode fastest_mode(const MachineParameters& machine);

/// Array cycles that the executed MACs need when every PE is busy, each in its mode.
[[nodiscard]] double cycles_at_peak(const CounterValues& counters, const MachineParameters& machine);

/// MACs of the array, without those of depthwise convolutions, which the vector unit executes.
[[nodiscard]] std::uint64_t array_macs(const CounterValues& counters);

/// Part of its mode's peak that an operation reached over the cycles that were counted for it; 0 for vector work. At
/// most 1: an operation that began while its predecessor was still storing is counted fewer cycles than it took.
[[nodiscard]] double utilization_of(const OpRecord& record);

/// The same for a whole run, each MAC weighed by its mode's peak.
[[nodiscard]] double utilization_of(const Tally& tally, const MachineParameters& machine);

[[nodiscard]] double energy_pj(const Tally& tally, const Subject& subject);

/// Time of the baseline over time of the machine. Each of these is 0 where there is nothing to divide by.
[[nodiscard]] double speedup(const Comparison& both, const Setup& setup);
[[nodiscard]] double energy_gain(const Comparison& both, const Setup& setup);

/// Both machines' totals as one comparison. There must be a baseline.
[[nodiscard]] Comparison whole_run(const Result& result);

}  // namespace nibble
