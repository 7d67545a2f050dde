// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

namespace nibble {

/// out += a b in binary64, for a of m x k, b of k x n and out of m x n elements, all row-major. Products of two
/// binary32 numbers are exact in binary64; an output adds them up in increasing k, in runs of 128 whose sums it then
/// adds. The result does not depend on the host. Throws ModelError if the sizes do not fit.
void add_full_precision_product(std::uint64_t m, std::uint64_t n, std::uint64_t k, std::span<const float> a,
                                std::span<const float> b, std::span<double> out);

}  // namespace nibble
