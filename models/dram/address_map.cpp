// SPDX-License-Identifier: MIT
#include "models/dram/address_map.h"

#include <algorithm>
#include <array>
#include <bit>

#include "sim/base/units.h"

namespace nibble {

namespace {

std::uint32_t log2_of(std::uint64_t power_of_two) {
    return static_cast<std::uint32_t>(std::countr_zero(power_of_two));
}

/// Sum of the digits of `value` written in `base`. In base 1 nothing can rotate: 0.
std::uint64_t digit_sum(std::uint64_t value, std::uint32_t base) {
    std::uint64_t sum = 0;
    if (base > 1 && std::has_single_bit(base)) {
        for (const std::uint32_t bits = log2_of(base); value != 0; value >>= bits) {
            sum += value & (base - 1);
        }
    } else if (base > 1) {
        for (; value != 0; value /= base) {
            sum += value % base;
        }
    }
    return sum;
}

}  // namespace

AddressMap::AddressMap(const DramStandard& standard, const DramParameters& parameters)
    : capacity_bytes_(parameters.capacity_bytes_per_channel * parameters.channels),
      channels_(parameters.channels),
      interleave_bits_(log2_of(parameters.channel_interleave_bytes)),
      burst_bits_(log2_of(standard.burst_bytes())),
      line_burst_bits_(log2_of(std::max(line_bytes / standard.burst_bytes(), 1U))),
      bank_groups_(standard.bank_groups),
      bank_group_bits_(log2_of(standard.bank_groups)),
      banks_per_group_(standard.banks_per_group),
      banks_(standard.banks()),
      row_sets_(standard.banks_per_group * parameters.ranks),
      row_set_bits_(log2_of(std::uint64_t{standard.row_bytes} * standard.bank_groups)) {
    if (const std::optional<FieldOrder> order = parse_field_order(parameters.address_mapping)) {
        fields_.emplace(standard, parameters, *order);
    }
}

DramLocation AddressMap::locate(std::uint64_t address) const {
    if (fields_) {
        return fields_->locate(address);
    }
    const std::uint64_t chunk = address >> interleave_bits_;
    const std::uint64_t within_chunk = address - (chunk << interleave_bits_);
    const std::uint64_t group = chunk / channels_;
    const std::uint64_t within_channel = (group << interleave_bits_) + within_chunk;
    const RowSet set = row_set(within_channel >> row_set_bits_);
    const std::uint64_t offset = within_channel & ((std::uint64_t{1} << row_set_bits_) - 1);
    const std::uint64_t line_size = std::uint64_t{1} << (line_burst_bits_ + burst_bits_);
    const std::uint64_t line = offset / line_size;
    return {.channel = channel_of(chunk, group, rotation(group)),
            .bank = static_cast<std::uint32_t>(line % bank_groups_) * banks_per_group_ + set.bank,
            .row = set.row,
            .column = static_cast<std::uint32_t>(line / bank_groups_ * line_size + offset % line_size)};
}

std::uint32_t AddressMap::rotation(std::uint64_t group) const {
    return static_cast<std::uint32_t>(digit_sum(group, channels_) % channels_);
}

std::uint64_t AddressMap::chunk_on(std::uint32_t channel, std::uint64_t group, std::uint32_t rotation) const {
    return group * channels_ + (channel + channels_ - rotation) % channels_;
}

std::uint32_t AddressMap::channel_of(std::uint64_t chunk, std::uint64_t group, std::uint32_t rotation) const {
    return static_cast<std::uint32_t>((chunk - group * channels_ + rotation) % channels_);
}

AddressMap::RowSet AddressMap::row_set(std::uint64_t index) const {
    const std::uint64_t row = index / row_sets_;
    const auto set = static_cast<std::uint32_t>((index + digit_sum(row, row_sets_)) % row_sets_);
    return {.bank = set / banks_per_group_ * banks_ + set % banks_per_group_, .row = static_cast<std::uint32_t>(row)};
}

void AddressMap::split(std::uint64_t address, std::uint32_t bytes, std::vector<DramRun>& runs) const {
    if (fields_) {
        fields_->split(address, bytes, runs);
        return;
    }
    const std::uint64_t interleave = std::uint64_t{1} << interleave_bits_;
    const std::uint64_t last_byte = address + bytes - 1;
    const std::uint64_t first = address >> interleave_bits_;
    const std::uint64_t last = last_byte >> interleave_bits_;
    // Group g of `channels` consecutive chunks puts one chunk on each channel, as that channel's g-th. So what a
    // request takes of one channel is contiguous there, and begins in the request's first or second group.
    const std::uint64_t first_group = first / channels_;
    const std::uint64_t last_group = last / channels_;
    const std::uint64_t last_begin = std::min(last, (first_group + 2) * channels_ - 1);
    const std::array<std::uint32_t, 2> first_rotations{rotation(first_group), rotation(first_group + 1)};
    const std::array<std::uint32_t, 2> last_rotations{rotation(last_group),
                                                      rotation(std::max(last_group, first_group + 1) - 1)};
    for (std::uint64_t chunk = first; chunk <= last_begin; ++chunk) {
        const std::uint64_t group = chunk / channels_;
        const std::uint32_t channel = channel_of(chunk, group, first_rotations[group - first_group]);
        if (group != first_group && chunk_on(channel, first_group, first_rotations[0]) >= first) {
            continue;  // began in the first group
        }
        std::uint64_t end_group = last_group;
        std::uint64_t end_chunk = group == last_group ? chunk : chunk_on(channel, last_group, last_rotations[0]);
        if (end_chunk > last) {
            end_chunk = chunk_on(channel, --end_group, last_rotations[1]);
        }
        const std::uint64_t begin = (group << interleave_bits_) + (chunk == first ? address & (interleave - 1) : 0);
        const std::uint64_t end =
            (end_group << interleave_bits_) + (end_chunk == last ? (last_byte & (interleave - 1)) + 1 : interleave);
        split_within_channel(channel, begin, end, runs);
    }
}

std::uint32_t AddressMap::bursts_before(std::uint32_t burst, std::uint32_t group) const {
    const std::uint32_t line_bursts = 1U << line_burst_bits_;
    const std::uint32_t round_bits = line_burst_bits_ + bank_group_bits_;
    const std::uint32_t rounds = burst >> round_bits;
    const std::uint32_t within_round = burst - (rounds << round_bits);
    const std::uint32_t group_begin = group << line_burst_bits_;
    return (rounds << line_burst_bits_) +
           (within_round <= group_begin ? 0 : std::min(within_round - group_begin, line_bursts));
}

void AddressMap::split_within_channel(std::uint32_t channel, std::uint64_t begin, std::uint64_t end,
                                      std::vector<DramRun>& runs) const {
    const std::uint64_t row_set_bytes = std::uint64_t{1} << row_set_bits_;
    const std::uint64_t burst_bytes = std::uint64_t{1} << burst_bits_;
    while (begin < end) {
        const std::uint64_t index = begin >> row_set_bits_;
        const std::uint64_t set_begin = index << row_set_bits_;
        const std::uint64_t end_here = std::min(end, set_begin + row_set_bytes);
        const auto first = static_cast<std::uint32_t>((begin - set_begin) >> burst_bits_);
        const auto stop = static_cast<std::uint32_t>((end_here - set_begin + burst_bytes - 1) >> burst_bits_);
        const RowSet set = row_set(index);
        const std::uint32_t first_group = (first >> line_burst_bits_) & (bank_groups_ - 1);
        for (std::uint32_t step = 0; step < bank_groups_; ++step) {
            const std::uint32_t group = (first_group + step) & (bank_groups_ - 1);
            const std::uint32_t bursts = bursts_before(stop, group) - bursts_before(first, group);
            if (bursts != 0) {
                runs.push_back({channel, group * banks_per_group_ + set.bank, set.row, bursts});
            }
        }
        begin = end_here;
    }
}

std::uint32_t AddressMap::max_runs_per_channel() const {
    if (fields_) {
        return fields_->max_runs_per_channel();
    }
    const std::uint64_t row_set_bytes = std::uint64_t{1} << row_set_bits_;
    const auto row_sets = static_cast<std::uint32_t>(ceil_div(max_dram_request_bytes - 1, row_set_bytes)) + 1;
    return row_sets * bank_groups_;
}

}  // namespace nibble
