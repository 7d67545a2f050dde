// SPDX-License-Identifier: MIT
#include "sim/app/memtest_command.h"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/dram/address_map.h"
#include "models/dram/dram_core.h"
#include "models/dram/dram_params.h"
#include "models/dram/dram_standard.h"
#include "sim/app/memtest_report.h"
#include "sim/app/show_json.h"
#include "sim/app/terminal.h"
#include "sim/base/error.h"
#include "sim/base/units.h"
#include "sim/energy/dram_energy_table.h"
#include "sim/memtest/memory_test.h"
#include "sim/memtest/request_reader.h"
#include "sim/report/number_format.h"

namespace nibble {

namespace {

std::string flag_for(std::string key) {
    std::ranges::replace(key, '_', '-');
    return "--" + key;
}

void set_refresh(DramParameters& memory, const std::string& text) {
    const std::vector<std::string> modes{"all-bank", "per-bank"};
    if (std::ranges::find(modes, text) == modes.end()) {
        throw InputError(fmt::format("--refresh: expected all-bank or per-bank, found '{}'{}", printable(text),
                                     suggestion(text, modes)));
    }
    memory.refresh = text == modes.back() ? RefreshMode::per_bank : RefreshMode::all_bank;
}

void set_write_queue(DramParameters& memory, std::uint32_t entries) {
    const auto share = [&](std::uint32_t watermark) {
        return static_cast<std::uint32_t>(std::uint64_t{watermark} * entries / memory.write_queue_entries);
    };
    const std::uint32_t high = std::max(share(memory.write_high_watermark), 1U);
    memory.write_low_watermark = std::min(share(memory.write_low_watermark), high - 1);
    memory.write_high_watermark = high;
    memory.write_queue_entries = entries;
}

void set_watermarks(DramParameters& memory, const std::string& text) {
    const std::size_t colon = text.find(':');
    const char* const begin = text.data();
    const char* const middle = begin + std::min(colon, text.size());
    const char* const end = begin + text.size();
    const auto high = std::from_chars(begin, middle, memory.write_high_watermark);
    const auto low = std::from_chars(std::min(middle + 1, end), end, memory.write_low_watermark);
    if (colon == std::string::npos || high.ec != std::errc{} || high.ptr != middle || low.ec != std::errc{} ||
        low.ptr != end) {
        throw InputError(
            fmt::format("--write-watermarks: expected HIGH:LOW, such as 32:16, found '{}'", printable(text)));
    }
}

DramParameters memory_for(const MemtestRequest& request) {
    if (find_dram_standard(request.standard) == nullptr) {
        const std::vector<std::string> names = dram_standard_names();
        throw InputError(fmt::format("--standard: there is no DRAM standard '{}'{}; there are: {}",
                                     printable(request.standard), suggestion(request.standard, names),
                                     fmt::join(names, ", ")));
    }
    DramParameters memory = typical_dram(request.standard);
    memory.channels = request.channels.value_or(memory.channels);
    if (request.ranks) {
        memory.capacity_bytes_per_channel = memory.capacity_bytes_per_channel / memory.ranks * *request.ranks;
        memory.ranks = *request.ranks;
    }
    memory.address_mapping = request.address_mapping.value_or(memory.address_mapping);
    if (request.page) {
        if (const std::string problem = set_page_policy(memory, *request.page); !problem.empty()) {
            throw InputError("--page: " + problem);
        }
    }
    if (request.refresh) {
        set_refresh(memory, *request.refresh);
    }
    memory.read_queue_entries = request.read_queue.value_or(memory.read_queue_entries);
    if (request.write_queue) {
        set_write_queue(memory, *request.write_queue);
    }
    if (request.write_watermarks) {
        set_watermarks(memory, *request.write_watermarks);
    }
    memory.power_down = request.power_down;
    std::vector<Problem> problems;
    const std::vector<std::string> found = dram_parameter_problems(memory);
    const bool wrong_ranks =
        std::ranges::any_of(found, [](const std::string& problem) { return problem.starts_with("ranks:"); });
    for (const std::string& problem : found) {
        if (wrong_ranks && problem.starts_with("capacity_bytes_per_channel:")) {
            continue;  // it follows from them
        }
        const std::size_t colon = std::min(problem.find(':'), problem.size());
        problems.push_back({{}, flag_for(problem.substr(0, colon)) + problem.substr(colon)});
    }
    if (!problems.empty()) {
        throw InputError(std::move(problems));
    }
    return memory;
}

/// What is wrong with an address beyond the memory, and what would hold it.
std::string beyond(const DramParameters& memory, std::uint64_t address) {
    constexpr std::uint64_t most_channels = 1024;
    const std::uint64_t capacity = memory.capacity_bytes_per_channel;
    std::string text =
        fmt::format("lies beyond the {} of {} channel{} of {} with {} rank{}",
                    byte_size(static_cast<double>(capacity) * memory.channels), memory.channels,
                    memory.channels == 1 ? "" : "s", memory.standard, memory.ranks, memory.ranks == 1 ? "" : "s");
    const std::uint64_t channels = address / capacity + 1;
    return text + (channels <= most_channels ? fmt::format("; --channels {} would hold it", channels)
                                             : std::string("; no memory of this standard holds it"));
}

}  // namespace

void memtest_command(const MemtestRequest& request) {
    const DramParameters memory = memory_for(request);
    const DramEnergyTable energies = load_dram_energy();
    const DramEnergyEntry& energy = energies.of(memory.standard);
    RequestReader requests(request.file, {memory.capacity_bytes_per_channel * memory.channels,
                                          [&](std::uint64_t address) { return beyond(memory, address); }});
    DramCore core(memory);
    const MemtestReport report{request.file, memory, run_memory_test(requests, core), energy};
    if (request.json) {
        show_json("nibblesim-memtest-1", memtest_json(report));
    } else {
        const TextStyle style = terminal_style();
        std::cout << fitted(memtest_text(report, style), style);
    }
}

}  // namespace nibble
