// SPDX-License-Identifier: MIT
#include "models/dram/dram_params.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include "models/dram/address_map.h"
#include "models/dram/dram_standard.h"
#include "models/dram/field_order.h"
#include "sim/base/error.h"

namespace nibble {

DramParameters typical_dram(std::string_view standard) {
    const DramStandard* const found = find_dram_standard(standard);
    if (found == nullptr) {
        throw ModelError(fmt::format("typical system of an unknown DRAM standard '{}'", printable(standard)));
    }
    DramParameters parameters;
    parameters.standard = standard;
    parameters.channels = found->typical_channels;
    parameters.ranks = found->typical_ranks;
    parameters.capacity_bytes_per_channel = found->typical_ranks * found->typical_rank_bytes;
    return parameters;
}

std::string set_page_policy(DramParameters& parameters, std::string_view text) {
    constexpr std::string_view timeout = "timeout:";
    std::uint32_t cycles = 0;
    if (text == "open" || text == "closed") {
        parameters.page_policy = text == "open" ? PagePolicy::open : PagePolicy::closed;
    } else if (text.starts_with(timeout)) {
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data() + timeout.size(), end, cycles);
        if (error != std::errc{} || stop != end || cycles == 0) {
            return fmt::format("expected timeout:N with N cycles, at least 1, found '{}'", printable(text));
        }
        parameters.page_policy = PagePolicy::timeout;
    } else {
        const std::array<std::string, 3> policies{"open", "closed", "timeout:N"};
        return fmt::format("expected open, closed or timeout:N, found '{}'{}", printable(text),
                           suggestion(text, policies));
    }
    parameters.page_timeout_cycles = cycles;
    return {};
}

std::string page_policy_text(const DramParameters& parameters) {
    switch (parameters.page_policy) {
        case PagePolicy::closed:
            return "closed";
        case PagePolicy::timeout:
            return fmt::format("timeout:{}", parameters.page_timeout_cycles);
        case PagePolicy::open:
            break;
    }
    return "open";
}

namespace {

/// `least_entries`: runs of one request in one channel.
template <class Check>
void check_queues(const DramParameters& parameters, std::uint32_t least_entries, const Check& check) {
    const auto check_queue = [&](std::string_view key, std::uint32_t entries) {
        check(entries >= least_entries && entries <= 65536,
              fmt::format("{}: expected {} (one request of {} bytes) to 65536, got {}", key, least_entries,
                          max_dram_request_bytes, entries));
    };
    check_queue("read_queue_entries", parameters.read_queue_entries);
    check_queue("write_queue_entries", parameters.write_queue_entries);
}

}  // namespace

std::vector<std::string> dram_parameter_problems(const DramParameters& parameters) {
    std::vector<std::string> problems;
    const auto check = [&problems](bool ok, std::string what) {
        if (!ok) {
            problems.push_back(std::move(what));
        }
    };
    const DramStandard* standard = find_dram_standard(parameters.standard);
    if (standard == nullptr) {
        const std::vector<std::string> names = dram_standard_names();
        problems.push_back(fmt::format("standard: '{}' is not a known DRAM standard{}", printable(parameters.standard),
                                       suggestion(parameters.standard, names)));
        return problems;
    }
    check(parameters.channels >= 1 && parameters.channels <= 1024,
          fmt::format("channels: expected 1 to 1024, got {}", parameters.channels));
    const std::uint32_t most_ranks = std::min(64 / standard->banks(), 4U);
    const bool ranks_sound = std::has_single_bit(parameters.ranks) && parameters.ranks <= most_ranks;
    check(ranks_sound, fmt::format("ranks: expected a power of two up to {} for {}, got {}", most_ranks, standard->name,
                                   parameters.ranks));
    const std::uint64_t ranks = ranks_sound ? parameters.ranks : 1;
    const std::uint64_t row_of_every_bank = ranks * standard->banks() * standard->row_bytes;
    const std::uint64_t capacity = parameters.capacity_bytes_per_channel;
    const bool capacity_sound =
        capacity != 0 && capacity % row_of_every_bank == 0 && capacity <= ranks * standard->max_rank_bytes();
    check(capacity_sound, fmt::format("capacity_bytes_per_channel: expected a multiple of {} up to {} for {}{}, got {}",
                                      row_of_every_bank, ranks * standard->max_rank_bytes(), standard->name,
                                      ranks == 1 ? "" : fmt::format(" with {} ranks", ranks), capacity));
    const std::string mapping_problem = address_mapping_problem(parameters.address_mapping);
    check(mapping_problem.empty(), "address_mapping: " + mapping_problem);
    const std::uint64_t interleave = parameters.channel_interleave_bytes;
    const bool interleave_sound =
        std::has_single_bit(interleave) && interleave >= AddressMap::line_bytes && capacity % interleave == 0;
    check(interleave_sound,
          fmt::format("channel_interleave_bytes: expected a power of two of at least {} that divides the capacity of a "
                      "channel, got {}",
                      AddressMap::line_bytes, interleave));
    check(parameters.refresh == RefreshMode::all_bank || standard->has_bank_refresh(),
          fmt::format("refresh: {} has no per-bank refresh", standard->name));
    check(!parameters.power_down || standard->has_power_down(),
          fmt::format("power_down: no source states the power-down times of {}", standard->name));
    if (problems.empty()) {
        check_queues(parameters, AddressMap(*standard, parameters).max_runs_per_channel(), check);
    }
    check(parameters.write_high_watermark >= 1 && parameters.write_high_watermark <= parameters.write_queue_entries,
          fmt::format("write_high_watermark: expected 1 to write_queue_entries = {}, got {}",
                      parameters.write_queue_entries, parameters.write_high_watermark));
    check(parameters.write_low_watermark < parameters.write_high_watermark,
          fmt::format("write_low_watermark: expected less than write_high_watermark = {}, got {}",
                      parameters.write_high_watermark, parameters.write_low_watermark));
    const bool timeout = parameters.page_policy == PagePolicy::timeout;
    check(timeout == (parameters.page_timeout_cycles != 0),
          timeout ? "page_policy: a timeout takes at least 1 cycle"
                  : fmt::format("page_policy: {} has no timeout", page_policy_text(parameters)));
    check(parameters.age_cap_bursts >= 1, "age_cap_bursts: expected at least 1, got 0");
    return problems;
}

}  // namespace nibble
