// SPDX-License-Identifier: MIT
#include "sim/import/gemm_limits.h"

#include <utility>

#include <fmt/format.h>

namespace nibble {

std::optional<std::string> problem_of(const Convolution& c) {
    constexpr std::uint64_t most_extent = std::uint64_t{1} << 32U;
    constexpr std::uint64_t most_window = std::uint64_t{1} << 20U;
    using Size = std::pair<const char*, std::uint64_t>;
    for (const auto& [name, size] : {Size{"batch", c.n}, Size{"input channels", c.c}, Size{"height", c.h},
                                     Size{"width", c.w}, Size{"output channels", c.k}, Size{"groups", c.groups}}) {
        if (size == 0 || size > most_extent) {
            return fmt::format("{}: expected 1 to 2^32, found {}", name, size);
        }
    }
    for (const auto& [name, size] :
         {Size{"filter height", c.r}, Size{"filter width", c.s}, Size{"stride", c.stride_h}, Size{"stride", c.stride_w},
          Size{"dilation", c.dilation_h}, Size{"dilation", c.dilation_w}}) {
        if (size == 0 || size > most_window) {
            return fmt::format("{}: expected 1 to 2^20, found {}", name, size);
        }
    }
    for (const std::uint64_t padding : {c.pad_top, c.pad_bottom, c.pad_left, c.pad_right}) {
        if (padding > most_window) {
            return fmt::format("padding: expected at most 2^20, found {}", padding);
        }
    }
    if (c.c % c.groups != 0 || c.k % c.groups != 0) {
        return fmt::format("{} groups do not divide {} input and {} output channels", c.groups, c.c, c.k);
    }
    if (c.dilation_h * (c.r - 1) + 1 > c.h + c.pad_top + c.pad_bottom ||
        c.dilation_w * (c.s - 1) + 1 > c.w + c.pad_left + c.pad_right) {
        return fmt::format("a window of {}x{} with dilation {}x{} does not fit a padded input of {}x{}", c.r, c.s,
                           c.dilation_h, c.dilation_w, c.h + c.pad_top + c.pad_bottom, c.w + c.pad_left + c.pad_right);
    }
    if (!bounded_product({c.n, c.c, c.h, c.w}, most_elements) ||
        !bounded_product({c.n, c.k, c.p(), c.q()}, most_elements) ||
        !bounded_product({c.k, c.c / c.groups, c.r, c.s}, most_elements)) {
        return "an operand of more than 2^48 elements";
    }
    if (!bounded_product({c.n, c.p(), c.q(), c.k, c.c / c.groups, c.r, c.s}, most_work)) {
        return "more than 2^53 multiply-accumulates";
    }
    return std::nullopt;
}

std::optional<std::string> problem_of(const Matmul& product) {
    if (product.batch == 0 || product.m == 0 || product.n == 0 || product.k == 0) {
        return "an operand without elements";
    }
    if (!bounded_product({product.batch, product.m, product.k}, most_elements) ||
        !bounded_product({product.batch, product.k, product.n}, most_elements) ||
        !bounded_product({product.batch, product.m, product.n}, most_elements)) {
        return "an operand of more than 2^48 elements";
    }
    if (!bounded_product({product.batch, product.m, product.n, product.k}, most_work)) {
        return "more than 2^53 multiply-accumulates";
    }
    return std::nullopt;
}

}  // namespace nibble
