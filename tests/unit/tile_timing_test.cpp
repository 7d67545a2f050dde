// SPDX-License-Identifier: MIT
#include "models/mac_array/tile_timing.h"

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_case.h"

namespace nibble {

void PrintTo(const TileTiming& t, std::ostream* out) {
    *out << "fill " << t.fill << ", stream " << t.stream << ", drain " << t.drain;
}

void PrintTo(const TileTraffic& t, std::ostream* out) {
    *out << "left " << t.left_bytes << ", right " << t.right_bytes << ", result " << t.result_bytes
         << ", accumulator read " << t.accumulator_read_bytes << " written " << t.accumulator_write_bytes
         << ", transposed " << t.transposed_bytes;
}

namespace {

constexpr std::array<Dataflow, 3> all_dataflows{Dataflow::output_stationary, Dataflow::weight_stationary,
                                                Dataflow::input_stationary};

std::uint64_t up(std::uint64_t a, std::uint64_t b) {
    return (a + b - 1) / b;
}

std::uint64_t excess(std::uint64_t a, std::uint64_t b) {
    return a > b ? a - b : 0;
}

/// Extents over rows and columns of PEs, and the steps that stream.
struct Extents {
    std::uint64_t rows, cols, steps;
};

Extents extents(const ArrayGeometry& g, Dataflow dataflow, const MatmulPass& p) {
    const std::uint64_t k = up(p.k, g.macs_per_pe);
    switch (dataflow) {
        case Dataflow::output_stationary:
            return {p.m, p.n, k};
        case Dataflow::weight_stationary:
            return {k, p.n, p.m};
        default:
            return {k, p.m, p.n};
    }
}

/// Cycles of one product in closed form. With F = Fr Fc folds of r x c PEs, stream S each, the sum of r over folds is
/// Fc rows and the sum of c is Fr cols. t: transfers of a row of registers for each fold.
std::uint64_t closed_form(const ArrayGeometry& g, Dataflow dataflow, bool overlap, const MatmulPass& pass,
                          bool accumulate) {
    const Extents e = extents(g, dataflow, pass);
    const std::uint64_t fr = up(e.rows, g.rows);
    const std::uint64_t fc = up(e.cols, g.cols);
    const std::uint64_t s = e.steps * g.cycles_per_step;
    const bool os = dataflow == Dataflow::output_stationary;
    const std::uint64_t t = os && accumulate ? 2 : 1;
    if (!overlap) {
        // every fold: S + (r + c - 2) + t r
        return fr * fc * s + fr * e.cols + (1 + t) * fc * e.rows - 2 * fr * fc;
    }
    const std::uint64_t last_r = e.rows - (fr - 1) * g.rows;
    const std::uint64_t first_r = std::min<std::uint64_t>(e.rows, g.rows);
    const std::uint64_t first_c = std::min<std::uint64_t>(e.cols, g.cols);
    const std::uint64_t once = fr * fc * s + first_r + first_c - 2;
    const std::uint64_t full = excess(t * g.rows, s);
    const std::uint64_t partial = excess(t * last_r, s);
    if (os) {  // all drains but the last hide behind a stream, the last stands alone
        return once + (fr - 1) * fc * full + (fc - 1) * partial + t * last_r;
    }
    if (fr == 1) {  // all preloads but the first hide behind a stream, the first stands alone
        return once + first_r + (fc - 1) * partial;
    }
    return once + first_r + ((fr - 1) * fc - 1) * full + fc * partial;
}

TileTiming timing(const ArrayGeometry& g, Dataflow dataflow, bool overlap, const std::vector<MatmulPass>& passes,
                  bool accumulate) {
    return tile_timing(g, dataflow, FoldRule{.overlap = overlap}, passes, accumulate);
}

TEST(TileTiming, IsTheClosedForm) {
    const std::vector<ArrayGeometry> geometries{{8, 8, 1, 1}, {4, 16, 4, 1}, {16, 4, 2, 3}, {1, 1, 1, 1}, {7, 5, 3, 2}};
    const std::vector<std::uint64_t> sizes{1, 3, 7, 8, 16, 33};
    std::uint64_t compared = 0;
    for (const ArrayGeometry& g : geometries) {
        for (const Dataflow dataflow : all_dataflows) {
            for (const std::uint64_t m : sizes) {
                for (const std::uint64_t n : sizes) {
                    for (const std::uint64_t k :
                         {std::uint64_t{1}, std::uint64_t{5}, std::uint64_t{16}, std::uint64_t{50}}) {
                        for (const bool overlap : {false, true}) {
                            for (const bool accumulate : {false, true}) {
                                const MatmulPass pass{m, n, k};
                                EXPECT_EQ(timing(g, dataflow, overlap, {pass}, accumulate).total(),
                                          closed_form(g, dataflow, overlap, pass, accumulate))
                                    << g.rows << "x" << g.cols << " x" << g.macs_per_pe << " /" << g.cycles_per_step
                                    << ' ' << dataflow_names[static_cast<std::size_t>(dataflow)] << ' ' << m << ' ' << n
                                    << ' ' << k << " overlap " << overlap << " accumulate " << accumulate;
                                ++compared;
                            }
                        }
                    }
                }
            }
        }
    }
    EXPECT_EQ(compared, 5U * 3 * 6 * 6 * 4 * 2 * 2);
}

/// One fold, as the array meets it.
struct Fold {
    std::uint64_t r, c, stream;
};

std::vector<Fold> folds(const ArrayGeometry& g, Dataflow dataflow, const std::vector<MatmulPass>& passes) {
    std::vector<Fold> all;
    for (const MatmulPass& pass : passes) {
        const Extents e = extents(g, dataflow, pass);
        for (std::uint64_t row = 0; row < e.rows; row += g.rows) {
            for (std::uint64_t col = 0; col < e.cols; col += g.cols) {
                all.push_back({std::min<std::uint64_t>(g.rows, e.rows - row),
                               std::min<std::uint64_t>(g.cols, e.cols - col), e.steps * g.cycles_per_step});
            }
        }
    }
    return all;
}

/// The rule of tile_timing.h, fold by fold.
TileTiming walk(const ArrayGeometry& g, Dataflow dataflow, bool overlap, const std::vector<MatmulPass>& passes,
                bool accumulate) {
    const bool os = dataflow == Dataflow::output_stationary;
    const std::uint64_t transfers = os && accumulate ? 2 : 1;
    const std::vector<Fold> all = folds(g, dataflow, passes);
    TileTiming t;
    for (std::size_t f = 0; f < all.size(); ++f) {
        const std::uint64_t transfer = transfers * all[f].r;
        const bool first = f == 0;
        const bool last = f + 1 == all.size();
        t.stream += all[f].stream;
        if (first || !overlap) {
            t.fill += all[f].r + all[f].c - 2;
        }
        const bool stands_alone = !overlap || (os ? last : first);
        if (stands_alone) {
            (os ? t.drain : t.fill) += transfer;
        } else {
            t.drain += excess(transfer, all[f].stream);
        }
    }
    return t;
}

TEST(TileTiming, IsWhatWalkingTheFoldsGives) {
    test::RandomCase random(1);
    for (int i = 0; i < 2000; ++i) {
        const ArrayGeometry g{
            static_cast<std::uint32_t>(random.number(1, 12)), static_cast<std::uint32_t>(random.number(1, 12)),
            random.one_of<std::uint32_t>({1, 2, 4, 7}), static_cast<std::uint32_t>(random.number(1, 4))};
        std::vector<MatmulPass> passes(random.number(1, 5));
        for (MatmulPass& pass : passes) {
            pass = {random.number(1, 40), random.number(1, 40), random.number(1, 60)};
        }
        for (const Dataflow dataflow : all_dataflows) {
            for (const bool overlap : {false, true}) {
                for (const bool accumulate : {false, true}) {
                    EXPECT_EQ(timing(g, dataflow, overlap, passes, accumulate),
                              walk(g, dataflow, overlap, passes, accumulate))
                        << "case " << i << ' ' << dataflow_names[static_cast<std::size_t>(dataflow)] << " overlap "
                        << overlap << " accumulate " << accumulate;
                }
            }
        }
    }
}

// With shadow registers, as time lines: a fold's results enter the shadow registers when its stream is over and the
// drain before has left them; its stationary operand has been shifted in by then for weight- and input-stationary.
TEST(TileTiming, OverlapIsOneShadowRegister) {
    test::RandomCase random(2);
    for (int i = 0; i < 500; ++i) {
        const ArrayGeometry g{static_cast<std::uint32_t>(random.number(1, 12)),
                              static_cast<std::uint32_t>(random.number(1, 12)), 1,
                              static_cast<std::uint32_t>(random.number(1, 3))};
        const MatmulPass pass{random.number(1, 40), random.number(1, 40), random.number(1, 40)};
        for (const Dataflow dataflow : all_dataflows) {
            const bool os = dataflow == Dataflow::output_stationary;
            const std::vector<Fold> all = folds(g, dataflow, {pass});
            std::uint64_t streamed = 0;     // the present fold's stream is over (of the first PE)
            std::uint64_t transferred = 0;  // the shadow registers are free (drain), or full (preload)
            for (const Fold& fold : all) {
                if (os) {
                    streamed = std::max(streamed + fold.stream, transferred);
                    transferred = streamed + fold.r;
                } else {
                    // Loading the shadow registers begins when the fold before has taken over what was in them.
                    transferred += fold.r;
                    const std::uint64_t begins = std::max(streamed, transferred);
                    streamed = begins + fold.stream;
                    transferred = begins;
                }
            }
            const std::uint64_t skew = all.front().r + all.front().c - 2;
            EXPECT_EQ(timing(g, dataflow, true, {pass}, false).total(), skew + (os ? transferred : streamed))
                << "case " << i << ' ' << dataflow_names[static_cast<std::size_t>(dataflow)];
        }
    }
}

// 16 x 20 x 12 on 8x8 PEs of 4 MACs and 2 cycles a step, output-stationary: 2 x 3 folds of 3 steps = 6 cycles.
// Fill 8 + 8 - 2 = 14; stream 6 * 6 = 36; each of the first 5 drains of 8 rows sticks out by 8 - 6 = 2; the last
// takes 8.
TEST(TileTiming, SplitsATileIntoFillStreamAndDrain) {
    EXPECT_EQ(timing({8, 8, 4, 2}, Dataflow::output_stationary, true, {{16, 20, 12}}, false),
              (TileTiming{.fill = 14, .stream = 36, .drain = 5 * 2 + 8}));
}

// Weight-stationary, 3 k-steps on 8 rows: preload 3, skew 3 + 8 - 2; two folds of columns (20 = 8 + 8 + 4: three);
// m = 16 steps of 2 cycles hide the later preloads.
TEST(TileTiming, PreloadStandsAloneOnlyOnce) {
    EXPECT_EQ(timing({8, 8, 4, 2}, Dataflow::weight_stationary, true, {{16, 20, 12}}, false),
              (TileTiming{.fill = 3 + 9, .stream = 3 * 32, .drain = 0}));
}

TEST(TileTiming, NothingTakesNoTime) {
    for (const Dataflow dataflow : all_dataflows) {
        EXPECT_EQ(timing({8, 8, 1, 1}, dataflow, true, {}, false), TileTiming{});
    }
}

// At a perfect fit no PE is ever idle while operands stream: cycles_per_step R C folds * macs is every MAC of the
// product.
TEST(TileTiming, StreamIsTheMacBoundWhereFoldsAreFull) {
    const ArrayGeometry g{8, 4, 2, 3};
    const MatmulPass pass{32, 16, 64};
    for (const Dataflow dataflow : all_dataflows) {
        EXPECT_EQ(timing(g, dataflow, true, {pass}, false).stream, 32U * 16 * 64 * 3 / (8 * 4 * 2));
    }
}

// ---- traffic

struct TrafficCase {
    ArrayGeometry geometry;
    MatmulCommand tile;
};

TrafficCase random_tile(test::RandomCase& random) {
    TrafficCase made;
    made.geometry = {static_cast<std::uint32_t>(random.number(1, 9)), static_cast<std::uint32_t>(random.number(1, 9)),
                     random.one_of<std::uint32_t>({1, 2, 4}), 1};
    MatmulCommand& tile = made.tile;
    tile.dataflow = random.one_of<Dataflow>({all_dataflows.begin(), all_dataflows.end()});
    tile.left_bits = random.one_of<std::uint32_t>({4, 5, 8, 16});
    tile.right_bits = random.one_of<std::uint32_t>({4, 5, 8, 16});
    tile.left_transposed = random.coin();
    tile.right_transposed = random.coin();
    tile.accumulate = random.coin();
    tile.finish = random.coin();
    tile.passes.resize(random.number(1, 3));
    for (MatmulPass& pass : tile.passes) {
        pass = {random.number(1, 30), random.number(1, 30), random.number(1, 30)};
    }
    return made;
}

std::uint64_t bytes(std::uint64_t elements, std::uint32_t bits) {
    return up(elements * bits, 8);
}

/// Counts what each fold moves. A sweep of the streaming operand over the folds that share their stationary one ends on
/// a whole byte.
TileTraffic count_folds(const ArrayGeometry& g, const MatmulCommand& tile) {
    TileTraffic t;
    for (const MatmulPass& pass : tile.passes) {
        const Extents e = extents(g, tile.dataflow, pass);
        const std::uint64_t k_rows = g.rows * std::uint64_t{g.macs_per_pe};
        std::uint64_t left = 0;
        std::uint64_t right = 0;
        switch (tile.dataflow) {
            case Dataflow::output_stationary:
                for (std::uint64_t col = 0; col < e.cols; col += g.cols) {
                    std::uint64_t elements = 0;
                    for (std::uint64_t row = 0; row < e.rows; row += g.rows) {
                        elements += std::min<std::uint64_t>(g.rows, e.rows - row) * pass.k;
                    }
                    left += bytes(elements, tile.left_bits);
                }
                for (std::uint64_t row = 0; row < e.rows; row += g.rows) {
                    std::uint64_t elements = 0;
                    for (std::uint64_t col = 0; col < e.cols; col += g.cols) {
                        elements += std::min<std::uint64_t>(g.cols, e.cols - col) * pass.k;
                    }
                    right += bytes(elements, tile.right_bits);
                    for (std::uint64_t col = 0; col < e.cols; col += g.cols) {
                        const std::uint64_t outputs = std::min<std::uint64_t>(g.rows, e.rows - row) *
                                                      std::min<std::uint64_t>(g.cols, e.cols - col);
                        t.accumulator_read_bytes += tile.accumulate ? 4 * outputs : 0;
                        t.accumulator_write_bytes += tile.finish ? 0 : 4 * outputs;
                        t.result_bytes += tile.finish ? 2 * outputs : 0;
                    }
                }
                break;
            default: {
                const bool ws = tile.dataflow == Dataflow::weight_stationary;
                std::uint64_t stationary = 0;
                std::uint64_t streaming = 0;
                for (std::uint64_t col = 0; col < e.cols; col += g.cols) {
                    std::uint64_t swept = 0;
                    for (std::uint64_t k = 0; k < pass.k; k += k_rows) {
                        const std::uint64_t depth = std::min(k_rows, pass.k - k);
                        const std::uint64_t wide = std::min<std::uint64_t>(g.cols, e.cols - col);
                        stationary += depth * wide;
                        swept += depth * e.steps;
                        const std::uint64_t outputs = wide * e.steps;
                        const bool begins = k == 0 && !tile.accumulate;
                        const bool ends = k + depth == pass.k && tile.finish;
                        t.accumulator_read_bytes += begins ? 0 : 4 * outputs;
                        t.accumulator_write_bytes += ends ? 0 : 4 * outputs;
                        t.result_bytes += ends ? 2 * outputs : 0;
                    }
                    streaming += bytes(swept, ws ? tile.left_bits : tile.right_bits);
                }
                left = ws ? streaming : bytes(stationary, tile.left_bits);
                right = ws ? bytes(stationary, tile.right_bits) : streaming;
                break;
            }
        }
        t.left_bytes += left;
        t.right_bytes += right;
        t.transposed_bytes += (tile.left_transposed ? left : 0) + (tile.right_transposed ? right : 0);
    }
    return t;
}

TEST(TileTraffic, IsTheSumOverFolds) {
    test::RandomCase random(3);
    for (int i = 0; i < 3000; ++i) {
        const TrafficCase one = random_tile(random);
        EXPECT_EQ(tile_traffic(one.geometry, one.tile), count_folds(one.geometry, one.tile)) << "case " << i;
    }
}

}  // namespace
}  // namespace nibble
