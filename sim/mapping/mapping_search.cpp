// SPDX-License-Identifier: MIT
#include "sim/mapping/mapping_search.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "sim/base/units.h"
#include "sim/lowering/greedy_tiling.h"
#include "sim/mapping/task_prediction.h"
#include "sim/mapping/tiling_estimate.h"
#include "sim/mapping/transfer_model.h"

namespace nibble {

namespace {

// Mappings that get the closer look.
constexpr std::size_t finalists = 12;

// Predictions this close are taken as equal: then the traffic decides.
constexpr double tolerance = 1.005;

/// Sizes of tiles that a dimension is cut into: powers of two times `least` and repeated halves of an image, in blocks
/// of `step`; whole images; everything.
std::vector<std::uint64_t> sizes_of(const TiledDimension& dimension, std::uint64_t least, std::uint64_t step) {
    std::vector<std::uint64_t> sizes;
    const auto add = [&](std::uint64_t size) {
        const std::uint64_t whole = round_up(size, step);
        if (whole >= least && whole < dimension.period) {
            sizes.push_back(whole);
        }
    };
    for (std::uint64_t size = std::max<std::uint64_t>(least, 1); size < dimension.period; size *= 2) {
        add(size);
    }
    for (std::uint64_t size = dimension.period; size > std::max<std::uint64_t>(least, 1); size = ceil_div(size, 2)) {
        add(size);
    }
    for (std::uint64_t images = 1; images * dimension.period < dimension.extent; images *= 2) {
        sizes.push_back(images * dimension.period);
    }
    sizes.push_back(dimension.extent);
    std::ranges::sort(sizes);
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    return sizes;
}

/// Tile sizes that are worth a look; order, dataflow and buffers are yet to be chosen.
std::vector<Tiling> tile_sizes(const GemmTask& task, const MachineParameters& machine) {
    const GemmProblem& problem = task.problem;
    const LeastTile least = least_tile(task, machine);
    std::vector<Tiling> all;
    const auto j_sizes = sizes_of(problem.j(), least.j, problem.j_step());
    const auto l_sizes = sizes_of(problem.l(), least.l, reduction_step(problem, machine.mac_array.accumulation.chunk));
    for (const std::uint64_t i : sizes_of(problem.i(), 1, 1)) {
        for (const std::uint64_t j : j_sizes) {
            for (const std::uint64_t l : l_sizes) {
                all.push_back({.i = i, .j = j, .l = l});
            }
        }
    }
    // Small products of a batch share a tile. Groups of a convolution do not: their channels lie apart.
    for (std::uint64_t batch = 2; problem.is_matmul() && batch < 2 * problem.batch(); batch *= 2) {
        all.push_back({.batch = std::min(batch, problem.batch()),
                       .i = problem.i().extent,
                       .j = problem.j().extent,
                       .l = problem.l().extent});
    }
    return all;
}

/// Orders that differ: loops of one tile are no loops.
std::vector<LoopOrder> orders_of(const TileCounts& counts) {
    std::vector<LoopOrder> orders;
    std::vector<std::string> seen;
    for (std::size_t order = 0; order < loop_order_count; ++order) {
        std::string loops;
        for (const char loop : loop_order_names[order]) {
            const std::uint64_t tiles = loop == 'i' ? counts.i : loop == 'j' ? counts.j : counts.l;
            loops += tiles > 1 ? std::string(1, loop) : std::string{};
        }
        if (std::ranges::find(seen, loops) == seen.end()) {
            seen.push_back(loops);
            orders.push_back(static_cast<LoopOrder>(order));
        }
    }
    return orders;
}

/// Splits of the scratchpad, the one first that hides most.
std::vector<std::array<std::uint32_t, 3>> buffer_splits(std::uint32_t buffering) {
    if (buffering == 1) {
        return {{1, 1, 1}};
    }
    std::vector<std::array<std::uint32_t, 3>> splits{{buffering, buffering, buffering}};
    if (buffering > 2) {
        splits.push_back({2, 2, 2});
    }
    for (const auto& split : {std::array<std::uint32_t, 3>{2, 1, 2}, {1, 2, 2}, {2, 2, 1}}) {
        splits.push_back(split);
    }
    return splits;
}

/// The first split with which the tiling fits, set in the tiling.
std::optional<Tiling> with_buffers(const GemmTask& task, Tiling tiling, const MachineParameters& machine,
                                   const std::vector<std::array<std::uint32_t, 3>>& splits) {
    for (const auto& [left, right, out] : splits) {
        tiling.left_buffers = left;
        tiling.right_buffers = right;
        tiling.out_buffers = out;
        if (fits(task, tiling, machine)) {
            return tiling;
        }
    }
    return std::nullopt;
}

/// Calls `visit` for every mapping of these tile sizes that fits; returns whether there was one.
template <class Visit>
bool for_each_mapping(const GemmTask& task, const MachineParameters& machine, const std::vector<Tiling>& sizes,
                      Visit visit) {
    const auto splits = buffer_splits(machine.scratchpad.buffering);
    bool any = false;
    for (Tiling tiling : sizes) {
        for (const LoopOrder order : orders_of(tile_counts(task.problem, tiling))) {
            tiling.order = order;
            for (const Dataflow dataflow : machine.mac_array.dataflows) {
                tiling.dataflow = dataflow;
                if (const auto fitting = with_buffers(task, tiling, machine, splits)) {
                    visit(*fitting);
                    any = true;
                }
            }
        }
    }
    return any;
}

/// Calls `visit` for every mapping that is looked at and fits, those of the same tile sizes one after the other. They
/// are those that keep the order of the sums, so that results do not depend on the search; others only if none of these
/// fits.
template <class Visit>
void for_each_candidate(const GemmTask& task, const MachineParameters& machine, Visit visit) {
    std::vector<Tiling> in_order = tile_sizes(task, machine);
    const auto others = std::ranges::stable_partition(in_order, [&](const Tiling& tiling) {
        return keeps_reduction_order(task.problem, tiling, machine.mac_array.accumulation.chunk);
    });
    const std::vector<Tiling> out_of_order(others.begin(), others.end());
    in_order.erase(others.begin(), others.end());
    if (!for_each_mapping(task, machine, in_order, visit)) {
        for_each_mapping(task, machine, out_of_order, visit);
    }
}

double score_of(MappingObjective objective, double cycles, double energy_pj) {
    switch (objective) {
        case MappingObjective::cycles:
            break;
        case MappingObjective::energy:
            return energy_pj;
        case MappingObjective::energy_delay:
            return energy_pj * cycles;
    }
    return cycles;
}

/// What a sequential read that is long enough to meet refreshes reaches.
double streaming_bytes_per_cycle(const MachineParameters& machine) {
    if (machine.ideal_memory) {
        return 1;  // not used
    }
    constexpr std::uint64_t bytes = 2 * 1024 * 1024;
    TransferModel transfers(machine);
    transfers.start(false, {.run_bytes = bytes}, 0);
    return static_cast<double>(bytes) / transfers.next()->cycle;
}

bool same_sizes(const Tiling& a, const Tiling& b) {
    return std::tie(a.batch, a.i, a.j, a.l) == std::tie(b.batch, b.i, b.j, b.l);
}

}  // namespace

MappingSearch::MappingSearch(const MachineParameters& machine, MappingObjective objective, Price price)
    : machine_(machine),
      objective_(objective),
      price_(std::move(price)),
      dram_bytes_per_cycle_(streaming_bytes_per_cycle(machine)) {}

std::vector<Tiling> MappingSearch::candidates(const GemmTask& task) const {
    std::vector<Tiling> all;
    for_each_candidate(task, machine_, [&](const Tiling& tiling) { all.push_back(tiling); });
    return all;
}

std::vector<MappingSearch::Ranked> MappingSearch::rank(const GemmTask& task) const {
    std::vector<Ranked> ranked;
    std::optional<TilingEstimate> estimate;
    std::array<std::optional<double>, dataflow_count> compute;
    Tiling sizes{.batch = 0};
    for_each_candidate(task, machine_, [&](const Tiling& tiling) {
        if (!same_sizes(tiling, sizes)) {
            sizes = tiling;
            estimate.emplace(task, machine_, dram_bytes_per_cycle_, tiling);
            compute = {};
        }
        std::optional<double>& cycles = compute[static_cast<std::size_t>(tiling.dataflow)];
        if (!cycles) {
            cycles = estimate->compute_cycles(tiling.dataflow);
        }
        const TilingEstimate::Cost cost = estimate->cost(tiling, *cycles);
        double energy_pj = 0;
        if (objective_ != MappingObjective::cycles) {
            // What depends on the mapping most: traffic and time.
            CounterValues counters{};
            counters[index_of(Counter::dram_bytes_read)] = static_cast<std::uint64_t>(cost.dram_bytes);
            counters[index_of(Counter::cycles)] = static_cast<std::uint64_t>(cost.cycles);
            energy_pj = price_(counters);
        }
        ranked.push_back({tiling, score_of(objective_, cost.cycles, energy_pj)});
    });
    const std::size_t kept = std::min(finalists, ranked.size());
    std::ranges::partial_sort(ranked, ranked.begin() + static_cast<std::ptrdiff_t>(kept), {}, &Ranked::score);
    ranked.resize(kept);
    return ranked;
}

MappingSearch::Evaluated MappingSearch::look_closer(const GemmTask& task, const Tiling& tiling) const {
    const TaskPrediction prediction = predict(task, tiling, machine_);
    const double energy_pj = price_(prediction.counters);
    const auto bytes = prediction.counters[index_of(Counter::dram_bytes_read)] +
                       prediction.counters[index_of(Counter::dram_bytes_written)];
    return {{tiling, prediction.cycles, energy_pj},
            score_of(objective_, prediction.cycles, energy_pj),
            static_cast<double>(bytes)};
}

MappedTask MappingSearch::search(const GemmTask& task) const {
    std::vector<Evaluated> evaluated{look_closer(task, greedy_tiling(task, machine_))};
    for (const Ranked& ranked : rank(task)) {
        evaluated.push_back(look_closer(task, ranked.tiling));
    }
    const double bound = tolerance * std::ranges::min_element(evaluated, {}, &Evaluated::score)->score;
    const Evaluated* best = nullptr;
    for (const Evaluated& one : evaluated) {
        if (one.score <= bound &&
            (best == nullptr || std::tie(one.dram_bytes, one.score) < std::tie(best->dram_bytes, best->score))) {
            best = &one;
        }
    }
    return best->mapped;
}

MappedTask MappingSearch::evaluate(const GemmTask& task, const Tiling& tiling) const {
    return look_closer(task, tiling).mapped;
}

}  // namespace nibble
