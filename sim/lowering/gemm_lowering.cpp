// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_lowering.h"

#include <utility>

#include "models/dram/dram_standard.h"
#include "sim/lowering/gemm_job.h"

namespace nibble {

namespace {

double peak_dram_bytes_per_cycle(const MachineParameters& machine) {
    const DramStandard& standard = *find_dram_standard(machine.dram.standard);
    const double bytes_per_ps = static_cast<double>(standard.burst_bytes()) * machine.dram.channels /
                                (static_cast<double>(standard.burst) * standard.clock_period_ps);
    return bytes_per_ps * static_cast<double>(machine.clock_period_ps);
}

}  // namespace

GemmLowering::GemmLowering(const LoweringContext& context, GemmValues* values)
    : resources_{context, TilingCache(context.machine.mac_array), values, peak_dram_bytes_per_cycle(context.machine)} {}

std::unique_ptr<OperationLowering> GemmLowering::lower(const Operation& operation, OpRecord record,
                                                       std::uint64_t first_access) {
    return std::make_unique<GemmJob>(resources_, operation, std::move(record), first_access);
}

}  // namespace nibble
