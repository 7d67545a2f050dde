// SPDX-License-Identifier: MIT
// Reductions: an operation's elements are those that are read.
#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sim/import/onnx/onnx_importer.h"

namespace nibble {

namespace {

struct Reduction {
    const char* op;
    const char* before;  ///< of each element
    const char* after;   ///< of the result
    bool square = false;
};
constexpr Reduction reductions[] = {{"ReduceSum", "", ""},
                                    {"ReduceMean", "", ""},
                                    {"ReduceSumTraining", "", ""},
                                    {"ReduceL1", "abs", ""},
                                    {"ReduceLogSum", "", "log"},
                                    {"ReduceLogSumExp", "exp", "log"},
                                    {"ReduceSumSquare", "", "", true},
                                    {"ReduceL2", "", "sqrt", true}};

void reduce(OnnxImporter& importer, const OnnxStep& step) {
    const auto* found =
        std::find_if(std::begin(reductions), std::end(reductions), [&](const auto& r) { return r.op == step.op(); });
    const std::uint64_t read = importer.elements(step, step.input(0));
    const std::uint64_t written = importer.elements(step, step.output(0));
    const bool plain = *found->before == '\0' && *found->after == '\0' && !found->square;
    if (read == written && plain) {
        return importer.alias(step, 0, step.input(0));
    }
    std::vector<VectorStep> steps;
    const TensorId x = importer.tensor(step, step.input(0));
    std::vector<TensorId> inputs{x};
    if (found->square) {
        steps.push_back({"mul"});
        inputs.push_back(x);
    } else if (*found->before != '\0') {
        steps.push_back({found->before});
    }
    steps.push_back({"sum"});
    if (*found->after == '\0') {
        return importer.pass(step, read, steps, inputs, {importer.result(step, 0)});
    }
    const TensorId sums = importer.declare(step, TensorRole::activation, importer.name(step.output(0)) + " sums",
                                           importer.shape(step, step.output(0)));
    importer.pass(step, read, steps, inputs, {sums});
    importer.pass(step, written, {{found->after}}, {sums}, {importer.result(step, 0)});
}

void extreme(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.input(0)), {{"arg_max"}}, {0});
}

}  // namespace

OnnxImportRule onnx_reduction_import(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxImportRule> rules = [] {
        std::unordered_map<std::string_view, OnnxImportRule> all{
            {"ReduceMax", extreme}, {"ReduceMin", extreme}, {"ArgMax", extreme}, {"ArgMin", extreme}};
        for (const Reduction& reduction : reductions) {
            all.emplace(reduction.op, reduce);
        }
        return all;
    }();
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
