// SPDX-License-Identifier: MIT
#include "sim/report/result_json.h"

#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/energy/baseline.h"
#include "sim/report/metrics.h"
#include "sim/report/series_json.h"
#include "sim/report/waterfall.h"

namespace nibble {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json, int indent = -1) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

template <class Number>
Json or_null(const std::optional<Number>& number) {
    return number ? Json(*number) : Json(nullptr);
}

Json causes_json(const CauseCycles& causes) {
    Json json = Json::object();
    for (std::size_t i = 0; i < cause_count; ++i) {
        json[std::string(cause_names[i])] = causes[i];
    }
    return json;
}

Json counters_json(const CounterValues& counters) {
    Json json = Json::object();
    for (std::size_t i = 0; i < counter_count; ++i) {
        json[std::string(counter_info[i].name)] = counters[i];
    }
    return json;
}

Json components_json(const EnergyBreakdown& breakdown) {
    Json json = Json::object();
    for (std::size_t i = 0; i < energy_component_count; ++i) {
        json[std::string(energy_component_names[i])] = breakdown.parts[i].count();
    }
    return json;
}

Json lines_json(const std::vector<EnergyLine>& lines) {
    Json json = Json::array();
    for (const EnergyLine& line : lines) {
        json.push_back({{"component", energy_component_names[static_cast<std::size_t>(line.component)]},
                        {"counter", counter_info[index_of(line.counter)].name},
                        {"energy_pj", line.energy.count()}});
    }
    return json;
}

Json tally_json(const Tally& tally, const Subject& subject) {
    return {{"operations", tally.operations},
            {"cycles", tally.cycles()},
            {"seconds", seconds_of(tally.cycles(), subject.machine)},
            {"macs", tally.macs},
            {"energy_pj", energy_pj(tally, subject)},
            {"dram_bytes_read", tally[Counter::dram_bytes_read]},
            {"dram_bytes_written", tally[Counter::dram_bytes_written]},
            {"causes", causes_json(tally.causes)}};
}

Json totals_json(const Outcome& outcome, const Subject& subject, std::uint64_t batch) {
    const Tally& totals = outcome.totals;
    const EnergyBreakdown energy = subject.energy.price(totals.counters);
    const double seconds = seconds_of(totals.cycles(), subject.machine);
    const double joules = energy.total().count() * 1e-12;
    const double operations = 2 * static_cast<double>(totals.macs);
    Json json = tally_json(totals, subject);
    json["utilization"] = utilization_of(totals, subject.machine);
    json["samples_per_second"] = seconds > 0 ? static_cast<double>(batch) / seconds : 0;
    json["watts"] = seconds > 0 ? joules / seconds : 0;
    json["tops"] = seconds > 0 ? operations / seconds * 1e-12 : 0;
    json["tops_per_watt"] = joules > 0 ? operations / joules * 1e-12 : 0;
    json["chip_tops_per_watt"] =
        energy.chip().count() > 0 ? operations / energy.chip().count() : 0;  // 1 operation a pJ = 1 TOPS/W
    json["activity_pj"] = outcome.activity.count();
    json["counters"] = counters_json(totals.counters);
    json["energy"] = {{"by_component", components_json(energy)},
                      {"by_counter", lines_json(subject.energy.lines(totals.counters))}};
    return json;
}

Json units_json(const RunSummary& summary) {
    Json json = Json::array();
    for (const UnitActivity& unit : summary.units) {
        Json cycles = Json::object();
        for (std::size_t i = 0; i < activity_count; ++i) {
            cycles[std::string(activity_names[i])] = unit.cycles[i];
        }
        json.push_back({{"unit", unit.unit}, {"cycles", std::move(cycles)}});
    }
    return json;
}

Json area_json(const AreaBreakdown& area) {
    Json parts = Json::object();
    for (std::size_t i = 0; i < area_component_count; ++i) {
        parts[std::string(area_component_names[i])] = area.parts[i].count();
    }
    return {{"total_um2", area.total().count()}, {"by_unit_um2", std::move(parts)}};
}

Json machine_json(const Subject& subject) {
    const MachineParameters& machine = subject.machine;
    Json peaks = Json::object();
    for (std::size_t mode = 0; mode < array_mode_count; ++mode) {
        if (machine.mac_array.modes[mode]) {
            peaks[std::string(array_mode_names[mode])] = macs_per_second(static_cast<ArrayMode>(mode), machine);
        }
    }
    Json json = {{"name", machine.name},
                 {"recipe", subject.recipe},
                 {"clock_period_ps", machine.clock_period_ps},
                 {"technology", machine.technology},
                 {"peak_macs_per_second", std::move(peaks)}};
    const std::optional<double> bandwidth = dram_bytes_per_second(machine);
    json["dram_bytes_per_second"] = bandwidth ? Json(*bandwidth) : Json(nullptr);
    json["dram_energy"] = bandwidth ? Json(subject.energy.dram_basis()) : Json(nullptr);
    json["scratchpad_bytes_per_second"] = scratchpad_bytes_per_second(machine);
    return json;
}

Json on_chip_kind_json(const OnChipKind& kind) {
    return {
        {"tensors", kind.tensors}, {"load_bytes_spared", kind.load_bytes}, {"store_bytes_spared", kind.store_bytes}};
}

Json on_chip_json(const OnChipRecord& record) {
    Json kinds = Json::object();
    for (std::size_t i = 0; i < record.kinds.size(); ++i) {
        kinds[std::string(tensor_kind_names[i])] = on_chip_kind_json(record.kinds[i]);
    }
    return {{"all", on_chip_kind_json(record.all())},
            {"by_kind", std::move(kinds)},
            {"fused_gemms", record.fused_gemms},
            {"fused_steps", record.fused_steps},
            {"fused_quantizations", record.fused_quantizations}};
}

/// What is said of the machine at the top of the document, and of the baseline inside it.
void add_subject(Json& json, const Subject& subject, const Outcome& outcome, std::uint64_t batch) {
    json["machine"] = machine_json(subject);
    json["totals"] = totals_json(outcome, subject, batch);
    json["units"] = units_json(outcome.summary);
    json["area"] = area_json(subject.area);
    json["on_chip"] = on_chip_json(outcome.summary.on_chip);
    json["simulation"] = {{"wall_seconds", outcome.summary.wall_seconds},
                          {"edges", outcome.summary.edges},
                          {"values_checked", outcome.summary.values_checked}};
}

Json comparison_json(const Comparison& both, const Setup& setup) {
    Json json = tally_json(both.machine, setup.machine);
    if (setup.baseline) {
        json["baseline"] = tally_json(both.baseline, *setup.baseline);
        json["speedup"] = speedup(both, setup);
        json["energy_gain"] = energy_gain(both, setup);
    }
    return json;
}

Json table_json(const std::vector<Comparison>& rows, const char* key, const Setup& setup) {
    Json table = Json::array();
    for (const Comparison& row : rows) {
        Json json = {{key, row.name}};
        json.update(comparison_json(row, setup));
        table.push_back(std::move(json));
    }
    return table;
}

Json groups_json(const Result& result) {
    Json groups = table_json(result.groups, "phase", result.setup);
    for (std::size_t i = 0; i < groups.size(); ++i) {
        groups[i]["group"] = result.groups[i].group;
    }
    return groups;
}

Json source_json(const SourceOptions& source) {
    return {{"from", source.from},
            {"batch", or_null(source.batch)},
            {"iteration", or_null(source.iteration)},
            {"training", source.training},
            {"fusion", source.fusion}};
}

Json provenance_json(const Setup& setup) {
    Json baseline = nullptr;
    if (setup.baseline) {
        baseline = {{"rule", setup.baseline->rule}, {"notes", setup.baseline->notes}};
    }
    return {{"program", setup.program},
            {"program_hash", setup.program_hash},
            {"trace", setup.trace},
            {"source", source_json(setup.source)},
            {"trace_hash", setup.trace_hash},
            {"network", setup.network},
            {"batch", setup.batch},
            {"phases", setup.phases},
            {"layers", setup.layers},
            {"clock", setup.skipping ? "skipping" : "every-edge"},
            {"values", setup.values},
            {"machine", setup.machine.machine.name},
            {"recipe", setup.machine.recipe},
            {"technology", setup.machine.machine.technology},
            {"energy_sources", setup.energy_sources},
            {"baseline", std::move(baseline)}};
}

Json waterfall_json(const Result& result) {
    Json json = Json::array();
    for (const WaterfallStep& step : waterfall_of(result)) {
        json.push_back({{"step", step.name}, {"what", step.what}, {"factor", step.factor}, {"speedup", step.speedup}});
    }
    return json;
}

Json result_values_json(const ResultComparison& found) {
    // JSON has no infinity.
    const bool finite = std::isfinite(found.largest_difference);
    return {{"outputs_compared", found.outputs_compared},
            {"outputs_different", found.outputs_different},
            {"largest_difference", finite ? Json(found.largest_difference) : Json(nullptr)},
            {"untiled_order", found.untiled_order}};
}

Json replay_json(const ReplaySummary& replay) {
    if (replay.gemms == 0) {
        return nullptr;
    }
    const ResultComparison all{replay.outputs_compared, replay.outputs_different, replay.largest_difference,
                               replay.cut_gemms == 0};
    Json json = {{"gemms", replay.gemms},
                 {"gemms_different", replay.different_gemms},
                 {"gemms_not_in_untiled_order", replay.cut_gemms}};
    json.update(result_values_json(all));
    return json;
}

Json head_json(const Result& result) {
    const Setup& setup = result.setup;
    Json json = {{"schema", result_schema_name}, {"provenance", provenance_json(setup)}};
    const auto& baseline = result.baseline;
    json["speedup"] = baseline ? Json(speedup(whole_run(result), setup)) : Json(nullptr);
    json["energy_gain"] = baseline ? Json(energy_gain(whole_run(result), setup)) : Json(nullptr);
    json["promised_speedup"] =
        baseline ? Json(promised_speedup(setup.machine.machine, setup.baseline->machine)) : Json(nullptr);
    json["paper_speedup"] = density_promised_by_sun;
    add_subject(json, setup.machine, result.machine, setup.batch);
    json["baseline"] = nullptr;
    if (baseline) {
        Json other = {{"rule", setup.baseline->rule}, {"notes", setup.baseline->notes}};
        add_subject(other, *setup.baseline, *baseline, setup.batch);
        json["baseline"] = std::move(other);
    }
    json["replay"] = replay_json(result.values.replay());
    json["waterfall"] = waterfall_json(result);
    json["phases"] = table_json(result.phases, "phase", setup);
    json["modes"] = table_json(result.modes, "mode", setup);
    json["groups"] = groups_json(result);
    return json;
}

Json operand_json(const OperandRecord& operand) {
    Json json = {{"operand", operand.name},
                 {"side", operand.on_left ? "left" : "right"},
                 {"source", operand.recorded ? "recorded" : "hashed"},
                 {"format", operand.format}};
    if (const auto& recorded = operand.recorded) {
        const QuantizationRange& range = recorded->range;
        json.update({{"elements", recorded->elements},
                     {"range", range_rule_names[static_cast<std::size_t>(range.rule)]},
                     {"clip", range.clip},
                     {"scale", range.scale},
                     {"scale_log2", or_null(range.scale_log2)},
                     {"sqnr_db", or_null(recorded->sqnr_db)},
                     {"clipped", recorded->clipped},
                     {"underflowed", recorded->underflowed},
                     {"zero_codes", recorded->zero_codes},
                     {"non_zero", recorded->non_zero},
                     {"toggle_rate", or_null(recorded->toggle_rate)}});
        if (const auto& gradient = recorded->gradient) {
            json["gradient"] = {{"largest_scaled", gradient->largest_scaled},
                                {"saturated_even", gradient->saturated_even},
                                {"saturated_odd", gradient->saturated_odd},
                                {"underflowed_even", gradient->underflowed_even},
                                {"underflowed_odd", gradient->underflowed_odd}};
        }
    }
    return json;
}

Json values_json(const ValueRecord& values) {
    Json json = {{"operands", {operand_json(values.operands[0]), operand_json(values.operands[1])}}};
    if (const auto& output = values.output) {
        json["output"] = {{"relative_error", or_null(output->relative_error)},
                          {"cosine_similarity", or_null(output->cosine_similarity)},
                          {"array_relative_error", or_null(output->array_relative_error)},
                          {"array_cosine_similarity", or_null(output->array_cosine_similarity)},
                          {"overflowed", output->overflowed}};
    }
    if (values.result) {
        json["result"] = result_values_json(*values.result);
    }
    return json;
}

Json mapping_json(const MappingRecord& mapping) {
    if (!mapping.mapped()) {
        return nullptr;
    }
    const auto of_all = [&](std::uint64_t CutRecord::*what) {
        return Json{
            {"batch", mapping.batch.*what}, {"i", mapping.i.*what}, {"j", mapping.j.*what}, {"l", mapping.l.*what}};
    };
    return {{"tile", of_all(&CutRecord::tile)},
            {"extent", of_all(&CutRecord::extent)},
            {"tiles", of_all(&CutRecord::tiles)},
            {"order", mapping.order},
            {"buffers",
             {{"left", mapping.left_buffers}, {"right", mapping.right_buffers}, {"output", mapping.output_buffers}}}};
}

Json measured_json(const OpRecord& record, const Subject& subject) {
    const auto counted = [&](Counter counter) { return record.counters[index_of(counter)]; };
    const EnergyBreakdown energy = subject.energy.price(record.counters);
    Json json = {{"mode", record.mode},
                 {"cycles", counted(Counter::cycles)},
                 {"utilization", utilization_of(record)},
                 {"energy_pj", energy.total().count()},
                 {"dram_bytes_read", counted(Counter::dram_bytes_read)},
                 {"dram_bytes_written", counted(Counter::dram_bytes_written)},
                 {"scratchpad_bytes", scratchpad_bytes(record.counters, subject.machine)},
                 {"predicted_cycles", record.predicted_cycles},
                 {"causes", causes_json(record.causes)},
                 {"energy", components_json(energy)},
                 {"dataflow", record.dataflow},
                 {"mapping", mapping_json(record.mapping)}};
    if (record.values != nullptr) {
        json["values"] = values_json(*record.values);
        json["values"]["activity_pj"] = subject.energy.activity_correction(record.counters, *record.values).count();
    }
    return json;
}

}  // namespace

std::string op_json(const OpRecord& machine, const OpRecord* baseline, const Setup& setup) {
    Json json = {{"index", machine.index}, {"layer", machine.layer}, {"group", machine.group}, {"phase", machine.phase},
                 {"kind", machine.kind},   {"batch", machine.batch}, {"m", machine.m},         {"n", machine.n},
                 {"k", machine.k},         {"macs", machine.macs}};
    json.update(measured_json(machine, setup.machine));
    if (baseline != nullptr) {
        json["baseline"] = measured_json(*baseline, *setup.baseline);
    }
    return dump(json);
}

void write_result_json(std::ostream& out, const Result& result, std::istream& ops) {
    std::string head = dump(head_json(result), 2);
    head.resize(head.rfind('\n'));  // the closing brace comes after the operations
    out << head;
    if (result.machine.summary.series != nullptr) {
        out << ",\n  \"series\": " << series_json(result);
    }
    out << ",\n  \"ops\": [";
    const char* separator = "\n";
    for (std::string line; std::getline(ops, line);) {
        out << separator << "    " << line;
        separator = ",\n";
    }
    out << "\n  ]\n}\n";
}

}  // namespace nibble
