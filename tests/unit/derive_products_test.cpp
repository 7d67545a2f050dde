// SPDX-License-Identifier: MIT
// The gradients of matrix products, whichever way their operands lie, computed by what derive_training() makes of them.
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/derived_step.h"
#include "tests/support/graph_builder.h"

namespace nibble {
namespace {

using Numbers = std::vector<double>;

/// Element (row, column) of one of a batch of matrices; `transposed`: stored column by row.
std::size_t at(std::uint64_t matrix, std::uint64_t row, std::uint64_t column, std::uint64_t rows, std::uint64_t columns,
               bool transposed, std::size_t elements) {
    const std::size_t base = elements == rows * columns ? 0 : matrix * rows * columns;  // shared by the batch
    return base + (transposed ? column * rows + row : row * columns + column);
}

/// out[b][m][n] = sum over k of left[b][m][k] right[b][k][n], as the trace format defines it.
Numbers product(const Matmul& x, const Numbers& left, const Numbers& right) {
    Numbers out(x.batch * x.m * x.n);
    for (std::uint64_t b = 0; b < x.batch; ++b) {
        for (std::uint64_t m = 0; m < x.m; ++m) {
            for (std::uint64_t n = 0; n < x.n; ++n) {
                for (std::uint64_t k = 0; k < x.k; ++k) {
                    out[(b * x.m + m) * x.n + n] += left[at(b, m, k, x.m, x.k, x.left_transposed, left.size())] *
                                                    right[at(b, k, n, x.k, x.n, x.right_transposed, right.size())];
                }
            }
        }
    }
    return out;
}

/// Executes a step that consists of products and of sums over the batch.
class Interpreter {
public:
    explicit Interpreter(const TrainingStep& step) : step_(step) {}

    Numbers& operator[](const std::string& name) { return values_[id(name)]; }

    void run() {
        for (const Operation& operation : step_.operations) {
            if (operation.phase == Phase::update) {
                return;
            }
            Numbers& out = values_[operation.outputs[0]];
            if (const auto* matmul = std::get_if<Matmul>(&operation.work)) {
                out = product(*matmul, values_.at(operation.inputs[0]), values_.at(operation.inputs[1]));
            } else if (std::get<VectorWork>(operation.work).steps[0].function == "sum") {
                const Numbers& in = values_.at(operation.inputs[0]);
                out.assign(step_.tensors[operation.outputs[0]].elements, 0);
                for (std::size_t i = 0; i < in.size(); ++i) {
                    out[i % out.size()] += in[i];
                }
            }  // the loss: its gradient is given
        }
    }

private:
    TensorId id(const std::string& name) const {
        TensorId found = 0;
        for (const Tensor& tensor : step_.tensors) {
            found = tensor.name == name ? tensor.id : found;  // of several of one name the last, the sum
        }
        return found;
    }

    const TrainingStep& step_;
    std::map<TensorId, Numbers> values_;
};

struct Case {
    Matmul work;
    bool left_shared = false, right_shared = false;
};

void PrintTo(const Case& c, std::ostream* out) {
    *out << "batch " << c.work.batch << (c.work.left_transposed ? " left km" : "") << (c.left_shared ? " shared" : "")
         << (c.work.right_transposed ? " right nk" : "") << (c.right_shared ? " right shared" : "");
}

class GradientOfProduct : public testing::TestWithParam<Case> {};

TEST_P(GradientOfProduct, IsTheDefinitions) {
    const auto& [work, left_shared, right_shared] = GetParam();
    const std::uint64_t left_elements = (left_shared ? 1 : work.batch) * work.m * work.k;
    const std::uint64_t right_elements = (right_shared ? 1 : work.batch) * work.k * work.n;
    test::GraphBuilder builder;
    const TensorId left = builder.weight("left", {left_elements});
    const TensorId right = builder.weight("right", {right_elements});
    builder.gemm("y", work, left, right, {work.batch, work.m, work.n, 1});
    ImportSummary summary;
    const TrainingStep step = test::derived_step(builder.graph(), {}, summary);

    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> number(-1, 1);
    const auto drawn = [&](std::uint64_t elements) {
        Numbers numbers(elements);
        for (double& each : numbers) {
            each = number(random);
        }
        return numbers;
    };
    Interpreter interpreter(step);
    const Numbers l = interpreter["left"] = drawn(left_elements);
    const Numbers r = interpreter["right"] = drawn(right_elements);
    const Numbers dy = interpreter["y.gradient"] = drawn(work.batch * work.m * work.n);
    interpreter.run();

    // Of every single multiplication l r = y the one factor's gradient gains dy times the other.
    Numbers dl(left_elements);
    Numbers dr(right_elements);
    for (std::uint64_t b = 0; b < work.batch; ++b) {
        for (std::uint64_t m = 0; m < work.m; ++m) {
            for (std::uint64_t n = 0; n < work.n; ++n) {
                for (std::uint64_t k = 0; k < work.k; ++k) {
                    const std::size_t i = at(b, m, k, work.m, work.k, work.left_transposed, left_elements);
                    const std::size_t j = at(b, k, n, work.k, work.n, work.right_transposed, right_elements);
                    dl[i] += dy[(b * work.m + m) * work.n + n] * r[j];
                    dr[j] += dy[(b * work.m + m) * work.n + n] * l[i];
                }
            }
        }
    }
    const auto expect_near = [](const Numbers& made, const Numbers& expected) {
        ASSERT_EQ(made.size(), expected.size());
        for (std::size_t i = 0; i < made.size(); ++i) {
            EXPECT_NEAR(made[i], expected[i], 1e-12) << i;
        }
    };
    expect_near(interpreter["left.gradient"], dl);
    expect_near(interpreter["right.gradient"], dr);
}

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const std::uint64_t batch : {1U, 3U}) {
        for (const bool left : {false, true}) {
            for (const bool right : {false, true}) {
                for (const bool left_shared : {false, true}) {
                    for (const bool right_shared : {false, true}) {
                        if (batch > 1 || !(left_shared || right_shared)) {
                            cases.push_back({{batch, 4, 5, 2, left, right}, left_shared, right_shared});
                        }
                    }
                }
            }
        }
    }
    return cases;
}

INSTANTIATE_TEST_SUITE_P(EveryLayout, GradientOfProduct, testing::ValuesIn(all_cases()));

}  // namespace
}  // namespace nibble
