// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// What a first reading of a recording finds out, and the translation has to know from its first call on.
struct CallSurvey {
    std::uint64_t iterations = 0;
    std::uint64_t batch = 0;  ///< samples of one iteration; 0: no call tells
    bool backward = false;    ///< there are calls of a backward pass
    bool optimizer = false;   ///< there are calls of an optimiser
    /// Memory that existed before the recording and is the weight of a GEMM.
    std::unordered_set<std::uint64_t> weights;
    std::uint64_t first_weight = 0, last_weight = 0;  ///< of the forward pass, in the order of the calls; 0: none
    /// Files of values by storage, the writes to it so far, and offset. A recording names them where they are read,
    /// a trace where they are made. Those of tensors that lie in an order that a trace cannot say (the heads of an
    /// attention) are left out.
    std::map<std::tuple<std::uint64_t, std::uint32_t, std::uint64_t>, std::string> values;
};

/// Reads all calls once. `file` is for messages.
[[nodiscard]] CallSurvey survey_calls(CallSource& calls, const std::string& file);

}  // namespace nibble
