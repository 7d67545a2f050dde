// SPDX-License-Identifier: MIT
// The training steps of the built-in networks are derived in two ways: by sim/input from layers, and by sim/import from
// the forward operations alone. Both must come to the same GEMMs.
#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/config/machine_config.h"
#include "sim/import/step_graph.h"
#include "sim/lowering/recipe.h"
#include "sim/lowering/tensor_plan.h"
#include "tests/support/derived_step.h"
#include "tests/support/trace_file.h"
#include "tests/support/training_step.h"

namespace nibble {
namespace {

constexpr std::uint64_t batch = 2;

bool is_gradient(TensorRole role) {
    return role == TensorRole::gradient || role == TensorRole::weight_gradient;
}

/// The forward pass of a step: what comes before the first gradient. The optimiser's states are left out.
StepGraph forward_of(const TrainingStep& step) {
    StepGraph graph;
    graph.header = {"network", batch};
    graph.tensors = step.tensors;
    for (const Operation& operation : step.operations) {
        if (is_gradient(step.tensors.at(operation.outputs.front()).role)) {
            break;
        }
        graph.operations.push_back(operation);
    }
    return graph;
}

std::string text(const Operation& operation) {
    std::string shape;
    if (const auto* c = std::get_if<Convolution>(&operation.work)) {
        shape = fmt::format("conv {} {} {} {} {} {} {} stride {} {} pad {} {} {} {} dilation {} {} groups {}", c->n,
                            c->c, c->h, c->w, c->k, c->r, c->s, c->stride_h, c->stride_w, c->pad_top, c->pad_bottom,
                            c->pad_left, c->pad_right, c->dilation_h, c->dilation_w, c->groups);
    } else {
        const auto& m = std::get<Matmul>(operation.work);
        shape = fmt::format("matmul {} {} {} {} {} {}", m.batch, m.m, m.n, m.k, m.left_transposed, m.right_transposed);
    }
    return fmt::format("{} {} {} {} {}", operation.layer, operation.group, static_cast<int>(operation.phase),
                       static_cast<int>(operation.position), shape);
}

/// All GEMMs of a step: layer, phase, position, shape, and the roles and sizes of operands and result.
std::vector<std::string> gemms(const TrainingStep& step) {
    std::vector<std::string> all;
    for (const Operation& operation : step.operations) {
        if (std::holds_alternative<VectorWork>(operation.work)) {
            continue;
        }
        std::string line = text(operation);
        for (const TensorId id : {operation.inputs.at(0), operation.inputs.at(1), operation.outputs.at(0)}) {
            const Tensor& tensor = step.tensors.at(id);
            line += fmt::format(" {}:{}", static_cast<int>(tensor.role), tensor.elements);
        }
        all.push_back(line);
    }
    std::ranges::sort(all);
    return all;
}

/// Elements that the optimiser updates.
std::uint64_t updated(const TrainingStep& step) {
    std::uint64_t elements = 0;
    for (const Operation& operation : step.operations) {
        if (operation.phase == Phase::update) {
            elements += std::get<VectorWork>(operation.work).elements;
        }
    }
    return elements;
}

/// How many elements a function of the backward pass is applied to.
std::map<std::string, std::uint64_t> gradient_functions(const TrainingStep& step) {
    std::map<std::string, std::uint64_t> elements;
    for (const Operation& operation : step.operations) {
        const auto* work = std::get_if<VectorWork>(&operation.work);
        const std::vector<VectorStep>& steps = work != nullptr ? work->steps : operation.epilogue;
        for (const VectorStep& each : steps) {
            const bool backward = each.function.ends_with("_grad") || each.function == "bn_grad_reduce" ||
                                  each.function == "bn_grad_apply" || each.function == "scatter_add";
            // The same mask is applied in both passes of batch normalisation if that saves writing: compared as once.
            const bool twice =
                operation.outputs.size() == 1 && steps.back().function == "bn_grad_reduce" && &each != &steps.back();
            if (backward && !twice) {
                elements[each.function] +=
                    (work != nullptr ? work->elements : step.tensors.at(operation.outputs[0]).elements) * each.repeat;
            }
        }
    }
    return elements;
}

class DerivedStepOf : public testing::TestWithParam<std::string> {
protected:
    DerivedStepOf() {
        options_.optimizer = built_in(GetParam()).optimizer;
        derived_ = test::derived_step(forward_of(expanded_), options_, summary_);
    }
    const TrainingStep expanded_ = training_step(built_in(GetParam()), batch);
    ImportOptions options_;
    TrainingStep derived_;
    ImportSummary summary_;
};

TEST_P(DerivedStepOf, HasTheGemmsOfTheExpansion) {
    EXPECT_EQ(gemms(derived_), gemms(expanded_));
}

TEST_P(DerivedStepOf, UpdatesTheSameParameters) {
    EXPECT_EQ(updated(derived_), updated(expanded_));
}

TEST_P(DerivedStepOf, AppliesTheSameGradientFunctionsToAsManyElements) {
    EXPECT_EQ(gradient_functions(derived_), gradient_functions(expanded_));
}

TEST_P(DerivedStepOf, LeavesNothingUnexplained) {
    EXPECT_THAT(summary_.notes, testing::IsEmpty());
    EXPECT_THAT(summary_.derived, testing::SizeIs(3));  // loss, backward pass, optimiser
}

TEST_P(DerivedStepOf, IsAValidTraceForEveryRecipe) {
    const test::TraceFile file(test::derived_trace(forward_of(expanded_), options_));
    const MachineParameters machine = load_machine("edge-int4");
    for (const std::string& name : recipe_names()) {
        EXPECT_NO_THROW(TensorPlan(file.path(), machine, *find_recipe(name), {})) << name;
    }
}

INSTANTIATE_TEST_SUITE_P(BuiltIn, DerivedStepOf, testing::ValuesIn(built_in_names()), [](const auto& network) {
    std::string name = network.param;
    std::ranges::replace(name, '-', '_');
    return name;
});

}  // namespace
}  // namespace nibble
