// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sim/import/import_options.h"
#include "sim/import/import_summary.h"
#include "sim/import/pytorch/call_survey.h"
#include "sim/import/pytorch/recorded_call.h"
#include "sim/input/trace_item.h"

namespace nibble {

class ReplayContext;
class ReplayUpdate;

/// Translates the calls of a recording to operations of a trace, one by one.
///  - GEMMs become GEMMs. A backward product of a gradient with a weight, or with what was the right operand of a
///    product, is dx; with a layer's input, or with what was the left operand, dw.
///  - Every other call is one pass over memory (a few are two): it reads its tensors once and writes its results once.
///    Views cost nothing. Copies that only change the number format of a parameter are the optimiser's.
///  - Fused attention becomes its products and a softmax; probabilities are kept for the backward pass.
///  - The calls of an optimiser become one update for each parameter that they change, because the machine keeps
///    32-bit master weights and low-precision copies, which no recording has. Which optimiser it was shows in its
///    calls.
/// What is not recognised is counted in the summary.
class CallReplay {
public:
    CallReplay(const CallSurvey& survey, const ImportOptions& options, const std::string& file, TraceSink sink,
               ImportSummary& summary);
    ~CallReplay();

    void add(const RecordedCall& call);
    void finish();

private:
    void end_iteration();

    const CallSurvey& survey_;
    const ImportOptions& options_;
    const std::string& file_;
    ImportSummary& summary_;
    std::unique_ptr<ReplayContext> context_;
    std::unique_ptr<ReplayUpdate> update_;
    RecordedCall last_;  // without its tensors: where the recording is
    bool left_out_backward_ = false;
};

}  // namespace nibble
