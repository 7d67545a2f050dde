// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "sim/explore/metric_unit.h"

namespace nibble {

/// An axis of a plot: where numbers of a metric stand between 0 and 1, and which are marked.
class PlotScale {
public:
    struct Tick {
        double place = 0;   ///< 0 to 1
        std::string label;  ///< without unit on an even scale
    };

    /// For numbers between `least` and `most`, which are no further from 0 than 1e100. Logarithmic if they are positive
    /// and more than two decades apart.
    PlotScale(const std::string& metric, double least, double most);

    [[nodiscard]] double place(double value) const;
    [[nodiscard]] const std::vector<Tick>& ticks() const { return ticks_; }
    /// "energy (mJ)".
    [[nodiscard]] const std::string& label() const { return label_; }
    [[nodiscard]] bool logarithmic() const { return logarithmic_; }

private:
    void make_even();
    void make_logarithmic();

    MetricUnit unit_;
    bool logarithmic_ = false;
    double low_;  // numbers of the metric, at places 0 and 1
    double high_;
    std::vector<Tick> ticks_;
    std::string label_;
};

}  // namespace nibble
