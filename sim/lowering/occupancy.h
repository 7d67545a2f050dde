// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

namespace nibble {

/// Bytes taken at each of a row of moments, less than 2 GiB: adds to a range of them and finds the largest of a range,
/// both in logarithmic time (a segment tree whose nodes keep what was added to all of their moments). 12 bytes a
/// moment.
class Occupancy {
public:
    explicit Occupancy(std::uint64_t moments);

    /// Adds `bytes`, which may be negative, at the moments from `first` to `last`, both included.
    void add(std::uint64_t first, std::uint64_t last, std::int32_t bytes);
    /// The most that is taken at one of the moments from `first` to `last`, both included.
    [[nodiscard]] std::int32_t largest(std::uint64_t first, std::uint64_t last) const;

private:
    void update_above(std::uint64_t node);
    [[nodiscard]] std::int32_t added_above(std::uint64_t node) const;

    std::uint64_t moments_;
    std::vector<std::int32_t> largest_;  // of a node's moments, all that was added inside the node included
    std::vector<std::int32_t> added_;    // to all moments of an inner node
};

}  // namespace nibble
