// SPDX-License-Identifier: MIT
#include "sim/lowering/tile_space.h"

#include <numeric>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

TileBytes sum(const TileBytes& a, const TileBytes& b) {
    TileBytes both = a;
    for (std::size_t i = 0; i < tile_buffer_count; ++i) {
        both[i] += b[i];
    }
    return both;
}

TileBytes difference(const TileBytes& a, const TileBytes& b) {
    TileBytes rest = a;
    for (std::size_t i = 0; i < tile_buffer_count; ++i) {
        rest[i] -= b[i];
    }
    return rest;
}

}  // namespace

std::uint64_t total(const TileBytes& bytes) {
    return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0});
}

TileCapacity::TileCapacity(const ScratchpadParameters& scratchpad) : shared_(!scratchpad.buffers) {
    capacity_.fill(scratchpad.capacity_bytes - scratchpad.resident_bytes);
    capacity_ = scratchpad.buffers.value_or(capacity_);
}

bool TileCapacity::holds(const TileBytes& bytes) const {
    if (shared_) {
        return total(bytes) <= capacity_.front();
    }
    for (std::size_t i = 0; i < tile_buffer_count; ++i) {
        if (bytes[i] > capacity_[i]) {
            return false;
        }
    }
    return true;
}

std::string TileCapacity::text() const {
    if (shared_) {
        return fmt::format("{} bytes", capacity_.front());
    }
    std::string text;
    for (std::size_t i = 0; i < tile_buffer_count; ++i) {
        text += fmt::format("{}{} {}", i == 0 ? "" : ", ", tile_buffer_names[i], capacity_[i]);
    }
    return text + " bytes";
}

Dependencies TileSpace::take(const TileBytes& bytes) {
    if (!capacity_.holds(bytes)) {
        throw ModelError(fmt::format("{} bytes of tiles in a space of {}", total(bytes), capacity_.text()));
    }
    while (!capacity_.holds(sum(used_, bytes))) {
        given_back_ = later(given_back_, taken_.front().release);
        used_ = difference(used_, taken_.front().bytes);
        taken_.pop_front();
    }
    taken_.push_back({bytes, {}});
    used_ = sum(used_, bytes);
    return given_back_;
}

}  // namespace nibble
