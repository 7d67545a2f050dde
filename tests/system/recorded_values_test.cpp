// SPDX-License-Identifier: MIT
#include "sim/lowering/recorded_values.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/mac_array/tile_values.h"
#include "models/machine/machine.h"
#include "sim/base/error.h"
#include "sim/counters/ledger.h"
#include "sim/input/step_builder.h"
#include "sim/input/trace_writer.h"
#include "sim/lowering/lowering.h"
#include "tests/support/npy_bytes.h"
#include "tests/support/simulate.h"
#include "tests/support/test_machine.h"

namespace nibble {
namespace {

using testing::HasSubstr;

// One layer: x is 1x2x3x3, w is 2x2x2x2, y is 1x2x2x2 (batch or filters, channels, height, width).
constexpr std::size_t channels = 2, in_side = 3, filters = 2, tap_side = 2, out_side = 2;

std::size_t x_at(std::size_t c, std::size_t h, std::size_t w) {
    return (c * in_side + h) * in_side + w;
}
std::size_t w_at(std::size_t k, std::size_t c, std::size_t r, std::size_t s) {
    return ((k * channels + c) * tap_side + r) * tap_side + s;
}
std::size_t y_at(std::size_t k, std::size_t p, std::size_t q) {
    return (k * out_side + p) * out_side + q;
}

/// The layer's recorded values, chosen so that quantisation is plain to see:
///  - x holds whole numbers up to 15, which are their own codes;
///  - w is 1 or -1: equal magnitudes are beyond SAWB's clip, and become 7 or -7;
///  - dy holds powers of 4 up to 64: its scale is 1, dx reads them as they are, and dw reads 32 for 64, 8 for 16, ...,
///    half of each.
struct Layer {
    std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 2, 7};
    std::vector<float> w{1, -1, 1, 1, -1, 1, 1, -1, 1, 1, -1, 1, -1, -1, 1, 1};
    std::vector<float> dy{64, -16, 4, 1, -4, 16, -1, 4};
};
constexpr float weight_code = 7;

/// y, dx, dw of the textbook, in the order in which the array delivers them: channels last.
std::vector<std::vector<float>> expected_sums(const Layer& layer) {
    std::vector<float> y(filters * out_side * out_side);
    std::vector<float> dx(channels * in_side * in_side);
    std::vector<float> dw(filters * channels * tap_side * tap_side);
    for (std::size_t k = 0; k < filters; ++k) {
        for (std::size_t p = 0; p < out_side; ++p) {
            for (std::size_t q = 0; q < out_side; ++q) {
                for (std::size_t c = 0; c < channels; ++c) {
                    for (std::size_t r = 0; r < tap_side; ++r) {
                        for (std::size_t s = 0; s < tap_side; ++s) {
                            const float x = layer.x[x_at(c, p + r, q + s)];
                            const float w = weight_code * layer.w[w_at(k, c, r, s)];
                            const float dy = layer.dy[y_at(k, p, q)];
                            y[(p * out_side + q) * filters + k] += x * w;
                            dx[((p + r) * in_side + q + s) * channels + c] += dy * w;
                            dw[((k * tap_side + r) * tap_side + s) * channels + c] += dy / 2 * x;
                        }
                    }
                }
            }
        }
    }
    return {y, dx, dw};
}

/// A transposed layer of the same shape: x is as large as dy above, dy as large as x.
Layer transposed_layer() {
    Layer layer;
    layer.x = {15, 1, 7, 0, 3, 9, 12, 5};
    layer.dy = {64, -16, 4, 1, -4, 16, -1, 4, -64, 1, 16, -4, 4, -1, 64, 16, -16, 1};
    return layer;
}

/// Each product of the ordinary layer with x and dy in each other's place.
std::vector<std::vector<float>> expected_transposed_sums(const Layer& layer) {
    std::vector<float> y(channels * in_side * in_side);
    std::vector<float> dx(filters * out_side * out_side);
    std::vector<float> dw(filters * channels * tap_side * tap_side);
    for (std::size_t k = 0; k < filters; ++k) {
        for (std::size_t p = 0; p < out_side; ++p) {
            for (std::size_t q = 0; q < out_side; ++q) {
                for (std::size_t c = 0; c < channels; ++c) {
                    for (std::size_t r = 0; r < tap_side; ++r) {
                        for (std::size_t s = 0; s < tap_side; ++s) {
                            const float x = layer.x[y_at(k, p, q)];
                            const float w = weight_code * layer.w[w_at(k, c, r, s)];
                            const float dy = layer.dy[x_at(c, p + r, q + s)];
                            y[((p + r) * in_side + q + s) * channels + c] += x * w;
                            dx[(p * out_side + q) * filters + k] += dy * w;
                            dw[((k * tap_side + r) * tap_side + s) * channels + c] += x * dy / 2;
                        }
                    }
                }
            }
        }
    }
    return {y, dx, dw};
}

/// Passes a program on, and notes the sums of every tile when the array has finished it.
class Listener final : public ProgramSource {
public:
    Listener(ProgramSource& program, std::vector<std::vector<float>>& heard) : program_(program), heard_(heard) {}

    ProgramItem next() override {
        ProgramItem item = program_.next();
        if (auto* command = std::get_if<Command>(&item)) {
            if (auto* matmul = std::get_if<MatmulCommand>(&command->work); matmul != nullptr && matmul->finish) {
                auto& finished = matmul->values->finished;
                finished = [this, check = std::move(finished)](const std::vector<float>& sums) {
                    heard_.push_back(sums);
                    check(sums);
                };
            }
        }
        return item;
    }

private:
    ProgramSource& program_;
    std::vector<std::vector<float>>& heard_;
};

class RecordedConvolution : public testing::Test {
protected:
    explicit RecordedConvolution(bool transposed = false) : machine_(test::small_machine()) {
        machine_.mac_array.accumulation.format = AccumulatorFormat::fp32;  // the sums are exact
        options_.recipe = find_recipe("int4-fp4");
        options_.values = true;
        write_trace(transposed);
    }

    void write(const Layer& layer) {
        directory_.write("x.npy", test::npy_of_floats("(1, 2, 3, 3)", layer.x));
        directory_.write("w.npy", test::npy_of_floats("(2, 2, 2, 2)", layer.w));
        directory_.write("dy.npy", test::npy_of_floats("(8,)", layer.dy));
    }

    /// The sums of the three GEMMs, and how many of them the run compared with its own reference.
    std::string run() {
        return test::simulate([&] {
            const TensorPlan plan(trace_, machine_, *options_.recipe, options_.selection);
            Lowering lowering(trace_, plan, machine_, options_);
            std::vector<std::vector<float>> sums;
            Listener program(lowering, sums);
            Ledger ledger([](const OpRecord& /*record*/) {});
            Machine machine(machine_, program, ledger, {});
            machine.run();
            return text(sums, lowering.values_checked());
        });
    }

    static std::string text(const std::vector<std::vector<float>>& sums, std::uint64_t checked) {
        std::string made;
        for (const std::vector<float>& gemm : sums) {
            made += fmt::format("{}\n", fmt::join(gemm, " "));
        }
        return made + fmt::format("{} checked", checked);
    }
    /// What run() should give: 8 outputs, 18 and 16 gradients, all checked.
    static std::string expected(const Layer& layer) { return text(expected_sums(layer), 42); }

    test::TemporaryDirectory directory_;
    std::string trace_ = directory_.path("layer.trace");
    MachineParameters machine_;
    LoweringOptions options_;

private:
    void write_trace(bool transposed) {
        std::ostringstream text;
        TraceWriter writer(text, {"layer", 1});
        auto tensor = [&, next = TensorId{0}](TensorRole role, std::vector<std::uint64_t> shape,
                                              std::string values) mutable {
            Tensor made;
            made.id = next++;
            made.role = role;
            made.shape = std::move(shape);
            made.values = std::move(values);
            writer.write(made);
            return made.id;
        };
        const auto operation = [&](Phase phase, auto work, std::vector<TensorId> inputs, TensorId output) {
            Operation made;
            made.layer = "conv";
            made.phase = phase;
            made.work = std::move(work);
            made.inputs = std::move(inputs);
            made.outputs = {output};
            writer.write(made);
        };
        const Convolution conv{.n = 1,
                               .c = channels,
                               .h = in_side,
                               .w = in_side,
                               .k = filters,
                               .r = tap_side,
                               .s = tap_side,
                               .transposed = transposed};
        std::vector<std::uint64_t> in{1, channels, in_side, in_side};
        std::vector<std::uint64_t> out{1, filters, out_side, out_side};
        if (transposed) {
            std::swap(in, out);
        }
        const std::uint64_t outputs = elements_of(out);
        const TensorId x = tensor(TensorRole::activation, in, "x.npy");
        const TensorId w = tensor(TensorRole::weight, {filters, channels, tap_side, tap_side}, "w.npy");
        const TensorId y = tensor(TensorRole::activation, out, "");
        const TensorId dy = tensor(TensorRole::gradient, out, "dy.npy");
        const TensorId dx = tensor(TensorRole::gradient, in, "");
        const TensorId dw = tensor(TensorRole::weight_gradient, {filters, channels, tap_side, tap_side}, "");
        operation(Phase::forward, conv, {x, w}, y);
        operation(Phase::vector, VectorWork{outputs, {{"copy", 1}}}, {y}, dy);
        operation(Phase::dx, conv, {dy, w}, dx);
        operation(Phase::dw, conv, {x, dy}, dw);
        writer.finish();
        directory_.write("layer.trace", text.str());
    }
};

TEST_F(RecordedConvolution, SumsAreThoseOfTheTextbook) {
    const Layer layer;
    write(layer);
    EXPECT_NO_THROW(check_recorded_values(trace_, {}));
    EXPECT_EQ(run(), expected(layer));
}

class RecordedTransposedConvolution : public RecordedConvolution {
protected:
    RecordedTransposedConvolution() : RecordedConvolution(true) {}
};

TEST_F(RecordedTransposedConvolution, SumsAreThoseOfTheTextbook) {
    const Layer layer = transposed_layer();
    directory_.write("x.npy", test::npy_of_floats("(1, 2, 2, 2)", layer.x));
    directory_.write("w.npy", test::npy_of_floats("(2, 2, 2, 2)", layer.w));
    directory_.write("dy.npy", test::npy_of_floats("(1, 2, 3, 3)", layer.dy));
    EXPECT_NO_THROW(check_recorded_values(trace_, {}));
    EXPECT_EQ(run(), text(expected_transposed_sums(layer), 42));
}

TEST_F(RecordedConvolution, AChangedValueChangesTheSums) {
    Layer layer;
    const std::string before = expected(layer);
    layer.x[x_at(1, 2, 0)] = 9;
    layer.w[w_at(0, 1, 1, 0)] *= -1;
    layer.dy[y_at(1, 0, 1)] = -64;
    write(layer);
    const std::string after = run();
    EXPECT_EQ(after, expected(layer));
    EXPECT_NE(after, before);
}

TEST_F(RecordedConvolution, AllWaysOfStoringGradientsGiveTheSameSums) {
    const Layer layer;
    write(layer);
    for (const GradientStorage storage :
         {GradientStorage::two_codes, GradientStorage::packed_pair, GradientStorage::rerounded}) {
        machine_.gradient_storage = storage;
        EXPECT_EQ(run(), expected(layer));
    }
}

// A file that changes after it was checked does no harm.
TEST_F(RecordedConvolution, LoweringRefusesAFileThatDoesNotFit) {
    write({});
    directory_.write("w.npy", test::npy_of_floats("(3, 5)", std::vector<float>(15, 1.0F)));
    EXPECT_THROW(check_recorded_values(trace_, {}), InputError);
    const TensorPlan plan(trace_, machine_, *options_.recipe, options_.selection);
    Lowering lowering(trace_, plan, machine_, options_);
    try {
        static_cast<void>(lowering.next());
        FAIL() << "nothing was thrown";
    } catch (const InputError& error) {
        // The header and six tensors come first.
        EXPECT_THAT(error.what(), HasSubstr("layer.trace:8: conv: " + directory_.path("w.npy") +
                                            ": expected shape (2, 2, 2, 2), found (3, 5)"));
    }
}

}  // namespace
}  // namespace nibble
