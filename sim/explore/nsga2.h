// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "sim/explore/sampling.h"

namespace nibble {

/// What a design turned out to be.
struct Evaluation {
    std::vector<double> objectives;  ///< less is better; may be empty if the design breaks a constraint
    double violation = 0;            ///< by how much it breaks constraints; infinity: it is no machine at all
};

struct Nsga2Settings {
    std::size_t population = 20;  ///< and designs of a generation
    std::size_t budget = 0;       ///< designs to evaluate in all
    std::uint64_t seed = 1;
};

/// Guided search for the Pareto front of a discrete space: NSGA-II (Deb, Pratap, Agarwal, Meyarivan, "A fast and
/// elitist multiobjective genetic algorithm: NSGA-II", IEEE Trans. Evolutionary Computation 6(2), 2002), with its
/// constraint domination. Made for evaluations that are dear: it never proposes a design twice, begins with a Latin
/// hypercube, and where crossover and mutation find only designs that are known, looks at neighbours of good ones.
/// What it proposes depends on the seed and on what it is told, but not on the order in which it is told.
class Nsga2 {
public:
    /// `sizes`: values of each axis; at least one design, at most 2^63.
    Nsga2(std::vector<std::size_t> sizes, const Nsga2Settings& settings);

    /// The designs to evaluate next; none: the budget is spent, or every design is known. All designs that were
    /// proposed before must have been told (ModelError).
    [[nodiscard]] std::vector<Genome> ask();
    /// The evaluation of a design that was proposed and not yet told (ModelError otherwise).
    void tell(const Genome& design, Evaluation evaluation);

    /// Designs proposed so far.
    [[nodiscard]] std::size_t proposed() const { return known_.size(); }

private:
    /// A member of the population: place in the ranking, and how alone it is among those of its rank.
    struct Individual {
        const Genome* genome;
        const Evaluation* evaluation;
        std::size_t rank = 0;
        double crowding = 0;
    };

    void select_survivors();
    static void rank(std::vector<Individual>& individuals);
    static void measure_crowding(std::vector<Individual*>& front);
    const Individual& tournament();
    [[nodiscard]] Genome offspring();
    [[nodiscard]] std::optional<Genome> unknown_neighbour();
    [[nodiscard]] Genome any_unknown();
    [[nodiscard]] Genome new_design();
    void mutate(Genome& design);

    std::vector<std::size_t> sizes_;
    std::uint64_t space_;
    Nsga2Settings settings_;
    std::mt19937_64 random_;
    std::size_t objectives_ = 0;                         // of designs that break no constraint; 0: none was told yet
    std::map<Genome, std::optional<Evaluation>> known_;  // proposed; with what was told of them
    std::vector<Individual> population_;
    std::vector<Genome> waiting_;  // the last generation proposed, in order
};

}  // namespace nibble
