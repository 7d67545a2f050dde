// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/dram/dram_location.h"
#include "models/dram/dram_params.h"
#include "models/dram/dram_standard.h"
#include "models/dram/field_order.h"

namespace nibble {

/// Byte address to channel, rank, bank group, bank, row and column by a field order, as memory controllers and other
/// simulators describe their mappings. The lowest bits address the bytes of one burst. The number of the burst is
/// written in digits, one a field, the last field of the order being the least significant: `co` counts the bursts of a
/// row, `ro` the rows of a bank, and so on. The number of channels and of rows need not be a power of two.
class FieldMap {
public:
    /// `parameters` must be sound but for their queues; their channel_interleave_bytes is not used.
    FieldMap(const DramStandard& standard, const DramParameters& parameters, const FieldOrder& order);

    [[nodiscard]] DramLocation locate(std::uint64_t address) const;

    /// As AddressMap::split().
    void split(std::uint64_t address, std::uint32_t bytes, std::vector<DramRun>& runs) const;

    /// Bound on the runs that one request of max_dram_request_bytes, at any address, gives to one channel.
    [[nodiscard]] std::uint32_t max_runs_per_channel() const;

private:
    /// A digit of the burst's number for each field, in the order of DramField.
    using Digits = std::array<std::uint64_t, dram_field_count>;

    [[nodiscard]] Digits digits_of(std::uint64_t burst) const;
    [[nodiscard]] DramRun run_at(const Digits& digits, std::uint32_t bursts) const;
    [[nodiscard]] std::uint64_t size(DramField field) const { return sizes_[static_cast<std::size_t>(field)]; }

    FieldOrder order_;
    Digits sizes_{};  // values of each field
    std::uint32_t burst_bytes_;
};

}  // namespace nibble
