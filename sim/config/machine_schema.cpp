// SPDX-License-Identifier: MIT
#include "sim/config/machine_schema.h"

#include <string>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/config/machine_config.h"
#include "sim/config/yaml_reader.h"

namespace nibble {

namespace {

// Machines that together have every key; their values are of no importance. Modes of a dedicated array have sizes of
// their own, those of a shared one must not, and memory may be left out where it is ideal.
constexpr std::string_view common = R"(
name: every key
description: none
clock_period_ps: 1000
technology: 7nm
gradient_storage: two_codes
sequencer: {queue_entries: 16}
dma: {max_request_bytes: 4096, max_outstanding: 8, lines_per_cycle: 1, ideal: false}
dram:
  standard: LPDDR5-6400
  channels: 4
  ranks: 1
  capacity_bytes_per_channel: 2147483648
  channel_interleave_bytes: 256
  address_mapping: permuted
  page_policy: open
  refresh: all_bank
  power_down: false
  read_queue_entries: 64
  write_queue_entries: 64
  write_high_watermark: 48
  write_low_watermark: 16
  age_cap_bursts: 256
scratchpad:
  capacity_bytes: 5120
  resident_bytes: 1024
  banks: 2
  line_bytes: 64
  buffering: 2
  ports: 1rw
  arbitration: fixed_priority
  ideal: false
  buffers:
    left: {capacity_bytes: 1024, banks: 2}
    right: {capacity_bytes: 1024, banks: 2}
    output: {capacity_bytes: 1024, banks: 2}
    gradient: {capacity_bytes: 1024, banks: 2}
log_gradient: {lanes: 1, pipeline_depth: 4, ideal: false}
vector_unit: {lanes: 4, pipeline_depth: 6, ideal: false}
mac_array:
  rows: 8
  cols: 8
  dataflows: [output]
  overlap: true
  ideal: false
  accumulator_bytes: 1024
  accumulator_banks: 2
  accumulator_line_bytes: 64
  accumulator_ports: 1rw
  accumulation: {chunk: 8, format: fp16}
)";
constexpr std::string_view dedicated = R"(  sharing: dedicated
  pe: {int4_fp4_4way: 1, fp8: 0, fp16: 0}
  modes:
    int4: {rows: 8, cols: 8, macs_per_pe: 4, cycles_per_step: 1}
    int4_fp4: {rows: 8, cols: 8, macs_per_pe: 4, cycles_per_step: 1}
    fp8: {rows: 8, cols: 9, macs_per_pe: 1, cycles_per_step: 1}
    fp16: {rows: 7, cols: 5, macs_per_pe: 1, cycles_per_step: 1}
ideal_memory: true
)";
constexpr std::string_view shared = R"(  sharing: shared
  pe: {int4_fp4_4way: 1, fp8: 0, fp16: 1}
  modes:
    int4: {macs_per_pe: 4, cycles_per_step: 1}
    int4_fp4: {macs_per_pe: 4, cycles_per_step: 1}
    fp8: {macs_per_pe: 2, cycles_per_step: 1}
    fp16: {macs_per_pe: 1, cycles_per_step: 1}
ideal_memory: false
)";

YamlSchema schema_of(std::string_view array) {
    YamlDocument document = YamlDocument::from_text(std::string(common) + std::string(array), "every key");
    YamlSchema schema;
    document.record(schema);
    static_cast<void>(read_machine(document));
    return schema;
}

}  // namespace

YamlSchema machine_schema() {
    YamlSchema schema = schema_of(dedicated);
    schema.merge(schema_of(shared));
    for (const YamlSchema::Entry& entry : schema.entries()) {
        if (std::holds_alternative<std::monostate>(entry.kind)) {
            throw ModelError(fmt::format("no machine of the schema has the key {}", entry.path));
        }
    }
    return schema;
}

}  // namespace nibble
