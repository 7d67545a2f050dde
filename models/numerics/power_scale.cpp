// SPDX-License-Identifier: MIT
#include "models/numerics/power_scale.h"

#include <cmath>

namespace nibble {

int scale_log2_into(double largest, int window_log2) {
    if (largest == 0.0) {
        return 0;
    }
    int exponent = 0;
    const double fraction = std::frexp(largest, &exponent);  // in [1/2, 1)
    return window_log2 - exponent + (fraction == 0.5 ? 1 : 0);
}

}  // namespace nibble
