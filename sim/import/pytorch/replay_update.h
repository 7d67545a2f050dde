// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "sim/import/pytorch/replay_context.h"
#include "sim/input/workload.h"

namespace nibble {

/// Gathers what the calls of an optimiser do, and replays it as one update for each parameter. A call may treat one
/// tensor or lists of them (the "foreach" and "fused" kinds); what an update makes of a gradient is followed from call
/// to call until a parameter is written.
class ReplayUpdate {
public:
    explicit ReplayUpdate(ReplayContext& context) : context_(context) {}

    void add(const AtenArguments& arguments);
    /// Emits the updates gathered so far.
    void flush(const AtenArguments& arguments);
    /// Emits an update for every weight that has a gradient, for a recording without an optimiser.
    void derive(Optimizer optimizer, const AtenArguments& arguments);

private:
    using Place = std::pair<std::uint64_t, std::uint64_t>;  // storage, offset

    void emit(TensorId parameter, TensorId gradient, const std::string& function, std::size_t moments,
              const AtenArguments& arguments);

    ReplayContext& context_;
    std::map<Place, TensorId> carries_;     // gradient that this memory was computed from
    std::map<TensorId, TensorId> updated_;  // parameter to gradient
    bool momentum_ = false;
    bool adam_ = false;
};

}  // namespace nibble
