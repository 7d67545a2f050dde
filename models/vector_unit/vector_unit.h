// SPDX-License-Identifier: MIT
#pragma once

#include "models/streaming_unit/streaming_unit.h"
#include "models/vector_unit/vector_unit_params.h"

namespace nibble {

/// Everything in a training step that is not a GEMM: lanes that each do one FP16/FP32 operation a cycle (costs in
/// vector_function.h) on data streamed from and to the scratchpad. Its ports move two 32-bit operands in and one
/// 32-bit result out for every lane and cycle, so that narrow work is never bound by them.
class VectorUnit final : public StreamingUnit {
public:
    VectorUnit(const sc_core::sc_module_name& name, Clock& clock, const VectorUnitParameters& params,
               const ScratchpadParameters& scratchpad, Ledger& ledger)
        : StreamingUnit(name, clock, params.pipeline_depth, params.ideal, scratchpad),
          params_(params),
          ledger_(ledger) {}

private:
    Work start(const Command& command) override;

    VectorUnitParameters params_;
    Ledger& ledger_;
};

}  // namespace nibble
