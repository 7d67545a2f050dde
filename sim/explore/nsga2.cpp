// SPDX-License-Identifier: MIT
#include "sim/explore/nsga2.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "sim/base/error.h"
#include "sim/explore/pareto_front.h"
#include "sim/explore/random_index.h"

namespace nibble {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Deb et al. 2002, definition 1: less violation is better; without any, Pareto dominance.
bool constrained_dominates(const Evaluation& a, const Evaluation& b) {
    if (a.violation > 0 || b.violation > 0) {
        return a.violation < b.violation;
    }
    return dominates(a.objectives, b.objectives);
}

std::uint64_t required_space(const std::vector<std::size_t>& sizes) {
    const std::optional<std::uint64_t> size = space_size(sizes);
    if (!size || *size == 0) {
        throw ModelError("a space to search has no designs, or more than 2^63");
    }
    return *size;
}

}  // namespace

Nsga2::Nsga2(std::vector<std::size_t> sizes, const Nsga2Settings& settings)
    : sizes_(std::move(sizes)), space_(required_space(sizes_)), settings_(settings), random_(settings.seed) {
    settings_.population = std::max<std::size_t>(settings_.population, 2);
    settings_.budget = static_cast<std::size_t>(std::min<std::uint64_t>(settings_.budget, space_));
}

void Nsga2::tell(const Genome& design, Evaluation evaluation) {
    const auto found = known_.find(design);
    if (found == known_.end() || found->second) {
        throw ModelError("the search was told of a design that it does not wait for");
    }
    const auto finite = [](double objective) { return std::isfinite(objective); };
    if (!(evaluation.violation >= 0) || !std::ranges::all_of(evaluation.objectives, finite)) {
        throw ModelError("the search was told a number that cannot be compared");
    }
    if (evaluation.violation == 0) {
        objectives_ = objectives_ == 0 ? evaluation.objectives.size() : objectives_;
        if (evaluation.objectives.empty() || evaluation.objectives.size() != objectives_) {
            throw ModelError("the search was told more, or fewer, objectives than before");
        }
    }
    found->second = std::move(evaluation);
}

std::vector<Genome> Nsga2::ask() {
    select_survivors();
    const std::size_t count = std::min(settings_.population, settings_.budget - known_.size());
    if (known_.empty()) {
        waiting_ = latin_hypercube(sizes_, count, random_());
        for (const Genome& design : waiting_) {
            known_.emplace(design, std::nullopt);
        }
        return waiting_;
    }
    waiting_.clear();
    while (waiting_.size() < count) {
        waiting_.push_back(new_design());
        known_.emplace(waiting_.back(), std::nullopt);
    }
    return waiting_;
}

/// Of parents and children together, the best fronts, and of the front that does not fit those most alone.
void Nsga2::select_survivors() {
    for (const Genome& design : waiting_) {
        const auto known = known_.find(design);
        if (!known->second) {
            throw ModelError("the search is asked for more before it is told of all that it proposed");
        }
        population_.push_back({&known->first, &*known->second});
    }
    rank(population_);
    std::ranges::stable_sort(population_, [](const Individual& a, const Individual& b) {
        return std::pair(a.rank, -a.crowding) < std::pair(b.rank, -b.crowding);
    });
    if (population_.size() > settings_.population) {
        population_.erase(population_.begin() + static_cast<std::ptrdiff_t>(settings_.population), population_.end());
    }
}

/// Fast non-dominated sort: front after front, each freed by the removal of those before.
void Nsga2::rank(std::vector<Individual>& individuals) {
    std::vector<std::vector<std::size_t>> dominated(individuals.size());
    std::vector<std::size_t> dominators(individuals.size(), 0);
    std::vector<std::size_t> front;
    for (std::size_t i = 0; i < individuals.size(); ++i) {
        for (std::size_t j = 0; j < individuals.size(); ++j) {
            if (constrained_dominates(*individuals[i].evaluation, *individuals[j].evaluation)) {
                dominated[i].push_back(j);
                ++dominators[j];
            }
        }
    }
    for (std::size_t i = 0; i < individuals.size(); ++i) {
        if (dominators[i] == 0) {
            front.push_back(i);
        }
    }
    for (std::size_t rank = 0; !front.empty(); ++rank) {
        std::vector<std::size_t> next;
        std::vector<Individual*> members;
        for (const std::size_t i : front) {
            individuals[i].rank = rank;
            members.push_back(&individuals[i]);
            for (const std::size_t j : dominated[i]) {
                if (--dominators[j] == 0) {
                    next.push_back(j);
                }
            }
        }
        measure_crowding(members);
        std::ranges::sort(next);
        front = std::move(next);
    }
}

/// Sum over objectives of the distance between both neighbours, as a part of the front's extent; the ends are
/// infinitely far from others.
void Nsga2::measure_crowding(std::vector<Individual*>& front) {
    for (Individual* individual : front) {
        individual->crowding = 0;
    }
    const bool feasible = front.front()->evaluation->violation == 0;
    const std::size_t objectives = feasible ? front.front()->evaluation->objectives.size() : 0;
    for (std::size_t o = 0; o < objectives; ++o) {
        const auto value = [o](const Individual* individual) { return individual->evaluation->objectives[o]; };
        std::ranges::stable_sort(front, std::less<>{}, value);
        const double extent = value(front.back()) - value(front.front());
        front.front()->crowding = infinity;
        front.back()->crowding = infinity;
        for (std::size_t i = 1; extent > 0 && i + 1 < front.size(); ++i) {
            front[i]->crowding += (value(front[i + 1]) - value(front[i - 1])) / extent;
        }
    }
}

const Nsga2::Individual& Nsga2::tournament() {
    const Individual& a = population_[random_below(random_, population_.size())];
    const Individual& b = population_[random_below(random_, population_.size())];
    return std::pair(a.rank, -a.crowding) <= std::pair(b.rank, -b.crowding) ? a : b;
}

/// One value in the mean changes: mostly to a neighbour, as values of an axis are in order, sometimes to any.
void Nsga2::mutate(Genome& design) {
    constexpr double to_neighbour = 0.7;
    for (std::size_t axis = 0; axis < design.size(); ++axis) {
        if (sizes_[axis] < 2 || !random_chance(random_, 1.0 / static_cast<double>(design.size()))) {
            continue;
        }
        if (random_chance(random_, to_neighbour)) {
            const bool up = design[axis] == 0 || (design[axis] + 1 < sizes_[axis] && random_chance(random_, 0.5));
            design[axis] = up ? design[axis] + 1 : design[axis] - 1;
        } else {
            design[axis] = random_below(random_, sizes_[axis]);
        }
    }
}

/// Uniform crossover of two parents, mutated.
Genome Nsga2::offspring() {
    constexpr double crossover = 0.9;  // Deb et al. 2002, section V.A
    Genome child = *tournament().genome;
    const Genome& other = *tournament().genome;
    if (random_chance(random_, crossover)) {
        for (std::size_t axis = 0; axis < child.size(); ++axis) {
            child[axis] = random_chance(random_, 0.5) ? child[axis] : other[axis];
        }
    }
    mutate(child);
    return child;
}

/// A design one step along one axis from a member of the population, the best first.
std::optional<Genome> Nsga2::unknown_neighbour() {
    for (const Individual& individual : population_) {
        std::vector<Genome> steps;
        for (std::size_t axis = 0; axis < sizes_.size(); ++axis) {
            Genome design = *individual.genome;
            if (++design[axis] < sizes_[axis]) {
                steps.push_back(design);
            }
            design[axis] -= 2;  // wraps round below 0
            if (design[axis] < sizes_[axis]) {
                steps.push_back(design);
            }
        }
        std::erase_if(steps, [&](const Genome& design) { return known_.contains(design); });
        if (!steps.empty()) {
            return steps[random_below(random_, steps.size())];
        }
    }
    return std::nullopt;
}

Genome Nsga2::any_unknown() {
    std::uint64_t number = random_below(random_, space_);
    while (known_.contains(design_of(number, sizes_))) {
        number = (number + 1) % space_;
    }
    return design_of(number, sizes_);
}

Genome Nsga2::new_design() {
    constexpr int tries = 20;
    for (int attempt = 0; attempt < tries; ++attempt) {
        if (Genome child = offspring(); !known_.contains(child)) {
            return child;
        }
    }
    std::optional<Genome> neighbour = unknown_neighbour();
    return neighbour ? *std::move(neighbour) : any_unknown();
}

}  // namespace nibble
