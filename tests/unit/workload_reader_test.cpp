// SPDX-License-Identifier: MIT
#include "sim/input/workload_reader.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/training_step.h"

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string start = "name: n\noptimizer: adam\nimage: [3, 8, 8]\n";

Workload parse(const std::string& text) {
    return read_workload(YamlDocument::from_text(text, "n.yaml"));
}

/// What the user sees of a workload that cannot be read, or that cannot be expanded for a batch of 2.
std::string problems_of(const std::string& text, std::uint64_t batch = 2) {
    try {
        (void)training_step(parse(text), batch);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

/// The problems of layers that start on line 5.
std::string layer_problems(const std::string& layers) {
    return problems_of(start + "layers:\n" + layers);
}

std::string names_of(const Workload& workload) {
    std::string names;
    for (const Layer& layer : workload.layers) {
        names += (names.empty() ? "" : " ") + layer.name;
    }
    return names;
}

TEST(WorkloadReader, ReadsALayer) {
    const Workload workload =
        parse(start +
              "layers:\n"
              "  - {conv: a, group: stem, out: 4, kernel: 3, stride: 2, pad: 1, dilation: 1, groups: 1, "
              "bias: false, act: relu}\n"
              "  - {loss: loss}\n");
    EXPECT_EQ(workload.name, "n");
    EXPECT_EQ(workload.optimizer, Optimizer::adam);
    ASSERT_EQ(workload.layers.size(), 3u);
    EXPECT_EQ(std::get<ImageLayer>(workload.layers[0].kind).channels, 3u);
    const Layer& layer = workload.layers[1];
    EXPECT_EQ(layer.group, "stem");
    EXPECT_EQ(layer.where.line, 5u);
    EXPECT_THAT(layer.from, ElementsAre(0u));
    const auto& conv = std::get<ConvolutionLayer>(layer.kind);
    EXPECT_EQ(conv.out, 4u);
    EXPECT_EQ(conv.stride, 2u);
    EXPECT_FALSE(conv.bias);
    EXPECT_EQ(conv.activation, Activation::relu);
    EXPECT_EQ(workload.layers[2].group, "loss");
}

TEST(WorkloadReader, BlocksAreWrittenOutWithTheirParametersAndNames) {
    const Workload workload = parse(start +
                                    "blocks:\n"
                                    "  inner:\n"
                                    "    - {conv: a, out: $k, kernel: 1}\n"
                                    "    - {add: sum, from: [a, input]}\n"
                                    "  outer:\n"
                                    "    - {block: inner, name: x, with: {k: $channels}}\n"
                                    "layers:\n"
                                    "  - {block: outer, name: stage, first: 1, repeat: 2, with: {channels: 3}}\n"
                                    "  - {conv: last, out: 1, kernel: 1, from: stage}\n"
                                    "  - {loss: loss}\n");
    EXPECT_EQ(names_of(workload), "image stage.1.x.a stage.1.x.sum stage.2.x.a stage.2.x.sum last loss");
    EXPECT_EQ(workload.layers[1].group, "stage");
    EXPECT_THAT(workload.layers[2].from, ElementsAre(1u, 0u));
    EXPECT_THAT(workload.layers[4].from, ElementsAre(3u, 2u));
    EXPECT_THAT(workload.layers[5].from, ElementsAre(4u));
    EXPECT_EQ(std::get<ConvolutionLayer>(workload.layers[3].kind).out, 3u);
}

TEST(WorkloadReader, ReportsWrongKeys) {
    EXPECT_EQ(layer_problems("  - {conv: a, out: 4, kernl: 3}\n"),
              "n.yaml:5:23: layers[0]: unknown key 'kernl' (did you mean 'kernel'?)");
    EXPECT_EQ(layer_problems("  - {conv: a, kernel: 3}\n  - {loss: l}\n"), "n.yaml:5:5: layers[0]: missing key 'out'");
    EXPECT_EQ(layer_problems("  - {conf: a, out: 4}\n"),
              "n.yaml:5:5: layers[0]: expected a layer with one of the keys block, conv, depthwise, linear, max_pool, "
              "global_pool, flatten, add, dropout, layer_norm, attention, lstm, embedding, select, loss");
    EXPECT_EQ(layer_problems("  - {conv: a, linear: b, out: 4}\n"),
              "n.yaml:5:23: layers[0].linear: the layer is a 'conv' already");
    EXPECT_EQ(layer_problems("  - {conv: a, out: four, kernel: 3}\n"),
              "n.yaml:5:20: layers[0].out: expected a whole number from 1 to 4294967296, found 'four'");
    EXPECT_EQ(layer_problems("  - {conv: a.b, out: 4, kernel: 3}\n"),
              "n.yaml:5:12: layers[0].conv: expected a name without '.', '$' and spaces");
    EXPECT_EQ(layer_problems("  - {conv: a, out: 4, kernel: 3, norm: batch, bias: true}\n"),
              "n.yaml:5:47: layers[0]: unknown key 'bias'");
    EXPECT_EQ(layer_problems("  - {conv: a, out: 4, kernel: 3, act: rely}\n"),
              "n.yaml:5:39: layers[0].act: expected one of relu, relu6, gelu, found 'rely' (did you mean 'relu'?)");
    EXPECT_EQ(layer_problems("  - 3\n"), "n.yaml:5:5: layers[0]: expected a map, found '3'");
    EXPECT_EQ(problems_of("name: n\noptimizer: adan\nlayers: []\n"),
              "n.yaml:2:12: optimizer: expected one of sgd, sgd_momentum, adam, found 'adan' (did you mean 'adam'?)");
    EXPECT_EQ(problems_of("name: n\noptimizer: adam\nimage: [3, 8]\nlayers: []\n"),
              "n.yaml:3:8: image: expected [channels, height, width]");
}

TEST(WorkloadReader, ReportsWrongReferences) {
    EXPECT_EQ(layer_problems("  - {conv: a, out: 4, kernel: 3, from: imag}\n"),
              "n.yaml:5:40: layers[0].from: no layer 'imag' before this line (did you mean 'image'?)");
    EXPECT_EQ(layer_problems("  - {add: a, from: image}\n"),
              "n.yaml:5:5: layers[0]: expected 2 layers in 'from', found 1");
    EXPECT_EQ(layer_problems("  - {embedding: a, length: 1, rows: 2, width: 3, from: image}\n"),
              "n.yaml:5:5: layers[0]: expected 0 layers in 'from', found 1");
    EXPECT_EQ(layer_problems("  - {dropout: a}\n  - {dropout: a}\n"),
              "n.yaml:6:5: layers[1]: there is a layer 'a' already");
    EXPECT_EQ(problems_of("name: n\noptimizer: adam\nlayers:\n  - {dropout: a}\n"),
              "n.yaml:4:5: layers[0]: there is no layer before this one to read from");
}

TEST(WorkloadReader, ReportsWrongBlocks) {
    const auto problem = [](const std::string& block, const std::string& use) {
        return problems_of(start + "blocks:\n  b:\n    - " + block + "\nlayers:\n  - " + use + "\n  - {loss: l}\n");
    };
    EXPECT_EQ(problem("{dropout: d}", "{block: bb, name: x}"),
              "n.yaml:8:13: layers[0].block: there is no block 'bb' (did you mean 'b'?)\n"
              "n.yaml:6:5: blocks.b: the block is never used");
    EXPECT_EQ(problem("{conv: c, out: $chanels, kernel: 1}", "{block: b, name: x, with: {channels: 3}}"),
              "n.yaml:6:22: blocks.b[0].out: unknown parameter '$chanels' (did you mean 'channels'?)");
    EXPECT_EQ(problem("{conv: c, out: $k, kernel: 1}", "{block: b, name: x, with: {k: 0}}"),
              "n.yaml:6:22: blocks.b[0].out: expected a whole number from 1 to 4294967296, found $k = 0");
    EXPECT_EQ(problem("{conv: c, out: $k, kernel: 1}", "{block: b, name: x, with: {k: 3, m: 4}}"),
              "n.yaml:8:41: layers[0].with.m: block 'b' has no parameter 'm'");
    EXPECT_THAT(problem("{block: b, name: y}", "{block: b, name: x}"),
                HasSubstr("blocks inside blocks more than 8 deep"));
    EXPECT_EQ(problem("{conv: c, out: 3, kernel: x}", "{block: b, name: x, repeat: 3}"),  // once, not three times
              "n.yaml:6:33: blocks.b[0].kernel: expected a whole number from 1 to 65536, found 'x'");
}

TEST(WorkloadReader, ABombOfBlocksIsRefused) {
    std::string text = start + "blocks:\n  b0:\n    - {dropout: d}\n";
    for (int i = 1; i < 5; ++i) {
        text += "  b" + std::to_string(i) + ":\n    - {block: b" + std::to_string(i - 1) + ", name: x, repeat: 1000}\n";
    }
    EXPECT_THAT(problems_of(text + "layers:\n  - {block: b4, name: x}\n"), HasSubstr("more than 10000 layers"));
}

TEST(WorkloadExpansion, ReportsLayersThatDoNotFit) {
    const std::string loss = "  - {loss: l}\n";
    EXPECT_EQ(layer_problems("  - {conv: a, out: 4, kernel: 9}\n" + loss),
              "n.yaml:5:5: a: a window of 9x9 does not fit a padded input of 8x8");
    EXPECT_EQ(layer_problems("  - {conv: a, out: 4, kernel: 1, groups: 2}\n" + loss),
              "n.yaml:5:5: a: 2 groups do not divide 3 input and 4 output channels");
    EXPECT_EQ(layer_problems("  - {max_pool: a, kernel: 9}\n" + loss),
              "n.yaml:5:5: a: a window of 9 does not fit a padded input of 8");
    EXPECT_EQ(layer_problems("  - {conv: a, out: 4, kernel: 1}\n  - {add: b, from: [a, image]}\n" + loss),
              "n.yaml:6:5: b: cannot add [2,4,8,8] and [2,3,8,8]");
    EXPECT_EQ(layer_problems("  - {flatten: f}\n  - {conv: a, out: 4, kernel: 1}\n" + loss),
              "n.yaml:6:5: a: expected an image as input, but 'f' gives 2 dimensions");
    EXPECT_EQ(layer_problems("  - {attention: a, heads: 2}\n" + loss),
              "n.yaml:5:5: a: expected a sequence as input, but 'image' gives 4 dimensions");
    const std::string words = "  - {embedding: w, length: 4, rows: 9, width: 6}\n";
    EXPECT_EQ(problems_of("name: n\noptimizer: adam\nlayers:\n" + words + "  - {attention: a, heads: 4}\n" + loss),
              "n.yaml:5:5: a: 4 heads do not divide a width of 6");
    EXPECT_EQ(problems_of("name: n\noptimizer: adam\nlayers:\n" + words + "  - {select: s, rows: 5}\n" + loss),
              "n.yaml:5:5: s: cannot pick 5 rows of a sequence of 4");
    EXPECT_EQ(problems_of("name: n\noptimizer: adam\nlayers:\n" + words + "  - {linear: o, out: 8, share: w}\n" + loss),
              "n.yaml:5:5: o: cannot share the weight of 'w': it is not [8, 6]");
    EXPECT_EQ(problems_of("name: n\noptimizer: adam\nlayers:\n" + words +
                          "  - {embedding: m, length: 4, rows: 9, width: 5}\n"
                          "  - {attention: a, heads: 2, from: w, memory: m}\n" +
                          loss),
              "n.yaml:6:5: a: expected a memory of width 6");
}

TEST(WorkloadExpansion, ReportsLooseEnds) {
    EXPECT_EQ(layer_problems("  - {flatten: f}\n"), "n.yaml:5:5: f: the last layer must be the loss");
    EXPECT_EQ(layer_problems("  - {loss: l}\n  - {flatten: f, from: image}\n  - {loss: m}\n"),
              "n.yaml:5:5: l: the loss must be the last layer");
    EXPECT_EQ(layer_problems("  - {flatten: f}\n  - {loss: l, from: image}\n"),
              "n.yaml:5:5: f: no layer reads its output");
}

TEST(WorkloadExpansion, ReportsWhatIsTooLarge) {
    // 3 x 8 x 8 x 2^42 elements are above 2^48.
    EXPECT_EQ(problems_of(start + "layers:\n  - {flatten: f}\n  - {loss: l}\n", std::uint64_t{1} << 42U),
              "n.yaml:3:8: image: a tensor of [4398046511104, 3, 8, 8] has more than 281474976710656 elements");
    EXPECT_EQ(
        layer_problems(
            "  - {conv: a, out: 4294967296, kernel: 1}\n  - {conv: b, out: 4294967296, kernel: 1}\n  - {loss: l}\n"),
        "n.yaml:6:5: b: a tensor of [4294967296, 4294967296, 1, 1] has more than 281474976710656 elements");
    // Image 2 x 192 elements by 2^32 outputs are allowed, 2^32 by 2^17 operands with 2^22 rows are not.
    EXPECT_EQ(problems_of("name: n\noptimizer: adam\nlayers:\n"
                          "  - {embedding: w, length: 1024, rows: 9, width: 131072}\n"
                          "  - {linear: o, out: 67108864}\n  - {loss: l}\n"),
              "n.yaml:5:5: o: more than 9007199254740992 multiply-accumulates");
}

TEST(WorkloadExpansion, AnEmptyWorkloadIsRefused) {
    EXPECT_EQ(problems_of("name: n\noptimizer: adam\nlayers: []\n"), "n.yaml:3:9: layers: expected at least one layer");
}

}  // namespace
}  // namespace nibble
