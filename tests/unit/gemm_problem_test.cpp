// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_problem.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/input/gemm_direction.h"
#include "sim/input/operation_size.h"
#include "sim/lowering/tiling.h"
#include "tests/support/for_each_tile.h"
#include "tests/support/random_gemm.h"

namespace nibble {
namespace {

constexpr std::array<Phase, 3> gemm_phases{Phase::forward, Phase::dx, Phase::dw};

using Elements = std::set<std::uint64_t>;

/// Elements of the three tensors that a tile needs or makes.
struct Touched {
    Elements left, right, out;
};

/// Channels that lie side by side: the largest divisor from 8 to 32, else all of them.
std::uint64_t block_of(std::uint64_t channels) {
    for (std::uint64_t size = 32; size >= 8; --size) {
        if (channels % size == 0) {
            return size;
        }
    }
    return channels;
}

/// Element of an image (N, C/block, H, W, block).
std::uint64_t image_element(std::uint64_t n, std::uint64_t h, std::uint64_t w, std::uint64_t c, std::uint64_t rows,
                            std::uint64_t cols, std::uint64_t channels, std::uint64_t block) {
    return (((n * (channels / block) + c / block) * rows + h) * cols + w) * block + c % block;
}

/// Element of a matrix (columns/block, rows, block).
std::uint64_t matrix_element(std::uint64_t row, std::uint64_t col, std::uint64_t rows, std::uint64_t cols) {
    const std::uint64_t block = block_of(cols);
    return (col / block * rows + row) * block + col % block;
}

/// For every (n, p, q, k, r, s, c) of the convolution inside the group: the definition that all three phases share.
struct Point {
    std::uint64_t n, p, q, k, r, s, c;  // k and c inside the group
    std::uint64_t h, w;                 // of the input pixel, if it is inside
    bool inside;
};

void for_each_point(const Convolution& v, const std::function<void(const Point&)>& visit) {
    for (std::uint64_t n = 0; n < v.n; ++n) {
        for (std::uint64_t p = 0; p < v.p(); ++p) {
            for (std::uint64_t q = 0; q < v.q(); ++q) {
                for (std::uint64_t r = 0; r < v.r; ++r) {
                    for (std::uint64_t s = 0; s < v.s; ++s) {
                        const std::uint64_t h = p * v.stride_h + r * v.dilation_h;
                        const std::uint64_t w = q * v.stride_w + s * v.dilation_w;
                        const bool inside =
                            h >= v.pad_top && h - v.pad_top < v.h && w >= v.pad_left && w - v.pad_left < v.w;
                        for (std::uint64_t k = 0; k < v.k / v.groups; ++k) {
                            for (std::uint64_t c = 0; c < v.c / v.groups; ++c) {
                                visit({n, p, q, k, r, s, c, h - v.pad_top, w - v.pad_left, inside});
                            }
                        }
                    }
                }
            }
        }
    }
}

bool in(const Range& range, std::uint64_t x) {
    return x >= range.begin && x < range.end;
}

/// What the points of a tile touch, by definition. Outputs of dx are all the pixels of the tile's rows, whether an
/// output reaches them or not.
Touched touched(const Convolution& v, Phase phase, const TileRange& tile) {
    Touched t;
    const std::uint64_t group = tile.batch.begin;
    const std::uint64_t first_c = group * (v.c / v.groups);
    const std::uint64_t first_k = group * (v.k / v.groups);
    const std::uint64_t c_block = block_of(v.c / v.groups);
    const std::uint64_t k_block = block_of(v.k / v.groups);
    const std::uint64_t row_groups = (v.h + v.stride_h - 1) / v.stride_h;
    for_each_point(v, [&](const Point& at) {
        const std::uint64_t x = image_element(at.n, at.h, at.w, first_c + at.c, v.h, v.w, v.c, c_block);
        // A weight is a matrix of K R S rows and C/g columns.
        const std::uint64_t w =
            matrix_element(((first_k + at.k) * v.r + at.r) * v.s + at.s, at.c, v.k * v.r * v.s, v.c / v.groups);
        const std::uint64_t y = image_element(at.n, at.p, at.q, first_k + at.k, v.p(), v.q(), v.k, k_block);
        const std::uint64_t out_row = at.n * v.p() + at.p;
        switch (phase) {
            case Phase::forward:
                if (in(tile.i, out_row) && in(tile.j, at.k) && in(tile.l, at.c)) {
                    if (at.inside) {
                        t.left.insert(x);
                    }
                    t.right.insert(w);
                    t.out.insert(y);
                }
                break;
            case Phase::dx:
                if (at.inside && in(tile.i, at.n * row_groups + at.h / v.stride_h) && in(tile.j, at.c) &&
                    in(tile.l, at.k)) {
                    t.left.insert(y);
                    t.right.insert(w);
                }
                break;
            default:
                if (in(tile.i, at.k) && in(tile.j, at.c) && in(tile.l, out_row)) {
                    t.left.insert(y);
                    if (at.inside) {
                        t.right.insert(x);
                    }
                    t.out.insert(w);
                }
                break;
        }
    });
    if (phase == Phase::dx) {
        for (std::uint64_t n = 0; n < v.n; ++n) {
            for (std::uint64_t h = 0; h < v.h; ++h) {
                for (std::uint64_t e = 0; in(tile.i, n * row_groups + h / v.stride_h) && e < v.w * tile.j.size(); ++e) {
                    t.out.insert(image_element(n, h, e / tile.j.size(), first_c + tile.j.begin + e % tile.j.size(), v.h,
                                               v.w, v.c, c_block));
                }
            }
        }
    }
    return t;
}

Touched touched(const Matmul& v, const TileRange& tile) {
    Touched t;
    for (std::uint64_t b = tile.batch.begin; b < tile.batch.end; ++b) {
        for (std::uint64_t m = tile.i.begin; m < tile.i.end; ++m) {
            for (std::uint64_t n = tile.j.begin; n < tile.j.end; ++n) {
                t.out.insert(b * v.m * v.n + matrix_element(m, n, v.m, v.n));
                for (std::uint64_t k = tile.l.begin; k < tile.l.end; ++k) {
                    t.left.insert(b * v.m * v.k + (v.left_transposed ? matrix_element(k, m, v.k, v.m)
                                                                     : matrix_element(m, k, v.m, v.k)));
                    t.right.insert(b * v.k * v.n + (v.right_transposed ? matrix_element(n, k, v.n, v.k)
                                                                       : matrix_element(k, n, v.k, v.n)));
                }
            }
        }
    }
    return t;
}

Elements bytes_of(const Slice& slice) {
    Elements bytes;
    for (std::uint64_t a = 0; a < slice.outer[0].count; ++a) {
        for (std::uint64_t b = 0; b < slice.outer[1].count; ++b) {
            for (std::uint64_t c = 0; c < slice.outer[2].count; ++c) {
                for (std::uint64_t i = 0; i < slice.run_bytes; ++i) {
                    bytes.insert(slice.address + a * slice.outer[0].stride_bytes + b * slice.outer[1].stride_bytes +
                                 c * slice.outer[2].stride_bytes + i);
                }
            }
        }
    }
    return bytes;
}

Elements bytes_of(const Elements& elements, std::uint32_t bits) {
    Elements bytes;
    for (const std::uint64_t element : elements) {
        for (std::uint64_t bit = element * bits; bit < (element + 1) * bits; ++bit) {
            bytes.insert(bit / 8);
        }
    }
    return bytes;
}

bool covers(const Elements& all, const Elements& part) {
    return std::includes(all.begin(), all.end(), part.begin(), part.end());
}

/// Whole rows of pixels between the first and the last one needed, in the needed channels: what an input patch is;
/// and `gap` rows more on either side.
Elements rows_between(const Elements& pixels, std::uint64_t rows, std::uint64_t cols, std::uint64_t channels,
                      std::uint64_t block, std::uint64_t gap) {
    std::set<std::uint64_t> needed_channels;
    std::set<std::uint64_t> images;
    std::uint64_t first = rows;
    std::uint64_t last = 0;
    for (const std::uint64_t e : pixels) {
        const std::uint64_t row = e / block / cols % rows;
        needed_channels.insert(e / (block * rows * cols) % (channels / block) * block + e % block);
        images.insert(e / (rows * cols * channels));
        first = std::min(first, row);
        last = std::max(last, row);
    }
    first -= std::min(first, gap);
    last = std::min(rows - 1, last + gap);
    Elements patch;
    for (const std::uint64_t n : images) {
        for (std::uint64_t row = first; row <= last && !pixels.empty(); ++row) {
            for (std::uint64_t col = 0; col < cols; ++col) {
                for (const std::uint64_t c : needed_channels) {
                    patch.insert(image_element(n, row, col, c, rows, cols, channels, block));
                }
            }
        }
    }
    return patch;
}

template <class Visit>
void for_random_tiles(const GemmProblem& problem, test::RandomCase& random, bool may_share, Visit visit) {
    const Tiling tiling = test::random_tiling(random, problem, may_share);
    SCOPED_TRACE(to_string(tiling, problem));
    for_each_tile(problem, tiling, visit);
}

// ---- slices

TEST(GemmProblem, SlicesOfAConvolutionHoldWhatTheTileNeeds) {
    test::RandomCase random(11);
    for (int i = 0; i < 150; ++i) {
        const std::uint32_t bits = random.one_of<std::uint32_t>({4, 8, 16});
        const Convolution v = test::random_convolution(random, bits == 4 ? 2 : 1);
        for (const Phase phase : gemm_phases) {
            const Operation operation = test::gemm(v, phase);
            const GemmProblem problem = test::problem_of(operation);
            SCOPED_TRACE(testing::Message() << "case " << i << " phase " << static_cast<int>(phase) << " bits " << bits
                                            << ": " << testing::PrintToString(v));
            const Phase as = computed_as(operation);
            const bool dw = as == Phase::dw;
            const auto sizes = expected_elements(operation);
            const std::size_t on_left = left_input(operation);
            const std::uint64_t left_bytes = sizes[on_left].own * bits / 8;
            const std::uint64_t right_bytes = sizes[1 - on_left].own * bits / 8;
            for_random_tiles(problem, random, false, [&](const TileRange& tile, bool, bool) {
                const Touched need = touched(v, as, tile);
                const Elements left = bytes_of(problem.left(tile, bits));
                const Elements right = bytes_of(problem.right(tile, bits));
                EXPECT_TRUE(covers(left, bytes_of(need.left, bits)));
                EXPECT_TRUE(covers(right, bytes_of(need.right, bits)));
                EXPECT_TRUE(left.empty() || *left.rbegin() < left_bytes) << "outside the tensor";
                EXPECT_TRUE(right.empty() || *right.rbegin() < right_bytes) << "outside the tensor";
                if (bits < 8) {
                    return;  // tiles of an odd number of codes share a byte with their neighbours
                }
                // Nothing that the tile has no use for, except: input (or gradient) rows are loaded whole, and between
                // the first and the last row needed none is left out.
                const Elements& x = dw ? right : left;
                const Elements& x_need = dw ? need.right : need.left;
                // At the border the nearest taps may fall on padding: the rows up to the next ones come along.
                const std::uint64_t gap = std::max(v.stride_h, v.dilation_h) - 1;
                const bool gradient = as == Phase::dx;
                EXPECT_TRUE(
                    covers(bytes_of(gradient ? rows_between(x_need, v.p(), v.q(), v.k, block_of(v.k / v.groups), gap)
                                             : rows_between(x_need, v.h, v.w, v.c, block_of(v.c / v.groups), gap),
                                    bits),
                           x_need.empty() ? Elements{} : x));
                const Elements& exact = dw ? left : right;
                const Elements& exact_need = dw ? need.left : need.right;
                // Taps that reach no pixel of the tile are loaded with the others.
                EXPECT_TRUE(gradient ? covers(exact, bytes_of(exact_need, bits)) : exact == bytes_of(exact_need, bits));
            });
        }
    }
}

TEST(GemmProblem, SlicesOfAMatrixProductAreWhatTheTileNeeds) {
    test::RandomCase random(12);
    for (int i = 0; i < 400; ++i) {
        const std::uint32_t bits = random.one_of<std::uint32_t>({4, 8, 16});
        const Matmul v = test::random_matmul(random, bits == 4 ? 2 : 1);
        const GemmProblem problem = test::problem_of(test::gemm(v, Phase::forward));
        SCOPED_TRACE(testing::Message() << "case " << i << " bits " << bits << ": " << testing::PrintToString(v));
        for_random_tiles(problem, random, true, [&](const TileRange& tile, bool, bool) {
            const Touched need = touched(v, tile);
            EXPECT_EQ(bytes_of(problem.left(tile, bits)), bytes_of(need.left, bits));
            EXPECT_EQ(bytes_of(problem.right(tile, bits)), bytes_of(need.right, bits));
            EXPECT_EQ(bytes_of(problem.out(tile, bits)), bytes_of(need.out, bits));
        });
    }
}

TEST(GemmProblem, ABatchMayShareAnOperand) {
    const Matmul v{4, 3, 5, 7, false, true};
    const GemmProblem shared_right(test::gemm(v, Phase::forward), 4 * 3 * 7, 7 * 5);
    const TileRange third{{2, 3}, {0, 3}, {0, 5}, {0, 7}};
    EXPECT_EQ(shared_right.right(third, 8).address, 0U);
    EXPECT_EQ(shared_right.right(third, 8).bytes(), 7U * 5);
    EXPECT_EQ(shared_right.left(third, 8).address, 2U * 3 * 7);
    const GemmProblem shared_left(test::gemm(v, Phase::forward), 3 * 7, 4 * 7 * 5);
    EXPECT_EQ(shared_left.left(third, 8).address, 0U);
    EXPECT_EQ(shared_left.right(third, 8).address, 2U * 7 * 5);
    const TileRange all{{0, 4}, {0, 3}, {0, 5}, {0, 7}};
    EXPECT_EQ(shared_right.right(all, 8).bytes(), 7U * 5);
    EXPECT_EQ(shared_right.left(all, 8).bytes(), 4U * 3 * 7);
}

// ---- outputs

/// Every output byte belongs to exactly one tile of the last step of the reduction, and that tile counts it.
void expect_partition(const GemmProblem& problem, const Tiling& tiling, std::uint64_t elements, std::uint32_t bits) {
    std::vector<int> written(elements * bits / 8);
    std::uint64_t counted = 0;
    for_each_tile(problem, tiling, [&](const TileRange& tile, bool, bool last) {
        if (!last) {
            return;
        }
        counted += problem.out_elements(tile);
        for (const std::uint64_t byte : bytes_of(problem.out(tile, bits))) {
            ASSERT_LT(byte, written.size());
            ++written[byte];
        }
    });
    EXPECT_EQ(counted, elements);
    EXPECT_TRUE(std::all_of(written.begin(), written.end(), [](int times) { return times == 1; }));
}

TEST(GemmProblem, OutputsOfAllTilesPartitionTheTensor) {
    test::RandomCase random(13);
    for (int i = 0; i < 600; ++i) {
        const std::uint32_t bits = random.one_of<std::uint32_t>({8, 16});
        const Convolution v = test::random_convolution(random);
        for (const Phase phase : gemm_phases) {
            const Operation operation = test::gemm(v, phase);
            const GemmProblem problem = test::problem_of(operation);
            const Tiling tiling = test::random_tiling(random, problem, false);
            SCOPED_TRACE(testing::Message() << "case " << i << " phase " << static_cast<int>(phase) << ' '
                                            << testing::PrintToString(v) << ' ' << to_string(tiling, problem));
            expect_partition(problem, tiling, expected_elements(operation)[2].own, bits);
        }
        const Matmul m = test::random_matmul(random);
        const Operation product = test::gemm(m, Phase::dx);
        const GemmProblem problem = test::problem_of(product);
        expect_partition(problem, test::random_tiling(random, problem, true), m.batch * m.m * m.n, bits);
    }
}

// ---- multiply-accumulates

std::uint64_t macs(const GemmProblem& problem, const Tiling& tiling) {
    std::uint64_t sum = 0;
    for_each_tile(problem, tiling, [&](const TileRange& tile, bool, bool) {
        for (const MatmulPass& pass : problem.passes(tile)) {
            EXPECT_GT(pass.m * pass.n * pass.k, 0U);
            sum += pass.m * pass.n * pass.k;
        }
    });
    return sum;
}

// An input pixel meets the taps of its stride class: those t for which (h + pad - t dilation) is a multiple of the
// stride, whether the output that it points to exists or not.
std::uint64_t class_taps(std::uint64_t extent, std::uint64_t stride, std::uint64_t pad, std::uint64_t taps,
                         std::uint64_t dilation) {
    std::uint64_t pairs = 0;
    for (std::uint64_t x = 0; x < extent; ++x) {
        for (std::uint64_t t = 0; t < taps; ++t) {
            const auto distance = static_cast<std::int64_t>(x + pad) - static_cast<std::int64_t>(t * dilation);
            pairs += distance % static_cast<std::int64_t>(stride) == 0 ? 1U : 0U;
        }
    }
    return pairs;
}

TEST(GemmProblem, PassesAddUpToTheOperation) {
    test::RandomCase random(14);
    for (int i = 0; i < 1000; ++i) {
        const Convolution v = test::random_convolution(random);
        const Phase as_forward = v.transposed ? Phase::dx : Phase::forward;
        const Phase as_dx = v.transposed ? Phase::forward : Phase::dx;
        for (const Phase phase : {as_forward, Phase::dw}) {
            const Operation operation = test::gemm(v, phase);
            const GemmProblem problem = test::problem_of(operation);
            EXPECT_EQ(macs(problem, test::random_tiling(random, problem, false)), macs_of(operation))
                << "case " << i << " phase " << static_cast<int>(phase) << ' ' << testing::PrintToString(v);
            EXPECT_EQ(problem.macs(), macs_of(operation));
        }
        const GemmProblem dx = test::problem_of(test::gemm(v, as_dx));
        EXPECT_EQ(macs(dx, test::random_tiling(random, dx, false)),
                  v.n * (v.c / v.groups) * v.k * class_taps(v.h, v.stride_h, v.pad_top, v.r, v.dilation_h) *
                      class_taps(v.w, v.stride_w, v.pad_left, v.s, v.dilation_w))
            << "case " << i << ' ' << testing::PrintToString(v);
        const Operation product = test::gemm(test::random_matmul(random), Phase::forward);
        const GemmProblem matmul = test::problem_of(product);
        EXPECT_EQ(macs(matmul, test::random_tiling(random, matmul, true)), macs_of(product)) << "case " << i;
    }
}

// Where the image is the stride times the output, as in the usual networks, an input gradient takes what forward takes:
// 7x7 by 2 with padding 3, 3x3 by 2 with padding 1, 1x1 by 2, 3x3.
TEST(GemmProblem, AnInputGradientInsertsNoZeros) {
    for (const auto& [taps, stride, pad] :
         std::vector<std::array<std::uint64_t, 3>>{{7, 2, 3}, {3, 2, 1}, {1, 2, 0}, {3, 1, 1}}) {
        Convolution v{
            .n = 2, .c = 6, .h = 16, .w = 16, .k = 4, .r = taps, .s = taps, .stride_h = stride, .stride_w = stride};
        v.pad_top = v.pad_bottom = v.pad_left = v.pad_right = pad;
        const GemmProblem dx = test::problem_of(test::gemm(v, Phase::dx));
        const Tiling whole{1, dx.i().extent, dx.j().extent, dx.l().extent};
        EXPECT_EQ(macs(dx, whole), 2U * (16 / stride) * (16 / stride) * 4 * 6 * taps * taps)
            << taps << " by " << stride;
    }
}

// Every gradient that a pixel of the class meets through a tap that is inside is one of the class's products.
TEST(GemmProblem, PassesOfAnInputGradientHoldEveryProductOfTheForwardPass) {
    test::RandomCase random(15);
    for (int i = 0; i < 100; ++i) {
        Convolution v = test::random_convolution(random);
        v.transposed = false;
        std::uint64_t inside = 0;
        for_each_point(v, [&](const Point& at) { inside += at.inside ? 1U : 0U; });
        const GemmProblem dx = test::problem_of(test::gemm(v, Phase::dx));
        EXPECT_GE(macs(dx, test::random_tiling(random, dx, false)), inside * v.groups) << testing::PrintToString(v);
    }
}

TEST(GemmProblem, OnlyGemmPhasesHaveOne) {
    EXPECT_THROW(test::problem_of(test::gemm(Convolution{}, Phase::update)), ModelError);
}

TEST(GemmProblem, StatesWhichOperandIsWalkedAgainstItsLayout) {
    // The PEs take both operands along the reduction. x (N,H,W,C) and w (K,R,S,C) lie along it in the forward pass, w
    // does not in dx, neither does in dw; of matrices it is what the trace says: left m by k and right n by k lie along
    // it.
    const auto transposed = [](const Operation& operation) {
        const GemmProblem problem = test::problem_of(operation);
        return std::pair(problem.left_transposed(), problem.right_transposed());
    };
    EXPECT_EQ(transposed(test::gemm(Convolution{}, Phase::forward)), std::pair(false, false));
    EXPECT_EQ(transposed(test::gemm(Convolution{}, Phase::dx)), std::pair(false, true));
    EXPECT_EQ(transposed(test::gemm(Convolution{}, Phase::dw)), std::pair(true, true));
    // A transposed convolution goes forward as the other's dx, and back as its forward.
    const Convolution other{.transposed = true};
    EXPECT_EQ(transposed(test::gemm(other, Phase::forward)), std::pair(false, true));
    EXPECT_EQ(transposed(test::gemm(other, Phase::dx)), std::pair(false, false));
    EXPECT_EQ(transposed(test::gemm(other, Phase::dw)), std::pair(true, true));
    EXPECT_EQ(transposed(test::gemm(Matmul{1, 2, 2, 2, false, true}, Phase::forward)), std::pair(false, false));
    EXPECT_EQ(transposed(test::gemm(Matmul{1, 2, 2, 2, true, false}, Phase::dw)), std::pair(true, true));
}

}  // namespace
}  // namespace nibble
