// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <sstream>
#include <string>
#include <utility>
#include <variant>

#include "sim/import/derive/derive_training.h"
#include "sim/input/trace_writer.h"
#include "tests/support/training_step.h"

namespace nibble::test {

/// What derive_training() makes of a graph, in memory.
inline TrainingStep derived_step(StepGraph graph, const ImportOptions& options, ImportSummary& summary) {
    TrainingStep step;
    derive_training(
        std::move(graph), options,
        [&](const TraceItem& item) {
            if (const auto* tensor = std::get_if<Tensor>(&item)) {
                step.tensors.push_back(*tensor);
            } else {
                step.operations.push_back(std::get<Operation>(item));
            }
        },
        summary);
    return step;
}

/// The same as the text of a trace.
inline std::string derived_trace(StepGraph graph, const ImportOptions& options = {}) {
    std::ostringstream text;
    TraceWriter writer(text, graph.header);
    ImportSummary summary;
    derive_training(
        std::move(graph), options, [&](const TraceItem& item) { writer.write(item); }, summary);
    writer.finish();
    return text.str();
}

}  // namespace nibble::test
