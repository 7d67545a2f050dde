// SPDX-License-Identifier: MIT
#include "models/scratchpad/scratchpad_core.h"

#include <algorithm>

#include "sim/base/error.h"
#include "sim/base/units.h"

namespace nibble {

bool ScratchpadCore::any_busy() const {
    return std::any_of(streams_.begin(), streams_.end(), [](const Stream& s) { return s.lines_left > 0; });
}

void ScratchpadCore::start(ScratchpadClient client, const ScratchpadRequest& request) {
    if (busy(client)) {
        throw ModelError("scratchpad: a client has one stream at a time");
    }
    if (request.lines_per_cycle == 0) {
        throw ModelError("scratchpad: a stream needs at least one line a cycle");
    }
    at(client) = {request, request.lines_read + request.lines_written, 0};
}

ScratchpadCore::Grants ScratchpadCore::grants() const {
    Grants grants{};
    std::uint64_t left = banks_;
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        const Stream& stream = streams_[i];
        grants[i] = std::min({stream.lines_left, stream.request.lines_per_cycle, left});
        left -= grants[i];
    }
    return grants;
}

std::uint64_t ScratchpadCore::cycles_to_next_end() const {
    const Grants grants = this->grants();
    std::uint64_t soonest = 0;
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        if (grants[i] > 0) {
            const std::uint64_t cycles = ceil_div(streams_[i].lines_left, grants[i]);
            soonest = soonest == 0 ? cycles : std::min(soonest, cycles);
        }
    }
    return soonest;
}

void ScratchpadCore::advance(std::uint64_t cycles) {
    const Grants grants = this->grants();
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        Stream& stream = streams_[i];
        // Short of what it asks for, or of what it has left if that is less.
        if (grants[i] < std::min(stream.lines_left, stream.request.lines_per_cycle)) {
            stream.conflicts += cycles;
        }
        stream.lines_left -= std::min(stream.lines_left, grants[i] * cycles);
    }
}

}  // namespace nibble
