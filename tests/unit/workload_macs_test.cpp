// SPDX-License-Identifier: MIT
// Work and size of the built-in networks against published figures, and against sums written out here.
#include <array>
#include <cmath>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "sim/input/operation_size.h"
#include "tests/support/training_step.h"

namespace nibble {
namespace {

struct Macs {
    std::uint64_t forward = 0, dx = 0, dw = 0;
};

Macs macs_per_sample(const std::string& network) {
    Macs macs;
    for (const Operation& operation : training_step(built_in(network), 1).operations) {
        switch (operation.phase) {
            case Phase::forward:
                macs.forward += macs_of(operation);
                break;
            case Phase::dx:
                macs.dx += macs_of(operation);
                break;
            case Phase::dw:
                macs.dw += macs_of(operation);
                break;
            default:
                EXPECT_EQ(macs_of(operation), 0u);
        }
    }
    return macs;
}

/// `value` rounded to the digits that a publication prints.
double rounded(std::uint64_t value, double unit) {
    return std::round(static_cast<double>(value) / unit);
}

struct Published {
    const char* network;
    std::uint64_t first_layer;  ///< MACs of the first layer: P Q K R S C
    double macs, unit;          ///< published MACs are `macs` units, in as many digits as are printed
    double parameters;          ///< in 10,000
};

class ConvolutionalNetwork : public testing::TestWithParam<Published> {};

TEST_P(ConvolutionalNetwork, HasThePublishedWorkAndSize) {
    const Published& published = GetParam();
    const Macs macs = macs_per_sample(published.network);
    EXPECT_EQ(rounded(macs.forward, published.unit), published.macs);
    EXPECT_EQ(macs.dw, macs.forward);
    EXPECT_EQ(macs.dx, macs.forward - published.first_layer);
    EXPECT_EQ(rounded(parameter_count(built_in(published.network)), 1e4), published.parameters);
}

// torchvision's documentation of its models gives GFLOPS (multiply-accumulates) in two digits after the point, 15.47
// for VGG-16, and the parameters 61,100,840, 138,357,544, 11,689,512, 25,557,032 and 3,504,872.
INSTANTIATE_TEST_SUITE_P(Workload, ConvolutionalNetwork,
                         testing::Values(Published{"alexnet", 55 * 55 * 64 * 11 * 11 * 3, 71, 1e7, 6110},
                                         Published{"vgg16", 224 * 224 * 64 * 3 * 3 * 3, 1547, 1e7, 13836},
                                         Published{"resnet18", 112 * 112 * 64 * 7 * 7 * 3, 181, 1e7, 1169},
                                         Published{"resnet50", 112 * 112 * 64 * 7 * 7 * 3, 409, 1e7, 2556},
                                         Published{"mobilenet_v2", 112 * 112 * 32 * 3 * 3 * 3, 30, 1e7, 350}),
                         [](const auto& each) { return std::string(each.param.network); });

TEST(Workload, ResNet18IsTheSumOfItsLayers) {
    // Each stage after the first halves the extent and doubles the channels, so that its 3x3 convolutions cost the
    // same.
    const std::uint64_t stem = 112 * 112 * 64 * 7 * 7 * 3;
    const std::uint64_t conv = std::uint64_t{56} * 56 * 64 * 64 * 3 * 3;  // any 3x3 at constant width
    const std::uint64_t halving = conv / 2;  // the first of a stage: half the input channels
    const std::uint64_t shortcut = 28 * 28 * 128 * 64;
    const std::uint64_t linear = 512 * 1000;
    const std::uint64_t sum = stem + 4 * conv + 3 * (3 * conv + halving + shortcut) + linear;
    EXPECT_EQ(sum, 1'814'073'344u);
    EXPECT_EQ(macs_per_sample("resnet18").forward, sum);
}

TEST(Workload, ResNet50IsTheSumOfItsLayers) {
    std::uint64_t sum = 112 * 112 * 64 * 7 * 7 * 3 + 2048 * 1000;
    const std::array<std::uint64_t, 4> blocks{3, 4, 6, 3};
    std::uint64_t in = 64;
    std::uint64_t extent = 56;  // of the stage's input
    for (std::uint64_t stage = 0; stage < 4; ++stage) {
        const std::uint64_t inner = std::uint64_t{64} << stage;
        const std::uint64_t outer = 4 * inner;
        const std::uint64_t out = stage == 0 ? extent : extent / 2;
        const std::uint64_t area = out * out;
        sum += extent * extent * in * inner + area * (9 * inner * inner + inner * outer + in * outer);  // first block
        sum += (blocks[stage] - 1) * area * (outer * inner + 9 * inner * inner + inner * outer);
        in = outer;
        extent = out;
    }
    EXPECT_EQ(sum, 4'089'184'256u);
    EXPECT_EQ(macs_per_sample("resnet50").forward, sum);
}

TEST(Workload, LstmIsTheSumOfItsSteps) {
    const std::uint64_t steps = 35;
    const std::uint64_t hidden = 650;
    const std::uint64_t gates = 4 * hidden * hidden;  // one product of a step, of the input or of the state
    const std::uint64_t decoder = steps * hidden * 10'000;
    const Macs macs = macs_per_sample("lstm-ptb");
    EXPECT_EQ(macs.forward, 2 * steps * 2 * gates + decoder);
    EXPECT_EQ(macs.dw, macs.forward);
    EXPECT_EQ(macs.dx, macs.forward - 2 * gates);  // no gradient of the state that comes from the batch before
    // Embedding and decoder, decoder's bias, two layers with two weights and one bias: the "20 M" of the literature.
    const std::uint64_t parameters = 2 * 10'000 * hidden + 10'000 + 2 * (2 * gates + 4 * hidden);
    EXPECT_EQ(parameter_count(built_in("lstm-ptb")), parameters);
    EXPECT_EQ(rounded(parameters, 1e6), 20);
}

/// Four projections of a width, and two products of queries and keys; of one sequence.
std::uint64_t attention_macs(std::uint64_t queries, std::uint64_t keys, std::uint64_t width) {
    return 2 * (queries + keys) * width * width + 2 * queries * keys * width;
}

std::uint64_t attention_parameters(std::uint64_t width) {
    return 4 * (width * width + width);
}

std::uint64_t feed_forward_parameters(std::uint64_t width, std::uint64_t inner) {
    return 2 * width * inner + inner + width;
}

TEST(Workload, TransformerIsTheSumOfItsLayers) {
    const std::uint64_t t = 32;
    const std::uint64_t d = 512;
    const std::uint64_t inner = 2048;
    const std::uint64_t vocabulary = 37'000;
    const Macs macs = macs_per_sample("transformer-base");
    EXPECT_EQ(macs.forward, 18 * attention_macs(t, t, d) + 12 * 2 * t * d * inner + t * d * vocabulary);
    EXPECT_EQ(macs.dx, macs.forward);
    EXPECT_EQ(macs.dw, macs.forward);
    EXPECT_EQ(parameter_count(built_in("transformer-base")),
              vocabulary * d + 18 * attention_parameters(d) + 12 * feed_forward_parameters(d, inner) + 30 * 2 * d);
}

TEST(Workload, BertIsTheSumOfItsLayers) {
    const std::uint64_t t = 128;
    const std::uint64_t d = 768;
    const std::uint64_t inner = 3072;
    const std::uint64_t vocabulary = 30'522;
    const Macs macs = macs_per_sample("bert-base");
    EXPECT_EQ(macs.forward,
              12 * (attention_macs(t, t, d) + 2 * t * d * inner) + 20 * (d * d + d * vocabulary));  // 20 predictions
    EXPECT_EQ(macs.dx, macs.forward);
    EXPECT_EQ(macs.dw, macs.forward);
    const std::uint64_t parameters = (vocabulary + 512 + 2) * d + 2 * d +
                                     12 * (attention_parameters(d) + feed_forward_parameters(d, inner) + 4 * d) +
                                     (d * d + d + 2 * d + vocabulary);
    EXPECT_EQ(parameter_count(built_in("bert-base")), parameters);
    EXPECT_EQ(rounded(parameters, 1e7), 11);  // "110M", Devlin et al. section 3
}

TEST(Workload, Gpt2IsTheSumOfItsLayers) {
    const std::uint64_t t = 1024;
    const std::uint64_t d = 768;
    const std::uint64_t vocabulary = 50'257;
    const Macs macs = macs_per_sample("gpt2-small");
    EXPECT_EQ(macs.forward, 12 * (attention_macs(t, t, d) + 2 * t * d * 4 * d) + t * d * vocabulary);
    EXPECT_EQ(macs.dx, macs.forward);
    EXPECT_EQ(macs.dw, macs.forward);
    EXPECT_EQ(parameter_count(built_in("gpt2-small")), 124'439'808u);  // of the published checkpoint
}

TEST(Workload, WorkGrowsWithTheBatch) {
    std::uint64_t macs = 0;
    for (const Operation& operation : training_step(built_in("resnet18"), 16).operations) {
        macs += operation.phase == Phase::forward ? macs_of(operation) : 0;
    }
    EXPECT_EQ(macs, 16 * std::uint64_t{1'814'073'344});
}

}  // namespace
}  // namespace nibble
