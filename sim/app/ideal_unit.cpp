// SPDX-License-Identifier: MIT
#include "sim/app/ideal_unit.h"

namespace nibble {

namespace {

bool& ideal_of(MachineParameters& machine, IdealUnit unit) {
    switch (unit) {
        case IdealUnit::memory:
            return machine.dma.ideal;
        case IdealUnit::scratchpad:
            return machine.scratchpad.ideal;
        case IdealUnit::mac_array:
            return machine.mac_array.ideal;
        case IdealUnit::log_gradient:
            return machine.log_gradient.ideal;
        case IdealUnit::vector_unit:
            break;
    }
    return machine.vector_unit.ideal;
}

}  // namespace

std::vector<IdealUnit> units_that_take_time(const MachineParameters& machine) {
    MachineParameters copy = machine;
    std::vector<IdealUnit> units;
    for (std::size_t i = 0; i < ideal_unit_count; ++i) {
        const auto unit = static_cast<IdealUnit>(i);
        const bool exists = unit == IdealUnit::memory         ? !machine.ideal_memory
                            : unit == IdealUnit::log_gradient ? machine.log_gradient.lanes > 0
                                                              : true;
        if (exists && !ideal_of(copy, unit)) {
            units.push_back(unit);
        }
    }
    return units;
}

MachineParameters with_ideal(MachineParameters machine, IdealUnit unit) {
    ideal_of(machine, unit) = true;
    return machine;
}

}  // namespace nibble
