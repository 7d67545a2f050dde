// SPDX-License-Identifier: MIT
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/config/machine_config.h"
#include "sim/config/scratchpad_config.h"
#include "sim/config/yaml_reader.h"

namespace nibble {

namespace {

std::string mode_yaml(const MacArrayParameters& array, const ArrayGeometry& geometry) {
    const std::string size = array.sharing == ArraySharing::dedicated
                                 ? fmt::format("rows: {}, cols: {}, ", geometry.rows, geometry.cols)
                                 : std::string{};
    return fmt::format("{{{}macs_per_pe: {}, cycles_per_step: {}}}", size, geometry.macs_per_pe,
                       geometry.cycles_per_step);
}

std::string_view name_of(GradientStorage storage) {
    switch (storage) {
        case GradientStorage::two_codes:
            return "two_codes";
        case GradientStorage::packed_pair:
            return "packed_pair";
        case GradientStorage::rerounded:
            break;
    }
    return "rerounded";
}

std::string_view accumulator_name(AccumulatorFormat format) {
    switch (format) {
        case AccumulatorFormat::fp16:
            return "fp16";
        case AccumulatorFormat::dlfloat16:
            return "dlfloat16";
        case AccumulatorFormat::fp32:
            break;
    }
    return "fp32";
}

}  // namespace

std::string effective_yaml(const MachineParameters& machine) {
    std::string out;
    const auto line = [&out](int depth, std::string_view key, const auto& value) {
        out += fmt::format("{:{}}{}: {}\n", "", 2 * depth, key, value);
    };
    const auto section = [&out](int depth, std::string_view key) {
        out += fmt::format("{:{}}{}:\n", "", 2 * depth, key);
    };

    line(0, "name", yaml_text(machine.name));
    line(0, "description", yaml_text(machine.description));
    line(0, "clock_period_ps", machine.clock_period_ps);
    line(0, "technology", yaml_text(machine.technology));
    line(0, "ideal_memory", machine.ideal_memory);
    line(0, "gradient_storage", name_of(machine.gradient_storage));

    section(0, "sequencer");
    line(1, "queue_entries", machine.sequencer.queue_entries);

    section(0, "dma");
    line(1, "max_request_bytes", machine.dma.max_request_bytes);
    line(1, "max_outstanding", machine.dma.max_outstanding);
    line(1, "lines_per_cycle", machine.dma.lines_per_cycle);
    line(1, "ideal", machine.dma.ideal);

    section(0, "dram");
    line(1, "standard", yaml_text(machine.dram.standard));
    line(1, "channels", machine.dram.channels);
    line(1, "ranks", machine.dram.ranks);
    line(1, "capacity_bytes_per_channel", machine.dram.capacity_bytes_per_channel);
    line(1, "channel_interleave_bytes", machine.dram.channel_interleave_bytes);
    line(1, "address_mapping", yaml_text(machine.dram.address_mapping));
    line(1, "page_policy", yaml_text(page_policy_text(machine.dram)));
    line(1, "refresh", machine.dram.refresh == RefreshMode::all_bank ? "all_bank" : "per_bank");
    line(1, "power_down", machine.dram.power_down);
    line(1, "read_queue_entries", machine.dram.read_queue_entries);
    line(1, "write_queue_entries", machine.dram.write_queue_entries);
    line(1, "write_high_watermark", machine.dram.write_high_watermark);
    line(1, "write_low_watermark", machine.dram.write_low_watermark);
    line(1, "age_cap_bursts", machine.dram.age_cap_bursts);

    out += scratchpad_yaml(machine.scratchpad);

    const MacArrayParameters& array = machine.mac_array;
    section(0, "mac_array");
    line(1, "sharing", array.sharing == ArraySharing::shared ? "shared" : "dedicated");
    line(1, "rows", array.rows);
    line(1, "cols", array.cols);
    section(1, "pe");
    line(2, "int4_fp4_4way", array.pe.int4_fp4_4way);
    line(2, "fp8", array.pe.fp8);
    line(2, "fp16", array.pe.fp16);
    section(1, "modes");
    for (std::size_t mode = 0; mode < array_mode_count; ++mode) {
        if (const std::optional<ArrayGeometry>& geometry = array.modes[mode]) {
            line(2, array_mode_names[mode], mode_yaml(array, *geometry));
        }
    }
    std::vector<std::string_view> dataflows;
    for (const Dataflow dataflow : array.dataflows) {
        dataflows.push_back(dataflow_names[static_cast<std::size_t>(dataflow)]);
    }
    line(1, "dataflows", fmt::format("[{}]", fmt::join(dataflows, ", ")));
    line(1, "overlap", array.overlap);
    line(1, "ideal", array.ideal);
    const SramMacro accumulators = accumulators_of(array);
    line(1, "accumulator_bytes", accumulators.capacity_bytes);
    line(1, "accumulator_banks", accumulators.banks);
    line(1, "accumulator_line_bytes", accumulators.line_bytes);
    line(1, "accumulator_ports", bank_ports_names[static_cast<std::size_t>(accumulators.ports)]);
    section(1, "accumulation");
    line(2, "chunk", array.accumulation.chunk);
    line(2, "format", accumulator_name(array.accumulation.format));

    section(0, "log_gradient");
    line(1, "lanes", machine.log_gradient.lanes);
    line(1, "pipeline_depth", machine.log_gradient.pipeline_depth);
    line(1, "ideal", machine.log_gradient.ideal);

    section(0, "vector_unit");
    line(1, "lanes", machine.vector_unit.lanes);
    line(1, "pipeline_depth", machine.vector_unit.pipeline_depth);
    line(1, "ideal", machine.vector_unit.ideal);
    return out;
}

}  // namespace nibble
