// SPDX-License-Identifier: MIT
#include "sim/import/tables/layer_table.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/gemm_limits.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

constexpr std::uint64_t most_batch = std::uint64_t{1} << 32U;  // traces/FORMAT.md, Limits

struct Shapes {
    Shape left, right, out;
};

Shapes shapes_of(const Convolution& conv) {
    return {{conv.n, conv.c, conv.h, conv.w},
            {conv.k, conv.c / conv.groups, conv.r, conv.s},
            {conv.n, conv.k, conv.p(), conv.q()}};
}

Shapes shapes_of(const Matmul& matmul) {
    const auto matrix = [&](std::uint64_t rows, std::uint64_t columns, bool transposed) {
        Shape shape{transposed ? columns : rows, transposed ? rows : columns};
        if (matmul.batch > 1) {
            shape.insert(shape.begin(), matmul.batch);
        }
        return shape;
    };
    return {matrix(matmul.m, matmul.k, matmul.left_transposed), matrix(matmul.k, matmul.n, matmul.right_transposed),
            matrix(matmul.m, matmul.n, false)};
}

struct Operand {
    TensorRole role;
    const char* name;
};

/// Left operand, right operand, result.
std::array<Operand, 3> operands_of(Phase phase) {
    switch (phase) {
        case Phase::dx:
            return {{{TensorRole::gradient, "output_gradient"},
                     {TensorRole::weight, "weight"},
                     {TensorRole::gradient, "input_gradient"}}};
        case Phase::dw:
            return {{{TensorRole::activation, "input"},
                     {TensorRole::gradient, "output_gradient"},
                     {TensorRole::weight_gradient, "weight_gradient"}}};
        default:
            return {{{TensorRole::activation, "input"},
                     {TensorRole::weight, "weight"},
                     {TensorRole::activation, "output"}}};
    }
}

Operation operation_of(const std::string& layer, Phase phase) {
    Operation operation;
    operation.layer = layer;
    operation.phase = phase;
    return operation;
}

/// A GEMM after the first reads an activation that nobody has written, or there is no other GEMM to read from.
bool has_loose_layer(const StepGraph& graph) {
    std::vector<bool> written(graph.tensors.size());
    std::size_t gemms = 0;
    for (const Operation& operation : graph.operations) {
        const auto loose = [&](TensorId id) {
            return !written[id] && graph.tensors[id].role == TensorRole::activation;
        };
        const bool gemm = !std::holds_alternative<VectorWork>(operation.work);
        gemms += gemm ? 1 : 0;
        if (gemm && gemms > 1 && std::ranges::any_of(operation.inputs, loose)) {
            return true;
        }
        for (const TensorId id : operation.outputs) {
            written[id] = true;
        }
    }
    return gemms < 2;
}

}  // namespace

std::optional<std::string> problem_of(const GemmWork& work) {
    return std::visit([](const auto& gemm) { return problem_of(gemm); }, work);
}

GemmWork simplest(const Convolution& conv) {
    const bool covers = conv.r == conv.h && conv.s == conv.w;
    const bool padded = conv.pad_top != 0 || conv.pad_bottom != 0 || conv.pad_left != 0 || conv.pad_right != 0;
    if (!covers || padded || conv.groups != 1) {
        return conv;
    }
    Matmul matmul{.m = conv.n, .n = conv.k, .k = conv.c * conv.r * conv.s};
    matmul.right_transposed = true;
    return matmul;
}

std::string counted(std::uint64_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::uint64_t step_batch(std::uint64_t repeats, std::uint64_t samples, const std::string& file) {
    const std::optional<std::uint64_t> batch = bounded_product({repeats, samples}, most_batch);
    if (!batch || *batch == 0) {
        throw InputError({file},
                         fmt::format("expected a batch from 1 to {}, found {} times {}", most_batch, repeats, samples));
    }
    return *batch;
}

std::string LayerTable::unique(const std::string& name) {
    const std::string wanted = name.empty() ? "layer" : name;
    std::uint64_t& suffix = suffixes_.try_emplace(wanted, 2).first->second;
    std::string made = wanted;
    while (!names_.insert(made).second) {
        made = fmt::format("{}_{}", wanted, suffix++);
    }
    return made;
}

TensorId LayerTable::own(TensorRole role, const std::string& layer, const char* what, const Shape& shape) {
    return graph_.declare({role, fmt::format("{}.{}", layer, what), shape});
}

TensorId LayerTable::declare_activation(const std::string& name, const Shape& shape) {
    return graph_.declare({TensorRole::activation, name, shape});
}

TensorId LayerTable::add(const TableGemm& gemm) {
    const Shapes shapes = std::visit([](const auto& work) { return shapes_of(work); }, gemm.work);
    const auto [left, right, out] = operands_of(gemm.phase);
    const auto operand = [&](const std::optional<TensorId>& given, const Operand& what, const Shape& shape) {
        if (given) {
            return *given;
        }
        const TensorId id = own(what.role, gemm.layer, what.name, shape);
        if (what.role == TensorRole::gradient) {
            Operation maker = operation_of(gemm.layer, Phase::vector);
            maker.work = VectorWork{graph_.tensors[id].elements, {{"copy", 1}}};
            maker.inputs = {own(TensorRole::activation, gemm.layer, "incoming_gradient", shape)};
            maker.outputs = {id};
            graph_.operations.push_back(std::move(maker));
        }
        return id;
    };
    Operation operation = operation_of(gemm.layer, gemm.phase);
    std::visit([&](const auto& work) { operation.work = work; }, gemm.work);
    operation.operand_bits = gemm.bits;
    operation.inputs = {operand(gemm.left, left, shapes.left), operand(gemm.right, right, shapes.right)};
    operation.outputs = {own(out.role, gemm.layer, out.name, shapes.out)};
    graph_.backward_recorded |= gemm.phase != Phase::forward;
    graph_.operations.push_back(std::move(operation));
    return graph_.operations.back().outputs[0];
}

TensorId LayerTable::add(const std::string& layer, VectorWork work, std::vector<TensorId> inputs, const Shape& result) {
    Operation operation = operation_of(layer, Phase::vector);
    operation.work = std::move(work);
    operation.inputs = std::move(inputs);
    operation.outputs = {own(TensorRole::activation, layer, "output", result)};
    graph_.operations.push_back(std::move(operation));
    return graph_.operations.back().outputs[0];
}

StepGraph LayerTable::finish() {
    for (const Phase phase : {Phase::forward, Phase::dx, Phase::dw}) {
        const auto belongs = [&](const Operation& operation) { return operation.phase == phase; };
        const auto last = std::find_if(graph_.operations.rbegin(), graph_.operations.rend(), belongs);
        if (last != graph_.operations.rend()) {
            last->position = Position::last;
            std::find_if(graph_.operations.begin(), graph_.operations.end(), belongs)->position = Position::first;
        }
    }
    graph_.layers_disconnected = has_loose_layer(graph_);
    return std::move(graph_);
}

}  // namespace nibble
