// SPDX-License-Identifier: MIT
#include "sim/app/machine_info.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/counters/counter.h"
#include "sim/energy/area.h"
#include "sim/energy/energy_model.h"
#include "sim/report/metrics.h"
#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

std::string_view sharing_name(ArraySharing sharing) {
    return sharing == ArraySharing::shared ? "shared" : "dedicated";
}

std::string_view sharing_assumption(ArraySharing sharing) {
    return sharing == ArraySharing::shared
               ? "all modes run on one array of PEs at stated rates, as real machines do"
               : "each mode has an array of the same MAC area dedicated to it, the estimate of Sun et al. 2020";
}

Counter mac_counter(std::size_t mode) {
    return static_cast<Counter>(static_cast<std::size_t>(Counter::mac_int4) + mode);
}

std::string dataflows(const MacArrayParameters& array) {
    std::string names;
    for (const Dataflow dataflow : array.dataflows) {
        names += (names.empty() ? "" : ", ") + std::string(dataflow_names[static_cast<std::size_t>(dataflow)]);
    }
    return names;
}

/// A memory of the machine, as people call it.
struct NamedMemory {
    std::string name;
    SramMacro macro;
};

std::vector<NamedMemory> memories_of(const MachineParameters& machine) {
    std::vector<NamedMemory> memories;
    if (machine.scratchpad.buffers) {
        for (std::size_t part = 0; part < scratchpad_part_count; ++part) {
            const SramMacro macro = memory_of(machine.scratchpad, static_cast<ScratchpadPart>(part));
            if (macro.capacity_bytes > 0) {
                memories.push_back({fmt::format("scratchpad, {}", scratchpad_part_names[part]), macro});
            }
        }
    } else {
        memories.push_back({"scratchpad", memory_of(machine.scratchpad, ScratchpadPart::left)});
    }
    memories.push_back({"accumulators", accumulators_of(machine.mac_array)});
    return memories;
}

std::string_view ports_name(BankPorts ports) {
    return bank_ports_names[static_cast<std::size_t>(ports)];
}

}  // namespace

nlohmann::ordered_json machine_info_json(const MachineParameters& machine, const Technology& technology,
                                         const DramEnergyTable& dram) {
    using Json = nlohmann::ordered_json;
    const EnergyModel energy(technology, dram, machine);
    const AreaBreakdown area = area_of(machine, technology.area);
    Json modes = Json::object();
    for (std::size_t mode = 0; mode < array_mode_count; ++mode) {
        if (const auto& geometry = machine.mac_array.modes[mode]) {
            modes[std::string(array_mode_names[mode])] = {
                {"rows", geometry->rows},
                {"cols", geometry->cols},
                {"macs_per_cycle", peak_macs_per_cycle(*geometry)},
                {"macs_per_second", macs_per_second(static_cast<ArrayMode>(mode), machine)},
                {"tops", 2e-12 * macs_per_second(static_cast<ArrayMode>(mode), machine)},
                {"mac_energy_pj", energy.price_of(mac_counter(mode)).count()}};
        }
    }
    Json parts = Json::object();
    for (std::size_t i = 0; i < area_component_count; ++i) {
        parts[std::string(area_component_names[i])] = area.parts[i].count();
    }
    Json memories = Json::array();
    for (const NamedMemory& memory : memories_of(machine)) {
        const SramCost cost = technology.area.sram.cost(memory.macro);
        memories.push_back({{"name", memory.name},
                            {"capacity_bytes", memory.macro.capacity_bytes},
                            {"banks", memory.macro.banks},
                            {"line_bytes", memory.macro.line_bytes},
                            {"ports", ports_name(memory.macro.ports)},
                            {"read_pj", cost.read.count()},
                            {"write_pj", cost.write.count()},
                            {"leakage_mw", cost.leakage_mw},
                            {"area_um2", cost.area.count()}});
    }
    const std::optional<double> bandwidth = dram_bytes_per_second(machine);
    return {{"kind", "machine"},
            {"name", machine.name},
            {"description", machine.description},
            {"technology", machine.technology},
            {"clock_period_ps", machine.clock_period_ps},
            {"array_sharing", sharing_name(machine.mac_array.sharing)},
            {"modes", std::move(modes)},
            {"dataflows", dataflows(machine.mac_array)},
            {"scratchpad_bytes", machine.scratchpad.capacity_bytes},
            {"accumulator_bytes", machine.mac_array.accumulator_bytes},
            {"memories", std::move(memories)},
            {"vector_lanes", machine.vector_unit.lanes},
            {"log_gradient_lanes", machine.log_gradient.lanes},
            {"ideal_memory", machine.ideal_memory},
            {"dram_standard", machine.dram.standard},
            {"dram_channels", machine.dram.channels},
            {"dram_bytes_per_second", bandwidth ? Json(*bandwidth) : Json(nullptr)},
            {"dram_energy", bandwidth ? Json(energy.dram_basis()) : Json(nullptr)},
            {"area", {{"total_um2", area.total().count()}, {"by_unit_um2", std::move(parts)}}}};
}

std::string machine_info_text(const MachineParameters& machine, const Technology& technology,
                              const DramEnergyTable& dram, const TextStyle& style) {
    const EnergyModel energy(technology, dram, machine);
    const AreaBreakdown area = area_of(machine, technology.area);
    std::string text = heading(for_terminal(machine.name, style.width), style);
    if (!machine.description.empty()) {
        text += wrapped(for_terminal(machine.description, 1000), 2, style) + "\n";
    }
    text += "\n";

    TextTable modes({{"mode"}, {"array"}, {"peak"}, {"peak, 2 ops a MAC"}, {"energy of a MAC"}});
    for (std::size_t mode = 0; mode < array_mode_count; ++mode) {
        if (const auto& geometry = machine.mac_array.modes[mode]) {
            const double rate = macs_per_second(static_cast<ArrayMode>(mode), machine);
            modes.add({std::string(array_mode_names[mode]),
                       fmt::format("{} x {} x {}", geometry->rows, geometry->cols, geometry->macs_per_pe),
                       with_prefix(rate, "MAC/s"), with_prefix(2 * rate, "OPS"),
                       with_prefix(energy.price_of(mac_counter(mode)).count() * 1e-12, "J")});
        }
    }
    text += modes.text(style);
    text += wrapped(fmt::format("array: {}; dataflows: {}", sharing_assumption(machine.mac_array.sharing),
                                dataflows(machine.mac_array)),
                    2, style) +
            "\n\n";

    const std::optional<double> bandwidth = dram_bytes_per_second(machine);
    TextTable facts({{""}, {"", TextTable::Align::left}});
    facts.add({"clock", with_prefix(1 / seconds_of(1, machine), "Hz")});
    facts.add({"technology", for_terminal(machine.technology, 60)});
    facts.add({"DRAM", bandwidth ? fmt::format("{} channels of {}, {}", machine.dram.channels, machine.dram.standard,
                                               with_prefix(*bandwidth, "B/s"))
                                 : "ideal: answers at once, costs nothing"});
    facts.add({"scratchpad", fmt::format("{}, {} of it resident; {} tiles an operand; {}",
                                         byte_size(static_cast<double>(machine.scratchpad.capacity_bytes)),
                                         byte_size(static_cast<double>(machine.scratchpad.resident_bytes)),
                                         machine.scratchpad.buffering,
                                         arbitration_names[static_cast<std::size_t>(machine.scratchpad.arbitration)])});
    facts.add({"vector unit", fmt::format("{} lanes", machine.vector_unit.lanes)});
    facts.add({"log-gradient unit", fmt::format("{} lanes", machine.log_gradient.lanes)});
    text += facts.text(style);
    if (bandwidth) {
        text += wrapped("DRAM energy: " + energy.dram_basis(), 2, style) + "\n";
    }
    text += "\n";

    TextTable memories({{"memory"}, {"capacity"}, {"banks"}, {"ports"}, {"line read"}, {"written"}, {"leakage"}});
    for (const NamedMemory& memory : memories_of(machine)) {
        const SramCost cost = technology.area.sram.cost(memory.macro);
        memories.add({memory.name, byte_size(static_cast<double>(memory.macro.capacity_bytes)),
                      fmt::format("{} x {} B", memory.macro.banks, memory.macro.line_bytes),
                      std::string(ports_name(memory.macro.ports)), with_prefix(cost.read.count() * 1e-12, "J"),
                      with_prefix(cost.write.count() * 1e-12, "J"), with_prefix(cost.leakage_mw * 1e-3, "W")});
    }
    text += memories.text(style) + "\n";

    TextTable areas({{"area"}, {"mm2"}, {"of all"}});
    const double total = area.total().count();
    for (std::size_t i = 0; i < area_component_count; ++i) {
        areas.add({std::string(area_component_names[i]), fmt::format("{:.4f}", area.parts[i].count() * 1e-6),
                   percent(total > 0 ? area.parts[i].count() / total : 0)});
    }
    areas.add_rule();
    areas.add({"core", fmt::format("{:.4f}", total * 1e-6), percent(1)});
    return text + areas.text(style);
}

}  // namespace nibble
