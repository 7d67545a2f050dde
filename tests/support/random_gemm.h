// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <ostream>
#include <vector>

#include "sim/input/gemm_direction.h"
#include "sim/input/operation.h"
#include "sim/input/operation_size.h"
#include "sim/lowering/gemm_problem.h"
#include "sim/lowering/tiling.h"
#include "tests/support/random_case.h"

namespace nibble {

inline void PrintTo(const Convolution& c, std::ostream* out) {
    *out << "n " << c.n << " c " << c.c << " h " << c.h << " w " << c.w << " k " << c.k << " r " << c.r << " s " << c.s
         << " stride " << c.stride_h << ' ' << c.stride_w << " pad " << c.pad_top << ' ' << c.pad_bottom << ' '
         << c.pad_left << ' ' << c.pad_right << " dilation " << c.dilation_h << ' ' << c.dilation_w << " groups "
         << c.groups << (c.transposed ? " transposed" : "");
}

inline void PrintTo(const Matmul& m, std::ostream* out) {
    *out << "batch " << m.batch << " m " << m.m << " n " << m.n << " k " << m.k << (m.left_transposed ? " left km" : "")
         << (m.right_transposed ? " right nk" : "");
}

inline void PrintTo(const Range& r, std::ostream* out) {
    *out << '[' << r.begin << ',' << r.end << ')';
}

namespace test {

/// Any valid convolution: strides, dilations, lopsided padding, groups, transposed. Channels of a group are a multiple
/// of `step`, some of them too few for blocks in memory, some one block (16, 24), some two (48, 40 = 2 x 20).
inline Convolution random_convolution(RandomCase& random, std::uint64_t step = 1) {
    const std::vector<std::uint64_t> channels{1, 1, 2, 2, 3, 3, 8, 12, 20, 24};
    Convolution c;
    c.groups = random.one_of<std::uint64_t>({1, 1, 2, 3});
    c.c = c.groups * step * random.one_of(channels);
    c.k = c.groups * step * random.one_of(channels);
    c.n = random.number(1, 3);
    c.r = random.number(1, 3);
    c.s = random.number(1, 3);
    if (random.number(0, 2) == 0) {
        c.r = 1;
        c.s = 1;
    }
    c.dilation_h = random.number(1, 2);
    c.dilation_w = random.number(1, 2);
    c.stride_h = random.number(1, 3);
    c.stride_w = random.number(1, 3);
    c.pad_top = random.number(0, 2);
    c.pad_bottom = random.number(0, 2);
    c.pad_left = random.number(0, 2);
    c.pad_right = random.number(0, 2);
    if (random.number(0, 2) == 0) {
        c.pad_top = 0;
        c.pad_left = 0;
    }
    c.h = c.dilation_h * (c.r - 1) + 1 + random.number(0, 4);
    c.w = c.dilation_w * (c.s - 1) + 1 + random.number(0, 4);
    c.transposed = random.coin();
    return c;
}

inline Matmul random_matmul(RandomCase& random, std::uint64_t step = 1) {
    const auto size = [&] { return step * random.one_of<std::uint64_t>({1, 2, 3, 5, 7, 12, 20, 24}); };
    return {random.one_of<std::uint64_t>({1, 1, 2, 5}), size(), size(), size(), random.coin(), random.coin()};
}

template <class Work>
Operation gemm(const Work& work, Phase phase) {
    Operation made;
    made.phase = phase;
    made.work = work;
    return made;
}

/// Operands of a convolution in the order in which the array takes them.
inline GemmProblem problem_of(const Operation& operation) {
    const auto sizes = expected_elements(operation);
    const std::size_t left = left_input(operation);
    return {operation, sizes[left].own, sizes[1 - left].own};
}

/// A size that tiles of pixel rows may have: part of an image, or whole images.
inline std::uint64_t random_rows(RandomCase& random, const TiledDimension& dimension) {
    const std::uint64_t images = dimension.extent / dimension.period;
    if (images > 1 && random.coin()) {
        return dimension.period * random.number(1, images);
    }
    return random.number(1, dimension.period);
}

/// A size that tiles of channels may have: whole blocks of memory.
inline std::uint64_t random_channels(RandomCase& random, const TiledDimension& dimension, std::uint64_t block) {
    return block * random.number(1, dimension.extent / block);
}

/// A way to cut and walk the problem; several products share a tile only where products are matrices, whole.
inline Tiling random_tiling(RandomCase& random, const GemmProblem& problem, bool may_share) {
    Tiling tiling;
    if (may_share && problem.batch() > 1 && random.coin()) {
        tiling = {random.number(1, problem.batch()), problem.i().extent, problem.j().extent, problem.l().extent};
    } else {
        const bool rows_reduced = problem.l().period < problem.l().extent || problem.l_step() == 1;
        tiling.i = problem.left_transposed() ? problem.i().extent : random_rows(random, problem.i());
        tiling.j = random_channels(random, problem.j(), problem.j_step());
        tiling.l =
            rows_reduced ? random_rows(random, problem.l()) : random_channels(random, problem.l(), problem.l_step());
    }
    tiling.order = static_cast<LoopOrder>(random.number(0, loop_order_count - 1));
    return tiling;
}

}  // namespace test
}  // namespace nibble
