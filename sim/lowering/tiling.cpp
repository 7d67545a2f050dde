// SPDX-License-Identifier: MIT
#include "sim/lowering/tiling.h"

#include <algorithm>
#include <numeric>

#include "sim/base/units.h"
#include "sim/lowering/tile_space.h"

namespace nibble {

namespace {

constexpr std::size_t loop_i = 0;
constexpr std::size_t loop_j = 1;
constexpr std::size_t loop_l = 2;

/// Indices of i, j, l, outermost first.
std::array<std::size_t, 3> nesting(LoopOrder order) {
    std::array<std::size_t, 3> loops{};
    const std::string_view name = loop_order_names[static_cast<std::size_t>(order)];
    for (std::size_t depth = 0; depth < loops.size(); ++depth) {
        loops[depth] = name[depth] == 'i' ? loop_i : name[depth] == 'j' ? loop_j : loop_l;
    }
    return loops;
}

/// How often something that does not depend on loop `other` changes: loops inside the innermost one that it depends on
/// leave it where it is.
std::uint64_t changes(const std::array<std::uint64_t, 3>& tiles, LoopOrder order, std::size_t other) {
    std::uint64_t times = 1;
    std::uint64_t outside = 1;
    for (const std::size_t loop : nesting(order)) {
        outside *= tiles[loop];
        if (loop != other && tiles[loop] > 1) {
            times = outside;
        }
    }
    return times;
}

/// Images, or products of a batch, all look alike, but for where in a byte their first element begins: of so many
/// in a row one begins wherever any does. At least two.
std::uint64_t alike(std::uint32_t bits) {
    constexpr std::uint64_t byte = 8;
    return std::max<std::uint64_t>(2, byte / std::gcd(byte, std::uint64_t{bits}));
}

/// The tile of a dimension for which `slice_of` gives the largest slice, `images` being looked at.
template <class SliceOf>
Range largest_tile(const TiledDimension& dimension, std::uint64_t size, std::uint64_t images, SliceOf slice_of) {
    const std::uint64_t looked_at = size < dimension.period ? images * ceil_div(dimension.period, size) : images;
    Range best = tile_at(dimension, size, 0);
    std::uint64_t most = slice_of(best).bytes();
    for (std::uint64_t index = 1; index < std::min(tile_count(dimension, size), looked_at); ++index) {
        const Range tile = tile_at(dimension, size, index);
        const std::uint64_t bytes = slice_of(tile).bytes();
        if (bytes > most) {
            most = bytes;
            best = tile;
        }
    }
    return best;
}

/// Copies of a buffer: no more than there are tiles for it.
std::uint64_t copies(std::uint64_t tiles, std::uint32_t buffers) {
    return std::min<std::uint64_t>(tiles, buffers);
}

TileRange first_tile(const GemmProblem& problem, const Tiling& tiling) {
    return {{0, tiling.batch},
            tile_at(problem.i(), tiling.i, 0),
            tile_at(problem.j(), tiling.j, 0),
            tile_at(problem.l(), tiling.l, 0)};
}

}  // namespace

std::uint64_t tile_count(const TiledDimension& dimension, std::uint64_t size) {
    if (size < dimension.period) {
        return dimension.extent / dimension.period * ceil_div(dimension.period, size);
    }
    return ceil_div(dimension.extent, size);
}

Range tile_at(const TiledDimension& dimension, std::uint64_t size, std::uint64_t index) {
    if (size < dimension.period) {
        const std::uint64_t tiles_per_image = ceil_div(dimension.period, size);
        const std::uint64_t image = index / tiles_per_image * dimension.period;
        const std::uint64_t begin = index % tiles_per_image * size;
        return {image + begin, image + std::min(begin + size, dimension.period)};
    }
    return {index * size, std::min((index + 1) * size, dimension.extent)};
}

TileCounts tile_counts(const GemmProblem& problem, const Tiling& tiling) {
    return {ceil_div(problem.batch(), tiling.batch), tile_count(problem.i(), tiling.i),
            tile_count(problem.j(), tiling.j), tile_count(problem.l(), tiling.l)};
}

TileLoads tile_loads(const TileCounts& counts, LoopOrder order) {
    const std::array<std::uint64_t, 3> tiles{counts.i, counts.j, counts.l};
    return {counts.batch * changes(tiles, order, loop_j), counts.batch * changes(tiles, order, loop_i)};
}

std::uint64_t open_outputs(const TileCounts& counts, LoopOrder order) {
    const std::array<std::uint64_t, 3> tiles{counts.i, counts.j, counts.l};
    std::uint64_t open = 1;
    bool inside = false;
    for (const std::size_t loop : nesting(order)) {
        open *= inside ? tiles[loop] : 1;
        inside = inside || (loop == loop_l && counts.l > 1);
    }
    return open;
}

TileWalk::TileWalk(const GemmProblem& problem, const Tiling& tiling)
    : nesting_(nesting(tiling.order)), batch_tile_(tiling.batch), batches_(problem.batch()) {
    const auto loop = [](const TiledDimension& dimension, std::uint64_t size) {
        return Loop{dimension, size, tile_count(dimension, size), 0};
    };
    loops_ = {loop(problem.i(), tiling.i), loop(problem.j(), tiling.j), loop(problem.l(), tiling.l)};
}

TileWalk::Step TileWalk::next() {
    const Loop& reduction = loops_[loop_l];
    const Step step{.tile = {.batch = {batch_, std::min(batches_, batch_ + batch_tile_)},
                             .i = loops_[loop_i].range(),
                             .j = loops_[loop_j].range(),
                             .l = reduction.range()},
                    .first = reduction.at == 0,
                    .last = reduction.at + 1 == reduction.tiles};
    for (std::size_t depth = nesting_.size(); depth-- > 0;) {
        Loop& loop = loops_[nesting_[depth]];
        if (++loop.at < loop.tiles) {
            return step;
        }
        loop.at = 0;
    }
    batch_ += batch_tile_;
    return step;
}

bool keeps_reduction_order(const GemmProblem& problem, const Tiling& tiling, std::uint64_t chunk) {
    const TiledDimension& l = problem.l();
    if (tile_count(l, tiling.l) == 1) {
        return true;
    }
    const std::uint64_t terms = problem.terms_of_l();
    const bool whole_images = tiling.l >= l.period || (l.period * terms) % chunk == 0 || l.period == l.extent;
    return terms > 0 && (tiling.l * terms) % chunk == 0 && whole_images;
}

std::uint64_t reduction_step(const GemmProblem& problem, std::uint64_t chunk) {
    const std::uint64_t terms = problem.terms_of_l();
    return terms == 0 ? problem.l_step() : std::lcm(problem.l_step(), chunk / std::gcd(chunk, terms));
}

TileBytes tile_space(const GemmTask& task, const Tiling& tiling) {
    const GemmProblem& problem = task.problem;
    const TileCounts counts = tile_counts(problem, tiling);
    const TileLoads loads = tile_loads(counts, tiling.order);
    const TileRange first = first_tile(problem, tiling);
    // What a tile takes of an operand varies: at the borders of an image part of a patch is padding, and elements of
    // four or five bits that begin in the middle of a byte may touch one more.
    const auto largest = [&](bool left, const TiledDimension& own, std::uint64_t own_size) {
        const std::uint32_t bits = (left ? task.left : task.right).tile_bits();
        const std::uint64_t looked_at = alike(bits);
        std::uint64_t most = 0;
        for (std::uint64_t batch = 0; batch < std::min(counts.batch, looked_at); ++batch) {
            TileRange tile = first;
            tile.batch = {batch * tiling.batch, (batch + 1) * tiling.batch};
            Range& range = left ? tile.i : tile.j;
            const auto slice = [&](Range& dimension) {
                return [&](const Range& at) {
                    dimension = at;
                    return left ? problem.left(tile, bits) : problem.right(tile, bits);
                };
            };
            range = largest_tile(own, own_size, looked_at, slice(range));
            tile.l = largest_tile(problem.l(), tiling.l, looked_at, slice(tile.l));
            most = std::max(most, slice(tile.l)(tile.l).bytes());
        }
        return most;
    };
    TileBytes space{};
    if (task.left.tile_bits() > 0) {
        of(space, TileBuffer::left) = copies(loads.left, tiling.left_buffers) * largest(true, problem.i(), tiling.i);
    }
    if (task.right.tile_bits() > 0) {
        of(space, TileBuffer::right) =
            copies(loads.right, tiling.right_buffers) * largest(false, problem.j(), tiling.j);
    }
    const std::uint64_t outputs = problem.out_elements(first);
    const std::uint64_t out_copies = copies(counts.batch * counts.i * counts.j, tiling.out_buffers);
    of(space, TileBuffer::output) = out_copies * bytes_for(Bits(outputs * task.result_bits)).count();
    of(space, TileBuffer::gradient) = out_copies * bytes_for(Bits(outputs * task.code_bits)).count();
    return space;
}

std::uint64_t accumulator_bytes(const GemmTask& task, const Tiling& tiling) {
    const TileCounts counts = tile_counts(task.problem, tiling);
    if (tiling.dataflow == Dataflow::output_stationary && counts.l == 1) {
        return 0;
    }
    std::uint64_t outputs = 0;
    for (const MatmulPass& pass : task.problem.passes(first_tile(task.problem, tiling))) {
        outputs += pass.m * pass.n;
    }
    return open_outputs(counts, tiling.order) * outputs * partial_sum_bytes;
}

MappingRecord record_of(const Tiling& tiling, const GemmProblem& problem) {
    const TileCounts counts = tile_counts(problem, tiling);
    return {.batch = {tiling.batch, problem.batch(), counts.batch},
            .i = {tiling.i, problem.i().extent, counts.i},
            .j = {tiling.j, problem.j().extent, counts.j},
            .l = {tiling.l, problem.l().extent, counts.l},
            .order = std::string(loop_order_names[static_cast<std::size_t>(tiling.order)]),
            .left_buffers = tiling.left_buffers,
            .right_buffers = tiling.right_buffers,
            .output_buffers = tiling.out_buffers};
}

std::string to_string(const Tiling& tiling, const GemmProblem& problem) {
    return to_string(record_of(tiling, problem));
}

}  // namespace nibble
