// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nibble {

/// Everything that a run counts and that energy is priced from. Each count belongs to exactly one operation.
enum class Counter : std::uint8_t {
    mac_int4,
    mac_int4_fp4,
    mac_fp8,
    mac_fp16,
    accumulator_read_bytes,
    accumulator_write_bytes,
    transposed_bytes,
    gradients_converted,
    vector_lane_ops,
    vector_macs,
    left_lines_read,
    left_lines_written,
    right_lines_read,
    right_lines_written,
    output_lines_read,
    output_lines_written,
    gradient_lines_read,
    gradient_lines_written,
    resident_lines_read,
    resident_lines_written,
    scratchpad_conflict_cycles,
    mac_array_conflict_cycles,
    log_gradient_conflict_cycles,
    vector_unit_conflict_cycles,
    load_conflict_cycles,
    store_conflict_cycles,
    dma_requests,
    dram_bytes_read,
    dram_bytes_written,
    dram_activates,
    dram_refreshes,
    dram_bank_refreshes,
    dram_active_standby_cycles,
    dram_precharge_standby_cycles,
    dram_active_power_down_cycles,
    dram_precharge_power_down_cycles,
    commands,
    cycles,
};
inline constexpr std::size_t counter_count = static_cast<std::size_t>(Counter::cycles) + 1;

using CounterValues = std::array<std::uint64_t, counter_count>;

[[nodiscard]] constexpr std::size_t index_of(Counter counter) {
    return static_cast<std::size_t>(counter);
}

/// What one counter means, and whose energy it is.
struct CounterInfo {
    std::string_view name;       ///< as in result.json and in energy tables (those of component dram: in none of them)
    std::string_view component;  ///< unit that it belongs to
    std::string_view unit;
    std::string_view what;
    bool priced;  ///< false: information only
};

/// Indexed by Counter.
inline constexpr std::array<CounterInfo, counter_count> counter_info{{
    {"mac_int4", "mac_array", "MAC", "INT4 x INT4 multiply-accumulates executed by the array", true},
    {"mac_int4_fp4", "mac_array", "MAC", "INT4 x FP4 multiply-accumulates executed by the array", true},
    {"mac_fp8", "mac_array", "MAC", "FP8 multiply-accumulates executed by the array", true},
    {"mac_fp16", "mac_array", "MAC", "FP16 multiply-accumulates executed by the array", true},
    {"accumulator_read_bytes", "mac_array", "B", "partial sums read from the accumulator SRAM", true},
    {"accumulator_write_bytes", "mac_array", "B", "partial sums written to the accumulator SRAM", true},
    {"transposed_bytes", "mac_array", "B", "operand bytes fed through the transposer", true},
    {"gradients_converted", "log_gradient", "element", "gradients turned into radix-4 codes, both phases at once",
     true},
    {"vector_lane_ops", "vector_unit", "op", "lane operations (one FMA, compare or convert of one lane)", true},
    {"vector_macs", "vector_unit", "MAC", "multiply-accumulates of depthwise convolutions, part of vector_lane_ops",
     false},
    {"left_lines_read", "scratchpad", "line", "lines read of left operands' tiles", true},
    {"left_lines_written", "scratchpad", "line", "lines written of left operands' tiles", true},
    {"right_lines_read", "scratchpad", "line", "lines read of right operands' tiles", true},
    {"right_lines_written", "scratchpad", "line", "lines written of right operands' tiles", true},
    {"output_lines_read", "scratchpad", "line", "lines read of results", true},
    {"output_lines_written", "scratchpad", "line", "lines written of results", true},
    {"gradient_lines_read", "scratchpad", "line", "lines read of gradients' codes", true},
    {"gradient_lines_written", "scratchpad", "line", "lines written of gradients' codes", true},
    {"resident_lines_read", "scratchpad", "line", "lines read of tensors that stay on chip", true},
    {"resident_lines_written", "scratchpad", "line", "lines written of tensors that stay on chip", true},
    {"scratchpad_conflict_cycles", "scratchpad", "cycle",
     "cycles in which a stream was served fewer lines than it wanted, summed over streams", false},
    {"mac_array_conflict_cycles", "scratchpad", "cycle", "those of streams of the MAC array", false},
    {"log_gradient_conflict_cycles", "scratchpad", "cycle", "those of streams of the log-gradient unit", false},
    {"vector_unit_conflict_cycles", "scratchpad", "cycle", "those of streams of the vector unit", false},
    {"load_conflict_cycles", "scratchpad", "cycle", "those of streams of loads", false},
    {"store_conflict_cycles", "scratchpad", "cycle", "those of streams of stores", false},
    {"dma_requests", "dma", "request", "contiguous memory requests issued", true},
    {"dram_bytes_read", "dram", "B", "bytes read, in whole bursts", true},
    {"dram_bytes_written", "dram", "B", "bytes written, in whole bursts", true},
    {"dram_activates", "dram", "command", "row activations, each with its precharge", true},
    {"dram_refreshes", "dram", "command", "all-bank refreshes of one rank", true},
    {"dram_bank_refreshes", "dram", "command", "refreshes of one bank", true},
    {"dram_active_standby_cycles", "dram", "memory cycle", "a rank has rows open, summed over ranks", true},
    {"dram_precharge_standby_cycles", "dram", "memory cycle", "a rank has no row open, summed over ranks", true},
    {"dram_active_power_down_cycles", "dram", "memory cycle",
     "a rank is powered down with rows open, summed over ranks", true},
    {"dram_precharge_power_down_cycles", "dram", "memory cycle",
     "a rank is powered down with no row open, summed over ranks", true},
    {"commands", "sequencer", "command", "commands issued to units", true},
    {"cycles", "static", "cycle", "cycles of the core clock", true},
}};

/// Counters of the array's MACs, in the order of its modes (ArrayMode).
inline constexpr std::array<Counter, 4> mac_counters{Counter::mac_int4, Counter::mac_int4_fp4, Counter::mac_fp8,
                                                     Counter::mac_fp16};

[[nodiscard]] constexpr bool counts_macs(Counter counter) {
    for (const Counter of_mode : mac_counters) {
        if (counter == of_mode) {
            return true;
        }
    }
    return false;
}

/// Lines read and written of each part of the scratchpad.
inline constexpr std::array<std::array<Counter, 2>, 5> line_counters{
    {{Counter::left_lines_read, Counter::left_lines_written},
     {Counter::right_lines_read, Counter::right_lines_written},
     {Counter::output_lines_read, Counter::output_lines_written},
     {Counter::gradient_lines_read, Counter::gradient_lines_written},
     {Counter::resident_lines_read, Counter::resident_lines_written}}};

/// Conflict cycles of each client of the scratchpad; together they are scratchpad_conflict_cycles.
inline constexpr std::array<Counter, 5> client_conflict_counters{
    Counter::mac_array_conflict_cycles, Counter::log_gradient_conflict_cycles, Counter::vector_unit_conflict_cycles,
    Counter::load_conflict_cycles, Counter::store_conflict_cycles};

/// Why a cycle passed. Every cycle of a run has exactly one cause: the first of these that applies.
enum class Cause : std::uint8_t {
    compute,              ///< the array streams operands
    fill_drain,           ///< the array preloads, skews or drains, or waits for lines of the scratchpad, and nothing
                          ///< else of the tile can go on
    gradient_conversion,  ///< the array stands; gradients are being converted
    vector,               ///< the array stands; element-wise work is going on
    memory,               ///< all of these stand; data is on its way from or to DRAM
    control,              ///< commands are on their way between sequencer and units
};
inline constexpr std::size_t cause_count = 6;
inline constexpr std::array<std::string_view, cause_count> cause_names{"compute", "fill_drain", "gradient_conversion",
                                                                       "vector",  "memory",     "control"};

using CauseCycles = std::array<std::uint64_t, cause_count>;

/// What a unit did in one cycle. Every cycle of every unit is counted in exactly one class.
enum class Activity : std::uint8_t { busy, waiting_for_input, waiting_for_output, idle };
inline constexpr std::size_t activity_count = 4;
inline constexpr std::array<std::string_view, activity_count> activity_names{"busy", "waiting_for_input",
                                                                             "waiting_for_output", "idle"};

using ActivityCycles = std::array<std::uint64_t, activity_count>;

}  // namespace nibble
