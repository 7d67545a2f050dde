// SPDX-License-Identifier: MIT
#include "sim/explore/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>

namespace nibble {

namespace {

struct Sum {
    double value = 0;
    double rows = 0;

    void add(double more) {
        value += more;
        ++rows;
    }
    [[nodiscard]] double mean() const { return rows == 0 ? 0 : value / rows; }
};

}  // namespace

std::vector<AxisEffect> axis_effects(const PointTable& table, std::size_t metric, std::string_view workload) {
    std::vector<const PointRow*> rows;
    Sum all;
    for (const PointRow& row : table.rows) {
        if (row.status == PointStatus::ok && row.metrics[metric] && (workload.empty() || row.workload == workload)) {
            rows.push_back(&row);
            all.add(*row.metrics[metric]);
        }
    }
    double squares = 0;  // of distances from the mean
    for (const PointRow* row : rows) {
        squares += std::pow(*row->metrics[metric] - all.mean(), 2);
    }
    std::vector<AxisEffect> effects;
    for (std::size_t axis = 0; axis < table.axes.size(); ++axis) {
        std::map<std::string, Sum> by_value;
        for (const PointRow* row : rows) {
            by_value[row->values[axis]].add(*row->metrics[metric]);
        }
        AxisEffect effect{axis, by_value.size(), 0, std::nullopt};
        double between = 0;
        double least = all.mean();
        double most = all.mean();
        for (const auto& [value, sum] : by_value) {
            between += sum.rows * std::pow(sum.mean() - all.mean(), 2);
            least = std::min(least, sum.mean());
            most = std::max(most, sum.mean());
        }
        effect.share = squares > 0 ? std::min(between / squares, 1.0) : 0;
        if (all.mean() != 0) {
            effect.range = (most - least) / std::abs(all.mean());
        }
        effects.push_back(effect);
    }
    std::ranges::stable_sort(effects, std::greater<>{}, &AxisEffect::share);
    return effects;
}

}  // namespace nibble
