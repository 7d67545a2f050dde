// SPDX-License-Identifier: MIT
#pragma once

#include "models/log_gradient/log_gradient_params.h"
#include "models/streaming_unit/streaming_unit.h"

namespace nibble {

/// Turns FP16 gradients into radix-4 codes: scaled by the layer's power of two, multiplied by 1.6, truncated to the
/// exponent, for the even and the odd phase in the same pass (Sun et al. 2020, sections 3.1 to 3.3). One gradient a
/// lane a cycle; the largest magnitude, overflows and underflows are tracked on the way and cost no time.
class LogGradient final : public StreamingUnit {
public:
    LogGradient(const sc_core::sc_module_name& name, Clock& clock, const LogGradientParameters& params,
                const ScratchpadParameters& scratchpad, Ledger& ledger)
        : StreamingUnit(name, clock, params.pipeline_depth, params.ideal, scratchpad),
          params_(params),
          ledger_(ledger) {}

private:
    Work start(const Command& command) override;

    LogGradientParameters params_;
    Ledger& ledger_;
};

}  // namespace nibble
