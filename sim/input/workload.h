// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/base/error.h"

namespace nibble {

enum class Optimizer : std::uint8_t { sgd, sgd_momentum, adam };
enum class Activation : std::uint8_t { none, relu, relu6, gelu };

/// The image that a network begins with; one sample.
struct ImageLayer {
    std::uint64_t channels = 1, height = 1, width = 1;
};
/// Looks up `length` tokens a sample in a table of `rows`; a table that is not trained is a constant.
struct EmbeddingLayer {
    std::uint64_t length = 1, rows = 1, width = 1;
    bool trained = true;
    std::optional<std::size_t> shared_with;  ///< layer whose weight it uses
};
/// Convolution, then batch normalisation (or a bias), then an activation function.
struct ConvolutionLayer {
    std::uint64_t out = 0;  ///< channels; 0: depthwise, as many as come in
    std::uint64_t kernel = 1, stride = 1, pad = 0, dilation = 1, groups = 1;
    bool bias = false, batch_norm = false;
    Activation activation = Activation::none;
    [[nodiscard]] bool depthwise() const { return out == 0; }
};
/// Product with a weight along the last dimension, then a bias, then an activation function.
struct LinearLayer {
    std::uint64_t out = 1;
    bool bias = true;
    Activation activation = Activation::none;
    std::optional<std::size_t> shared_with;  ///< layer whose weight it uses
};
struct MaxPoolLayer {
    std::uint64_t kernel = 2, stride = 2, pad = 0;
};
/// Mean over height and width.
struct GlobalPoolLayer {};
/// Image to vector; moves no data.
struct FlattenLayer {};
/// Sum of two outputs of one shape, then an activation function.
struct AddLayer {
    Activation activation = Activation::none;
};
struct DropoutLayer {};
struct LayerNormLayer {};
/// Projections to query, key and value, `heads` products of query and key, softmax, product with value, projection.
/// Keys and values come from the second input if there is one (cross attention).
struct AttentionLayer {
    std::uint64_t heads = 1;
    bool dropout = false;  ///< on the probabilities
};
/// One LSTM layer over the whole sequence.
struct LstmLayer {
    std::uint64_t hidden = 1;
};
/// Picks `rows` rows of each sequence (the masked positions of a masked language model).
struct SelectLayer {
    std::uint64_t rows = 1;
};
/// Softmax cross entropy against one label a row: the end of the network.
struct LossLayer {};

struct Layer {
    std::string name;               ///< e.g. "layer1.0.conv1"
    std::string group;              ///< layers reported together, e.g. "layer1"
    SourceLocation where;           ///< in the workload's file, for messages
    std::vector<std::size_t> from;  ///< layers whose outputs it reads, all before it
    std::variant<ImageLayer, EmbeddingLayer, ConvolutionLayer, LinearLayer, MaxPoolLayer, GlobalPoolLayer, FlattenLayer,
                 AddLayer, DropoutLayer, LayerNormLayer, AttentionLayer, LstmLayer, SelectLayer, LossLayer>
        kind;
};

/// A network as a list of layers, each after those that it reads; the last one is the loss.
struct Workload {
    std::string name;
    Optimizer optimizer = Optimizer::sgd_momentum;
    std::vector<Layer> layers;
};

}  // namespace nibble
