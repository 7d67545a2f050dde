// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace nibble {

/// What the name of a metric says about its numbers: "energy_pj" is an energy, in joules times 1e-12.
struct MetricUnit {
    std::string quantity;  ///< the name without its unit, for people: "dram energy"
    std::string unit;      ///< "J"; empty if it has none
    double factor = 1;     ///< a number of the metric in this unit
    bool prefixes = true;  ///< whether the unit takes decimal prefixes
};

[[nodiscard]] MetricUnit unit_of(const std::string& metric);

/// Three significant digits with unit: "109 mJ", "52.4 M", "3.20 mm2".
[[nodiscard]] std::string metric_text(const std::string& metric, double value);

}  // namespace nibble
