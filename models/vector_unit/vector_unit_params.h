// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace nibble {

struct VectorUnitParameters {
    std::uint32_t lanes = 0;           ///< FP16/FP32 lanes, one lane-operation each a cycle
    std::uint32_t pipeline_depth = 6;  ///< cycles from the last operand read to its result written
    bool ideal = false;                ///< a command takes as long as its lines
};

}  // namespace nibble
