// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/energy/area.h"
#include "sim/report/result_collector.h"

namespace nibble::samples {

// Two machines and a step of three operations, small enough to work out every figure by hand.
// Machine: 16 MACs a cycle in 4 bits, 4 in FP16, 1 ns. Baseline: 8 in FP16, 2 ns. Both have ideal memory.

inline MachineParameters machine(const std::string& name, std::uint64_t period_ps) {
    MachineParameters machine;
    machine.name = name;
    machine.technology = "test";
    machine.clock_period_ps = period_ps;
    machine.ideal_memory = true;
    machine.mac_array.rows = 2;
    machine.mac_array.cols = 2;
    machine.mac_array.dataflows = {Dataflow::output_stationary};
    machine.scratchpad.line_bytes = 64;
    return machine;
}

inline MachineParameters four_bit_machine() {
    MachineParameters four_bit = machine("four-bit", 1000);
    four_bit.mac_array.modes[static_cast<std::size_t>(ArrayMode::int4)] = {2, 2, 4, 1};
    four_bit.mac_array.modes[static_cast<std::size_t>(ArrayMode::int4_fp4)] = {2, 2, 4, 1};
    four_bit.mac_array.modes[static_cast<std::size_t>(ArrayMode::fp16)] = {2, 2, 1, 1};
    return four_bit;
}

inline MachineParameters sixteen_bit_machine() {
    MachineParameters sixteen_bit = machine("sixteen-bit", 2000);
    sixteen_bit.mac_array.modes[static_cast<std::size_t>(ArrayMode::fp16)] = {2, 4, 1, 1};
    return sixteen_bit;
}

/// An INT4 MAC costs 1 pJ, one in FP16 8 pJ, a lane operation 2 pJ, a cycle 0.5 pJ.
inline Technology technology() {
    Technology technology;
    technology.name = "test";
    technology.energy = {{"mac_array", Counter::mac_int4, PriceForm::pj, 1, 0, "a book"},
                         {"mac_array", Counter::mac_fp16, PriceForm::pj, 8, 0, "a book"},
                         {"vector_unit", Counter::vector_lane_ops, PriceForm::pj, 2, 0, "a book"},
                         {"static", Counter::cycles, PriceForm::pj, 0.5, 0, "a book"}};
    return technology;
}

inline Subject subject(const MachineParameters& machine, const std::string& recipe) {
    return {machine, recipe, area_of(machine, technology().area), EnergyModel(technology(), {}, machine), {}, {}};
}

inline Setup setup(bool with_baseline = true) {
    Setup setup{.program = "nibblesim test",
                .program_hash = "00ff",
                .trace = "step.trace",
                .source = {.from = "auto", .training = "derive"},
                .trace_hash = "ff00",
                .network = "three",
                .batch = 2,
                .phases = "forward,dx,dw,vector,update",
                .layers = "*",
                .skipping = true,
                .values = false,
                .energy_sources = {"a book"},
                .machine = subject(four_bit_machine(), "int4-fp4"),
                .baseline = {}};
    if (with_baseline) {
        setup.baseline = subject(sixteen_bit_machine(), "fp16");
        setup.baseline->rule = "iso-mac-area";
        setup.baseline->notes = {"made for a test"};
    }
    return setup;
}

inline void set(OpRecord& record, Counter counter, std::uint64_t value) {
    record.counters[index_of(counter)] = value;
}

/// A record whose cycles are the sum of its causes.
inline OpRecord record(std::uint64_t index, const std::string& layer, const std::string& phase, const std::string& mode,
                       std::uint64_t macs, const CauseCycles& causes) {
    OpRecord record;
    record.index = index;
    record.layer = layer;
    record.group = "group";
    record.phase = phase;
    record.kind = mode == "vector" ? "vector" : "conv";
    record.mode = mode;
    record.macs = macs;
    record.peak_macs_per_cycle = mode == "int4" ? 16 : mode == "fp16" ? 4 : 0;
    record.causes = causes;
    std::uint64_t cycles = 0;
    for (const std::uint64_t cause : causes) {
        cycles += cause;
    }
    set(record, Counter::cycles, cycles);
    set(record, mode == "int4" ? Counter::mac_int4 : Counter::mac_fp16, macs);
    return record;
}

/// Values of a GEMM of which the first operand is recorded, and, if `error` is given, the second one and the output's
/// relative error too.
inline std::shared_ptr<const ValueRecord> values(const std::string& format, std::optional<double> error) {
    auto values = std::make_shared<ValueRecord>();
    QuantizationRecord recorded{.range = {RangeRule::grad_scale, 16, 0.25, 2},
                                .elements = 8,
                                .sqnr_db = 20,
                                .clipped = 0.125,
                                .underflowed = 0.25,
                                .zero_codes = 0.5,
                                .non_zero = 0.75,
                                .toggle_rate = 0.375,
                                .gradient = {}};
    values->operands[0] = {"dy", true, format, recorded};
    values->operands[1] = {"w", false, "int4_signed", {}};
    if (error) {
        recorded.range = {RangeRule::sawb, 7, 1, {}};
        recorded.sqnr_db.reset();
        recorded.toggle_rate.reset();
        values->operands[1].recorded = recorded;
        values->output = OutputRecord{*error, 0.5, 2 * *error, 0.25, 0};
    }
    return values;
}

/// Causes: compute, fill_drain, gradient_conversion, vector, memory, control.
inline std::vector<OpRecord> machine_records() {
    std::vector<OpRecord> records{record(0, "a", "forward", "int4", 1600, {120, 10, 0, 0, 20, 0}),
                                  record(1, "a", "dx", "fp16", 400, {100, 10, 5, 10, 0, 1}),
                                  record(2, "a", "vector", "vector", 0, {0, 0, 0, 30, 0, 4})};
    set(records[2], Counter::vector_lane_ops, 300);
    records[0].predicted_cycles = 145;
    records[0].mapping = {.batch = {1, 1, 1},
                          .i = {32, 100, 4},
                          .j = {4, 4, 1},
                          .l = {2, 4, 2},
                          .order = "jil",
                          .left_buffers = 1,
                          .right_buffers = 2,
                          .output_buffers = 3};
    return records;
}

inline std::vector<OpRecord> baseline_records() {
    std::vector<OpRecord> records{record(0, "a", "forward", "fp16", 1600, {220, 5, 0, 0, 25, 0}),
                                  record(1, "a", "dx", "fp16", 400, {60, 0, 0, 10, 0, 0}),
                                  record(2, "a", "vector", "vector", 0, {0, 0, 0, 30, 0, 6})};
    set(records[2], Counter::vector_lane_ops, 300);
    return records;
}

/// What a machine that measured these records would say at the end.
inline RunSummary summary_of(const std::vector<OpRecord>& records) {
    Tally tally;
    for (const OpRecord& record : records) {
        tally += record;
    }
    RunSummary summary;
    summary.operations = tally.operations;
    summary.cycles = tally.cycles();
    summary.causes = tally.causes;
    summary.counters = tally.counters;
    summary.edges = tally.cycles() / 2;
    summary.wall_seconds = 0.001;
    summary.on_chip.kinds[0] = {.tensors = 3, .load_bytes = 3072, .store_bytes = 1024};  // activations
    summary.on_chip.kinds[4] = {.tensors = 1, .load_bytes = -512, .store_bytes = 0};     // states
    summary.on_chip.fused_gemms = 2;
    summary.on_chip.fused_steps = 5;
    summary.on_chip.fused_quantizations = 1;
    summary.units = {{"mac_array", {tally.cycles() - 3, 1, 2, 0}}, {"dram", {0, 0, 0, tally.cycles()}}};
    return summary;
}

inline Result result(bool with_baseline = true) {
    ResultCollector collector(setup(with_baseline));
    const std::vector<OpRecord> machine = machine_records();
    const std::vector<OpRecord> baseline = baseline_records();
    for (std::size_t i = 0; i < machine.size(); ++i) {
        collector.add(machine[i], with_baseline ? &baseline[i] : nullptr);
    }
    const RunSummary other = summary_of(baseline);
    return collector.finish(summary_of(machine), with_baseline ? &other : nullptr);
}

/// A name as nobody should write it.
inline std::string hostile_name() {
    return std::string("=cmd|' /C calc'!A0,\"x\"\n\x1b[31m\x80\xff") + std::string(10'000, 'z');
}

}  // namespace nibble::samples
