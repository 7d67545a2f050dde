// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <unordered_map>

#include "models/mac_array/mac_array_params.h"
#include "sim/input/operation.h"
#include "sim/lowering/gemm_problem.h"
#include "sim/lowering/tiling.h"

namespace nibble {

/// Tilings searched before: layers of a network repeat. Bounded; forgets everything when full.
class TilingCache {
public:
    explicit TilingCache(const MacArrayParameters& array) : array_(array) {}

    /// The tiling that search_tiling() finds for the GEMM. Valid until the next call.
    [[nodiscard]] const Tiling& tiling(const Operation& operation, const GemmProblem& problem,
                                       const TilingInput& input);

private:
    const MacArrayParameters& array_;
    std::unordered_map<std::string, Tiling> tilings_;  // by everything that the search looks at
};

}  // namespace nibble
