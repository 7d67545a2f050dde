// SPDX-License-Identifier: MIT
// Normalisation, softmax, losses and pooling.
#include <string_view>
#include <unordered_map>

#include "sim/import/onnx/onnx_importer.h"
#include "sim/import/onnx/onnx_window.h"

namespace nibble {

namespace {

/// The statistics of the batch, then a second pass that normalises. Outside training, the running statistics are used.
void batch_normalization(OnnxImporter& importer, const OnnxStep& step) {
    const bool said = step.op() == "BatchNormInternal" || step.integer("training_mode", 0) != 0 ||
                      (step.has_output(1) && step.attribute("training_mode") == nullptr);
    const std::uint64_t elements = importer.elements(step, step.output(0));
    const std::uint64_t channels = importer.shape(step, step.input(0))[1];
    std::vector<TensorId> read{importer.tensor(step, step.input(0))};
    if (importer.in_training(said)) {
        const TensorId statistics =
            importer.declare(step, TensorRole::statistic, importer.name(step.output(0)) + ".statistics", {2, channels});
        importer.pass(step, elements, {{"batch_stats"}}, read, {statistics});
        read.push_back(statistics);
        for (std::size_t i = 1; i < step.outputs.size(); ++i) {
            importer.bind(step, i, statistics);
        }
        if (!said) {
            importer.note_once("batch normalisation is taken in training mode: it uses the statistics of the batch");
        }
    } else {
        for (const std::size_t at : {3U, 4U}) {
            read.push_back(importer.tensor(step, step.input(at)));
            importer.set_role(read.back(), TensorRole::statistic);
        }
    }
    read.push_back(importer.tensor(step, step.input(1)));
    read.push_back(importer.tensor(step, step.input(2)));
    importer.pass(step, elements, {{"batch_norm"}}, read, {importer.result(step, 0)});
}

void normalise(OnnxImporter& importer, const OnnxStep& step, std::vector<VectorStep> steps,
               std::vector<std::size_t> inputs) {
    std::vector<TensorId> read;
    for (const std::size_t at : inputs) {
        if (step.has_input(at) && (at == 0 || !importer.immediate(step.input(at)))) {
            read.push_back(importer.tensor(step, step.input(at)));
        }
    }
    std::vector<TensorId> written{importer.result(step, 0)};
    for (std::size_t i = 1; i < step.outputs.size(); ++i) {
        if (importer.wanted(step, i)) {
            written.push_back(importer.result(step, i));
            if (i < 3) {  // mean and deviation of the rows
                importer.set_role(written.back(), TensorRole::statistic);
            }
        }
    }
    importer.pass(step, importer.elements(step, step.input(0)), std::move(steps), read, written);
}

void layer_normalization(OnnxImporter& importer, const OnnxStep& step) {
    normalise(importer, step, {{"layer_norm"}}, {0, 1, 2});
}

void rms_normalization(OnnxImporter& importer, const OnnxStep& step) {
    normalise(importer, step, {{"rms_norm"}}, {0, 1});
}

void group_normalization(OnnxImporter& importer, const OnnxStep& step) {
    normalise(importer, step, {{"group_norm"}}, {0, 1, 2});
}

/// x, skip, scale, shift, bias
void skip_layer_normalization(OnnxImporter& importer, const OnnxStep& step) {
    if (step.has_input(4)) {
        return normalise(importer, step, {{"add"}, {"bias"}, {"layer_norm"}}, {0, 1, 4, 2, 3});
    }
    normalise(importer, step, {{"add"}, {"layer_norm"}}, {0, 1, 2, 3});
}

/// x, skip, scale, bias
void skip_rms_normalization(OnnxImporter& importer, const OnnxStep& step) {
    if (step.has_input(3)) {
        return normalise(importer, step, {{"add"}, {"bias"}, {"rms_norm"}}, {0, 1, 3, 2});
    }
    normalise(importer, step, {{"add"}, {"rms_norm"}}, {0, 1, 2});
}

void softmax(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.output(0)), {{"softmax"}}, {0});
}

void log_softmax(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.output(0)), {{"log_softmax"}}, {0});
}

void hardmax(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.output(0)), {{"arg_max"}, {"compare"}}, {0});
}

/// Takes the label's element of each row, and sums.
void pick_labels(OnnxImporter& importer, const OnnxStep& step, TensorId logarithms) {
    const TensorId labels = importer.tensor(step, step.input(1));
    const std::uint64_t rows = importer.elements(step, step.input(1));
    std::vector<VectorStep> steps{{"gather"}};
    if (importer.elements(step, step.output(0)) < rows) {
        steps.push_back({"sum"});
    }
    importer.pass(step, rows, std::move(steps), {logarithms, labels}, {importer.result(step, 0)});
}

void cross_entropy(OnnxImporter& importer, const OnnxStep& step) {
    const Shape& shape = importer.shape(step, step.input(0));
    const TensorId scores = importer.tensor(step, step.input(0));
    const TensorId logarithms = step.has_output(1)
                                    ? importer.result(step, 1)
                                    : importer.declare(step, TensorRole::activation,
                                                       importer.name(step.output(0)) + ".log_probabilities", shape);
    importer.pass(step, elements_of(shape), {{"log_softmax"}}, {scores}, {logarithms});
    pick_labels(importer, step, logarithms);
}

void negative_log_likelihood(OnnxImporter& importer, const OnnxStep& step) {
    pick_labels(importer, step, importer.tensor(step, step.input(0)));
}

// ---- Pooling

void pool(OnnxImporter& importer, const OnnxStep& step, const char* function, std::uint64_t window) {
    std::vector<TensorId> written{importer.result(step, 0)};
    if (importer.wanted(step, 1)) {  // which operand won
        written.push_back(importer.result(step, 1));
        importer.set_role(written.back(), TensorRole::mask);
    }
    importer.pass(step, importer.elements(step, step.output(0)), {{function, window}},
                  {importer.tensor(step, step.input(0))}, written);
}

std::uint64_t window_of(OnnxImporter& importer, const OnnxStep& step) {
    return elements_of(onnx_kernel(step, importer.shape(step, step.input(0)).size() - 2));
}

std::uint64_t whole_window(OnnxImporter& importer, const OnnxStep& step) {
    const Shape& shape = importer.shape(step, step.input(0));
    return elements_of({shape.begin() + 2, shape.end()});
}

void max_pool(OnnxImporter& importer, const OnnxStep& step) {
    pool(importer, step, "max_pool", window_of(importer, step));
}

void average_pool(OnnxImporter& importer, const OnnxStep& step) {
    pool(importer, step, "avg_pool", window_of(importer, step));
}

void global_max_pool(OnnxImporter& importer, const OnnxStep& step) {
    pool(importer, step, "max_pool", whole_window(importer, step));
}

void global_average_pool(OnnxImporter& importer, const OnnxStep& step) {
    pool(importer, step, "avg_pool", whole_window(importer, step));
}

}  // namespace

OnnxImportRule onnx_normalisation_import(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxImportRule> rules{
        {"BatchNormalization", batch_normalization},
        {"BatchNormInternal", batch_normalization},
        {"LayerNormalization", layer_normalization},
        {"SimplifiedLayerNormalization", rms_normalization},
        {"RMSNormalization", rms_normalization},
        {"InstanceNormalization", group_normalization},
        {"GroupNormalization", group_normalization},
        {"GroupNorm", group_normalization},
        {"SkipLayerNormalization", skip_layer_normalization},
        {"SkipSimplifiedLayerNormalization", skip_rms_normalization},
        {"Softmax", softmax},
        {"LogSoftmax", log_softmax},
        {"Hardmax", hardmax},
        {"SoftmaxCrossEntropyLoss", cross_entropy},
        {"SoftmaxCrossEntropyLossInternal", cross_entropy},
        {"NegativeLogLikelihoodLoss", negative_log_likelihood},
        {"MaxPool", max_pool},
        {"AveragePool", average_pool},
        {"GlobalMaxPool", global_max_pool},
        {"GlobalAveragePool", global_average_pool},
    };
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
