// SPDX-License-Identifier: MIT
#include "models/scratchpad/scratchpad_core.h"

#include <algorithm>

#include "sim/base/error.h"

namespace nibble {

ScratchpadCore::ScratchpadCore(const ScratchpadParameters& params) {
    const bool split = params.ports == BankPorts::one_read_one_write;
    const std::uint32_t ports = params.ports == BankPorts::two_read_or_write ? 2 : 1;
    for (std::size_t part = 0; part < scratchpad_part_count; ++part) {
        if (part == 0 || params.buffers) {
            const std::uint32_t banks = memory_of(params, static_cast<ScratchpadPart>(part)).banks;
            for (int group = 0; group < (split ? 2 : 1); ++group) {
                groups_.emplace_back(banks, ports, params.arbitration);
            }
        }
        const std::size_t last = groups_.size() - 1;
        group_index_[part] = {split ? last - 1 : last, last};
    }
}

bool ScratchpadCore::busy(ScratchpadClient client) const {
    return std::ranges::any_of(groups_, [&](const BankGroup& group) { return group.busy(client); });
}

void ScratchpadCore::start(ScratchpadClient client, const ScratchpadRequest& request) {
    if (busy(client)) {
        throw ModelError("scratchpad: a client has one request at a time");
    }
    catch_up();
    for (const LineStream& stream : request.streams()) {
        if (stream.lines_per_cycle == 0) {
            throw ModelError("scratchpad: a stream needs at least one line a cycle");
        }
        group_of(stream).start(client, stream);
    }
    look_ahead();
}

void ScratchpadCore::advance(std::uint64_t cycles) {
    if (least_ == 0) {
        return;
    }
    pending_ += cycles;
    if (pending_ >= least_) {
        catch_up();
    }
}

void ScratchpadCore::catch_up() {
    if (pending_ == 0) {
        return;
    }
    for (BankGroup& group : groups_) {
        group.advance(pending_);
    }
    pending_ = 0;
    look_ahead();
}

void ScratchpadCore::look_ahead() {
    std::array<std::uint64_t, scratchpad_client_count> bounds{};
    for (const BankGroup& group : groups_) {
        group.raise_bounds(bounds);
    }
    least_ = 0;
    for (const std::uint64_t cycles : bounds) {
        if (cycles > 0) {
            least_ = least_ == 0 ? cycles : std::min(least_, cycles);
        }
    }
}

std::uint64_t ScratchpadCore::take_conflicts(ScratchpadClient client) {
    std::uint64_t cycles = 0;
    for (BankGroup& group : groups_) {
        cycles += group.take_conflicts(client);
    }
    return cycles;
}

}  // namespace nibble
