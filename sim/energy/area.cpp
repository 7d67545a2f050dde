// SPDX-License-Identifier: MIT
#include "sim/energy/area.h"

#include "sim/program/command.h"

namespace nibble {

SquareMicrometres AreaBreakdown::total() const {
    SquareMicrometres sum;
    for (const SquareMicrometres part : parts) {
        sum += part;
    }
    return sum;
}

SquareMicrometres mac_area_of(const MacArrayParameters& array, const AreaTable& table) {
    const SquareMicrometres pe = table.each(AreaUnit::int4_fp4_4way) * array.pe.int4_fp4_4way +
                                 table.each(AreaUnit::fp8_mac) * array.pe.fp8 +
                                 table.each(AreaUnit::fp16_fpu) * array.pe.fp16;
    return pe * static_cast<double>(std::uint64_t{array.rows} * array.cols);
}

AreaBreakdown area_of(const MachineParameters& machine, const AreaTable& table) {
    constexpr double dma_engines = 2;  // load and store
    AreaBreakdown area;
    const auto set = [&](AreaComponent component, SquareMicrometres value) {
        area.parts[static_cast<std::size_t>(component)] = value;
    };
    set(AreaComponent::mac_array, mac_area_of(machine.mac_array, table));
    set(AreaComponent::accumulators, table.sram.cost(accumulators_of(machine.mac_array)).area);
    set(AreaComponent::log_gradient, table.each(AreaUnit::log_gradient_lane) * machine.log_gradient.lanes);
    set(AreaComponent::vector_unit, table.each(AreaUnit::vector_lane) * machine.vector_unit.lanes);
    SquareMicrometres scratchpad;
    for (const SramMacro& memory : scratchpad_memories(machine)) {
        scratchpad += table.sram.cost(memory).area;
    }
    set(AreaComponent::scratchpad, scratchpad);
    set(AreaComponent::dma, table.each(AreaUnit::dma_engine) * dma_engines);
    set(AreaComponent::sequencer,
        table.each(AreaUnit::sequencer_entry) * static_cast<double>(unit_count * machine.sequencer.queue_entries));
    return area;
}

}  // namespace nibble
