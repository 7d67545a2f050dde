// SPDX-License-Identifier: MIT
// gradient_values FORWARD_TRACE: derives the training step of a trace that holds a forward pass, writes it beside the
// trace as derived.jsonl, and computes each of its GEMMs in binary64 from recorded values: tile by tile, from operands
// as the array is given them. What a tensor called T is recorded as is T.npy in the trace's directory. Prints for each
// GEMM whose result is recorded how far the two are apart, relative to the largest result; used by gradients_smoke.py.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include "sim/base/error.h"
#include "sim/config/machine_config.h"
#include "sim/import/derive/derive_training.h"
#include "sim/input/gemm_direction.h"
#include "sim/input/npy_file.h"
#include "sim/input/trace_reader.h"
#include "sim/input/trace_writer.h"
#include "sim/lowering/gemm_values.h"
#include "tests/support/for_each_tile.h"
#include "tests/support/random_gemm.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;

StepGraph read_graph(const fs::path& path) {
    StepGraph graph;
    TraceReader reader(path);
    graph.header = reader.header();
    while (const auto item = reader.next()) {
        if (const auto* tensor = std::get_if<Tensor>(&*item)) {
            graph.tensors.push_back(*tensor);
        } else {
            graph.operations.push_back(std::get<Operation>(*item));
        }
    }
    return graph;
}

void write_derived(const fs::path& forward, const fs::path& derived) {
    StepGraph graph = read_graph(forward);
    std::ofstream file(derived);
    TraceWriter writer(file, graph.header);
    ImportSummary summary;
    derive_training(
        std::move(graph), {},
        [&](TraceItem item) {
            if (auto* tensor = std::get_if<Tensor>(&item)) {
                const std::string values = tensor->name + ".npy";
                tensor->values = fs::exists(derived.parent_path() / values) ? values : "";
            }
            writer.write(item);
        },
        summary);
    writer.finish();
}

/// Where in the result, as the trace lays it out, the outputs of a tile go, pass after pass.
std::vector<std::size_t> places_of(const Convolution& c, Phase phase, const TileRange& tile) {
    std::vector<std::size_t> places;
    const std::uint64_t c_group = c.c / c.groups;
    const std::uint64_t k_group = c.k / c.groups;
    const std::uint64_t group = tile.batch.begin;
    if (phase == Phase::forward) {
        for (std::uint64_t row = tile.i.begin; row < tile.i.end; ++row) {
            for (std::uint64_t q = 0; q < c.q(); ++q) {
                for (std::uint64_t j = tile.j.begin; j < tile.j.end; ++j) {
                    const std::uint64_t k = group * k_group + j;
                    places.push_back(((row / c.p() * c.k + k) * c.p() + row % c.p()) * c.q() + q);
                }
            }
        }
    } else if (phase == Phase::dx) {
        const std::uint64_t row_groups = (c.h + c.stride_h - 1) / c.stride_h;
        const auto reached = [](std::uint64_t padded, std::uint64_t stride, std::uint64_t taps,
                                std::uint64_t dilation) {
            for (std::uint64_t t = 0; t < taps; ++t) {
                if (padded % stride == t * dilation % stride) {
                    return true;
                }
            }
            return false;
        };
        for (std::uint64_t a = 0; a < c.stride_h; ++a) {
            for (std::uint64_t b = 0; b < c.stride_w; ++b) {
                if (!reached(a + c.pad_top, c.stride_h, c.r, c.dilation_h) ||
                    !reached(b + c.pad_left, c.stride_w, c.s, c.dilation_w)) {
                    continue;  // zero for ever
                }
                for (std::uint64_t i = tile.i.begin; i < tile.i.end; ++i) {
                    const std::uint64_t h = i % row_groups * c.stride_h + a;
                    for (std::uint64_t w = b; h < c.h && w < c.w; w += c.stride_w) {
                        for (std::uint64_t j = tile.j.begin; j < tile.j.end; ++j) {
                            places.push_back(((i / row_groups * c.c + group * c_group + j) * c.h + h) * c.w + w);
                        }
                    }
                }
            }
        }
    } else {
        for (std::uint64_t i = tile.i.begin; i < tile.i.end; ++i) {
            for (std::uint64_t tap = 0; tap < c.r * c.s; ++tap) {
                for (std::uint64_t j = tile.j.begin; j < tile.j.end; ++j) {
                    places.push_back(((group * k_group + i) * c_group + j) * c.r * c.s + tap);
                }
            }
        }
    }
    return places;
}

std::vector<std::size_t> places_of(const Operation& operation, const TileRange& tile) {
    if (const auto* c = std::get_if<Convolution>(&operation.work)) {
        return places_of(*c, computed_as(operation), tile);
    }
    const auto& x = std::get<Matmul>(operation.work);
    std::vector<std::size_t> places;
    for (std::uint64_t b = tile.batch.begin; b < tile.batch.end; ++b) {
        for (std::uint64_t m = tile.i.begin; m < tile.i.end; ++m) {
            for (std::uint64_t n = tile.j.begin; n < tile.j.end; ++n) {
                places.push_back((b * x.m + m) * x.n + n);
            }
        }
    }
    return places;
}

/// Adds a tile's products, of which each is `pass.m` by `pass.k` times `pass.k` by `pass.n`.
void add_products(const std::vector<MatmulPass>& passes, const TileValues& values, std::vector<double>& sums) {
    std::size_t left = 0;
    std::size_t right = 0;
    std::size_t out = 0;
    for (const MatmulPass& pass : passes) {
        for (std::size_t m = 0; m < pass.m; ++m) {
            for (std::size_t k = 0; k < pass.k; ++k) {
                const double factor =
                    static_cast<double>(decode_operand(values.left_format, values.left.at(left + m * pass.k + k)));
                for (std::size_t n = 0; n < pass.n; ++n) {
                    sums.at(out + m * pass.n + n) +=
                        factor * static_cast<double>(
                                     decode_operand(values.right_format, values.right.at(right + k * pass.n + n)));
                }
            }
        }
        left += pass.m * pass.k;
        right += pass.k * pass.n;
        out += pass.m * pass.n;
    }
    if (left != values.left.size() || right != values.right.size() || out != sums.size()) {
        throw ModelError("a tile's operands are not what its passes take");
    }
}

class Check {
public:
    explicit Check(const fs::path& trace)
        : trace_(trace), machine_(load_machine("edge-int4")), values_(trace, machine_, 1, nullptr, false) {}

    /// Returns how many GEMMs were compared.
    std::size_t run() {
        const StepGraph graph = read_graph(trace_);
        std::size_t compared = 0;
        for (const Operation& operation : graph.operations) {
            if (std::holds_alternative<VectorWork>(operation.work)) {
                continue;
            }
            const Tensor& result = graph.tensors[operation.outputs[0]];
            if (!result.values.empty()) {
                compare(operation, graph, result);
                ++compared;
            }
        }
        return compared;
    }

private:
    void compare(const Operation& operation, const StepGraph& graph, const Tensor& result) {
        const std::size_t on_left = left_input(operation);
        const Tensor& left = graph.tensors[operation.inputs[on_left]];
        const Tensor& right = graph.tensors[operation.inputs[1 - on_left]];
        if (left.values.empty() || right.values.empty()) {
            throw ModelError(operation.layer + ": an operand is not recorded");
        }
        const GemmProblem problem(operation, left.elements, right.elements);
        const std::vector<double> made = computed(operation, problem, left, right, result.elements);
        const std::vector<float> expected = NpyFile(trace_.parent_path() / result.values).read();
        double error = 0;
        double largest = 0;
        for (std::size_t i = 0; i < made.size(); ++i) {
            error = std::max(error, std::abs(made[i] - static_cast<double>(expected.at(i))));
            largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
        }
        fmt::print("{} {} {:.3g}\n", operation.layer, static_cast<int>(operation.phase), error / largest);
    }

    std::vector<double> computed(const Operation& operation, const GemmProblem& problem, const Tensor& left,
                                 const Tensor& right, std::uint64_t elements) {
        const GemmPrecision precision{};  // 16 bits
        const Tiling tiling = test::random_tiling(random_, problem, problem.is_matmul());
        static_cast<void>(values_.begin(operation, problem, tiling, precision, left, right));
        std::vector<double> result(elements);
        std::map<std::array<std::uint64_t, 3>, std::vector<double>> open;  // reductions, by where their outputs begin
        for_each_tile(problem, tiling, [&](const TileRange& tile, bool first, bool last) {
            const std::vector<std::size_t> places = places_of(operation, tile);
            std::vector<double>& sums = open[{tile.batch.begin, tile.i.begin, tile.j.begin}];
            if (first) {
                sums.assign(places.size(), 0);
            }
            add_products(problem.passes(tile), *values_.tile(tile, first, last), sums);
            for (std::size_t i = 0; last && i < places.size(); ++i) {
                result.at(places[i]) += sums[i];  // each once, or the comparison finds it
            }
        });
        return result;
    }

    fs::path trace_;
    MachineParameters machine_;
    GemmValues values_;
    test::RandomCase random_{1};
};

}  // namespace
}  // namespace nibble

int main(int argc, char** argv) {
    try {
        const nibble::fs::path forward(argc > 1 ? argv[1] : "");
        const nibble::fs::path derived = forward.parent_path() / "derived.jsonl";
        nibble::write_derived(forward, derived);
        fmt::print("{} compared\n", nibble::Check(derived).run());
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    }
    return 0;
}
