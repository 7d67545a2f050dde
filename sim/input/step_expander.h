// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/input/step_builder.h"
#include "sim/input/workload.h"

namespace nibble {

/// Walks through the layers of a workload. Each layer's forward() emits its forward work, sets its output, and leaves
/// its backward work on the tape, which is then run in reverse.
class StepExpander {
public:
    StepExpander(const Workload& workload, std::uint64_t batch, const TraceSink& sink);

    void run();
    [[nodiscard]] std::uint64_t parameters() const;

private:
    /// What a layer gives to those that read it, and what they give back.
    struct Output {
        Value value;
        Shape shape;  ///< as layers see it, batch first
        bool needs_gradient = true;
        Value gradient;          ///< sum of what has come back so far
        unsigned consumers = 0;  ///< layers that read it
    };
    /// A trained tensor: the 32-bit master, the optimiser's moments, and for weights the copy that GEMMs read.
    struct Trained {
        OperationLabel label;
        Shape shape;
        TensorId master = 0;
        std::vector<TensorId> moments;
        std::optional<TensorId> copy;
        std::vector<TensorId> gradients;
    };
    using TrainedIndex = std::size_t;

    // step_layers.cpp: one function for each kind of layer; `at` is its index.
    void forward(std::size_t at, const ImageLayer&);
    void forward(std::size_t at, const MaxPoolLayer&);
    void forward(std::size_t at, const GlobalPoolLayer&);
    void forward(std::size_t at, const FlattenLayer&);
    void forward(std::size_t at, const AddLayer&);
    void forward(std::size_t at, const DropoutLayer&);
    void forward(std::size_t at, const LayerNormLayer&);
    void forward(std::size_t at, const LossLayer&);
    // step_gemm_layers.cpp
    void forward(std::size_t at, const ConvolutionLayer&);
    void forward(std::size_t at, const LinearLayer&);
    // step_tokens.cpp
    void forward(std::size_t at, const EmbeddingLayer&);
    void forward(std::size_t at, const SelectLayer&);
    // step_attention.cpp, step_lstm.cpp
    void forward(std::size_t at, const AttentionLayer&);
    void forward(std::size_t at, const LstmLayer&);

    // Layers
    [[nodiscard]] const Layer& layer(std::size_t at) const { return workload_.layers[at]; }
    [[nodiscard]] std::size_t source(std::size_t at, std::size_t which = 0) const { return layer(at).from.at(which); }
    [[nodiscard]] Output& input(std::size_t at, std::size_t which = 0) { return outputs_[source(at, which)]; }
    [[nodiscard]] OperationLabel label(std::size_t at) const;
    [[noreturn]] void fail(std::size_t at, const std::string& what) const;
    /// Each fails unless: the input has so many dimensions; a tensor, or the work of a GEMM, is within the limits of a
    /// trace.
    void require_dimensions(std::size_t at, std::size_t count, const std::string& what);
    void require_size(std::size_t at, const Shape& shape) const;
    void require_work(std::size_t at, std::initializer_list<std::uint64_t> factors) const;
    void set_output(std::size_t at, Value value, Shape shape, bool needs_gradient = true);
    void on_backward(std::function<void()> work) { tape_.push_back(std::move(work)); }
    [[nodiscard]] Value gradient_of(std::size_t at) { return outputs_[at].gradient; }
    void add_gradient(const OperationLabel& by, std::size_t at, const Value& gradient);

    // Trained tensors
    TrainedIndex add_trained(const OperationLabel& by, const std::string& name, const Shape& shape, bool has_copy);
    TrainedIndex add_weight(std::size_t at, const std::string& name, const Shape& shape);
    /// The weight of another layer, or a new one that others may share.
    TrainedIndex weight_of(std::size_t at, std::optional<std::size_t> shared_with, const std::string& name,
                           const Shape& shape);
    TrainedIndex add_parameters(std::size_t at, const std::string& name, const Shape& shape);
    [[nodiscard]] TensorId weight(TrainedIndex index) const { return trained_[index].copy.value(); }
    [[nodiscard]] TensorId master(TrainedIndex index) const { return trained_[index].master; }
    void add_weight_gradient(TrainedIndex index, const Value& gradient);
    void update(const Trained& trained);

    // Pieces that several layers are made of
    /// A product with a weight along the last dimension, and the bias; and the way back.
    struct Dense {
        OperationLabel label;
        std::string name;
        std::uint64_t rows = 0, in = 0, out = 0;
        TrainedIndex weight = 0;
        std::optional<TrainedIndex> bias;
        TensorId x = 0;
    };
    Value dense_forward(const Dense& dense, const Shape& result);
    /// Consumes the gradient of the result; gives that of the operand (unless not wanted) still open.
    Value dense_backward(const Dense& dense, const Value& gradient, const Shape& operand, bool wanted);
    /// Applies the activation function and leaves in `saved` the tensor that its gradient needs.
    Value activate(const OperationLabel& by, const Value& value, Activation activation, const std::string& name,
                   std::optional<TensorId>& saved);
    Value activate_gradient(const OperationLabel& by, const Value& gradient, Activation activation,
                            const std::string& name, TensorId saved);
    Value drop(const OperationLabel& by, const Value& value, const std::string& name, TensorId& mask);
    /// Gradient of batch normalisation: two passes, the second of them left open.
    Value batch_norm_gradient(const OperationLabel& by, const Value& gradient, const std::string& name, TensorId y,
                              TensorId statistics, TrainedIndex parameters);
    /// Closes GEMMs: for steps that cannot be part of an epilogue.
    void store_gemm(const Value& value);

    const Workload& workload_;
    std::uint64_t batch_;
    StepBuilder builder_;
    std::size_t last_gemm_ = 0;  ///< last layer that has a weight in a GEMM
    std::vector<Output> outputs_;
    std::vector<std::function<void()>> tape_;
    std::vector<Trained> trained_;
    std::map<std::size_t, TrainedIndex> weight_of_layer_;
};

}  // namespace nibble
