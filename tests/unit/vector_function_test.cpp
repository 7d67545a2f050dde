// SPDX-License-Identifier: MIT
#include "models/vector_unit/vector_function.h"

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace nibble {
namespace {

TEST(VectorFunction, IsFoundByItsName) {
    ASSERT_NE(find_vector_function("batch_norm"), nullptr);
    EXPECT_EQ(find_vector_function("batch_norm")->name, "batch_norm");
    EXPECT_EQ(find_vector_function("batchnorm"), nullptr);
    EXPECT_EQ(find_vector_function(""), nullptr);
    EXPECT_EQ(suggestion("batchnorm", vector_function_names()), " (did you mean 'batch_norm'?)");
}

TEST(VectorFunction, EveryNameIsUniqueAndExplained) {
    std::set<std::string> names;
    for (const std::string& name : vector_function_names()) {
        EXPECT_TRUE(names.insert(name).second) << name;
        const VectorFunction* function = find_vector_function(name);
        ASSERT_NE(function, nullptr);
        EXPECT_GE(function->lane_ops, 1u) << name;
        EXPECT_GE(function->what.size(), 10u) << name;
    }
}

TEST(VectorFunction, CostsWhatItsArithmeticNeeds) {
    const std::uint32_t exp = 6;                // scale and round, fraction, cubic polynomial (3), exponent
    const std::uint32_t sigmoid = exp + 1 + 3;  // exp, 1 + exp, reciprocal
    const std::uint32_t tanh = sigmoid + 1;     // 2 sigmoid - 1
    const std::map<std::string, std::uint32_t> expected{
        {"batch_norm", 1},
        {"batch_stats", 2},
        {"bn_grad_reduce", 3},
        {"bn_grad_apply", 3},
        {"relu", 1},
        {"add", 1},
        {"pact_quantize", 3},
        {"sawb_stats", 2},
        {"sawb_quantize", 3},
        {"sgd_momentum", 3},
        {"adam", 1 + 2 + 3 + 5 + 1 + 3 + 2},  // decay, moments, root, epsilon, reciprocal, step
        {"softmax", 1 + exp + 1 + 1},         // maximum, exp, sum, product
        {"gelu", 3 + sigmoid + 1},            // argument, sigmoid, product
        {"gelu_grad", 3 + sigmoid + 5},
        {"layer_norm", 4},
        {"layer_norm_grad", 8},
        {"lstm_cell", 4 + 3 * sigmoid + tanh + 2 + tanh + 1},
        {"lstm_cell_grad", tanh + 1 + 3 + 4 + 6 + 2},
    };
    for (const auto& [name, lane_ops] : expected) {
        ASSERT_NE(find_vector_function(name), nullptr) << name;
        EXPECT_EQ(find_vector_function(name)->lane_ops, lane_ops) << name;
    }
}

}  // namespace
}  // namespace nibble
