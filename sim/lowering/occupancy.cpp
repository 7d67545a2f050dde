// SPDX-License-Identifier: MIT
#include "sim/lowering/occupancy.h"

#include <algorithm>

namespace nibble {

// Node 1 is the root, nodes 2n and 2n+1 are below n, leaves are the nodes from moments_ on. With a number of moments
// that is no power of two some inner nodes stand for no contiguous range; no query ends at one of those.
Occupancy::Occupancy(std::uint64_t moments) : moments_(moments), largest_(2 * moments), added_(moments) {}

void Occupancy::add(std::uint64_t first, std::uint64_t last, std::int32_t bytes) {
    const auto apply = [&](std::uint64_t node) {
        largest_[node] += bytes;
        if (node < moments_) {
            added_[node] += bytes;
        }
    };
    std::uint64_t left = first + moments_;
    std::uint64_t right = last + moments_ + 1;
    for (; left < right; left /= 2, right /= 2) {
        if (left % 2 == 1) {
            apply(left++);
        }
        if (right % 2 == 1) {
            apply(--right);
        }
    }
    update_above(first + moments_);
    update_above(last + moments_);
}

void Occupancy::update_above(std::uint64_t node) {
    for (node /= 2; node > 0; node /= 2) {
        largest_[node] = std::max(largest_[2 * node], largest_[2 * node + 1]) + added_[node];
    }
}

std::int32_t Occupancy::added_above(std::uint64_t node) const {
    std::int32_t added = 0;
    for (node /= 2; node > 0; node /= 2) {
        added += added_[node];
    }
    return added;
}

std::int32_t Occupancy::largest(std::uint64_t first, std::uint64_t last) const {
    std::int32_t most = 0;
    const auto look = [&](std::uint64_t node) { most = std::max(most, largest_[node] + added_above(node)); };
    std::uint64_t left = first + moments_;
    std::uint64_t right = last + moments_ + 1;
    for (; left < right; left /= 2, right /= 2) {
        if (left % 2 == 1) {
            look(left++);
        }
        if (right % 2 == 1) {
            look(--right);
        }
    }
    return most;
}

}  // namespace nibble
