// SPDX-License-Identifier: MIT
#include "models/dram/field_map.h"

#include <algorithm>

#include "sim/base/units.h"

namespace nibble {

namespace {

constexpr std::size_t index(DramField field) {
    return static_cast<std::size_t>(field);
}

}  // namespace

FieldMap::FieldMap(const DramStandard& standard, const DramParameters& parameters, const FieldOrder& order)
    : order_(order), burst_bytes_(standard.burst_bytes()) {
    const std::uint64_t row_of_every_bank = std::uint64_t{parameters.ranks} * standard.banks() * standard.row_bytes;
    sizes_[index(DramField::row)] = parameters.capacity_bytes_per_channel / row_of_every_bank;
    sizes_[index(DramField::channel)] = parameters.channels;
    sizes_[index(DramField::rank)] = parameters.ranks;
    sizes_[index(DramField::bank)] = standard.banks_per_group;
    sizes_[index(DramField::bank_group)] = standard.bank_groups;
    sizes_[index(DramField::column)] = standard.row_bytes / burst_bytes_;
}

FieldMap::Digits FieldMap::digits_of(std::uint64_t burst) const {
    Digits digits{};
    for (auto from_below = order_.rbegin(); from_below != order_.rend(); ++from_below) {
        const DramField field = *from_below;
        digits[index(field)] = burst % size(field);
        burst /= size(field);
    }
    return digits;
}

DramRun FieldMap::run_at(const Digits& digits, std::uint32_t bursts) const {
    const std::uint64_t group =
        digits[index(DramField::rank)] * size(DramField::bank_group) + digits[index(DramField::bank_group)];
    const std::uint64_t bank = group * size(DramField::bank) + digits[index(DramField::bank)];
    return {static_cast<std::uint32_t>(digits[index(DramField::channel)]), static_cast<std::uint32_t>(bank),
            static_cast<std::uint32_t>(digits[index(DramField::row)]), bursts};
}

DramLocation FieldMap::locate(std::uint64_t address) const {
    const Digits digits = digits_of(address / burst_bytes_);
    const DramRun run = run_at(digits, 1);
    const std::uint64_t column = digits[index(DramField::column)] * burst_bytes_ + address % burst_bytes_;
    return {run.channel, run.bank, run.row, static_cast<std::uint32_t>(column)};
}

void FieldMap::split(std::uint64_t address, std::uint32_t bytes, std::vector<DramRun>& runs) const {
    const auto first_run = static_cast<std::ptrdiff_t>(runs.size());
    const std::uint64_t first = address / burst_bytes_;
    std::uint64_t left = (address + bytes - 1) / burst_bytes_ - first + 1;
    Digits digits = digits_of(first);
    while (left > 0) {
        // Where columns are lowest, all that is left of the row goes at once.
        std::uint64_t step = 1;
        if (order_.back() == DramField::column) {
            step = std::min(left, size(DramField::column) - digits[index(DramField::column)]);
        }
        const DramRun run = run_at(digits, static_cast<std::uint32_t>(step));
        const auto same = std::find_if(runs.begin() + first_run, runs.end(), [&](const DramRun& other) {
            return other.channel == run.channel && other.bank == run.bank && other.row == run.row;
        });
        if (same == runs.end()) {
            runs.push_back(run);
        } else {
            same->bursts += run.bursts;
        }
        left -= step;
        digits[index(order_.back())] += step;
        for (auto from_below = order_.rbegin(); from_below != order_.rend(); ++from_below) {
            const DramField field = *from_below;
            if (digits[index(field)] < size(field)) {
                break;
            }
            digits[index(field)] = 0;
            const auto above = std::ranges::find(order_, field);
            if (above != order_.begin()) {
                ++digits[index(*std::prev(above))];
            }
        }
    }
}

std::uint32_t FieldMap::max_runs_per_channel() const {
    // Bursts with the same fields above co are a block. In each, a channel has one row for each value of the other
    // fields below co.
    std::uint64_t rows_of_block = 1;
    std::uint64_t block = size(DramField::column);
    for (auto from_below = order_.rbegin(); from_below != order_.rend(); ++from_below) {
        const DramField field = *from_below;
        if (field == DramField::column) {
            break;
        }
        block *= size(field);
        rows_of_block *= field == DramField::channel ? 1 : size(field);
    }
    const std::uint64_t bursts = ceil_div(max_dram_request_bytes - 1, burst_bytes_) + 1;
    const std::uint64_t blocks = ceil_div(bursts - 1, block) + 1;
    return static_cast<std::uint32_t>(std::min(bursts, blocks * rows_of_block));
}

}  // namespace nibble
