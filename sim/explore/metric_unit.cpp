// SPDX-License-Identifier: MIT
#include "sim/explore/metric_unit.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "sim/report/number_format.h"

namespace nibble {

MetricUnit unit_of(const std::string& metric) {
    struct Suffix {
        std::string_view text;
        std::string_view unit;
        double factor;
        bool prefixes;
    };
    static constexpr Suffix suffixes[] = {
        {"_pj_s", "J s", 1e-12, true}, {"_macs_per_s", "MAC/s", 1, true}, {"_bytes_per_s", "B/s", 1, true},
        {"_pj", "J", 1e-12, true},     {"_ps", "s", 1e-12, true},         {"_ms", "s", 1e-3, true},
        {"_seconds", "s", 1, true},    {"_um2", "mm2", 1e-6, false},      {"_mm2", "mm2", 1, false},
        {"_mw", "W", 1e-3, true},      {"_watts", "W", 1, true},          {"_bytes", "byte", 1, true},
    };
    MetricUnit unit{metric, "", 1, true};
    for (const Suffix& suffix : suffixes) {
        if (metric.size() > suffix.text.size() && metric.ends_with(suffix.text)) {
            unit = {metric.substr(0, metric.size() - suffix.text.size()), std::string(suffix.unit), suffix.factor,
                    suffix.prefixes};
            break;
        }
    }
    std::ranges::replace(unit.quantity, '_', ' ');
    return unit;
}

std::string metric_text(const std::string& metric, double value) {
    const MetricUnit unit = unit_of(metric);
    return unit.prefixes ? with_prefix(value * unit.factor, unit.unit)
                         : fmt::format("{:.3g} {}", value * unit.factor, unit.unit);
}

}  // namespace nibble
