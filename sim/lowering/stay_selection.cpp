// SPDX-License-Identifier: MIT
#include "sim/lowering/stay_selection.h"

#include <algorithm>
#include <vector>

#include "sim/lowering/occupancy.h"

namespace nibble {

namespace {

/// A stay, or all stays of a chain that are not selected yet, with what it is worth.
struct Candidate {
    float worth = 0;  ///< bytes saved for a byte and operation of room
    std::uint32_t index = 0;
    bool chain = false;
};

/// Of two candidates worth the same, the chain comes first, then the one that comes first in the table.
bool comes_later(const Candidate& a, const Candidate& b) {
    if (a.worth != b.worth) {
        return a.worth < b.worth;
    }
    return a.chain != b.chain ? b.chain : a.index > b.index;
}

// A neighbour's operation is no room at all: better than any, and still finite.
constexpr float least_operations = 1e-3F;

float worth_of(std::uint64_t saved, std::uint32_t bytes, std::uint64_t operations) {
    return static_cast<float>(saved) /
           (static_cast<float>(bytes) * std::max(static_cast<float>(operations), least_operations));
}

/// Half-open range of operations.
struct Span {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

class GreedySelection {
public:
    GreedySelection(StayTable& table, std::uint64_t capacity_bytes, std::uint64_t operations)
        : table_(table), capacity_(static_cast<std::int64_t>(capacity_bytes)), taken_(operations) {
        for (std::uint32_t stay = 0; stay < table_.size(); ++stay) {
            queue_.push_back(single(stay));
        }
        for (std::uint32_t chain = 0; chain < table_.chains().size(); ++chain) {
            if (table_.chains()[chain].count > 1 && table_.chains()[chain].store_bytes > 0) {
                queue_.push_back(whole(chain));
            }
        }
        std::ranges::make_heap(queue_, comes_later);
    }

    void run() {
        while (!queue_.empty()) {
            std::ranges::pop_heap(queue_, comes_later);
            const Candidate candidate = queue_.back();
            queue_.pop_back();
            candidate.chain ? consider_whole(candidate) : consider_single(candidate);
        }
    }

private:
    [[nodiscard]] const StayChain& chain_of(std::uint32_t stay) const {
        return table_.chains()[table_.stay(stay).chain];
    }
    [[nodiscard]] bool kept(std::uint32_t stay) const { return stay != Stay::none && table_.kept(stay); }

    /// Operations in which the stay takes room that neither of its neighbours takes.
    [[nodiscard]] Span span(std::uint32_t index) const {
        const Stay& stay = table_.stay(index);
        const std::uint64_t begin = std::uint64_t{stay.from_operation} + (kept(stay.previous) ? 1 : 0);
        const std::uint64_t end = std::uint64_t{stay.to_operation} + (kept(stay.next) ? 0 : 1);
        return {begin, std::max(begin, end)};
    }

    [[nodiscard]] Candidate single(std::uint32_t index) const {
        const StayChain& chain = chain_of(index);
        const std::uint64_t saved = table_.stay(index).saved_bytes + (chain.left == 1 ? chain.store_bytes : 0);
        const Span room = span(index);
        return {worth_of(saved, chain.bytes, room.end - room.begin), index, false};
    }

    [[nodiscard]] Candidate whole(std::uint32_t index) const {
        const StayChain& chain = table_.chains()[index];
        return {worth_of(chain.left_bytes + chain.store_bytes, chain.bytes, chain.left_operations + 1), index, true};
    }

    template <class Visit>
    void for_each_left(std::uint32_t chain, Visit visit) const {
        std::uint32_t stay = table_.chains()[chain].first;
        for (std::uint32_t n = table_.chains()[chain].count; n > 0; --n) {
            const std::uint32_t next = table_.stay(stay).next;
            if (!table_.kept(stay)) {
                visit(stay);
            }
            stay = next;
        }
    }

    /// Considers it later if it is worth less by now.
    [[nodiscard]] bool postponed(const Candidate& was, const Candidate& is) {
        if (is.worth >= was.worth) {
            return false;
        }
        put(is);
        return true;
    }

    void consider_single(const Candidate& candidate) {
        if (!table_.kept(candidate.index) && !postponed(candidate, single(candidate.index)) && fits(candidate.index)) {
            change(candidate.index, true);
            queue_neighbours(candidate.index);
        }
    }

    void consider_whole(const Candidate& candidate) {
        // A single stay that is left competes as one.
        if (table_.chains()[candidate.index].left < 2 || postponed(candidate, whole(candidate.index))) {
            return;
        }
        std::vector<std::uint32_t> left;
        for_each_left(candidate.index, [&](std::uint32_t stay) { left.push_back(stay); });
        for (std::size_t n = 0; n < left.size(); ++n) {
            if (!fits(left[n])) {
                while (n > 0) {
                    change(left[--n], false);
                }
                return;
            }
            change(left[n], true);
        }
        queue_neighbours(left.front());
        queue_neighbours(left.back());
    }

    void put(const Candidate& candidate) {
        queue_.push_back(candidate);
        std::ranges::push_heap(queue_, comes_later);
    }

    [[nodiscard]] bool fits(std::uint32_t index) const {
        const Span room = span(index);
        return room.begin == room.end ||
               taken_.largest(room.begin, room.end - 1) + std::int64_t{chain_of(index).bytes} <= capacity_;
    }

    void change(std::uint32_t index, bool keeps) {
        const Span room = span(index);
        if (room.begin < room.end) {
            const std::int64_t bytes = chain_of(index).bytes;
            taken_.add(room.begin, room.end - 1, keeps ? bytes : -bytes);
        }
        table_.keep(index, keeps);
    }

    /// Beside a stay that is kept a stay takes less room, and the last one of a chain saves more: they are worth more
    /// than when they were put into the queue.
    void queue_neighbours(std::uint32_t index) {
        const Stay& stay = table_.stay(index);
        for (const std::uint32_t neighbour : {stay.previous, stay.next}) {
            if (neighbour != Stay::none && !table_.kept(neighbour)) {
                put(single(neighbour));
            }
        }
        if (chain_of(index).left == 1) {
            for_each_left(stay.chain, [&](std::uint32_t last) { put(single(last)); });
        }
    }

    StayTable& table_;
    std::int64_t capacity_;
    Occupancy taken_;
    std::vector<Candidate> queue_;  // a heap: the one worth most first
};

}  // namespace

std::uint32_t StayTable::add_chain(std::uint32_t bytes, std::uint32_t store_bytes) {
    StayChain chain;
    chain.bytes = bytes;
    chain.store_bytes = store_bytes;
    chains_.push_back(chain);
    return static_cast<std::uint32_t>(chains_.size() - 1);
}

std::uint32_t StayTable::add(const Stay& stay) {
    const std::uint32_t index = size();
    StayChain& chain = chains_[stay.chain];
    chain.first = std::min(chain.first, index);
    ++chain.count;
    ++chain.left;
    chain.left_operations += stay.to_operation - stay.from_operation;
    chain.left_bytes += stay.saved_bytes;
    if (stay.previous != Stay::none) {
        stays_[stay.previous].next = index;
    }
    stays_.push_back(stay);
    kept_.push_back(false);
    return index;
}

void StayTable::keep(std::uint32_t index, bool keeps) {
    if (kept_[index] == keeps) {
        return;
    }
    kept_[index] = keeps;
    const Stay& stay = stays_[index];
    StayChain& chain = chains_[stay.chain];
    const std::uint32_t operations = stay.to_operation - stay.from_operation;
    chain.left += keeps ? -1U : 1U;
    chain.left_operations += keeps ? -operations : operations;
    chain.left_bytes += keeps ? -std::uint64_t{stay.saved_bytes} : std::uint64_t{stay.saved_bytes};
}

std::uint64_t StayTable::saved_bytes() const {
    std::uint64_t saved = 0;
    for (std::uint32_t index = 0; index < size(); ++index) {
        saved += kept_[index] ? stays_[index].saved_bytes : 0;
    }
    for (const StayChain& chain : chains_) {
        saved += chain.count > 0 && chain.left == 0 ? chain.store_bytes : 0;
    }
    return saved;
}

void select_stays(StayTable& table, std::uint64_t capacity_bytes, std::uint64_t operations) {
    if (table.size() > 0) {
        GreedySelection(table, capacity_bytes, operations).run();
    }
}

}  // namespace nibble
