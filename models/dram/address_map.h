// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/dram/dram_location.h"
#include "models/dram/dram_params.h"
#include "models/dram/dram_standard.h"
#include "models/dram/field_map.h"

namespace nibble {

/// Byte address to channel, bank, row and column: by a field order if the parameters name one (see FieldMap), or else
/// permuted, which is this.
///
/// From the lowest bits up: byte in a line of 64 bytes, bank group, column, bank, rank, row within a channel; the
/// channel changes every channel_interleave_bytes. A sequential stream so alternates between bank groups (tCCD_S
/// applies), opens the same row number in every group, and meets a new bank, not a new row of the same bank, when a row
/// ends. 64 bytes stay in one bank, so that a small random request opens one row.
///
/// Strides that are powers of two would meet one channel or one bank for ever. So the channels of each group of
/// consecutive chunks are rotated by the digit sum of the group's number, and the banks (of all ranks) of each row
/// likewise (in the spirit of Zhang, Zhu and Zhang, "A permutation-based page interleaving scheme", MICRO 2000; a
/// rotation instead of an exclusive-or serves any number of channels and keeps neighbours on different banks).
class AddressMap {
public:
    static constexpr std::uint32_t line_bytes = 64;

    /// `parameters` must be sound but for their queues.
    AddressMap(const DramStandard& standard, const DramParameters& parameters);

    [[nodiscard]] std::uint64_t capacity_bytes() const { return capacity_bytes_; }

    [[nodiscard]] DramLocation locate(std::uint64_t address) const;

    /// Appends the runs of [address, address + bytes), bytes > 0, to `runs`: for each channel in the order of the
    /// addresses. A burst that is needed in part counts as a whole one.
    void split(std::uint64_t address, std::uint32_t bytes, std::vector<DramRun>& runs) const;

    /// Bound on the runs that one request of max_dram_request_bytes, at any address, gives to one channel.
    [[nodiscard]] std::uint32_t max_runs_per_channel() const;

private:
    /// A row number in one bank of every group of a rank.
    struct RowSet {
        std::uint32_t bank;  ///< rank * banks of a rank + bank within its group
        std::uint32_t row;
    };

    /// By how many channels a group of consecutive chunks is rotated.
    [[nodiscard]] std::uint32_t rotation(std::uint64_t group) const;
    [[nodiscard]] std::uint32_t channel_of(std::uint64_t chunk, std::uint64_t group, std::uint32_t rotation) const;
    /// The chunk of a group of consecutive chunks that lies on `channel`.
    [[nodiscard]] std::uint64_t chunk_on(std::uint32_t channel, std::uint64_t group, std::uint32_t rotation) const;
    [[nodiscard]] RowSet row_set(std::uint64_t index) const;
    /// How many of the first `burst` bursts of a row set lie in bank group `group`.
    [[nodiscard]] std::uint32_t bursts_before(std::uint32_t burst, std::uint32_t group) const;
    void split_within_channel(std::uint32_t channel, std::uint64_t begin, std::uint64_t end,
                              std::vector<DramRun>& runs) const;

    std::uint64_t capacity_bytes_;  // of all channels
    std::uint32_t channels_;
    std::uint32_t interleave_bits_;  // log2 of channel_interleave_bytes
    std::uint32_t burst_bits_;       // log2 of the bytes of a burst
    std::uint32_t line_burst_bits_;  // log2 of the consecutive bursts in one bank group
    std::uint32_t bank_groups_;
    std::uint32_t bank_group_bits_;  // log2
    std::uint32_t banks_per_group_;
    std::uint32_t banks_;         // of a rank
    std::uint32_t row_sets_;      // with one row number: banks of a group times ranks
    std::uint32_t row_set_bits_;  // log2 of the bytes of a row in every group
    std::optional<FieldMap> fields_;
};

}  // namespace nibble
