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
/// derived. Tensors are numbered by their place in `tensors`; each is written by one operation at most.
///
/// Tensors that no operation writes exist before the step. Of these, what is of role `weight` or `state` is trained
/// (a bias, the scale and the shift of a normalisation are states); everything else is not: images, tokens, constants,
/// masks, and the running mean and variance of a normalisation, which are statistics.
struct StepGraph {
    TraceHeader header;
    std::vector<Tensor> tensors;
    std::vector<Operation> operations;  ///< each after those that write what it reads
    bool backward_recorded = false;     ///< the operations hold a backward pass: none is to be derived
    /// A table of layers: what lies between them is unknown, so that each reads an input tensor of its own and nobody
    /// reads its output.
    bool layers_disconnected = false;

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
