// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/input/operation.h"
#include "sim/input/step_builder.h"

namespace nibble {

/// A training step, or its forward pass, held in memory: what an importer made of a source, before what is missing is
/// derived. Tensors are numbered by their place in `tensors`. Tensors that no operation writes exist before the step.
struct StepGraph {
    TraceHeader header;
    std::vector<Tensor> tensors;
    std::vector<Operation> operations;  ///< each after those that write what it reads

    TensorId declare(const TensorDraft& draft) {
        Tensor tensor;
        tensor.id = static_cast<TensorId>(tensors.size());
        tensor.name = draft.name;
        tensor.role = draft.role;
        tensor.shape = draft.shape;
        tensor.bits = draft.bits;
        tensor.elements = elements_of(draft.shape);
        tensors.push_back(std::move(tensor));
        return tensors.back().id;
    }
};

}  // namespace nibble
