// SPDX-License-Identifier: MIT
#include "sim/report/ops_csv.h"

#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "sim/report/csv_field.h"
#include "sim/report/metrics.h"

namespace nibble {

namespace {

// What is measured on each machine; the baseline's columns have "baseline_" in front.
constexpr std::string_view measured_columns[] = {"mode",
                                                 "dataflow",
                                                 "cycles",
                                                 "seconds",
                                                 "utilization",
                                                 "energy_pj",
                                                 "dram_bytes_read",
                                                 "dram_bytes_written",
                                                 "scratchpad_bytes",
                                                 "predicted_cycles"};

// Of a GEMM on the array; empty for others.
constexpr std::string_view mapping_columns[] = {
    "tile_batch",  "tile_i",  "tile_j",  "tile_l",  "extent_batch", "extent_i",     "extent_j",      "extent_l",
    "tiles_batch", "tiles_i", "tiles_j", "tiles_l", "loop_order",   "left_buffers", "right_buffers", "output_buffers"};

std::string mapping_fields(const MappingRecord& mapping) {
    if (!mapping.mapped()) {
        return std::string(std::size(mapping_columns), ',');
    }
    std::string fields;
    for (const auto what : {&CutRecord::tile, &CutRecord::extent, &CutRecord::tiles}) {
        fields += fmt::format(",{},{},{},{}", mapping.batch.*what, mapping.i.*what, mapping.j.*what, mapping.l.*what);
    }
    return fields + fmt::format(",{},{},{},{}", mapping.order, mapping.left_buffers, mapping.right_buffers,
                                mapping.output_buffers);
}

// Of recorded values; empty where there are none.
constexpr std::string_view value_columns[] = {"left_sqnr_db", "right_sqnr_db", "output_relative_error"};

std::string value_fields(const OpRecord& record) {
    std::array<std::optional<double>, std::size(value_columns)> values;
    if (record.values != nullptr) {
        for (const OperandRecord& operand : record.values->operands) {
            if (operand.recorded) {
                values[operand.on_left ? 0 : 1] = operand.recorded->sqnr_db;
            }
        }
        if (record.values->output) {
            values[2] = record.values->output->array_relative_error;
        }
    }
    std::string fields;
    for (const std::optional<double>& value : values) {
        fields += value ? fmt::format(",{}", *value) : ",";
    }
    return fields;
}

std::string measured_fields(const OpRecord& record, const Subject& subject) {
    const auto counted = [&](Counter counter) { return record.counters[index_of(counter)]; };
    const std::uint64_t cycles = counted(Counter::cycles);
    std::string fields = fmt::format("{},{},{},{},{},{},{},{},{},{}", csv_field(record.mode),
                                     csv_field(record.dataflow), cycles, seconds_of(cycles, subject.machine),
                                     utilization_of(record), subject.energy.price(record.counters).total().count(),
                                     counted(Counter::dram_bytes_read), counted(Counter::dram_bytes_written),
                                     scratchpad_bytes(record.counters, subject.machine), record.predicted_cycles);
    for (const std::uint64_t cause : record.causes) {
        fields += fmt::format(",{}", cause);
    }
    return fields + mapping_fields(record.mapping) + value_fields(record);
}

std::string measured_names(std::string_view prefix) {
    std::string names;
    for (const std::string_view column : measured_columns) {
        names += fmt::format(",{}{}", prefix, column);
    }
    for (const std::string_view cause : cause_names) {
        names += fmt::format(",{}{}_cycles", prefix, cause);
    }
    for (const std::string_view column : mapping_columns) {
        names += fmt::format(",{}{}", prefix, column);
    }
    for (const std::string_view column : value_columns) {
        names += fmt::format(",{}{}", prefix, column);
    }
    return names;
}

}  // namespace

OpsCsv::OpsCsv(std::ostream& out, const Setup& setup) : out_(out), setup_(setup) {
    out_ << "index,layer,group,phase,kind,batch,m,n,k,macs" << measured_names("") << measured_names("baseline_")
         << "\r\n";
}

void OpsCsv::add(const OpRecord& machine, const OpRecord* baseline) {
    out_ << fmt::format("{},{},{},{},{},{},{},{},{},{},", machine.index, csv_field(machine.layer),
                        csv_field(machine.group), csv_field(machine.phase), csv_field(machine.kind), machine.batch,
                        machine.m, machine.n, machine.k, machine.macs)
         << measured_fields(machine, setup_.machine);
    constexpr std::size_t baseline_columns =
        std::size(measured_columns) + cause_count + std::size(mapping_columns) + std::size(value_columns);
    if (baseline != nullptr) {
        out_ << "," << measured_fields(*baseline, *setup_.baseline);
    } else {
        out_ << std::string(baseline_columns, ',');
    }
    out_ << "\r\n";
}

}  // namespace nibble
