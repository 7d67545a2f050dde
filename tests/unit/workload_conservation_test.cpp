// SPDX-License-Identifier: MIT
// What must hold for the training step of any network.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/vector_unit/vector_function.h"
#include "sim/input/operation_size.h"
#include "tests/support/training_step.h"

namespace nibble {
namespace {

class TrainingStepOf : public testing::TestWithParam<std::string> {
protected:
    [[nodiscard]] const Tensor& tensor(TensorId id) const { return step_.tensors.at(id); }
    [[nodiscard]] static bool is_gemm(const Operation& operation) {
        return !std::holds_alternative<VectorWork>(operation.work);
    }
    [[nodiscard]] std::vector<const Operation*> readers(TensorId id) const {
        std::vector<const Operation*> found;
        for (const Operation& operation : step_.operations) {
            if (std::count(operation.inputs.begin(), operation.inputs.end(), id) > 0) {
                found.push_back(&operation);
            }
        }
        return found;
    }
    [[nodiscard]] std::vector<const Operation*> writers(TensorId id) const {
        std::vector<const Operation*> found;
        for (const Operation& operation : step_.operations) {
            if (std::count(operation.outputs.begin(), operation.outputs.end(), id) > 0) {
                found.push_back(&operation);
            }
        }
        return found;
    }

    const TrainingStep step_ = training_step(built_in(GetParam()), 2);
};

TEST_P(TrainingStepOf, ReadsOnlyWhatIsGivenOrWasWrittenBefore) {
    std::set<TensorId> written;
    std::set<TensorId> given;  // activations that come from outside
    for (const Operation& operation : step_.operations) {
        for (const TensorId id : operation.inputs) {
            const TensorRole role = tensor(id).role;
            if (role == TensorRole::weight || role == TensorRole::state || role == TensorRole::index ||
                written.contains(id)) {
                continue;
            }
            EXPECT_EQ(role, TensorRole::activation) << tensor(id).name;
            given.insert(id);
        }
        written.insert(operation.outputs.begin(), operation.outputs.end());
    }
    // One image; h and c before the first step of two LSTM layers; two tables of sines.
    const std::map<std::string, std::size_t> expected{
        {"lstm-ptb", 4}, {"transformer-base", 2}, {"bert-base", 0}, {"gpt2-small", 0}};
    EXPECT_EQ(given.size(), expected.contains(GetParam()) ? expected.at(GetParam()) : 1);
}

TEST_P(TrainingStepOf, ReadsEverythingThatItWrites) {
    for (const Tensor& each : step_.tensors) {
        EXPECT_FALSE(readers(each.id).empty()) << each.name;
    }
}

TEST_P(TrainingStepOf, WritesEachTensorOnce) {
    for (const Tensor& each : step_.tensors) {
        const std::size_t times = writers(each.id).size();
        switch (each.role) {
            case TensorRole::weight:
            case TensorRole::state:
                EXPECT_LE(times, 1u) << each.name;
                break;
            case TensorRole::index:
                EXPECT_EQ(times, 0u) << each.name;
                break;
            case TensorRole::weight_gradient:
                EXPECT_GE(times, 1u) << each.name;
                break;  // shared tables add up in place
            case TensorRole::activation:
                EXPECT_LE(times, 1u) << each.name;
                break;
            default:
                EXPECT_EQ(times, 1u) << each.name;
        }
    }
}

TEST_P(TrainingStepOf, GemmsHaveOperandsOfTheRightSize) {
    for (const Operation& operation : step_.operations) {
        const std::vector<OperandElements> expected = expected_elements(operation);
        if (!is_gemm(operation)) {
            EXPECT_TRUE(expected.empty());
            continue;
        }
        ASSERT_EQ(expected.size(), 3u);
        EXPECT_EQ(expected[0].own, tensor(operation.inputs.at(0)).elements) << operation.layer;
        EXPECT_EQ(expected[1].own, tensor(operation.inputs.at(1)).elements) << operation.layer;
        EXPECT_EQ(expected[2].own, tensor(operation.outputs.at(0)).elements) << operation.layer;
    }
}

TEST_P(TrainingStepOf, VectorWorkCoversItsTensors) {
    // Functions whose operands differ in size.
    const std::set<std::string> resizing{"gather",   "scatter_add",   "copy",      "max_pool",      "max_pool_grad",
                                         "avg_pool", "avg_pool_grad", "lstm_cell", "lstm_cell_grad"};
    for (const Operation& operation : step_.operations) {
        const auto* work = std::get_if<VectorWork>(&operation.work);
        if (work == nullptr || operation.phase != Phase::vector) {
            continue;
        }
        const bool resizes = std::any_of(work->steps.begin(), work->steps.end(),
                                         [&](const VectorStep& s) { return resizing.contains(s.function); });
        std::vector<TensorId> operands = operation.inputs;
        operands.insert(operands.end(), operation.outputs.begin(), operation.outputs.end());
        bool covers_one = false;
        std::uint64_t read = 0;
        std::uint64_t written = 0;
        for (const TensorId id : operands) {
            const TensorRole role = tensor(id).role;
            const bool full =
                role == TensorRole::activation || role == TensorRole::gradient || role == TensorRole::mask;
            covers_one |= full && tensor(id).elements == work->elements;
            EXPECT_TRUE(resizes || !full || tensor(id).elements == work->elements)
                << operation.layer << ": " << tensor(id).name;
        }
        for (const TensorId id : operation.inputs) {
            read += tensor(id).elements;
        }
        for (const TensorId id : operation.outputs) {
            written += tensor(id).elements;
        }
        if (work->steps.front().function == "copy") {  // cuts or joins: everything on both sides, biases' sums aside
            EXPECT_EQ(read, work->elements);
            EXPECT_GE(written, work->elements);
        } else {
            EXPECT_TRUE(covers_one) << operation.layer << " " << work->steps.front().function;
        }
    }
}

TEST_P(TrainingStepOf, UsesFunctionsThatTheVectorUnitHas) {
    for (const Operation& operation : step_.operations) {
        const auto* work = std::get_if<VectorWork>(&operation.work);
        for (const VectorStep& each : work != nullptr ? work->steps : operation.epilogue) {
            EXPECT_NE(find_vector_function(each.function), nullptr) << each.function;
        }
    }
}

TEST_P(TrainingStepOf, EveryWeightHasOneGradientAndOneUpdate) {
    std::size_t weights = 0;
    for (const Tensor& weight : step_.tensors) {
        if (weight.role != TensorRole::weight) {
            continue;
        }
        ++weights;
        ASSERT_EQ(writers(weight.id).size(), 1u) << weight.name;
        const Operation& update = *writers(weight.id).front();
        EXPECT_EQ(update.phase, Phase::update);
        EXPECT_EQ(std::get<VectorWork>(update.work).elements, weight.elements);
        const TensorId gradient = update.inputs.front();
        EXPECT_EQ(tensor(gradient).role, TensorRole::weight_gradient);
        EXPECT_EQ(tensor(gradient).elements, weight.elements);
        // One dw for each GEMM that reads the weight in the forward pass (one for all steps of an LSTM), one scatter
        // for each look-up.
        std::set<std::string> products;
        std::size_t look_ups = 0;
        for (const Operation* reader : readers(weight.id)) {
            if (reader->phase == Phase::forward) {
                products.insert(reader->layer);
            } else if (reader->phase == Phase::vector) {
                look_ups += 1;
            }
        }
        std::size_t dw = 0;
        std::size_t scatters = 0;
        for (const Operation* writer : writers(gradient)) {
            (is_gemm(*writer) ? dw : scatters) += 1;
        }
        EXPECT_EQ(dw, products.size()) << weight.name;
        EXPECT_EQ(scatters, look_ups) << weight.name;
    }
    EXPECT_GT(weights, 0u);
    for (const Tensor& each : step_.tensors) {
        if (each.role == TensorRole::state) {
            ASSERT_EQ(writers(each.id).size(), 1u) << each.name;
            EXPECT_EQ(writers(each.id).front()->phase, Phase::update);
        }
    }
}

TEST_P(TrainingStepOf, RunsForwardThenBackwardThenUpdates) {
    int part = 0;
    for (const Operation& operation : step_.operations) {
        const int now = operation.phase == Phase::forward                              ? 0
                        : operation.phase == Phase::dx || operation.phase == Phase::dw ? 1
                        : operation.phase == Phase::update                             ? 2
                                                                                       : part;
        EXPECT_GE(now, part) << operation.layer;
        part = now;
    }
}

TEST_P(TrainingStepOf, MarksTheFirstAndTheLastGemmLayer) {
    std::set<std::string> first;
    std::set<std::string> last;
    for (const Operation& operation : step_.operations) {
        if (operation.position == Position::first) {
            first.insert(operation.layer);
            EXPECT_NE(operation.phase, Phase::dx) << "no gradient of the image";
        } else if (operation.position == Position::last) {
            last.insert(operation.layer);
        }
        EXPECT_TRUE(is_gemm(operation) || operation.position == Position::middle);
    }
    const std::set<std::string> without_image{"lstm-ptb", "transformer-base", "bert-base", "gpt2-small"};
    EXPECT_EQ(first.size(), without_image.contains(GetParam()) ? 0u : 1u);
    EXPECT_EQ(last.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Workload, TrainingStepOf, testing::ValuesIn(built_in_names()), [](const auto& each) {
    std::string name = each.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

}  // namespace
}  // namespace nibble
