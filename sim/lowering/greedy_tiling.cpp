// SPDX-License-Identifier: MIT
#include "sim/lowering/greedy_tiling.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/base/units.h"
#include "sim/lowering/tile_space.h"

namespace nibble {

namespace {

/// Half of a tile, no less than `least`, in whole images or blocks of `step`.
std::uint64_t halved(const TiledDimension& dimension, std::uint64_t size, std::uint64_t least, std::uint64_t step) {
    if (size > dimension.period) {
        return ceil_div(ceil_div(size, dimension.period), 2) * dimension.period;
    }
    return std::min(size, std::max(least, round_up(ceil_div(size, 2), step)));
}

}  // namespace

bool fits(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine) {
    return TileCapacity(machine.scratchpad).holds(tile_space(task, tiling)) &&
           accumulator_bytes(task, tiling) <= machine.mac_array.accumulator_bytes;
}

LeastTile least_tile(const GemmTask& task, const MachineParameters& machine) {
    const GemmProblem& problem = task.problem;
    const ArrayGeometry& geometry = *machine.mac_array.modes[static_cast<std::size_t>(task.mode)];
    const auto channels = [](const TiledDimension& dimension, std::uint64_t width, std::uint64_t block) {
        return std::min(dimension.extent, round_up(width, block));
    };
    // Units of i may be rows of many pixels each.
    std::uint64_t outputs_of_unit = 0;
    for (const MatmulPass& pass : problem.passes({{0, 1}, {0, 1}, {0, 1}, {0, problem.l().extent}})) {
        outputs_of_unit += pass.m;
    }
    const std::uint64_t i = ceil_div(geometry.rows, std::max<std::uint64_t>(1, outputs_of_unit));
    return {std::min(problem.i().period, i), channels(problem.j(), geometry.cols, problem.j_step()),
            channels(problem.l(), problem.reduces_rows() ? 1 : geometry.rows, problem.l_step())};
}

Tiling greedy_tiling(const GemmTask& task, const MachineParameters& machine) {
    const GemmProblem& problem = task.problem;
    const std::vector<Dataflow>& dataflows = machine.mac_array.dataflows;
    const std::uint32_t buffers = machine.scratchpad.buffering;
    const std::uint64_t l_step = reduction_step(problem, machine.mac_array.accumulation.chunk);
    const LeastTile least = least_tile(task, machine);
    const bool has_output = std::ranges::find(dataflows, Dataflow::output_stationary) != dataflows.end();
    Tiling tiling{.i = problem.i().extent,
                  .j = problem.j().extent,
                  .l = problem.l().extent,
                  .dataflow = has_output ? Dataflow::output_stationary : dataflows.front(),
                  .left_buffers = buffers,
                  .right_buffers = buffers,
                  .out_buffers = buffers};
    while (!fits(task, tiling, machine)) {
        const std::uint64_t i = halved(problem.i(), tiling.i, least.i, 1);
        const std::uint64_t j = halved(problem.j(), tiling.j, least.j, problem.j_step());
        const std::uint64_t l = halved(problem.l(), tiling.l, least.l, l_step);
        const bool i_has_more = tiling.i * least.j >= tiling.j * least.i;
        if (i < tiling.i && (i_has_more || j == tiling.j)) {
            tiling.i = i;
        } else if (j < tiling.j) {
            tiling.j = j;
        } else if (l < tiling.l) {
            tiling.l = l;
        } else {
            throw_nothing_fits(task, machine);
        }
    }
    return tiling;
}

void throw_nothing_fits(const GemmTask& task, const MachineParameters& machine) {
    throw InputError(
        fmt::format("a tile of the product m={} n={} k={} does not fit: {} of scratchpad for tiles and {} of "
                    "accumulators",
                    task.problem.m(), task.problem.n(), task.problem.k(), TileCapacity(machine.scratchpad).text(),
                    machine.mac_array.accumulator_bytes));
}

}  // namespace nibble
