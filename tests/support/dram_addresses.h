// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <stdexcept>

#include "models/dram/address_map.h"

namespace nibble {

/// The address of the first byte of a row in a memory of one channel, found by asking the (permuted) map.
inline std::uint64_t address_of_row(const DramStandard& standard, const AddressMap& map, std::uint32_t bank,
                                    std::uint32_t row, std::uint32_t ranks = 1) {
    const std::uint64_t row_in_all_groups = std::uint64_t{standard.row_bytes} * standard.bank_groups;
    const std::uint64_t sets = std::uint64_t{standard.banks_per_group} * ranks;
    for (std::uint64_t set = 0; set < sets; ++set) {
        for (std::uint32_t group = 0; group < standard.bank_groups; ++group) {
            const std::uint64_t address =
                (row * sets + set) * row_in_all_groups + std::uint64_t{group} * AddressMap::line_bytes;
            if (map.locate(address) == DramLocation{0, bank, row, 0}) {
                return address;
            }
        }
    }
    throw std::logic_error("the map has no such row");
}

}  // namespace nibble
