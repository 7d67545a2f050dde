// SPDX-License-Identifier: MIT
#include "sim/config/scratchpad_config.h"

#include <array>
#include <cstdint>
#include <numeric>
#include <string_view>

#include <fmt/format.h>

namespace nibble {

namespace {

constexpr UnsignedRange buffering_depth{1, 4};

constexpr std::array<std::string_view, tile_buffer_count> buffer_meanings{
    "tiles of left operands", "tiles of right operands", "results on their way to the vector unit and to memory",
    "FP4 codes of gradients; may be 0"};

std::string_view ports_name(BankPorts ports) {
    return bank_ports_names[static_cast<std::size_t>(ports)];
}

/// One separate buffer: {capacity_bytes: N, banks: N}.
void read_buffer(YamlMap& buffers, std::size_t index, ScratchpadParameters& scratchpad) {
    const bool holds_codes = index == static_cast<std::size_t>(TileBuffer::gradient);  // not every machine has any
    YamlMap buffer = buffers.required_map({tile_buffer_names[index], buffer_meanings[index]});
    (*scratchpad.buffers)[index] = buffer.required_unsigned(
        {"capacity_bytes", "a multiple of banks x line_bytes", "bytes"}, {holds_codes ? 0U : 1U, most_bytes_on_chip});
    scratchpad.buffer_banks[index] = static_cast<std::uint32_t>(buffer.optional_unsigned(
        {"banks", "of this memory", "banks", "`scratchpad.banks`"}, scratchpad.banks, banks_of_a_memory));
    buffer.finish();
}

}  // namespace

ScratchpadParameters read_scratchpad(YamlMap& section) {
    ScratchpadParameters scratchpad;
    scratchpad.capacity_bytes = section.required_unsigned(
        {"capacity_bytes", "of all memories together; a multiple of banks x line_bytes", "bytes"},
        {1, most_bytes_on_chip});
    scratchpad.resident_bytes = section.optional_unsigned(
        {"resident_bytes", "part of it for tensors that stay from one operation to a later one; the rest holds tiles",
         "bytes"},
        0, {0, most_bytes_on_chip});
    scratchpad.banks = static_cast<std::uint32_t>(
        section.required_unsigned({"banks", "banks, interleaved by line", "banks"}, banks_of_a_memory));
    scratchpad.line_bytes = static_cast<std::uint32_t>(
        section.required_unsigned({"line_bytes", "width of a bank", "bytes"}, bytes_of_a_line));
    scratchpad.buffering = static_cast<std::uint32_t>(
        section.optional_unsigned({"buffering",
                                   "tiles of an operand or result with room at the same time: 1 load, compute and "
                                   "store take turns; 2 they overlap; 3 loads run one tile further ahead",
                                   "tiles"},
                                  scratchpad.buffering, buffering_depth));
    scratchpad.ports = optional_ports(
        section, {"ports", "accesses that a bank serves in a cycle: one; a read and a write; two of any kind"},
        scratchpad.ports);
    scratchpad.arbitration = section.optional_choice<Arbitration>(
        {"arbitration", "who is served first: array, log-gradient unit, vector unit, load, store; or each in turn"},
        scratchpad.arbitration,
        {{"fixed_priority", Arbitration::fixed_priority}, {"round_robin", Arbitration::round_robin}});
    scratchpad.ideal = section.optional_bool(
        {"ideal", "all lines of a request are served in one cycle, whatever others want"}, scratchpad.ideal);
    YamlMap buffers = section.optional_map(
        {"buffers",
         "separate memories; with `resident_bytes`, which then has one of its own, they add up to `capacity_bytes`", "",
         "one memory for all"});
    if (buffers.present()) {
        scratchpad.buffers.emplace();
        for (std::size_t i = 0; i < tile_buffer_count; ++i) {
            read_buffer(buffers, i, scratchpad);
        }
        buffers.finish();
    }
    section.finish();
    return scratchpad;
}

void check_scratchpad(YamlMap& section, const ScratchpadParameters& scratchpad) {
    if (scratchpad.resident_bytes >= scratchpad.capacity_bytes) {
        section.problem("resident_bytes", fmt::format("{} bytes of {} leave no room for tiles",
                                                      scratchpad.resident_bytes, scratchpad.capacity_bytes));
    }
    const auto check_rows = [&](YamlMap& map, std::string_view key, std::uint64_t bytes, std::uint32_t banks) {
        const std::uint64_t row = std::uint64_t{banks} * scratchpad.line_bytes;
        if (bytes % row != 0) {
            map.problem(key, fmt::format("expected a multiple of {} (banks x line_bytes), found {}", row, bytes));
        }
    };
    if (!scratchpad.buffers) {
        check_rows(section, "capacity_bytes", scratchpad.capacity_bytes, scratchpad.banks);
        return;
    }
    YamlMap buffers = section.optional_map("buffers");
    const TileBytes& capacities = *scratchpad.buffers;
    const std::uint64_t tiles = std::accumulate(capacities.begin(), capacities.end(), std::uint64_t{0});
    if (tiles + scratchpad.resident_bytes != scratchpad.capacity_bytes) {
        section.problem("buffers", fmt::format("{} bytes and {} resident ones add up to {}, but capacity_bytes is {}",
                                               tiles, scratchpad.resident_bytes, tiles + scratchpad.resident_bytes,
                                               scratchpad.capacity_bytes));
    }
    for (std::size_t i = 0; i < tile_buffer_count; ++i) {
        YamlMap buffer = buffers.required_map(tile_buffer_names[i]);
        check_rows(buffer, "capacity_bytes", capacities[i], scratchpad.buffer_banks[i]);
    }
    check_rows(section, "resident_bytes", scratchpad.resident_bytes, scratchpad.banks);
}

BankPorts optional_ports(YamlMap& section, const YamlKey& key, BankPorts otherwise) {
    return section.optional_choice<BankPorts>(key, otherwise,
                                              {{"1rw", BankPorts::one_read_or_write},
                                               {"1r1w", BankPorts::one_read_one_write},
                                               {"2rw", BankPorts::two_read_or_write}});
}

std::string scratchpad_yaml(const ScratchpadParameters& scratchpad) {
    std::string text = fmt::format(
        "scratchpad:\n"
        "  capacity_bytes: {}\n"
        "  resident_bytes: {}\n"
        "  banks: {}\n"
        "  line_bytes: {}\n"
        "  buffering: {}\n"
        "  ports: {}\n"
        "  arbitration: {}\n"
        "  ideal: {}\n",
        scratchpad.capacity_bytes, scratchpad.resident_bytes, scratchpad.banks, scratchpad.line_bytes,
        scratchpad.buffering, ports_name(scratchpad.ports),
        arbitration_names[static_cast<std::size_t>(scratchpad.arbitration)], scratchpad.ideal);
    if (scratchpad.buffers) {
        text += "  buffers:\n";
        for (std::size_t i = 0; i < tile_buffer_count; ++i) {
            const SramMacro memory = memory_of(scratchpad, static_cast<ScratchpadPart>(i));
            text += fmt::format("    {}: {{capacity_bytes: {}, banks: {}}}\n", tile_buffer_names[i],
                                memory.capacity_bytes, memory.banks);
        }
    }
    return text;
}

}  // namespace nibble
