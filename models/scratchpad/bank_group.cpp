// SPDX-License-Identifier: MIT
#include "models/scratchpad/bank_group.h"

#include <algorithm>
#include <utility>

#include "sim/base/units.h"

namespace nibble {

BankGroup::BankGroup(std::uint32_t banks, std::uint32_t ports, Arbitration arbitration)
    : banks_(banks), ports_(ports), round_robin_(arbitration == Arbitration::round_robin), taken_(banks) {}

void BankGroup::start(ScratchpadClient client, const LineStream& stream) {
    const auto behind =
        std::ranges::upper_bound(streams_, client, {}, [](const Stream& earlier) { return earlier.client; });
    streams_.insert(behind, {.client = client,
                             .lines_per_cycle = stream.lines_per_cycle,
                             .bank = static_cast<std::uint32_t>(stream.first_line % banks_),
                             .left = stream.lines,
                             .conflicts = 0});
    clients_ |= bit(client);
    forget_mark();
}

void BankGroup::advance(std::uint64_t cycles) {
    while (cycles > 0 && !streams_.empty()) {
        if (streams_.size() == 1) {
            serve_alone(cycles);
            continue;
        }
        // The pattern can only repeat while every stream has as much left as it can take in a cycle.
        const bool regular = all_want_their_full_width();
        serve_cycle();
        --cycles;
        if (!regular) {
            forget_mark();
            continue;
        }
        ++since_mark_;
        if (as_at_mark()) {
            repeat_period(cycles);
            forget_mark();
        } else if (marked_.empty() || since_mark_ == mark_distance_) {
            mark();
        }
    }
}

// No one else takes its ports, so it gets as many lines as it wants or as there are ports.
void BankGroup::serve_alone(std::uint64_t& cycles) {
    Stream& stream = streams_.front();
    const std::uint64_t most = std::uint64_t{banks_} * ports_;
    const std::uint64_t rate = std::min<std::uint64_t>(stream.lines_per_cycle, most);
    const std::uint64_t needed = ceil_div(stream.left, rate);
    const std::uint64_t served = std::min(cycles, needed);
    if (stream.lines_per_cycle > most) {
        stream.conflicts += std::min(served, needed - 1);  // in the last cycle it wants no more than it gets
    }
    const std::uint64_t lines = std::min(stream.left, served * rate);
    stream.left -= lines;
    stream.bank = static_cast<std::uint32_t>((stream.bank + lines) % banks_);
    turn_ = (static_cast<std::size_t>(stream.client) + 1) % scratchpad_client_count;
    cycles -= served;
    remove_served();
}

void BankGroup::serve_cycle() {
    std::ranges::fill(taken_, std::uint8_t{0});
    const std::size_t count = streams_.size();
    std::size_t next = 0;
    if (round_robin_) {
        while (next < count && static_cast<std::size_t>(streams_[next].client) < turn_) {
            ++next;
        }
        next = next == count ? 0 : next;
        turn_ = (static_cast<std::size_t>(streams_[next].client) + 1) % scratchpad_client_count;
    }
    bool served = false;
    for (std::size_t i = 0; i < count; ++i) {
        Stream& stream = streams_[next];
        next = next + 1 == count ? 0 : next + 1;
        const std::uint64_t wanted = std::min<std::uint64_t>(stream.left, stream.lines_per_cycle);
        std::uint64_t lines = 0;
        while (lines < wanted && taken_[stream.bank] < ports_) {
            ++taken_[stream.bank];
            ++lines;
            stream.bank = stream.bank + 1 == banks_ ? 0 : stream.bank + 1;
        }
        stream.left -= lines;
        stream.conflicts += lines < wanted ? 1 : 0;
        served = served || stream.left == 0;
    }
    if (served) {
        remove_served();
    }
}

void BankGroup::remove_served() {
    std::erase_if(streams_, [&](const Stream& stream) {
        if (stream.left == 0) {
            past_conflicts_[static_cast<std::size_t>(stream.client)] += stream.conflicts;
        }
        return stream.left == 0;
    });
    clients_ = 0;
    for (const Stream& stream : streams_) {
        clients_ |= bit(stream.client);
    }
}

bool BankGroup::all_want_their_full_width() const {
    return std::ranges::all_of(streams_, [](const Stream& stream) { return stream.left >= stream.lines_per_cycle; });
}

// What is served depends on where the streams are relative to each other: shifting all of them by some banks changes
// nothing.
bool BankGroup::as_at_mark() const {
    if (marked_.size() != streams_.size() || marked_turn_ != turn_) {
        return false;
    }
    const auto shift = [&](std::size_t i) { return (streams_[i].bank + banks_ - marked_[i].bank) % banks_; };
    for (std::size_t i = 1; i < streams_.size(); ++i) {
        if (shift(i) != shift(0)) {
            return false;
        }
    }
    return true;
}

void BankGroup::mark() {
    marked_ = streams_;
    marked_turn_ = turn_;
    mark_distance_ = since_mark_ == mark_distance_ ? 2 * mark_distance_ : mark_distance_;
    since_mark_ = 0;
}

void BankGroup::forget_mark() {
    marked_.clear();
    since_mark_ = 0;
    mark_distance_ = 1;
}

// What happened since the mark happens again and again, as long as no stream runs short of lines.
void BankGroup::repeat_period(std::uint64_t& cycles) {
    std::uint64_t times = cycles / since_mark_;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        const std::uint64_t lines = marked_[i].left - streams_[i].left;
        if (streams_[i].left < streams_[i].lines_per_cycle) {
            return;
        }
        if (lines > 0) {
            times = std::min(times, (streams_[i].left - streams_[i].lines_per_cycle) / lines);
        }
    }
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        Stream& stream = streams_[i];
        const std::uint64_t lines = (marked_[i].left - stream.left) * times;
        stream.left -= lines;
        stream.bank = static_cast<std::uint32_t>((stream.bank + lines) % banks_);
        stream.conflicts += (stream.conflicts - marked_[i].conflicts) * times;
    }
    cycles -= times * since_mark_;
}

void BankGroup::raise_bounds(std::array<std::uint64_t, scratchpad_client_count>& cycles) const {
    for (const Stream& stream : streams_) {
        const std::uint64_t rate = std::min(std::uint64_t{stream.lines_per_cycle}, std::uint64_t{banks_} * ports_);
        std::uint64_t& bound = cycles[static_cast<std::size_t>(stream.client)];
        bound = std::max(bound, ceil_div(stream.left, rate));
    }
}

std::uint64_t BankGroup::lines_left(ScratchpadClient client) const {
    std::uint64_t lines = 0;
    for (const Stream& stream : streams_) {
        lines += stream.client == client ? stream.left : 0;
    }
    return lines;
}

std::uint64_t BankGroup::take_conflicts(ScratchpadClient client) {
    return std::exchange(past_conflicts_[static_cast<std::size_t>(client)], 0);
}

}  // namespace nibble
