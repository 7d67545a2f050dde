// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sim/input/trace_writer.h"

namespace nibble::test {

/// Writes a trace tensor by tensor and operation by operation, and knows the line of each.
class StepTrace {
public:
    StepTrace() : writer_(text_, {"step", 1}) {}

    TensorId tensor(TensorRole role, std::uint64_t elements, std::uint32_t bits = 0) {
        Tensor made;
        made.id = next_++;
        made.role = role;
        made.shape = {elements};
        made.elements = elements;
        made.bits = bits;
        writer_.write(made);
        ++line_;
        return made.id;
    }

    /// Returns the operation's line.
    std::uint64_t add(Phase phase, const std::string& layer, std::variant<Convolution, Matmul, VectorWork> work,
                      std::vector<TensorId> inputs, std::vector<TensorId> outputs,
                      Position position = Position::middle) {
        Operation made;
        made.layer = layer;
        made.group = "all";
        made.phase = phase;
        made.position = position;
        made.work = std::move(work);
        made.inputs = std::move(inputs);
        made.outputs = std::move(outputs);
        writer_.write(made);
        return ++line_;
    }

    /// Element-wise work on `elements`.
    std::uint64_t vector(std::uint64_t elements, std::vector<TensorId> inputs, std::vector<TensorId> outputs,
                         const std::string& layer = "v") {
        return add(Phase::vector, layer, VectorWork{elements, {{"copy", 1}}}, std::move(inputs), std::move(outputs));
    }

    std::string finish() {
        if (!finished_) {
            writer_.finish();
            finished_ = true;
        }
        return text_.str();
    }

private:
    std::ostringstream text_;
    TraceWriter writer_;
    TensorId next_ = 0;
    std::uint64_t line_ = 1;  // the header
    bool finished_ = false;
};

}  // namespace nibble::test
