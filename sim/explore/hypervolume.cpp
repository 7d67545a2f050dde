// SPDX-License-Identifier: MIT
#include "sim/explore/hypervolume.h"

#include <algorithm>
#include <cstddef>
#include <functional>

namespace nibble {

namespace {

using Points = std::vector<const std::vector<double>*>;

/// Of the first `objectives` numbers of the points, which are all better than the reference.
double volume(Points points, std::span<const double> reference) {
    if (points.empty()) {
        return 0;
    }
    const std::size_t last = reference.size() - 1;
    std::ranges::sort(points, std::less<>{}, [&](const auto* point) { return (*point)[last]; });
    if (last == 0) {
        return reference[0] - points.front()->front();
    }
    double total = 0;
    if (last == 1) {
        double least = reference[0];  // first number of the points so far
        for (std::size_t i = 0; i < points.size(); ++i) {
            least = std::min(least, points[i]->front());
            const double end = i + 1 < points.size() ? (*points[i + 1])[1] : reference[1];
            total += (reference[0] - least) * (end - (*points[i])[1]);
        }
        return total;
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
        const double end = i + 1 < points.size() ? (*points[i + 1])[last] : reference[last];
        if (const double depth = end - (*points[i])[last]; depth > 0) {
            const auto so_far = points.begin() + static_cast<std::ptrdiff_t>(i) + 1;
            total += depth * volume(Points(points.begin(), so_far), reference.first(last));
        }
    }
    return total;
}

}  // namespace

double hypervolume(std::span<const std::vector<double>> points, std::span<const double> reference) {
    Points better;
    for (const std::vector<double>& point : points) {
        if (std::ranges::equal(point, reference, std::less<>{})) {
            better.push_back(&point);
        }
    }
    return volume(std::move(better), reference);
}

}  // namespace nibble
