// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

namespace nibble {

/// A copy of a tensor could stay on chip from one access to the next one that reads it.
struct Stay {
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    std::uint32_t from_operation = 0;  ///< it takes up room in this operation,
    std::uint32_t to_operation = 0;    ///< in this one, and in all between
    std::uint32_t saved_bytes = 0;     ///< of DRAM traffic, the one store for all stays of the chain left aside
    std::uint32_t chain = 0;
    /// Stays of the same copy that end in from_operation and begin in to_operation: there they take its room once.
    std::uint32_t previous = none;
    std::uint32_t next = none;
    std::uint32_t from_access = 0;
    std::uint32_t to_access = 0;
};

/// The stays of one copy from when it was written, or first read, to when it is written again.
struct StayChain {
    std::uint32_t first = Stay::none;  ///< the others follow along `next`
    std::uint32_t count = 0;           ///< stays
    std::uint32_t bytes = 0;           ///< of the copy
    /// Spared in addition if it stays all the time: then it need never be stored. 0 if it must be.
    std::uint32_t store_bytes = 0;
    std::uint32_t left = 0;             ///< stays that are not selected
    std::uint32_t left_operations = 0;  ///< from first to last operation of each of these, added up
};

/// Stays to choose from.
class StayTable {
public:
    /// A chain without stays.
    std::uint32_t add_chain(std::uint32_t bytes, std::uint32_t store_bytes);
    /// Adds a stay to its chain, which is the last one of this copy.
    std::uint32_t add(const Stay& stay);

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(stays_.size()); }
    [[nodiscard]] const Stay& stay(std::uint32_t index) const { return stays_[index]; }
    [[nodiscard]] const std::deque<StayChain>& chains() const { return chains_; }
    /// The copy has to be stored whatever stays.
    void must_store(std::uint32_t chain) { chains_[chain].store_bytes = 0; }

    /// Is the stay selected?
    [[nodiscard]] bool kept(std::uint32_t stay) const { return kept_[stay]; }
    void keep(std::uint32_t stay, bool keeps);
    using Selection = std::vector<bool>;  ///< by stay
    [[nodiscard]] const Selection& selection() const { return kept_; }
    /// Keeps those stays, and no others; none if the selection is empty.
    void select(const Selection& selection);
    /// Bytes of DRAM traffic that the selection saves.
    [[nodiscard]] std::uint64_t saved_bytes() const;

private:
    // Grow without moving: no second copy while they do.
    std::deque<Stay> stays_;
    std::deque<StayChain> chains_;
    Selection kept_;
};

/// Chooses stays that together never take more than `capacity_bytes` in any of `operations`, so that little DRAM
/// traffic is left: greedily, by bytes saved for each byte and operation of room; then with the bytes weighted less,
/// and the best of these. Whole chains compete with single stays, because only the last stay of a chain spares its
/// store. Finding the best choice is NP-hard (in one operation it is a knapsack); the test compares. Deterministic.
void select_stays(StayTable& table, std::uint64_t capacity_bytes, std::uint64_t operations);

}  // namespace nibble
