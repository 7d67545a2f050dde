// SPDX-License-Identifier: MIT
#include "sim/lowering/stay_selection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sim/lowering/occupancy.h"

namespace nibble {

namespace {

/// A stay, or all stays of a chain that are not selected yet, with what it is worth. Kept for every stay: small.
struct Candidate {
    float worth = 0;  ///< bytes saved for each operation and, weighted, byte of room
    std::uint32_t chain : 1 = 0;
    std::uint32_t index : 31 = 0;
};

/// Of two candidates worth the same, the chain comes first, then the one that comes first in the table.
bool comes_later(const Candidate& a, const Candidate& b) {
    if (a.worth != b.worth) {
        return a.worth < b.worth;
    }
    return a.chain != b.chain ? b.chain != 0 : a.index > b.index;
}

Candidate candidate(float worth, bool chain, std::uint32_t index) {
    return {worth, chain ? 1U : 0U, index & 0x7fffffffU};
}

/// How much the size of a copy weighs against what it saves. Where the room is needed by copies of very different size,
/// counting all of it favours crumbs, and counting none of it favours lumps.
enum class SizeWeight : std::uint8_t { full, root, none };

float weight_of(std::uint32_t bytes, SizeWeight weight) {
    switch (weight) {
        case SizeWeight::full:
            return static_cast<float>(bytes);
        case SizeWeight::root:
            return std::sqrt(static_cast<float>(bytes));
        case SizeWeight::none:
            break;
    }
    return 1;
}

// Occupancy counts less than this; scratchpads are far smaller.
constexpr std::uint64_t most_bytes = std::numeric_limits<std::int32_t>::max();

/// Half-open range of operations.
struct Span {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

class GreedySelection {
public:
    GreedySelection(StayTable& table, std::uint64_t capacity_bytes, std::uint64_t operations, SizeWeight weight)
        : table_(table),
          capacity_(static_cast<std::int64_t>(std::min<std::uint64_t>(capacity_bytes, most_bytes))),
          weight_(weight),
          taken_(operations) {
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
            candidate.chain != 0 ? consider_whole(candidate) : consider_single(candidate);
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
        return candidate(worth_of(saved, chain.bytes, room.end - room.begin), false, index);
    }

    [[nodiscard]] Candidate whole(std::uint32_t index) const {
        const StayChain& chain = table_.chains()[index];
        const std::uint64_t loads = std::uint64_t{chain.left} * chain.bytes;
        return candidate(worth_of(loads + chain.store_bytes, chain.bytes, chain.left_operations + 1), true, index);
    }

    [[nodiscard]] float worth_of(std::uint64_t saved, std::uint32_t bytes, std::uint64_t operations) const {
        // A neighbour's operation is no room at all: better than any, and still finite.
        constexpr float least_operations = 1e-3F;
        return static_cast<float>(saved) /
               (weight_of(bytes, weight_) * std::max(static_cast<float>(operations), least_operations));
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

    // What is kept fits, and so do its bytes.
    void change(std::uint32_t index, bool keeps) {
        const Span room = span(index);
        if (room.begin < room.end) {
            const auto bytes = static_cast<std::int32_t>(chain_of(index).bytes);
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
    SizeWeight weight_;
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
}

void StayTable::select(const Selection& selection) {
    for (std::uint32_t index = 0; index < size(); ++index) {
        keep(index, !selection.empty() && selection[index]);
    }
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
    if (table.size() == 0) {
        return;
    }
    std::uint64_t most = 0;
    StayTable::Selection best = table.selection();
    for (const SizeWeight weight : {SizeWeight::full, SizeWeight::root, SizeWeight::none}) {
        table.select({});
        GreedySelection(table, capacity_bytes, operations, weight).run();
        if (table.saved_bytes() > most) {
            most = table.saved_bytes();
            best = table.selection();
        }
    }
    table.select(best);
}

}  // namespace nibble
