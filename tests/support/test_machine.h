// SPDX-License-Identifier: MIT
#pragma once

#include "models/machine/machine_params.h"
#include "sim/lowering/tile_space.h"

namespace nibble::test {

/// A small machine on which small traces exercise everything: 8x8 PEs, 64 KiB of scratchpad, one channel of DRAM.
inline MachineParameters small_machine() {
    MachineParameters machine;
    machine.name = "small";
    machine.clock_period_ps = 1000;
    machine.technology = "7nm";
    machine.dram.channels = 1;
    machine.scratchpad = {.capacity_bytes = 64 * 1024, .resident_bytes = 16 * 1024, .banks = 8, .line_bytes = 32};
    machine.dma = {.max_request_bytes = 1024, .max_outstanding = 4, .lines_per_cycle = 2};
    machine.log_gradient.lanes = 8;
    machine.vector_unit.lanes = 16;
    machine.mac_array.rows = 8;
    machine.mac_array.cols = 8;
    machine.mac_array.pe = {.int4_fp4_4way = 1, .fp8 = 0, .fp16 = 0.25};
    machine.mac_array.modes[0] = ArrayGeometry{8, 8, 4, 1};
    machine.mac_array.modes[1] = ArrayGeometry{8, 8, 4, 1};
    machine.mac_array.modes[2] = ArrayGeometry{8, 8, 1, 2};
    machine.mac_array.modes[3] = ArrayGeometry{8, 8, 1, 4};
    machine.mac_array.dataflows = {Dataflow::output_stationary, Dataflow::weight_stationary,
                                   Dataflow::input_stationary};
    machine.mac_array.accumulator_bytes = 16 * 1024;
    machine.mac_array.accumulation.chunk = 8;
    return machine;
}

/// One buffer of that many bytes for all tiles.
inline TileCapacity tile_room(std::uint64_t bytes) {
    return TileCapacity({.capacity_bytes = bytes, .resident_bytes = 0, .banks = 1, .line_bytes = 1});
}

}  // namespace nibble::test
