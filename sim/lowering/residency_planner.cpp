// SPDX-License-Identifier: MIT
#include "sim/lowering/residency_planner.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace nibble {

ResidencyPlanner::State& ResidencyPlanner::state(TensorId tensor) {
    if (tensor >= states_.size()) {
        states_.resize(tensor + std::size_t{1});
    }
    return states_[tensor];
}

ResidencyPlanner::Copy& ResidencyPlanner::copy(State& state, CopyFormat format) {
    std::uint32_t* link = &state.copies;
    while (*link != none && copies_[*link].format != format) {
        link = &copies_[*link].sibling;
    }
    const bool found = *link != none;
    if (!found) {
        *link = static_cast<std::uint32_t>(copies_.size());
        copies_.emplace_back();
        copies_.back().format = format;
    }
    Copy& copy = copies_[*link];
    if (!found || copy.version != state.version) {
        copy.version = state.version;
        copy.access = state.whole ? state.version : none;
        copy.operation = state.operation;
        copy.left_out = 0;
        copy.chain = none;
        copy.must_store = false;
    }
    return copy;
}

void ResidencyPlanner::read(TensorId tensor, const Read& read, std::uint32_t access, std::uint32_t operation) {
    if (read.bytes > std::min<std::uint64_t>(capacity_, std::numeric_limits<std::uint32_t>::max())) {
        return;
    }
    State& state = this->state(tensor);
    Copy& copy = this->copy(state, read.format);
    if (copy.access != none) {
        add_stay(state, copy, read, access, operation);
    }
    copy.access = access;
    copy.operation = operation;
    copy.left_out = static_cast<std::uint32_t>(read.may_load_all ? read.bytes - read.moved_bytes : read.bytes);
}

void ResidencyPlanner::add_stay(const State& state, Copy& copy, const Read& read, std::uint32_t access,
                                std::uint32_t operation) {
    const bool from_write = copy.access == state.version;
    if (read.moved_bytes <= copy.left_out) {
        require_store(copy);  // loading all of it for this read would move no less
        copy.chain = none;
        return;
    }
    if (copy.chain == none) {
        const auto bytes = static_cast<std::uint32_t>(read.bytes);
        copy.chain = table_.add_chain(bytes, from_write && !copy.must_store ? bytes : 0);
        formats_.push_back(static_cast<std::uint8_t>(copy.format));
    }
    Stay stay;
    stay.from_operation = copy.operation;
    stay.to_operation = operation;
    stay.saved_bytes = static_cast<std::uint32_t>(read.moved_bytes - copy.left_out);
    stay.chain = copy.chain;
    stay.from_access = copy.access;
    stay.to_access = access;
    if (copy.last_stay != none && table_.stay(copy.last_stay).to_operation == copy.operation) {
        stay.previous = copy.last_stay;
    }
    copy.last_stay = table_.add(stay);
}

void ResidencyPlanner::require_store(Copy& copy) {
    copy.must_store = true;
    if (copy.chain != none) {
        table_.must_store(copy.chain);
    }
}

void ResidencyPlanner::read_off_stage(TensorId tensor, CopyFormat format) {
    require_store(copy(state(tensor), format));
}

void ResidencyPlanner::write(TensorId tensor, bool whole, bool persists, std::uint32_t access,
                             std::uint32_t operation) {
    State& state = this->state(tensor);
    state.version = access;
    state.operation = operation;
    state.whole = whole;
    state.persists = persists;
}

void ResidencyPlanner::write_off_stage(TensorId tensor) {
    State& state = this->state(tensor);
    state.version = none;
    state.whole = false;
    state.persists = false;
    for (std::uint32_t at = state.copies; at != none; at = copies_[at].sibling) {
        copies_[at].version = none;
        copies_[at].access = none;
        copies_[at].chain = none;
    }
}

ResidencyPlan ResidencyPlanner::plan(std::uint64_t accesses, std::uint64_t operations) {
    for (State& state : states_) {
        for (std::uint32_t at = state.copies; state.persists && at != none; at = copies_[at].sibling) {
            if (copies_[at].version == state.version) {
                require_store(copies_[at]);
            }
        }
    }
    states_ = {};
    copies_ = {};
    select_stays(table_, capacity_, operations);

    std::vector<Placement> placements(accesses);
    for (std::uint32_t index = 0; index < table_.size(); ++index) {
        if (!table_.kept(index)) {
            continue;
        }
        const Stay& stay = table_.stay(index);
        const auto format = static_cast<CopyFormat>(formats_[stay.chain]);
        placements[stay.from_access].stays |= bit_of(format);
        placements[stay.to_access].spared |= bit_of(format);
        const StayChain& chain = table_.chains()[stay.chain];
        if (index == chain.first && chain.left == 0 && chain.store_bytes > 0) {
            placements[stay.from_access].spared |= bit_of(format);
        }
    }
    table_ = {};
    formats_ = {};
    return ResidencyPlan(std::move(placements));
}

}  // namespace nibble
