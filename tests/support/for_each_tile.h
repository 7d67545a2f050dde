// SPDX-License-Identifier: MIT
#pragma once

#include "sim/lowering/tiling.h"

namespace nibble {

/// Calls `visit(tile, first, last)` for every tile in execution order; `first` and `last` mark the ends of a reduction.
template <class Visit>
void for_each_tile(const GemmProblem& problem, const Tiling& tiling, Visit visit) {
    for (TileWalk walk(problem, tiling); !walk.done();) {
        const auto [tile, first, last] = walk.next();
        visit(tile, first, last);
    }
}

}  // namespace nibble
