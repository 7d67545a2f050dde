// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace nibble {

struct LogGradientParameters {
    std::uint32_t lanes = 0;  ///< FP16 gradients converted in a cycle, both phases in one pass; 0: no such unit
    std::uint32_t pipeline_depth =
        4;               ///< scale, multiply by 1.6, take the exponent, pack (Sun et al. 2020, section 3.1)
    bool ideal = false;  ///< a command takes as long as its lines
};

}  // namespace nibble
