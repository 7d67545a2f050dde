// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "sim/import/step_graph.h"
#include "sim/input/operation.h"

namespace nibble {

using GemmWork = std::variant<Convolution, Matmul>;

/// What keeps it from being an operation of a trace (gemm_limits.h). Safe for any numbers whatever.
[[nodiscard]] std::optional<std::string> problem_of(const GemmWork& work);

/// The convolution, or the matrix product that it is if its filter covers its input. It must be possible.
[[nodiscard]] GemmWork simplest(const Convolution& conv);

/// Samples in the step: `repeats` of the network with `samples` each. Throws InputError if a trace cannot hold so many.
[[nodiscard]] std::uint64_t step_batch(std::uint64_t repeats, std::uint64_t samples, const std::string& file);

/// "1 layer", "2 layers".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view what);

/// One GEMM of a table of layers.
struct TableGemm {
    std::string layer;
    Phase phase = Phase::forward;  ///< of a convolution always forward
    GemmWork work;
    std::optional<OperandBits> bits = std::nullopt;
    /// Tensors that the operands are, if the table says so; others get tensors of their own.
    std::optional<TensorId> left = std::nullopt, right = std::nullopt;
};

/// Builds the step of a network that a source lists layer by layer. Unless the source says what an operand is, each
/// GEMM has an input tensor of its own, and its right operand is a weight. Gradients that a table of backward GEMMs
/// reads are made by one pass over memory ("copy") each, in place of the element-wise work that the table leaves out.
class LayerTable {
public:
    /// The name itself, or with "_2", "_3", ... if an earlier layer has it; "layer" if it is empty.
    [[nodiscard]] std::string unique(const std::string& name);

    /// Returns the result. The work must be possible.
    TensorId add(const TableGemm& gemm);
    /// Element-wise work in one pass; returns the result, which has this shape.
    TensorId add(const std::string& layer, VectorWork work, std::vector<TensorId> inputs, const Shape& result);
    /// An activation that exists before the step.
    TensorId declare_activation(const std::string& name, const Shape& shape);

    [[nodiscard]] const Tensor& tensor(TensorId id) const { return graph_.tensors[id]; }
    void set_batch(std::uint64_t batch) { graph_.header.batch = batch; }

    /// The step, without a name, with the positions of the first and the last GEMM of each phase, which are the first
    /// and the last layer's. Layers are disconnected if there is only one, or if one after the first reads an
    /// activation that nobody writes.
    [[nodiscard]] StepGraph finish();

private:
    TensorId own(TensorRole role, const std::string& layer, const char* what, const Shape& shape);

    StepGraph graph_;
    std::unordered_set<std::string> names_;
    std::map<std::string, std::uint64_t> suffixes_;  // the next to try, of each name that was asked for
};

}  // namespace nibble
