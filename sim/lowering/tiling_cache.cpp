// SPDX-License-Identifier: MIT
#include "sim/lowering/tiling_cache.h"

#include <utility>

#include <fmt/format.h>

#include "sim/input/gemm_direction.h"

namespace nibble {

namespace {

constexpr std::size_t tilings_remembered = 4096;

}  // namespace

const Tiling& TilingCache::tiling(const Operation& operation, const GemmProblem& problem, const TilingInput& input) {
    std::string key =
        fmt::format("{} {} {} {} {} {} {} {} {} {} ", static_cast<int>(computed_as(operation)),
                    static_cast<int>(input.mode), input.left_bits, input.right_bits, input.out_bits, input.stored_bits,
                    input.left_resident, input.right_resident, input.left_rounded_bits, input.right_rounded_bits);
    if (const auto* c = std::get_if<Convolution>(&operation.work)) {
        key += fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", c->n, c->c, c->h, c->w, c->k, c->r, c->s,
                           c->stride_h, c->stride_w, c->pad_top, c->pad_bottom, c->pad_left, c->pad_right,
                           c->dilation_h, c->dilation_w, c->groups);
    } else {
        const auto& m = std::get<Matmul>(operation.work);
        const TileRange whole{{0, m.batch}, {0, m.m}, {0, m.n}, {0, m.k}};  // smaller where the batch shares an operand
        key += fmt::format("{} {} {} {} {} {} {} {}", m.batch, m.m, m.n, m.k, m.left_transposed, m.right_transposed,
                           problem.left(whole, 8).bytes(), problem.right(whole, 8).bytes());
    }
    const auto found = tilings_.find(key);
    if (found != tilings_.end()) {
        return found->second;
    }
    if (tilings_.size() >= tilings_remembered) {
        tilings_.clear();
    }
    return tilings_.emplace(std::move(key), search_tiling(problem, array_, input)).first->second;
}

}  // namespace nibble
