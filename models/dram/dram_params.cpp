// SPDX-License-Identifier: MIT
#include "models/dram/dram_params.h"

#include <bit>

#include <fmt/format.h>

#include "models/dram/address_map.h"
#include "models/dram/dram_standard.h"
#include "sim/base/error.h"

namespace nibble {

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
    const std::uint64_t row_of_every_bank = std::uint64_t{standard->banks()} * standard->row_bytes;
    const std::uint64_t capacity = parameters.capacity_bytes_per_channel;
    check(capacity != 0 && capacity % row_of_every_bank == 0 && capacity <= standard->max_capacity_bytes(),
          fmt::format("capacity_bytes_per_channel: expected a multiple of {} up to {} for {}, got {}",
                      row_of_every_bank, standard->max_capacity_bytes(), standard->name, capacity));
    const std::uint64_t interleave = parameters.channel_interleave_bytes;
    check(std::has_single_bit(interleave) && interleave >= AddressMap::line_bytes && capacity % interleave == 0,
          fmt::format("channel_interleave_bytes: expected a power of two of at least {} that divides the capacity of "
                      "a channel, got {}",
                      AddressMap::line_bytes, interleave));
    const std::uint32_t least_entries = AddressMap::max_runs_per_channel(*standard);
    check(parameters.queue_entries >= least_entries && parameters.queue_entries <= 65536,
          fmt::format("queue_entries: expected {} (one request of {} bytes) to 65536, got {}", least_entries,
                      max_dram_request_bytes, parameters.queue_entries));
    check(parameters.write_high_watermark >= 1 && parameters.write_high_watermark <= parameters.queue_entries,
          fmt::format("write_high_watermark: expected 1 to queue_entries = {}, got {}", parameters.queue_entries,
                      parameters.write_high_watermark));
    check(parameters.write_low_watermark < parameters.write_high_watermark,
          fmt::format("write_low_watermark: expected less than write_high_watermark = {}, got {}",
                      parameters.write_high_watermark, parameters.write_low_watermark));
    check(parameters.age_cap_bursts >= 1, "age_cap_bursts: expected at least 1, got 0");
    return problems;
}

}  // namespace nibble
