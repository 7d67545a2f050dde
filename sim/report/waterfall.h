// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "sim/report/result.h"

namespace nibble {

/// One step on the way from the promised speed-up to the measured one.
struct WaterfallStep {
    std::string name;    ///< short, for result.json
    std::string what;    ///< for people
    double factor = 1;   ///< by which this step multiplies the speed-up
    double speedup = 1;  ///< what is left after it
};

/// Where the promised speed-up went. The first step is the density that Sun et al. 2020 promise from MAC area, 7.27.
/// Each step after it takes the ratio of both machines' run times under hypothetical conditions, each with one more
/// thing in it that takes time; the step's factor is this ratio over the step before's. With MACs W in all, W(i) in
/// mode i at a peak of p(i) MACs a second, and p the peak of the fastest mode, the times are
///
///   array        W / p                           every MAC at the fastest mode's peak: these two arrays as built
///   precision    sum over modes of W(i) / p(i)   MACs in the modes that the recipe chose
///   utilization  cycles of cause compute         partial tiles: the array streams with idle PEs
///   fill_drain   + cycles of cause fill_drain
///   memory       + cycles of cause memory
///   conversion   + cycles of cause gradient_conversion
///   vector       + cycles of cause vector
///   control      + cycles of cause control       which is the run
///
/// so the product of all factors, the first included, is the measured speed-up, by construction. A factor above 1 is
/// possible: the baseline lost more there. Empty without a baseline or without MACs on an array.
[[nodiscard]] std::vector<WaterfallStep> waterfall_of(const Result& result);

}  // namespace nibble
