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

/// A roofline with energy and area: rows, columns, scratchpad, channels, precision of an accelerator on one GEMM.
Evaluation roofline(const Genome& design) {
    const double rows = 8 * static_cast<double>(design[0] + 1);
    const double columns = 8 * static_cast<double>(design[1] + 1);
    const double kilobytes = 64 * std::pow(2, static_cast<double>(design[2]));
    const double bandwidth = 12.8 * static_cast<double>(design[3] + 1);
    const double clock = 0.5 + 0.25 * static_cast<double>(design[4]);
    constexpr double macs = 2e9;
    constexpr double side = 1260;
    // Partial tiles: of `side` outputs in `rows` at a time.
    const double folds = std::ceil(side / rows) * rows / side * std::ceil(side / columns) * columns / side;
    const double bytes = 4e6 + macs / std::sqrt(kilobytes * 1024 / 3);  // Hong and Kung 1981
    const double seconds = std::max(macs * folds / (rows * columns * clock * 1e9), bytes / (bandwidth * 1e9));
    const double area = rows * columns * 150 + kilobytes * 900 + bandwidth * 4000;
    const double voltage = 0.55 + 0.15 * clock;
    const double energy = macs * 0.1 * voltage * voltage + bytes * 40 + seconds * area * 0.05e6;
    return {{seconds, energy}, 0};
}
const Sizes roofline_sizes{12, 12, 7, 4, 3};  // 12,096 designs before the constraint below takes some

Evaluation on_small_chips(const Genome& design) {
    const double rows = 8 * static_cast<double>(design[0] + 1);
    const double columns = 8 * static_cast<double>(design[1] + 1);
    constexpr double most = 4000;
    Evaluation evaluation = roofline(design);
    evaluation.violation = std::max(0.0, rows * columns - most) / most;
    return evaluation;
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
    [[nodiscard]] double of(const std::vector<Evaluation>& found) const { return volume(feasible(found)) / exhaustive_; }
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
    Nsga2 search(sizes, {.population = 24, .budget = budget, .seed = seed});
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

double worst_of_20_seeds(const Sizes& sizes, const Model& model, std::size_t budget) {
    const Quality quality(sizes, model);
    double worst = 1;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        worst = std::min(worst, quality.of(search(sizes, model, budget, seed)));
    }
    return worst;
}

double random_sampling(const Sizes& sizes, const Model& model, std::size_t budget) {
    const Quality quality(sizes, model);
    double worst = 1;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        std::vector<Evaluation> found;
        for (const Genome& design : random_designs(sizes, budget, seed)) {
            found.push_back(model(design));
        }
        worst = std::min(worst, quality.of(found));
    }
    return worst;
}


Evaluation with_area(const Genome& design) {
    Evaluation evaluation = roofline(design);
    const double pes = 64.0 * static_cast<double>((design[0] + 1) * (design[1] + 1));
    evaluation.objectives.push_back(pes * 150 + 64 * std::pow(2, static_cast<double>(design[2])) * 900 +
                                    12.8 * static_cast<double>(design[3] + 1) * 4000);
    return evaluation;
}

/// ZDT1 of Zitzler, Deb and Thiele (2000) on 4 axes.
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

TEST(Nsga2, PROBE) {
    for (const Sizes& sizes : {Sizes{8, 8, 5, 4, 2}, Sizes{9, 9, 5, 4, 3}}) {
        const std::size_t tenth = space_size(sizes).value() / 10;
        const auto probe = [&](const char* name, const Model& model) {
            std::cout << name << " " << tenth << " front " << Quality(sizes, model).front_size() << " search "
                      << worst_of_20_seeds(sizes, model, tenth) << " random " << random_sampling(sizes, model, tenth)
                      << "\n";
        };
        probe("roofline", roofline);
        probe("small", on_small_chips);
        probe("area", with_area);
    }
    const Sizes sizes{21, 6, 6, 6};
    const std::size_t tenth = space_size(sizes).value() / 10;
    const auto probe = [&](const char* name, const Model& model) {
        std::cout << name << " " << tenth << " front " << Quality(sizes, model).front_size() << " search "
                  << worst_of_20_seeds(sizes, model, tenth) << " random " << random_sampling(sizes, model, tenth)
                  << "\n";
    };
    probe("zdt1", zdt<1>);
    probe("zdt2", zdt<2>);
    probe("zdt3", zdt<3>);
}

}  // namespace
}  // namespace nibble
