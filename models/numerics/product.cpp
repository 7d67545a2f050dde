// SPDX-License-Identifier: MIT
#include "models/numerics/product.h"

#include <cstddef>

namespace nibble {

std::int32_t multiply_int4_int4(int a, int b) {
    std::int32_t sum = 0;
    for (int bit = 0; bit < 4; ++bit) {
        const std::int32_t shifted = ((b >> bit) & 1) != 0 ? a << bit : 0;
        sum += bit == 3 && b < 0 ? -shifted : shifted;
    }
    return sum;
}

std::int32_t multiply_int4_fp4(int a, Fp4Code b) {
    if (b.magnitude() == 0) {
        return 0;
    }
    const std::int32_t shifted = a << (2 * (b.magnitude() - 1));
    return b.negative() ? -shifted : shifted;
}

std::int32_t dot4_int4_int4(const std::array<int, 4>& a, const std::array<int, 4>& b) {
    std::int32_t sum = 0;
    for (std::size_t lane = 0; lane < 4; ++lane) {
        sum += multiply_int4_int4(a[lane], b[lane]);
    }
    return sum;
}

std::int32_t dot4_int4_fp4(const std::array<int, 4>& a, const std::array<Fp4Code, 4>& b) {
    std::int32_t sum = 0;
    for (std::size_t lane = 0; lane < 4; ++lane) {
        sum += multiply_int4_fp4(a[lane], b[lane]);
    }
    return sum;
}

}  // namespace nibble
