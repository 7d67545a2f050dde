// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "sim/input/operation_size.h"
#include "sim/input/trace_writer.h"

namespace nibble::test {

/// Builds a trace of GEMMs, each with tensors of its own.
class GemmTrace {
public:
    explicit GemmTrace(const std::string& name) : writer_(text_, {name, 1}) {}

    /// Adds one GEMM of `phase`; the gradients that it reads are made by a vector operation of their own.
    void add(const std::string& layer, Phase phase, const std::variant<Convolution, Matmul, VectorWork>& work) {
        Operation gemm;
        gemm.layer = layer;
        gemm.group = "all";
        gemm.phase = phase;
        gemm.work = work;
        const std::vector<OperandElements> sizes = expected_elements(gemm);
        const auto [left, right, out] = roles(phase, std::holds_alternative<Convolution>(work));
        gemm.inputs = {operand(layer, left, sizes[0].own), operand(layer, right, sizes[1].own)};
        gemm.outputs = {tensor(out, sizes[2].own)};
        writer_.write(gemm);
    }

    std::string finish() {
        writer_.finish();
        return text_.str();
    }

private:
    struct Roles {
        TensorRole left, right, out;
    };
    static Roles roles(Phase phase, bool convolution) {
        switch (phase) {
            case Phase::dx:
                return {TensorRole::gradient, TensorRole::weight, TensorRole::gradient};
            case Phase::dw:
                return convolution ? Roles{TensorRole::activation, TensorRole::gradient, TensorRole::weight_gradient}
                                   : Roles{TensorRole::gradient, TensorRole::activation, TensorRole::weight_gradient};
            default:
                return {TensorRole::activation, TensorRole::weight, TensorRole::activation};
        }
    }

    TensorId tensor(TensorRole role, std::uint64_t elements) {
        Tensor made;
        made.id = next_++;
        made.role = role;
        made.shape = {elements};
        made.elements = elements;
        writer_.write(made);
        return made.id;
    }

    TensorId operand(const std::string& layer, TensorRole role, std::uint64_t elements) {
        const TensorId id = tensor(role, elements);
        if (role == TensorRole::gradient) {
            const TensorId source = tensor(TensorRole::activation, elements);
            Operation maker;
            maker.layer = layer;
            maker.group = "all";
            maker.phase = Phase::vector;
            maker.work = VectorWork{elements, {{"copy", 1}}};
            maker.inputs = {source};
            maker.outputs = {id};
            writer_.write(maker);
        }
        return id;
    }

    std::ostringstream text_;
    TraceWriter writer_;
    TensorId next_ = 0;
};

}  // namespace nibble::test
