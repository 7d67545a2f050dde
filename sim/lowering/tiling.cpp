// SPDX-License-Identifier: MIT
#include "sim/lowering/tiling.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "models/mac_array/tile_timing.h"
#include "sim/base/error.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

/// A dimension cut into tiles: at most two sizes occur, the full one and the one at the end of an image.
struct Cut {
    struct Part {
        Range example;            // one tile of this size
        std::uint64_t count = 0;  // how many there are
    };
    std::array<Part, 2> parts{};
    std::uint64_t tiles = 0;
};

Cut cut(const TiledDimension& dimension, std::uint64_t size) {
    Cut made;
    made.tiles = tile_count(dimension, size);
    // The full size occurs first; the last tile of an image (or of all images) may be smaller.
    made.parts[0] = {tile_at(dimension, size, 0), made.tiles};
    const Range last = tile_at(dimension, size, made.tiles - 1);
    if (last.size() != made.parts[0].example.size()) {
        const std::uint64_t images = size < dimension.period ? dimension.extent / dimension.period : 1;
        made.parts[0].count -= images;
        made.parts[1] = {last, images};
    }
    return made;
}

std::vector<std::uint64_t> sizes_of(const TiledDimension& dimension, std::uint64_t least) {
    std::vector<std::uint64_t> sizes;
    for (std::uint64_t size = std::max<std::uint64_t>(least, 1); size < dimension.period; size *= 2) {
        sizes.push_back(size);
    }
    for (std::uint64_t images = 1; images * dimension.period < dimension.extent; images *= 2) {
        sizes.push_back(images * dimension.period);
    }
    sizes.push_back(dimension.extent);
    return sizes;
}

/// How often each operand's tiles are loaded, all of them once being 1.
struct Reloads {
    std::uint64_t left = 1;
    std::uint64_t right = 1;
};

Reloads reloads(const Tiling& tiling, std::uint64_t i_tiles, std::uint64_t j_tiles, std::uint64_t l_tiles) {
    // A tile stays while its indices do: with the whole reduction in one tile, the outer operand's for a full inner
    // loop, and the inner one's for ever if the inner loop has one tile.
    Reloads times{j_tiles, i_tiles};
    if (l_tiles == 1) {
        if (!tiling.j_outer || i_tiles == 1) {
            times.left = 1;
        }
        if (tiling.j_outer || j_tiles == 1) {
            times.right = 1;
        }
    }
    return times;
}

/// Predicted cost of a tiling.
struct Cost {
    double cycles = 0;
    double dram_bytes = 0;  // with the overhead of runs
};

/// A tiling that fits, with its cost.
struct Evaluated {
    Tiling tiling;
    Cost cost;
};

// Predictions this close are taken as equal: then the traffic decides.
constexpr double cycle_tolerance = 1.005;

// What a contiguous run costs DRAM and the DMA engines beside its bytes, in bytes: bursts used in part at its two ends.
// An assumption; the runs of a tensor read row by row weigh little, those of a few channels of a pixel a lot.
constexpr double run_overhead_bytes = 64;

// From the issue of a command to the next one on the same unit: through two channels and the sequencer.
constexpr double command_overhead_cycles = 6;

/// `largest` is the tile that reads most, `fullest` the one that makes most.
TileBytes buffers(const GemmProblem& problem, const TilingInput& input, const TileRange& largest,
                  const TileRange& fullest, const Reloads& times, std::uint64_t left_tiles, std::uint64_t right_tiles,
                  std::uint64_t out_tiles) {
    const auto copies = [&](std::uint64_t loads) { return std::min<std::uint64_t>(loads, input.buffering); };
    TileBytes need{};
    if (const std::uint32_t bits = input.left_resident ? input.left_rounded_bits : input.left_bits; bits > 0) {
        of(need, TileBuffer::left) = copies(left_tiles * times.left) * problem.left(largest, bits).bytes();
    }
    if (const std::uint32_t bits = input.right_resident ? input.right_rounded_bits : input.right_bits; bits > 0) {
        of(need, TileBuffer::right) = copies(right_tiles * times.right) * problem.right(largest, bits).bytes();
    }
    const std::uint64_t outputs = problem.out_elements(fullest);
    const auto made = [&](std::uint64_t bits) { return copies(out_tiles) * bytes_for(Bits(outputs * bits)).count(); };
    of(need, TileBuffer::output) = made(input.out_bits - input.code_bits);
    of(need, TileBuffer::gradient) = made(input.code_bits);
    return need;
}

std::uint64_t accumulator_need(const std::vector<MatmulPass>& passes, Dataflow dataflow, std::uint64_t l_tiles) {
    // Output-stationary PEs hold the sums themselves while the whole reduction is one tile.
    if (dataflow == Dataflow::output_stationary && l_tiles == 1) {
        return 0;
    }
    std::uint64_t outputs = 0;
    for (const MatmulPass& pass : passes) {
        outputs += pass.m * pass.n;
    }
    return outputs * 4;
}

/// The tile of an image with the largest patch: at the borders part of a patch is padding.
template <class Patch>
Range largest_patch(const Cut& cut, const TiledDimension& dimension, std::uint64_t size, Patch patch_of) {
    Range best = cut.parts[0].example;
    for (std::uint64_t index = 1; index * size < dimension.period; ++index) {
        const Range tile = tile_at(dimension, size, index);
        if (patch_of(tile).bytes() > patch_of(best).bytes()) {
            best = tile;
        }
    }
    return best;
}

/// Evaluates tilings of one problem that differ in order and dataflow only.
class Candidate {
public:
    Candidate(const GemmProblem& problem, const MacArrayParameters& array, const TilingInput& input,
              const Tiling& sizes)
        : problem_(problem), array_(array), input_(input), sizes_(sizes) {
        batches_ = ceil_div(problem.batch(), sizes.batch);
        i_ = cut(problem.i(), sizes.i);
        j_ = cut(problem.j(), sizes.j);
        l_ = cut(problem.l(), sizes.l);
        fullest_ = {{0, sizes.batch}, i_.parts[0].example, j_.parts[0].example, l_.parts[0].example};
        largest_ = fullest_;
        if (!problem.is_matmul()) {
            const Range whole_j{0, problem.j().extent};
            const Range whole_l{0, problem.l().extent};
            largest_.i = largest_patch(i_, problem.i(), sizes.i, [&](const Range& i) {
                return problem.left({{0, 1}, i, {}, whole_l}, 8);
            });
            largest_.l = largest_patch(l_, problem.l(), sizes.l, [&](const Range& l) {
                return problem.right({{0, 1}, {}, whole_j, l}, 8);
            });
            // Of the tiles of full size, that one stands for all.
            const auto represent = [](Cut& cut, const Range& largest) {
                cut.parts[0].example = largest.size() == cut.parts[0].example.size() ? largest : cut.parts[0].example;
            };
            represent(i_, largest_.i);
            represent(l_, largest_.l);
        }
    }

    [[nodiscard]] bool fits(bool j_outer, Dataflow dataflow) const {
        Tiling tiling = sizes_;
        tiling.j_outer = j_outer;
        const Reloads times = reloads(tiling, i_.tiles, j_.tiles, l_.tiles);
        const TileBytes need = buffers(problem_, input_, largest_, fullest_, times, batches_ * i_.tiles * l_.tiles,
                                       batches_ * j_.tiles * l_.tiles, batches_ * i_.tiles * j_.tiles);
        return input_.tiles.holds(need) &&
               accumulator_need(problem_.passes(fullest_), dataflow, l_.tiles) <= array_.accumulator_bytes;
    }

    [[nodiscard]] double compute_cycles(Dataflow dataflow) const {
        const ArrayGeometry& geometry = *array_.modes[static_cast<std::size_t>(input_.mode)];
        const FoldRule rule{.overlap = array_.overlap};
        double cycles = 0;
        for (const auto& i : i_.parts) {
            for (const auto& j : j_.parts) {
                for (const auto& l : l_.parts) {
                    const std::uint64_t count = i.count * j.count * l.count;
                    if (count == 0) {
                        continue;
                    }
                    const auto passes = problem_.passes({{0, sizes_.batch}, i.example, j.example, l.example});
                    const bool accumulate = l_.tiles > 1;
                    const double tile =
                        static_cast<double>(tile_timing(geometry, dataflow, rule, passes, accumulate).total());
                    cycles += static_cast<double>(count) * (tile + command_overhead_cycles);
                }
            }
        }
        return cycles * static_cast<double>(batches_);
    }

    [[nodiscard]] Cost cost(bool j_outer, double compute) const {
        if (input_.memory_free) {
            return {compute, 0};
        }
        Tiling tiling = sizes_;
        tiling.j_outer = j_outer;
        const Reloads times = reloads(tiling, i_.tiles, j_.tiles, l_.tiles);
        double loaded = 0;
        double first_load = 0;
        const auto moved = [](const Slice& tile) {
            return static_cast<double>(tile.bytes()) + run_overhead_bytes * static_cast<double>(tile.runs());
        };
        for (const auto& l : l_.parts) {
            for (const auto& i : i_.parts) {
                if (!input_.left_resident && i.count * l.count > 0) {
                    const auto tile =
                        problem_.left({{0, sizes_.batch}, i.example, {0, 0}, l.example}, input_.left_bits);
                    loaded += static_cast<double>(i.count * l.count * times.left) * moved(tile);
                }
            }
            for (const auto& j : j_.parts) {
                if (!input_.right_resident && j.count * l.count > 0) {
                    const auto tile =
                        problem_.right({{0, sizes_.batch}, {0, 0}, j.example, l.example}, input_.right_bits);
                    loaded += static_cast<double>(j.count * l.count * times.right) * moved(tile);
                }
            }
        }
        if (!input_.left_resident) {
            first_load += moved(problem_.left(largest_, input_.left_bits));
        }
        if (!input_.right_resident) {
            first_load += moved(problem_.right(largest_, input_.right_bits));
        }
        const double last_store = input_.stored_bits == 0 ? 0 : moved(problem_.out(fullest_, input_.stored_bits));
        const double out_tiles = static_cast<double>(batches_ * i_.tiles * j_.tiles);
        const double dram = loaded * static_cast<double>(batches_) + last_store * out_tiles;
        const double rate = input_.dram_bytes_per_cycle;
        return {std::max(compute, dram / rate) + (first_load + last_store) / rate, dram};
    }

    [[nodiscard]] TileBytes space(bool j_outer) const {
        Tiling tiling = sizes_;
        tiling.j_outer = j_outer;
        const Reloads times = reloads(tiling, i_.tiles, j_.tiles, l_.tiles);
        return buffers(problem_, input_, largest_, fullest_, times, batches_ * i_.tiles * l_.tiles,
                       batches_ * j_.tiles * l_.tiles, batches_ * i_.tiles * j_.tiles);
    }

private:
    const GemmProblem& problem_;
    const MacArrayParameters& array_;
    const TilingInput& input_;
    Tiling sizes_;
    std::uint64_t batches_ = 1;
    Cut i_, j_, l_;
    TileRange largest_;  // reads most
    TileRange fullest_;  // makes most
};

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

TileWalk::TileWalk(const GemmProblem& problem, const Tiling& tiling)
    : i_(problem.i()),
      j_(problem.j()),
      l_(problem.l()),
      tiling_(tiling),
      batches_(problem.batch()),
      outer_tiles_(tiling.j_outer ? tile_count(j_, tiling.j) : tile_count(i_, tiling.i)),
      inner_tiles_(tiling.j_outer ? tile_count(i_, tiling.i) : tile_count(j_, tiling.j)),
      l_tiles_(tile_count(l_, tiling.l)) {}

TileWalk::Step TileWalk::next() {
    const Step step{.tile = {.batch = {batch_, std::min(batches_, batch_ + tiling_.batch)},
                             .i = tile_at(i_, tiling_.i, tiling_.j_outer ? inner_ : outer_),
                             .j = tile_at(j_, tiling_.j, tiling_.j_outer ? outer_ : inner_),
                             .l = tile_at(l_, tiling_.l, l_tile_)},
                    .first = l_tile_ == 0,
                    .last = l_tile_ + 1 == l_tiles_};
    if (++l_tile_ == l_tiles_) {
        l_tile_ = 0;
        if (++inner_ == inner_tiles_) {
            inner_ = 0;
            if (++outer_ == outer_tiles_) {
                outer_ = 0;
                batch_ += tiling_.batch;
            }
        }
    }
    return step;
}

TileBytes tile_space(const GemmProblem& problem, const Tiling& tiling, const TilingInput& input) {
    return Candidate(problem, MacArrayParameters{}, input, tiling).space(tiling.j_outer);
}

Tiling search_tiling(const GemmProblem& problem, const MacArrayParameters& array, const TilingInput& input) {
    std::vector<Evaluated> evaluated;
    const ArrayGeometry& geometry = *array.modes[static_cast<std::size_t>(input.mode)];
    const auto consider = [&](Tiling sizes) {
        const Candidate candidate(problem, array, input, sizes);
        for (const Dataflow dataflow : array.dataflows) {
            std::optional<double> compute;
            for (const bool j_outer : {false, true}) {
                if (!candidate.fits(j_outer, dataflow)) {
                    continue;
                }
                if (!compute) {
                    compute = candidate.compute_cycles(dataflow);
                }
                sizes.j_outer = j_outer;
                sizes.dataflow = dataflow;
                evaluated.push_back({sizes, candidate.cost(j_outer, *compute)});
            }
        }
    };
    // Channels are cut no finer than the array is wide, and in whole blocks of memory.
    const auto channel_sizes = [](const TiledDimension& dimension, std::uint64_t block, std::uint64_t width) {
        return sizes_of(dimension, std::min(dimension.extent, round_up(width, block)));
    };
    const bool rows_reduced = problem.l().period < problem.l().extent;
    const auto j_sizes = channel_sizes(problem.j(), problem.j_step(), geometry.cols);
    const auto l_sizes = channel_sizes(problem.l(), problem.l_step(), rows_reduced ? 1 : geometry.rows);
    for (const std::uint64_t i : sizes_of(problem.i(), 1)) {
        for (const std::uint64_t j : j_sizes) {
            for (const std::uint64_t l : l_sizes) {
                consider({.i = i, .j = j, .l = l});
            }
        }
    }
    // Small products of a batch share a tile. Groups of a convolution do not: their channels lie apart.
    for (std::uint64_t batch = 2; problem.is_matmul() && batch < 2 * problem.batch(); batch *= 2) {
        consider({.batch = std::min(batch, problem.batch()),
                  .i = problem.i().extent,
                  .j = problem.j().extent,
                  .l = problem.l().extent});
    }
    if (evaluated.empty()) {
        throw InputError(
            fmt::format("a tile of the product m={} n={} k={} does not fit: {} of scratchpad for tiles and {} of "
                        "accumulators",
                        problem.m(), problem.n(), problem.k(), input.tiles.text(), array.accumulator_bytes));
    }
    const auto fastest =
        std::min_element(evaluated.begin(), evaluated.end(),
                         [](const Evaluated& a, const Evaluated& b) { return a.cost.cycles < b.cost.cycles; });
    const double bound = fastest->cost.cycles * cycle_tolerance;
    const Evaluated* best = &*fastest;
    for (const Evaluated& candidate : evaluated) {
        if (candidate.cost.cycles <= bound && candidate.cost.dram_bytes < best->cost.dram_bytes) {
            best = &candidate;
        }
    }
    return best->tiling;
}

std::string to_string(const Tiling& tiling, const GemmProblem& problem) {
    return fmt::format("i {} of {}, j {} of {}, l {} of {}{}, {} outer", tiling.i, problem.i().extent, tiling.j,
                       problem.j().extent, tiling.l, problem.l().extent,
                       problem.batch() > 1 ? fmt::format(", {} of {} products", tiling.batch, problem.batch()) : "",
                       tiling.j_outer ? "j" : "i");
}

}  // namespace nibble
