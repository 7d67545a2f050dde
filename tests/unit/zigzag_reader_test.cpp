// SPDX-License-Identifier: MIT
#include "sim/import/tables/zigzag_reader.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/import/tables/zigzag_equation.h"
#include "sim/input/operation_size.h"
#include "tests/support/imported_graph.h"

namespace nibble {
namespace {

using test::expect_writable;
using test::Imported;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Imported import_text(const std::string& text, const ImportOptions& options = {}) {
    const test::Folder folder;
    Imported imported;
    ByteSource source(folder.add("net.yaml", text), [](std::string_view) { return true; });
    imported.graph = read_zigzag(source, options, imported.summary);
    return imported;
}

std::string problems_of(const std::string& text, const ImportOptions& options = {}) {
    return test::problems_of([&] { return import_text(text, options); });
}

/// A layer of the workload; `rest` are lines of two blanks, a key and a value.
std::string layer(int id, const std::string& type, const std::string& equation, const std::string& dims,
                  const std::string& sizes, const std::string& rest = "") {
    return "- id: " + std::to_string(id) + "\n  operator_type: " + type + "\n  equation: " + equation +
           "\n  loop_dims: [" + dims + "]\n  loop_sizes: [" + sizes + "]\n" + rest;
}

const std::string conv_equation = "O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]";
const std::string conv_dims = "B, K, C, OY, OX, FY, FX";
const std::string relations = "  dimension_relations: [ix=1*ox+1*fx, iy=1*oy+1*fy]\n";
const std::string strided = "  dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]\n";
const std::string eight_bits = "  operand_precision: {W: 8, I: 8, O: 16, O_final: 8}\n";

std::string conv(int id, const std::string& sizes, const std::string& rest = relations) {
    return layer(id, "Conv", conv_equation, conv_dims, sizes, rest);
}

TEST(ZigZagReader, ReadsAConvolution) {
    // Windows: 2 x (112 - 1) + 7 = 229 rows and columns.
    const Imported net = import_text(conv(0, "2, 64, 3, 112, 112, 7, 7", strided + eight_bits));
    EXPECT_EQ(net.conv(0),
              (Convolution{.n = 2, .c = 3, .h = 229, .w = 229, .k = 64, .r = 7, .s = 7, .stride_h = 2, .stride_w = 2}));
    EXPECT_EQ(net.macs(), 2ULL * 64 * 3 * 112 * 112 * 49);
    EXPECT_EQ(net.gemms()[0].operand_bits, (OperandBits{8, 8, 8}));
    EXPECT_EQ(net.graph.header.batch, 2U);
    EXPECT_THAT(net.layers(), ElementsAre("Conv_0"));
    EXPECT_EQ(net.summary.format, "zigzag");
    expect_writable(net.graph);
}

TEST(ZigZagReader, ReadsSizesAndPaddingAsTheOnnxExportWritesThem) {
    const std::string equation = "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]";
    const std::string text =
        layer(3, "Conv", equation, "B, K, G, OX, OY, C, FX, FY", "1, 64, 1, 28, 14, 16, 3, 3",
              "  name: /layer2/conv1\n  dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]\n"
              "  operand_source: {I: 3, W: 3}\n  pr_loop_dims: [IX, IY]\n  pr_loop_sizes: [56, 28]\n"
              "  padding: [[1, 1], [1, 1]]\n  time_dim: ''\n");
    EXPECT_EQ(import_text(text).conv(0), (Convolution{.n = 1,
                                                      .c = 16,
                                                      .h = 28,
                                                      .w = 56,
                                                      .k = 64,
                                                      .r = 3,
                                                      .s = 3,
                                                      .stride_h = 2,
                                                      .stride_w = 2,
                                                      .pad_top = 1,
                                                      .pad_bottom = 1,
                                                      .pad_left = 1,
                                                      .pad_right = 1}));
    EXPECT_EQ(import_text(text).macs(), 64ULL * 16 * 28 * 14 * 9);
    EXPECT_THAT(import_text(text).layers(), ElementsAre("/layer2/conv1"));
}

TEST(ZigZagReader, RecognisesGroupsByTheEquation) {
    const std::string depthwise = "O[b][g][oy][ox]+=W[g][fy][fx]*I[b][g][iy][ix]";
    const Convolution dw =
        import_text(layer(0, "Conv", depthwise, "B, G, OY, OX, FY, FX", "1, 32, 7, 7, 3, 3", relations)).conv(0);
    EXPECT_TRUE(dw.depthwise());
    EXPECT_EQ(dw, (Convolution{.n = 1, .c = 32, .h = 9, .w = 9, .k = 32, .r = 3, .s = 3, .groups = 32}));
    const std::string grouped = "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]";
    const Convolution g =
        import_text(layer(0, "Gemm", grouped, "B, G, K, C, OY, OX, FY, FX", "1, 4, 8, 2, 7, 7, 3, 3", relations))
            .conv(0);
    EXPECT_EQ(g.groups, 4U);
    EXPECT_EQ(g.c, 8U);
    EXPECT_EQ(g.k, 32U);
    EXPECT_EQ(macs_of(import_text(
                          layer(0, "Conv", grouped, "B, G, K, C, OY, OX, FY, FX", "1, 4, 8, 2, 7, 7, 3, 3", relations))
                          .gemms()[0]),
              4ULL * 8 * 2 * 7 * 7 * 9);
}

TEST(ZigZagReader, RecognisesMatrixProducts) {
    // The operand that is named I is the left one, wherever it stands.
    const Imported gemm = import_text(
        layer(0, "Gemm", "O[b][k]+=I[b][c]*W[c][k]", "B, C, K", "512, 64, 32", "  dimension_relations: []\n"));
    EXPECT_EQ(gemm.matmul(0), (Matmul{.m = 512, .n = 32, .k = 64}));
    EXPECT_EQ(import_text(layer(0, "Conv", "O[b][k] += W[k][c] * I[b][c]", "B, C, K", "512, 64, 32")).matmul(0),
              (Matmul{.m = 512, .n = 32, .k = 64, .right_transposed = true}));
    EXPECT_EQ(
        import_text(layer(0, "Gemm", "O[h][b][k]+=I[h][c][b]*W[h][c][k]", "H, B, C, K", "8, 512, 64, 32")).matmul(0),
        (Matmul{.batch = 8, .m = 512, .n = 32, .k = 64, .left_transposed = true}));
    // A 1x1 convolution of a 1x1 image is one, too: 512 -> 1000.
    EXPECT_EQ(import_text(conv(0, "1, 1000, 512, 1, 1, 1, 1")).matmul(0),
              (Matmul{.m = 1, .n = 1000, .k = 512, .right_transposed = true}));
    EXPECT_EQ(gemm.gemms()[0].operand_bits, std::nullopt);
}

TEST(ZigZagReader, JoinsLayersWhereOperandSourceSays) {
    // conv 8 x 8 -> 8 x 8, padded by 1; pool by 2; residual addition of two convolutions; product of two activations.
    const std::string pool = "O[b][g][oy][ox]+=W[fx][fy]*I[b][g][iy][ix]";
    const Imported net = import_text(
        conv(0, "1, 16, 3, 8, 8, 3, 3", relations + "  operand_source: {I: 0, W: 0}\n") +
        layer(1, "Pooling", pool, "B, G, OY, OX, FX, FY", "1, 16, 4, 4, 2, 2",
              strided + "  operand_source: {I: 0, W: 1}\n") +
        conv(2, "1, 16, 16, 4, 4, 3, 3", relations + "  operand_source: {I: 1, W: 2}\n") +
        layer(3, "Add", "O[b][g][oy][ox]=W[b][g][oy][ox]+I[b][g][oy][ox]", "B, G, OY, OX", "1, 16, 4, 4",
              "  operand_source: {W: 1, I: 2}\n") +
        conv(4, "1, 8, 16, 2, 2, 3, 3", strided + "  operand_source: {I: 3, W: 4}\n") +
        layer(5, "Gemm", "O[m][n]+=I[m][k]*W[k][n]", "M, N, K", "8, 8, 4", "  operand_source: {I: 4, W: 4}\n"));
    ASSERT_EQ(net.graph.operations.size(), 6U);
    const auto& operations = net.graph.operations;
    for (std::size_t i = 1; i < operations.size(); ++i) {
        EXPECT_EQ(operations[i].inputs[0], operations[i - 1].outputs[0]) << i;
    }
    EXPECT_EQ(operations[3].inputs[1], operations[1].outputs[0]);
    EXPECT_EQ(operations[5].inputs[1], operations[4].outputs[0]);
    // 4 x 4 images under 3 x 3 windows: 6 rows are covered, 1 is added on each side.
    EXPECT_EQ(net.conv(1), (Convolution{.n = 1,
                                        .c = 16,
                                        .h = 4,
                                        .w = 4,
                                        .k = 16,
                                        .r = 3,
                                        .s = 3,
                                        .pad_top = 1,
                                        .pad_bottom = 1,
                                        .pad_left = 1,
                                        .pad_right = 1}));
    // Stride 2: windows cover 2 + 3 = 5 rows, and 1 is added above.
    EXPECT_EQ(net.conv(2), (Convolution{.n = 1,
                                        .c = 16,
                                        .h = 4,
                                        .w = 4,
                                        .k = 8,
                                        .r = 3,
                                        .s = 3,
                                        .stride_h = 2,
                                        .stride_w = 2,
                                        .pad_top = 1,
                                        .pad_left = 1}));
    const auto& pooling = std::get<VectorWork>(operations[1].work);
    EXPECT_EQ(pooling.elements, 16U * 4 * 4);
    EXPECT_EQ(pooling.steps[0].function, "max_pool");
    EXPECT_EQ(pooling.steps[0].repeat, 4U);
    EXPECT_EQ(std::get<VectorWork>(operations[3].work).steps[0].function, "add");
    EXPECT_EQ(net.graph.tensors[operations[5].inputs[1]].role, TensorRole::activation);
    EXPECT_FALSE(net.graph.layers_disconnected);
    EXPECT_EQ(operations[0].position, Position::first);
    EXPECT_EQ(operations[5].position, Position::last);
    EXPECT_THAT(net.summary.notes, Contains(HasSubstr("2 layers: padded")));
    expect_writable(net.graph);
}

TEST(ZigZagReader, LayersThatDoNotFitReadTensorsOfTheirOwn) {
    const Imported net = import_text(conv(0, "1, 16, 3, 8, 8, 3, 3") +
                                     conv(1, "1, 16, 8, 8, 8, 3, 3", relations + "  operand_source: {I: 0, W: 1}\n"));
    EXPECT_NE(net.gemms()[1].inputs[0], net.gemms()[0].outputs[0]);
    EXPECT_THAT(net.summary.notes, Contains(HasSubstr("first in layer 'Conv_1'")));
    EXPECT_TRUE(net.graph.layers_disconnected);
    expect_writable(net.graph);
}

TEST(ZigZagReader, LayersWithoutSourcesAreDisconnected) {
    const Imported net = import_text(conv(0, "1, 16, 3, 8, 8, 3, 3") + conv(1, "1, 16, 16, 8, 8, 3, 3"));
    EXPECT_TRUE(net.graph.layers_disconnected);
    EXPECT_THAT(net.summary.notes, IsEmpty());
}

TEST(ZigZagReader, TellsPoolingByItsName) {
    const auto function = [](const std::string& type, const std::string& sizes) {
        const Imported net = import_text(
            layer(0, type, "O[b][g][oy][ox]+=W[fx][fy]*I[b][g][iy][ix]", "B, G, OY, OX, FX, FY", sizes, relations));
        return std::get<VectorWork>(net.graph.operations.at(0).work).steps.at(0).function;
    };
    EXPECT_EQ(function("MaxPool", "1, 8, 1, 1, 3, 3"), "max_pool");
    EXPECT_EQ(function("AveragePool", "1, 8, 4, 4, 3, 3"), "avg_pool");
    EXPECT_EQ(function("GlobalAveragePool", "1, 8, 1, 1, 3, 3"), "avg_pool");
    EXPECT_EQ(function("Pooling", "1, 8, 1, 1, 7, 7"), "avg_pool");  // covers the image
    EXPECT_EQ(function("Pooling", "1, 8, 4, 4, 3, 3"), "max_pool");
}

TEST(ZigZagReader, CarriesWidthsOver) {
    const auto bits = [](const std::string& precision) {
        return import_text(conv(0, "1, 2, 3, 4, 4, 3, 3", relations + "  operand_precision: " + precision + "\n"))
            .gemms()[0]
            .operand_bits;
    };
    EXPECT_EQ(bits("{W: 4, I: 2, O: 24}"), (OperandBits{2, 4, 24}));
    EXPECT_EQ(bits("{W: 4, I: 2, O: 24, O_final: 8}"), (OperandBits{2, 4, 8}));
    EXPECT_EQ(bits("{O: 24}"), std::nullopt);
    EXPECT_EQ(bits("{W: 0, I: 8, O: 24}"), std::nullopt);
}

TEST(ZigZagReader, TheBatchMultipliesEveryLayer) {
    ImportOptions options;
    options.batch = 4;
    const Imported net = import_text(
        conv(0, "2, 16, 3, 8, 8, 3, 3", relations + "  operand_source: {I: 0, W: 0}\n") +
            layer(1, "Add", "O[b][g][oy][ox]=W[b][g][oy][ox]+I[b][g][oy][ox]", "B, G, OY, OX", "2, 16, 8, 8",
                  "  operand_source: {W: 0, I: 0}\n") +
            layer(2, "Gemm", "O[m][n]+=I[m][k]*W[k][n]", "M, N, K", "2, 10, 1024", "  operand_source: {I: 1, W: 2}\n") +
            layer(3, "Gemm", "O[m][n]+=I[m][k]*W[n][k]", "M, N, K", "2, 2, 10", "  operand_source: {I: 2, W: 2}\n"),
        options);
    EXPECT_EQ(net.graph.header.batch, 8U);
    EXPECT_EQ(net.conv(0).n, 8U);
    EXPECT_EQ(std::get<VectorWork>(net.graph.operations[1].work).elements, 8U * 16 * 8 * 8);
    EXPECT_EQ(net.matmul(1).m, 8U);
    EXPECT_EQ(net.matmul(2), (Matmul{.batch = 4, .m = 2, .n = 2, .k = 10, .right_transposed = true}));
    EXPECT_FALSE(net.graph.layers_disconnected);
    expect_writable(net.graph);
}

TEST(ZigZagReader, CountsWhatItDoesNotRecognise) {
    const Imported net = import_text(
        layer(7, "Conv", "O[b][z][y][x]+=W[b][f]*I[b][iz][y][x]", "B, Z, Y, X, F, Q", "1, 2, 2, 2, 3, 5",
              "  dimension_relations: [iz=1*z+1*f]\n  operand_precision: {W: 8, I: 8, O: 8}\n") +
        layer(8, "Gemm", "O[m][n]+=I[m][k]*W[k][n]", "M, N, K", "2, 2, 4", "  operand_source: {I: 7, W: 8}\n"));
    ASSERT_EQ(net.summary.unrecognised.count("Conv"), 1U);
    EXPECT_EQ(net.summary.unrecognised.at("Conv").calls, 1U);
    EXPECT_EQ(net.summary.unrecognised.at("Conv").bytes, 8U + 3 + 16);  // O 2x2x2, W 1x3, I (2 + 3 - 1)x2x2
    EXPECT_THAT(net.summary.unrecognised.at("Conv").reason, HasSubstr("dimension 'q' of size 5"));
    EXPECT_EQ(net.gemms().size(), 1U);
    EXPECT_THAT(import_text(conv(0, "1, 2, 3, 4, 4, 3, 3", relations + "  colour: red\n")).summary.notes,
                Contains(HasSubstr("'colour'")));
}

TEST(ZigZagReader, ReportsWhatIsWrongWithItsPlace) {
    EXPECT_EQ(problems_of(conv(0, "1, 64, 64, 56, 56, 3")),
              "net.yaml:5:15: [0].loop_sizes: expected 7 sizes, one for each of loop_dims, found 6\n");
    EXPECT_THAT(problems_of(conv(0, "1, 64, 64, -56, 56, 3, 3")),
                HasSubstr("net.yaml:5:27: [0].loop_sizes[3]: expected a whole number of at least 1, found '-56'"));
    EXPECT_THAT(problems_of(conv(0, "1, 64, 0, 56, 56, 3, x")), HasSubstr("found 'x'"));
    EXPECT_THAT(problems_of(conv(0, "1, 64, 64, 56, 56, 3, 3", "")),
                HasSubstr("index 'ix' is neither in loop_dims nor in dimension_relations"));
    EXPECT_THAT(problems_of(conv(0, "1, 2, 3, 4, 5, 3, 3") + conv(0, "1, 2, 3, 4, 5, 3, 3")),
                HasSubstr("net.yaml:7:3: [1]: a second layer with id 0"));
    EXPECT_THAT(problems_of(conv(0, "1, 2, 3, 4, 5, 3, 3", relations + "  operand_source: {I: 1, W: 0}\n")),
                HasSubstr("I is the result of layer 1, which does not stand before it"));
    EXPECT_THAT(problems_of("- {id: 0}\n- 5\n"), HasSubstr("missing key 'equation'"));
    EXPECT_THAT(problems_of(conv(
                    0, "1, 2, 3, 4, 4, 3, 3",
                    relations + "  pr_loop_dims: [IX, IY]\n  pr_loop_sizes: [60, 4]\n  padding: [[1, 1], [1, 1]]\n")),
                HasSubstr("an input of 62 with padding, where the windows cover 6"));
    EXPECT_THAT(problems_of(conv(0, "1, 2, 3, 4, 4, 3, 3",
                                 relations + "  pr_loop_dims: [IX, IY]\n  padding: [[3, 3], [1, 1]]\n")),
                HasSubstr("padding leaves nothing of the input"));
    EXPECT_THAT(
        problems_of(conv(0, "1, 2, 3, 4, 4, 3, 3", relations + "  pr_loop_dims: [IX]\n  padding: [[1], 3, 4]\n")),
        HasSubstr("expected 1 values, one for each of pr_loop_dims, found 3"));
    EXPECT_THAT(problems_of(conv(0, "1, 2, 3, 4, 4, 3, 3", relations + "  operand_precision: {W: 64}\n")),
                HasSubstr("expected a whole number from 0 to 32, found '64'"));
}

TEST(ZigZagReader, RefusesWhatIsNoEquation) {
    for (const std::string equation : {"'O[b][k]'", "'O[b]+=W[b]'", "'O[b]+=W[b]*I[b]*J[b]'", "'O[b+=W[b]*I[b]'",
                                       "'+=W[b]*I[b]'", "'O[b]-=W[b]*I[b]'", "[a, b]", "''", "{a: b}"}) {
        EXPECT_THAT(problems_of(layer(0, "Gemm", equation, "B", "2")), HasSubstr("net.yaml:3:13: [0].equation: "))
            << equation;
    }
    for (const std::string relation :
         {"ix", "ix=", "ix=2*", "ix=2**ox", "ix=ox+", "ix=ox fx", "=ox", "ix=a*ox", "ix=99999999999999999999*ox"}) {
        EXPECT_THAT(problems_of(conv(0, "1, 2, 3, 4, 4, 3, 3", "  dimension_relations: ['" + relation + "']\n")),
                    HasSubstr("[0].dimension_relations[0]: expected"))
            << relation;
    }
}

TEST(ZigZagReader, RefusesSizesThatNoTraceHolds) {
    const std::string huge = "4611686018427387904";  // 2^62
    for (int at = 0; at < 7; ++at) {
        std::string sizes;
        for (int i = 0; i < 7; ++i) {
            sizes += (i == 0 ? "" : ", ") + (i == at ? huge : std::string("3"));
        }
        EXPECT_THAT(problems_of(conv(0, sizes)), HasSubstr("elements")) << sizes;
    }
    EXPECT_THAT(problems_of(layer(0, "Gemm", "O[m][n]+=I[m][k]*W[k][n]", "M, N, K", "16777216, 16777216, 16777216")),
                HasSubstr("more than 2^53 multiply-accumulates"));
    ImportOptions options;
    options.batch = std::uint64_t{1} << 62U;
    EXPECT_THAT(problems_of(conv(0, "1, 2, 3, 4, 4, 3, 3"), options), HasSubstr("expected a batch"));
    options.batch = std::uint64_t{1} << 31U;
    EXPECT_THAT(problems_of(conv(0, "1, 64, 64, 56, 56, 3, 3"), options), HasSubstr("more than"));
    EXPECT_THAT(problems_of(layer(0, "Add", "O[b]=W[b]+I[b]", "B", "281474976710656"), options),
                HasSubstr("more than"));
    const std::string factor = "  dimension_relations: [ix=4000000000*ox+1*fx, iy=1*oy+1*fy]\n";
    const Imported wide = import_text(conv(0, "1, 2, 3, 4, 4, 3, 3", factor));
    EXPECT_THAT(wide.summary.unrecognised.at("Conv").reason, HasSubstr("a factor outside 1 to 1048576"));
}

TEST(ZigZagReader, RefusesGarbage) {
    EXPECT_THAT(problems_of("a: b\n"), HasSubstr("expected a list"));
    EXPECT_THAT(problems_of("[]\n"), HasSubstr("the workload has no layers"));
    EXPECT_THAT(problems_of("\x00\x01\x02"), Not(IsEmpty()));
    EXPECT_THAT(problems_of(std::string(100'000, '[')), HasSubstr("nested more than 64 levels deep"));
    EXPECT_THAT(problems_of("- &a [*a]\n"), Not(IsEmpty()));
    EXPECT_THAT(problems_of("- {id: 0, equation: [}\n"), HasSubstr("not valid YAML"));
    std::string dims = "X0";
    std::string indices;
    std::string sizes = "1";
    for (int i = 1; i < 5'000; ++i) {
        dims += ", X" + std::to_string(i);
        sizes += ", 1";
        indices += "[x" + std::to_string(i) + "]";
    }
    EXPECT_EQ(problems_of(layer(0, "Add", "O" + indices + "=W" + indices + "+I" + indices, dims, sizes)), "");
    const std::string text =
        conv(0, "1, 16, 3, 8, 8, 3, 3", relations + eight_bits + "  operand_source: {I: 0, W: 0}\n");
    for (std::size_t length = 0; length < text.size(); ++length) {
        static_cast<void>(problems_of(text.substr(0, length)));  // read or refused
    }
}

TEST(ZigZagEquation, ReadsWhatTheSchemaAllows) {
    const auto parsed = parse_zigzag_equation("O[b][K] += W[k2] * I[]");
    ASSERT_TRUE(std::holds_alternative<ZigZagEquation>(parsed));
    const auto& equation = std::get<ZigZagEquation>(parsed);
    EXPECT_THAT(equation.out.indices, ElementsAre("b", "k"));
    EXPECT_EQ(equation.first.name, "W");
    EXPECT_THAT(equation.second.indices, IsEmpty());
    EXPECT_FALSE(equation.adds);
    const auto relation = std::get<EinsumIndex>(parse_zigzag_relation("ix = ox + 2 * fx"));
    EXPECT_EQ(relation.name, "ix");
    EXPECT_EQ(relation.terms.at(0).dimension, "ox");
    EXPECT_EQ(relation.terms.at(0).factor, 1U);
    EXPECT_EQ(relation.terms.at(1).factor, 2U);
}

}  // namespace
}  // namespace nibble
