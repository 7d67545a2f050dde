// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/explore/hypervolume.h"
#include "sim/explore/nsga2.h"
#include "sim/explore/pareto_front.h"

namespace nibble {
namespace {

using Sizes = std::vector<std::size_t>;
using Model = std::function<Evaluation(const Genome&)>;

/// An accelerator on one GEMM of 1,260 x 1,260 x 1,260: rows and columns of PEs, scratchpad, bandwidth, clock.
struct Accelerator {
    double seconds;
    double energy_pj;
    double area_um2;
};

Accelerator accelerator(const Genome& design) {
    const double rows = 8 * static_cast<double>(design[0] + 1);
    const double columns = 8 * static_cast<double>(design[1] + 1);
    const double scratchpad_bytes = 65536 * std::pow(2, static_cast<double>(design[2]));
    const double bandwidth = 12.8e9 * static_cast<double>(design[3] + 1);
    const double gigahertz = 0.5 + 0.25 * static_cast<double>(design[4]);
    constexpr double side = 1260;
    constexpr double macs = side * side * side;
    const double padded = std::ceil(side / rows) * rows * std::ceil(side / columns) * columns * side;  // whole tiles
    const double bytes = 2 * macs / std::sqrt(scratchpad_bytes);  // as Hong and Kung (1981) have it
    const double area = rows * columns * 150 + scratchpad_bytes + bandwidth * 4e-6;
    const double volts = 0.4 + 0.3 * gigahertz;
    const double seconds = std::max(padded / (rows * columns * gigahertz * 1e9), bytes / bandwidth);
    const double watts = area * 0.1e-6 + bandwidth * 2e-12;  // leakage; what links take whether they are used or not
    return {seconds, macs * 0.2 * volts * volts + bytes * 40 + watts * seconds * 1e12, area};
}

Evaluation time_energy_and_area(const Genome& design) {
    const Accelerator made = accelerator(design);
    return {{made.seconds, made.energy_pj, made.area_um2}, 0};
}

Evaluation time_and_area(const Genome& design) {
    const Accelerator made = accelerator(design);
    return {{made.seconds, made.area_um2}, 0};
}

Evaluation energy_and_area(const Genome& design) {
    const Accelerator made = accelerator(design);
    return {{made.energy_pj, made.area_um2}, 0};
}

/// Of chips of at most 0.8 mm2.
Evaluation time_and_energy_of_small_chips(const Genome& design) {
    const Accelerator made = accelerator(design);
    constexpr double most = 0.8e6;
    return {{made.seconds, made.energy_pj}, std::max(0.0, made.area_um2 - most) / most};
}

std::vector<std::vector<double>> feasible(const std::vector<Evaluation>& evaluations) {
    std::vector<std::vector<double>> points;
    for (const Evaluation& evaluation : evaluations) {
        if (evaluation.violation == 0) {
            points.push_back(evaluation.objectives);
        }
    }
    return points;
}

/// How much of the exhaustive front's hypervolume is found. Each objective runs from 0 to 1 over the exhaustive front,
/// and the reference stands at 1.1, so that ends of the front count little more than its middle.
class Quality {
public:
    Quality(const Sizes& sizes, const Model& model) {
        std::vector<Evaluation> all;
        for (std::uint64_t number = 0; number < space_size(sizes).value(); ++number) {
            all.push_back(model(design_of(number, sizes)));
        }
        const auto points = feasible(all);
        for (const std::size_t best : non_dominated(points)) {
            front_.push_back(points[best]);
        }
        least_ = most_ = front_.front();
        for (const auto& point : front_) {
            for (std::size_t i = 0; i < point.size(); ++i) {
                least_[i] = std::min(least_[i], point[i]);
                most_[i] = std::max(most_[i], point[i]);
            }
        }
        exhaustive_ = volume(front_);
    }
    [[nodiscard]] double of(const std::vector<Evaluation>& found) const {
        return volume(feasible(found)) / exhaustive_;
    }
    [[nodiscard]] std::size_t front_size() const { return front_.size(); }

private:
    [[nodiscard]] double volume(std::vector<std::vector<double>> points) const {
        std::vector<std::vector<double>> best;
        for (const std::size_t i : non_dominated(points)) {
            best.push_back(points[i]);
            for (std::size_t o = 0; o < least_.size(); ++o) {
                best.back()[o] = (points[i][o] - least_[o]) / (most_[o] - least_[o]);
            }
        }
        return hypervolume(best, std::vector<double>(least_.size(), 1.1));
    }

    std::vector<std::vector<double>> front_;
    std::vector<double> least_;
    std::vector<double> most_;
    double exhaustive_ = 1;
};

std::vector<Evaluation> search(const Sizes& sizes, const Model& model, std::size_t budget, std::uint64_t seed) {
    Nsga2 search(sizes, {.budget = budget, .seed = seed});
    std::vector<Evaluation> found;
    for (std::vector<Genome> designs = search.ask(); !designs.empty(); designs = search.ask()) {
        for (const Genome& design : designs) {
            found.push_back(model(design));
            search.tell(design, found.back());
        }
    }
    EXPECT_EQ(found.size(), budget);
    return found;
}

std::vector<Evaluation> sample(const Sizes& sizes, const Model& model, std::size_t budget, std::uint64_t seed) {
    std::vector<Evaluation> found;
    for (const Genome& design : random_designs(sizes, budget, seed)) {
        found.push_back(model(design));
    }
    return found;
}

/// With a tenth of the space, 20 seeds find at least 98% of the exhaustive front's hypervolume, each of them; random
/// samples need not, so that the space is worth a search.
void expect_front_is_found(const std::string& name, const Sizes& sizes, const Model& model) {
    const std::size_t tenth = space_size(sizes).value() / 10;
    const Quality quality(sizes, model);
    double worst = 1;
    double worst_sample = 1;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        worst = std::min(worst, quality.of(search(sizes, model, tenth, seed)));
        worst_sample = std::min(worst_sample, quality.of(sample(sizes, model, tenth, seed)));
    }
    std::cout << name << ": " << tenth << " of " << space_size(sizes).value() << " designs, front of "
              << quality.front_size() << ", worst of 20 seeds " << worst << ", of 20 random samples " << worst_sample
              << "\n";
    EXPECT_GE(worst, 0.98) << name;
    EXPECT_LT(worst_sample, 0.98) << name;
}

/// Functions ZDT1, ZDT2 and ZDT3 of Zitzler, Deb and Thiele (2000), on steps: a front that is hollow, that bulges, that
/// is in pieces.
template <int Kind>
Evaluation zdt(const Genome& design) {
    const double first = static_cast<double>(design[0]) / 20;
    double rest = 0;
    for (std::size_t i = 1; i < design.size(); ++i) {
        rest += static_cast<double>(design[i]) / 5 / static_cast<double>(design.size() - 1);
    }
    const double g = 1 + 9 * rest;
    const double ratio = first / g;
    const double h = Kind == 1   ? 1 - std::sqrt(ratio)
                     : Kind == 2 ? 1 - ratio * ratio
                                 : 1 - std::sqrt(ratio) - ratio * std::sin(10 * 3.14159265358979 * first);
    return {{first, g * h}, 0};
}

const Sizes accelerator_sizes{7, 6, 5, 4, 5};  // 4,200

TEST(Nsga2, FindsTheFrontOfTimeAndArea) {
    expect_front_is_found("time and area", accelerator_sizes, time_and_area);
}

TEST(Nsga2, FindsTheFrontOfEnergyAndArea) {
    expect_front_is_found("energy and area", accelerator_sizes, energy_and_area);
}

TEST(Nsga2, FindsTheFrontOfThreeObjectives) {
    expect_front_is_found("time, energy and area", accelerator_sizes, time_energy_and_area);
}

TEST(Nsga2, FindsTheFrontUnderAConstraint) {
    expect_front_is_found("time and energy of small chips", accelerator_sizes, time_and_energy_of_small_chips);
}

TEST(Nsga2, FindsFrontsOfEveryShape) {
    const Sizes sizes{21, 6, 6, 6};  // 4,536
    expect_front_is_found("ZDT1", sizes, zdt<1>);
    expect_front_is_found("ZDT2", sizes, zdt<2>);
    expect_front_is_found("ZDT3", sizes, zdt<3>);
}

/// All designs proposed, in order; each generation is told in the order that `arrange` gives it.
std::vector<Genome> proposals(const Sizes& sizes, const Model& model, const Nsga2Settings& settings,
                              const std::function<void(std::vector<Genome>&)>& arrange) {
    Nsga2 search(sizes, settings);
    std::vector<Genome> all;
    for (std::vector<Genome> designs = search.ask(); !designs.empty(); designs = search.ask()) {
        all.insert(all.end(), designs.begin(), designs.end());
        arrange(designs);
        for (const Genome& design : designs) {
            search.tell(design, model(design));
        }
    }
    return all;
}

TEST(Nsga2, DependsOnTheSeedAndNotOnTheOrderOfAnswers) {
    const auto in_order = [](std::vector<Genome>&) {};
    const auto backwards = [](std::vector<Genome>& designs) { std::ranges::reverse(designs); };
    const auto run = [](std::uint64_t seed, const auto& arrange) {
        return proposals(accelerator_sizes, time_and_area, {.budget = 300, .seed = seed}, arrange);
    };
    EXPECT_EQ(run(5, in_order), run(5, in_order));
    EXPECT_EQ(run(5, in_order), run(5, backwards));
    EXPECT_NE(run(5, in_order), run(6, in_order));
}

TEST(Nsga2, ProposesEveryDesignOnceUntilThereIsNone) {
    const Sizes sizes{3, 1, 4, 5};
    // Two of three designs are no machine; of the others half break a constraint.
    const auto model = [](const Genome& design) -> Evaluation {
        const std::size_t sum = design[0] + design[2] + design[3];
        if (sum % 3 != 0) {
            return {{}, std::numeric_limits<double>::infinity()};
        }
        return {{static_cast<double>(design[2]), static_cast<double>(design[3])}, sum % 2 == 0 ? 0.0 : 0.5};
    };
    for (const std::size_t budget : {0U, 1U, 59U, 60U, 1000U}) {
        const auto all = proposals(sizes, model, {.population = 7, .budget = budget, .seed = 1}, [](auto&) {});
        EXPECT_EQ(all.size(), std::min<std::size_t>(budget, 60));
        EXPECT_EQ(std::set<Genome>(all.begin(), all.end()).size(), all.size());
    }
}

TEST(Nsga2, SearchesSpacesThatNobodyCanEnumerate) {
    const Sizes sizes(63, 2);
    const auto ones = [](const Genome& design) -> Evaluation {
        return {{-static_cast<double>(std::ranges::count(design, std::size_t{1}))}, 0};
    };
    double best = 0;
    const auto all = proposals(sizes, ones, {.budget = 2000, .seed = 1}, [](auto&) {});
    for (const Genome& design : all) {
        best = std::min(best, ones(design).objectives[0]);
    }
    EXPECT_EQ(all.size(), 2000U);
    // Chance alone has 31.5 of 63, with a deviation of 4: 55 are six deviations away.
    EXPECT_LE(best, -55);
}

TEST(Nsga2, RefusesAnswersToWhatItDidNotAsk) {
    Nsga2 search({4, 4}, {.population = 4, .budget = 8, .seed = 1});
    EXPECT_THROW(search.tell({0, 0}, {{1, 1}, 0}), ModelError);
    const std::vector<Genome> designs = search.ask();
    EXPECT_THROW(static_cast<void>(search.ask()), ModelError);  // before it is told
    EXPECT_THROW(search.tell(designs[0], {{std::nan(""), 1}, 0}), ModelError);
    EXPECT_THROW(search.tell(designs[0], {{}, 0}), ModelError);
    EXPECT_THROW(search.tell(designs[0], {{1}, std::nan("")}), ModelError);
    search.tell(designs[0], {{1, 2}, 0});
    EXPECT_THROW(search.tell(designs[0], {{1, 2}, 0}), ModelError);
    EXPECT_THROW(search.tell(designs[1], {{1, 2, 3}, 0}), ModelError);
    EXPECT_THROW(Nsga2({4, 0}, {}), ModelError);
    EXPECT_THROW(Nsga2(Sizes(64, 2), {}), ModelError);
}

}  // namespace
}  // namespace nibble
