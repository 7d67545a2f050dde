// SPDX-License-Identifier: MIT
#include "sim/explore/plot_scale.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>

#include <fmt/format.h>

#include "sim/report/number_format.h"

namespace nibble {

namespace {

constexpr double steps_of_a_decade[] = {1, 2, 5, 10};

/// The least of 1, 2, 5 times a power of ten that is at least `value`.
double round_up(double value) {
    const double decade = std::pow(10, std::floor(std::log10(value)));
    for (const double step : steps_of_a_decade) {
        if (step * decade >= value * (1 - 1e-12)) {
            return step * decade;
        }
    }
    return 10 * decade;
}

double round_down(double value) {
    const double up = round_up(value);
    if (up <= value * (1 + 1e-12)) {
        return up;
    }
    const double decade = std::pow(10, std::floor(std::log10(value)));
    const double* const above = std::ranges::upper_bound(steps_of_a_decade, value / decade);
    return *std::prev(above) * decade;
}

struct Prefix {
    double factor;
    std::string letter;
};

/// The prefix of the largest number on an axis. Without a unit, small numbers have none: 0.05 is not 50 m.
Prefix prefix_for(const MetricUnit& unit, double magnitude) {
    if (!unit.prefixes || (unit.unit.empty() && magnitude < 1)) {
        return {1, ""};
    }
    static const Prefix prefixes[] = {{1e15, "P"}, {1e12, "T"}, {1e9, "G"},  {1e6, "M"},  {1e3, "k"},
                                      {1, ""},     {1e-3, "m"}, {1e-6, "u"}, {1e-9, "n"}, {1e-12, "p"}};
    for (const Prefix& prefix : prefixes) {
        if (magnitude >= prefix.factor) {
            return prefix;
        }
    }
    return magnitude > 0 ? prefixes[std::size(prefixes) - 1] : Prefix{1, ""};
}

std::string label_of(const MetricUnit& unit, const std::string& prefix) {
    const std::string text = prefix + unit.unit;
    return text.empty() ? unit.quantity : fmt::format("{} ({})", unit.quantity, text);
}

}  // namespace

PlotScale::PlotScale(const std::string& metric, double least, double most)
    : unit_(unit_of(metric)), low_(least * unit_.factor), high_(most * unit_.factor) {
    constexpr double two_decades = 100;
    constexpr double next_to_zero = 1e-200;
    if (std::max(std::abs(low_), std::abs(high_)) < next_to_zero) {
        low_ = high_ = 0;
    }
    logarithmic_ = low_ > next_to_zero && high_ > two_decades * low_;
    if (logarithmic_) {
        make_logarithmic();
    } else {
        make_even();
    }
    low_ /= unit_.factor;
    high_ /= unit_.factor;
}

void PlotScale::make_even() {
    constexpr double most_intervals = 7;
    if (!(high_ - low_ > 1e-9 * std::max(std::abs(low_), std::abs(high_)))) {
        const double margin = low_ == 0 ? 1 : std::abs(low_) / 10;
        low_ -= margin;
        high_ += margin;
    }
    const double step = round_up((high_ - low_) / most_intervals);
    const auto first = std::llround(std::floor(low_ / step + 1e-9));
    const auto last = std::llround(std::ceil(high_ / step - 1e-9));
    low_ = static_cast<double>(first) * step;
    high_ = static_cast<double>(last) * step;
    const Prefix prefix = prefix_for(unit_, std::max(std::abs(low_), std::abs(high_)));
    const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step / prefix.factor) + 1e-9)));
    for (auto i = first; i <= last; ++i) {
        const double value = static_cast<double>(i) * step;
        ticks_.push_back({(value - low_) / (high_ - low_), fmt::format("{:.{}f}", value / prefix.factor, decimals)});
    }
    label_ = label_of(unit_, prefix.letter);
}

void PlotScale::make_logarithmic() {
    constexpr double decades_with_steps = 4;
    low_ = round_down(low_);
    high_ = round_up(high_);
    const double decades = std::log10(high_) - std::log10(low_);
    const bool all_steps = decades <= decades_with_steps;
    for (double decade = std::pow(10, std::floor(std::log10(low_))); decade <= high_ * (1 + 1e-9); decade *= 10) {
        for (const double step : {1.0, 2.0, 5.0}) {
            const double value = step * decade;
            if (value >= low_ * (1 - 1e-9) && value <= high_ * (1 + 1e-9) && (all_steps || step == 1)) {
                const bool plain = !unit_.prefixes || (unit_.unit.empty() && value < 1);
                ticks_.push_back({(std::log10(value) - std::log10(low_)) / decades,
                                  plain ? fmt::format("{:.3g}", value) : with_prefix(value, unit_.unit)});
            }
        }
    }
    label_ = unit_.prefixes ? unit_.quantity : label_of(unit_, "");
}

double PlotScale::place(double value) const {
    return logarithmic_ ? (std::log(value) - std::log(low_)) / (std::log(high_) - std::log(low_))
                        : (value - low_) / (high_ - low_);
}

}  // namespace nibble
