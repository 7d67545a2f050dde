// SPDX-License-Identifier: MIT
#include "sim/energy/energy_model.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "models/dram/dram_standard.h"
#include "sim/base/error.h"
#include "sim/energy/dram_energy.h"

namespace nibble {

namespace {

/// Milliwatts for one clock period: 1 mW x 1 ps = 1e-3 pJ.
Picojoules energy_of(double milliwatts, std::uint64_t period_ps) {
    return Picojoules(milliwatts * static_cast<double>(period_ps) * 1e-3);
}

double square_millimetres(SquareMicrometres area) {
    return area.count() * 1e-6;
}

ArrayMode mode_counted_by(Counter mac_counter) {
    return static_cast<ArrayMode>(std::ranges::find(mac_counters, mac_counter) - mac_counters.begin());
}

double operand_bits(ArrayMode mode) {
    switch (mode) {
        case ArrayMode::int4:
        case ArrayMode::int4_fp4:
            return 4;
        case ArrayMode::fp8:
            return 8;
        case ArrayMode::fp16:
            break;
    }
    return 16;
}

/// Register bits clocked for one MAC: in a step a PE latches two operands of macs_per_pe elements and one partial sum.
double register_bits_per_mac(const MacArrayParameters& array, Counter counter) {
    constexpr double partial_sum_bits = 32;
    const ArrayMode mode = mode_counted_by(counter);
    const std::optional<ArrayGeometry>& geometry = array.modes[static_cast<std::size_t>(mode)];
    return geometry ? 2 * operand_bits(mode) + partial_sum_bits / geometry->macs_per_pe : 0;
}

Picojoules price_each(const EnergyRow& row, const MachineParameters& machine, SquareMicrometres logic_area) {
    switch (row.form) {
        case PriceForm::pj:
            return Picojoules(row.value);
        case PriceForm::pj_per_register_bit:
            return Picojoules(row.value * register_bits_per_mac(machine.mac_array, row.action));
        case PriceForm::mw_per_mm2:
            return energy_of(row.value * square_millimetres(logic_area), machine.clock_period_ps);
    }
    return {};
}

EnergyComponent component_named(std::string_view name) {
    const auto found = std::ranges::find(energy_component_names, name);
    if (found == energy_component_names.end()) {
        throw ModelError(fmt::format("energy is priced for '{}', which is no component", name));
    }
    return static_cast<EnergyComponent>(found - energy_component_names.begin());
}

}  // namespace

Picojoules EnergyBreakdown::total() const {
    Picojoules sum;
    for (const Picojoules part : parts) {
        sum += part;
    }
    return sum;
}

Picojoules EnergyBreakdown::chip() const {
    EnergyBreakdown without_dram = *this;
    without_dram.parts[static_cast<std::size_t>(EnergyComponent::dram)] = Picojoules(0);
    return without_dram.total();
}

EnergyBreakdown& EnergyBreakdown::operator+=(const EnergyBreakdown& other) {
    for (std::size_t i = 0; i < energy_component_count; ++i) {
        parts[i] += other.parts[i];
    }
    return *this;
}

EnergyModel::EnergyModel(const Technology& technology, const DramEnergyTable& dram, const MachineParameters& machine) {
    const AreaBreakdown area = area_of(machine, technology.area);
    const SquareMicrometres logic_area =
        area.total() - area[AreaComponent::scratchpad] - area[AreaComponent::accumulators];
    for (const EnergyRow& row : technology.energy) {
        add(component_named(row.component), row.action, price_each(row, machine, logic_area));
        if (counts_macs(row.action)) {
            multiplier_[static_cast<std::size_t>(mode_counted_by(row.action))] += Picojoules(row.multiplier_pj);
        }
    }
    price_srams(technology.area.sram, machine);
    if (!machine.ideal_memory) {
        add_dram(dram.of(machine.dram.standard));
    }
    std::ranges::stable_sort(prices_, {}, &Price::component);
}

void EnergyModel::add_dram(const DramEnergyEntry& entry) {
    dram_basis_ = basis_text(entry);
    const DramStandard& standard = *find_dram_standard(entry.standard);
    const DramPrices prices(entry, standard);
    const auto add = [&](Counter counter, Picojoules each) { this->add(EnergyComponent::dram, counter, each); };
    const auto per_byte = [&](DramEnergyTerm array, DramEnergyTerm data_pins) {
        return (prices.each(array) + prices.each(data_pins)) * (1.0 / standard.burst_bytes());
    };
    add(Counter::dram_bytes_read, per_byte(DramEnergyTerm::read, DramEnergyTerm::read_data_pins));
    add(Counter::dram_bytes_written, per_byte(DramEnergyTerm::write, DramEnergyTerm::write_data_pins));
    add(Counter::dram_activates, prices.each(DramEnergyTerm::activate));
    add(Counter::dram_refreshes, prices.each(DramEnergyTerm::refresh));
    add(Counter::dram_bank_refreshes, prices.each(DramEnergyTerm::bank_refresh));
    add(Counter::dram_active_standby_cycles, prices.each(DramEnergyTerm::active_standby));
    add(Counter::dram_precharge_standby_cycles, prices.each(DramEnergyTerm::precharge_standby));
    add(Counter::dram_active_power_down_cycles, prices.each(DramEnergyTerm::active_power_down));
    add(Counter::dram_precharge_power_down_cycles, prices.each(DramEnergyTerm::precharge_power_down));
}

void EnergyModel::add(EnergyComponent component, Counter counter, Picojoules each) {
    const auto earlier = std::ranges::find_if(
        prices_, [&](const Price& price) { return price.component == component && price.counter == counter; });
    if (earlier != prices_.end()) {
        earlier->each += each;
    } else {
        prices_.push_back({component, counter, each});
    }
}

void EnergyModel::price_srams(const SramModel& sram, const MachineParameters& machine) {
    for (std::size_t part = 0; part < scratchpad_part_count; ++part) {
        const SramCost cost = sram.cost(memory_of(machine.scratchpad, static_cast<ScratchpadPart>(part)));
        add(EnergyComponent::scratchpad, line_counters[part][0], cost.read);
        add(EnergyComponent::scratchpad, line_counters[part][1], cost.write);
    }
    const SramMacro accumulators = accumulators_of(machine.mac_array);
    const SramCost sums = sram.cost(accumulators);
    const double lines_per_byte = accumulators.line_bytes > 0 ? 1.0 / accumulators.line_bytes : 0;
    add(EnergyComponent::mac_array, Counter::accumulator_read_bytes, sums.read * lines_per_byte);
    add(EnergyComponent::mac_array, Counter::accumulator_write_bytes, sums.write * lines_per_byte);
    double leakage_mw = sums.leakage_mw;
    for (const SramMacro& memory : scratchpad_memories(machine)) {
        leakage_mw += sram.cost(memory).leakage_mw;
    }
    add(EnergyComponent::leakage, Counter::cycles, energy_of(leakage_mw, machine.clock_period_ps));
}

EnergyBreakdown EnergyModel::price(const CounterValues& counters) const {
    EnergyBreakdown breakdown;
    for (const Price& price : prices_) {
        breakdown.parts[static_cast<std::size_t>(price.component)] +=
            price.each * static_cast<double>(counters[index_of(price.counter)]);
    }
    return breakdown;
}

Picojoules EnergyModel::activity_correction(const CounterValues& counters, const ValueRecord& values) const {
    double rate = 0;
    for (const OperandRecord& operand : values.operands) {
        const std::optional<double> recorded = operand.recorded ? operand.recorded->toggle_rate : std::nullopt;
        rate += recorded.value_or(random_toggle_rate) / static_cast<double>(values.operands.size());
    }
    Picojoules nominal;
    for (std::size_t mode = 0; mode < array_mode_count; ++mode) {
        nominal += multiplier_[mode] * static_cast<double>(counters[index_of(mac_counters[mode])]);
    }
    return nominal * (rate / random_toggle_rate - 1);
}

std::vector<EnergyLine> EnergyModel::lines(const CounterValues& counters) const {
    std::vector<EnergyLine> lines;
    lines.reserve(prices_.size());
    for (const Price& price : prices_) {
        lines.push_back(
            {price.component, price.counter, price.each * static_cast<double>(counters[index_of(price.counter)])});
    }
    return lines;
}

Picojoules EnergyModel::price_of(Counter counter) const {
    Picojoules sum;
    for (const Price& price : prices_) {
        if (price.counter == counter) {
            sum += price.each;
        }
    }
    return sum;
}

}  // namespace nibble
