// SPDX-License-Identifier: MIT
#include "models/scratchpad/line_stream.h"

#include <algorithm>

#include "sim/base/units.h"

namespace nibble {

std::uint32_t pace(std::uint64_t lines, std::uint64_t cycles) {
    return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, ceil_div(lines, std::max<std::uint64_t>(1, cycles))));
}

}  // namespace nibble
