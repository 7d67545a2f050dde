// SPDX-License-Identifier: MIT
#include "sim/import/tables/timeloop_reader.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

Imported import_files(const std::map<std::string, std::string>& texts, const ImportOptions& options = {}) {
    const test::Folder folder;
    std::vector<std::filesystem::path> files;
    for (const auto& [name, text] : texts) {
        files.insert(files.begin(), folder.add(name, text));
    }
    Imported imported;
    imported.graph = read_timeloop(files, options, imported.summary);
    return imported;
}

Imported import_text(const std::string& text, const ImportOptions& options = {}) {
    return import_files({{"layer.yaml", text}}, options);
}

std::string problems_of(const std::string& text, const ImportOptions& options = {}) {
    return test::problems_of([&] { return import_text(text, options); });
}

const std::string cnn_shape = R"(
  shape:
    name: CNN-Layer
    dimensions: [C, M, R, S, N, P, Q]
    coefficients:
    - {name: Wstride, default: 1}
    - {name: Hstride, default: 1}
    - {name: Wdilation, default: 1}
    - {name: Hdilation, default: 1}
    data-spaces:
    - name: Weights
      projection: [[[C]], [[M]], [[R]], [[S]]]
    - name: Inputs
      projection: [[[N]], [[C]], [[R, Wdilation], [P, Wstride]], [[S, Hdilation], [Q, Hstride]]]
    - name: Outputs
      projection: [[[N]], [[M]], [[Q]], [[P]]]
      read-write: true
)";

/// Version 0.4: a group dimension, and underscores.
const std::string grouped_shape = R"(
  version: 0.4
  shape:
    name: conv2D
    dimensions: [C, M, R, S, N, P, Q, G]
    coefficients:
    - {name: Wstride, default: 1}
    - {name: Hstride, default: 1}
    data_spaces:
    - name: Inputs
      projection: [[[N]], [[G]], [[C]], [[R], [P, Wstride]], [[S], [Q, Hstride]]]
    - name: Weights
      projection: [[[G]], [[C]], [[M]], [[R]], [[S]]]
    - name: Outputs
      projection: [[[N]], [[G]], [[M]], [[Q]], [[P]]]
      read_write: true
)";

TEST(TimeloopReader, ReadsAConvolution) {
    const Imported net =
        import_text("problem:" + cnn_shape +
                    "  instance: {C: 3, M: 96, N: 1, P: 55, Q: 54, R: 11, S: 9, Wstride: 4, Hstride: 2}\n");
    // The first index that is a sum is vertical: 4 x 54 + 11 = 227 rows, 2 x 53 + 9 = 115 columns.
    EXPECT_EQ(
        net.conv(0),
        (Convolution{.n = 1, .c = 3, .h = 227, .w = 115, .k = 96, .r = 11, .s = 9, .stride_h = 4, .stride_w = 2}));
    EXPECT_EQ(net.macs(), 3ULL * 96 * 55 * 54 * 11 * 9);
    EXPECT_THAT(net.layers(), ElementsAre("layer"));
    EXPECT_EQ(net.summary.format, "timeloop");
    expect_writable(net.graph);
}

TEST(TimeloopReader, ReadsDilationAndGroups) {
    const Imported dilated =
        import_text("problem:" + cnn_shape +
                    "  instance: {C: 4, M: 8, N: 2, P: 5, Q: 5, R: 3, S: 3, Wdilation: 2, Hdilation: 3}\n");
    EXPECT_EQ(dilated.conv(0),
              (Convolution{.n = 2, .c = 4, .h = 9, .w = 11, .k = 8, .r = 3, .s = 3, .dilation_h = 2, .dilation_w = 3}));
    EXPECT_EQ(dilated.graph.header.batch, 2U);
    const Imported grouped =
        import_text("problem:" + grouped_shape + "  instance: {C: 4, M: 8, G: 16, N: 1, P: 5, Q: 5, R: 3, S: 3}\n");
    EXPECT_EQ(grouped.conv(0), (Convolution{.n = 1, .c = 64, .h = 7, .w = 7, .k = 128, .r = 3, .s = 3, .groups = 16}));
    EXPECT_EQ(grouped.macs(), 4ULL * 8 * 16 * 25 * 9);
    const Imported depthwise =
        import_text("problem:" + grouped_shape + "  instance: {C: 1, M: 1, G: 16, N: 1, P: 5, Q: 5, R: 3, S: 3}\n");
    EXPECT_TRUE(depthwise.conv(0).depthwise());
}

TEST(TimeloopReader, ReadsMatrixProducts) {
    const std::string gemm = R"(problem:
  shape:
    name: gemm-ABZ
    dimensions: [M, N, K]
    data-spaces:
    - {name: A, projection: [[[M]], [[K]]]}
    - {name: B, projection: [[[N]], [[K]]]}
    - {name: Z, projection: [[[M]], [[N]]], read-write: True}
  instance: {K: 512, M: 256, N: 1024}
)";
    EXPECT_EQ(import_text(gemm).matmul(0), (Matmul{.m = 256, .n = 1024, .k = 512, .right_transposed = true}));
    EXPECT_EQ(import_text("problem: {shape: gemm-ABZ, instance: {K: 5, M: 2, N: 3}}\n").matmul(0),
              (Matmul{.m = 2, .n = 3, .k = 5, .right_transposed = true}));
    // A layer whose filters cover their input is one: 7 x 7 x 4 -> 10.
    EXPECT_EQ(
        import_text("problem:" + cnn_shape + "  instance: {C: 4, M: 10, N: 6, P: 1, Q: 1, R: 7, S: 7}\n").matmul(0),
        (Matmul{.m = 6, .n = 10, .k = 196, .right_transposed = true}));
}

TEST(TimeloopReader, ReadsTheOlderFormWithSizesBesideTheShape) {
    const std::string sizes =
        "  C: 3\n  Hdilation: 1\n  Hstride: 2\n  K: 64\n  N: 1\n  P: 112\n  Q: 112\n  R: 7\n  S: 7\n"
        "  Wdilation: 1\n  Wstride: 2\n";
    const Convolution expected{
        .n = 1, .c = 3, .h = 229, .w = 229, .k = 64, .r = 7, .s = 7, .stride_h = 2, .stride_w = 2};
    EXPECT_EQ(import_text("problem:\n" + sizes + "  shape: cnn-layer\n").conv(0), expected);
    const Imported shapeless = import_text("problem:\n" + sizes);
    EXPECT_EQ(shapeless.conv(0), expected);
    EXPECT_THAT(shapeless.summary.notes, Contains(HasSubstr("taken for cnn-layer")));
    const Imported padded = import_text("problem:\n" + sizes + "  shape: cnn-layer\n  Padding: 3\n");
    EXPECT_THAT(padded.summary.notes, Contains(HasSubstr("left out of the instance: Padding")));
}

TEST(TimeloopReader, MatchesKeysWhateverTheirCase) {
    const Imported net =
        import_text("problem:" + cnn_shape +
                    "  instance: {C: 3, M: 96, N: 1, P: 55, Q: 55, R: 11, S: 11, WStride: 4, HStride: 4}\n");
    EXPECT_EQ(net.conv(0).stride_h, 4U);
    EXPECT_EQ(net.conv(0).stride_w, 4U);
    EXPECT_THAT(net.summary.notes, Contains("'HStride' is taken for 'Hstride'"));
}

TEST(TimeloopReader, MergesMaps) {
    const std::string base = "base: &base\n  instance: {C: 1, M: 1, N: 1, P: 1, Q: 1, R: 1, S: 1}" + cnn_shape;
    // "<<" takes over what is not there, "<<<" what is not there inside of what is.
    const Imported shallow =
        import_text(base + "problem:\n  <<: *base\n  instance: {C: 2, M: 3, N: 1, P: 4, Q: 4, R: 2, S: 2}\n");
    EXPECT_EQ(shallow.conv(0), (Convolution{.n = 1, .c = 2, .h = 5, .w = 5, .k = 3, .r = 2, .s = 2}));
    EXPECT_THAT(shallow.summary.notes, Contains("left out: base"));
    const Imported deep = import_text(base + "problem:\n  <<<: *base\n  instance: {C: 2, M: 3, P: 4}\n");
    EXPECT_EQ(deep.conv(0), (Convolution{.n = 1, .c = 2, .h = 4, .w = 1, .k = 3}));
    EXPECT_THAT(problems_of(base + "problem:\n  <<: *base\n  instance: {C: 2, M: 3, P: 4}\n"),
                HasSubstr("there is no size for dimension 'R'"));
}

TEST(TimeloopReader, SaysWhatItLeavesOut) {
    const Imported net =
        import_text("mapper: {threads: 8}\nproblem:" + cnn_shape +
                    "  instance:\n    {C: 3, M: 9, N: 1, P: 5, Q: 5, R: 1, S: 1, W: 224, densities: {Inputs: 0.3}}\n");
    EXPECT_THAT(net.summary.notes, Contains("left out: mapper"));
    EXPECT_THAT(net.summary.notes, Contains("left out of the instance: W"));
    EXPECT_THAT(net.summary.notes, Contains(HasSubstr("densities are left out")));
}

TEST(TimeloopReader, FilesAreLayersInNaturalOrder) {
    const std::string text = "problem: {shape: gemm-ABZ, instance: {K: 5, M: 2, N: 3}}\n";
    ImportOptions options;
    options.batch = 4;
    const Imported net = import_files({{"layer10.yaml", text}, {"layer2.yaml", text}, {"layer1.yml", text}}, options);
    EXPECT_THAT(net.layers(), ElementsAre("layer1", "layer2", "layer10"));
    EXPECT_EQ(net.matmul(2).m, 8U);
    EXPECT_EQ(net.graph.header.batch, 4U);
    EXPECT_EQ(net.graph.operations.front().position, Position::first);
    EXPECT_EQ(net.graph.operations.back().position, Position::last);
    EXPECT_TRUE(net.graph.layers_disconnected);
    expect_writable(net.graph);
}

TEST(TimeloopReader, NumbersInNamesCountByValue) {
    EXPECT_TRUE(comes_before_naturally("a2", "a10"));
    EXPECT_FALSE(comes_before_naturally("a10", "a2"));
    EXPECT_TRUE(comes_before_naturally("a", "a1"));
    EXPECT_TRUE(comes_before_naturally("a1b2", "a1b03"));
    EXPECT_FALSE(comes_before_naturally("a01", "a1"));
    EXPECT_FALSE(comes_before_naturally("a1", "a01"));
    EXPECT_TRUE(comes_before_naturally("x99999999999999999999998", "x99999999999999999999999"));
    EXPECT_TRUE(comes_before_naturally("a9", "b1"));
}

TEST(TimeloopReader, RefusesTemplates) {
    const std::string base = "{{include_text('../problem_base.yaml')}}\nproblem:\n  <<<: *problem_base\n";
    EXPECT_THAT(problems_of(base), HasSubstr("layer.yaml:1:1: a jinja template stands here"));
    EXPECT_THAT(problems_of("problem:\n  {% if x %}\n"), HasSubstr("layer.yaml:2:3: a jinja template"));
    const std::string sound = "problem: {shape: gemm-ABZ, instance: {K: 5, M: 2, N: 3}}\n";
    EXPECT_EQ(problems_of("# {{include_text('x')}}\n" + sound), "");
    EXPECT_EQ(problems_of(sound.substr(0, sound.size() - 1) + " # {{x}}\n"), "");
}

TEST(TimeloopReader, RefusesProjectionsOfOtherWork) {
    const auto with = [](const std::string& spaces, const std::string& instance) {
        return problems_of("problem:\n  shape:\n    name: x\n    dimensions: [A, B, C, D]\n    data_spaces:\n" +
                           spaces + "  instance: " + instance + "\n");
    };
    const std::string sizes = "{A: 2, B: 3, C: 4, D: 5}";
    const std::string out = "    - {name: Z, projection: [[[A]], [[B]]], read_write: true}\n";
    EXPECT_THAT(
        with("    - {name: X, projection: [[[A]], [[C]]]}\n    - {name: Y, projection: [[[B]], [[C]]]}\n" + out, sizes),
        HasSubstr("dimension 'D' of size 5 stands in none of the three operands"));
    EXPECT_THAT(
        with("    - {name: X, projection: [[[A]], [[C]]]}\n    - {name: Y, projection: [[[B]], [[D]]]}\n" + out, sizes),
        HasSubstr("of size 4 stands in one of the three operands"));
    EXPECT_THAT(
        with("    - {name: X, projection: [[[A], [C], [D]]]}\n    - {name: Y, projection: [[[B]], [[C]], [[D]]]}\n" +
                 out,
             sizes),
        HasSubstr("a sum of 3 dimensions"));
    EXPECT_THAT(
        with("    - {name: X, projection: [[[A], [C]]]}\n    - {name: Y, projection: [[[B], [D]]]}\n" + out, sizes),
        HasSubstr("index more than one operand"));
    EXPECT_THAT(
        with("    - {name: X, projection: [[[A]], [[A]]]}\n    - {name: Y, projection: [[[B]]]}\n" + out, sizes),
        HasSubstr("dimension 'A' stands twice"));
    EXPECT_THAT(with("    - {name: X, projection: [[[A]], [[B]]]}\n    - {name: Y, projection: [[[A]], [[B]]]}\n" + out,
                     "{A: 2, B: 3, C: 1, D: 1}"),
                HasSubstr("this has no weights, or sums nothing"));
    EXPECT_THAT(
        with("    - {name: X, projection: [[[A]], [[C]]]}\n" + out, sizes),
        HasSubstr("expected two data spaces that are read and one that is written (read_write: true), found 1 and 1"));
    EXPECT_THAT(with("    - {name: X, projection: [[[E]]]}\n    - {name: Y, projection: [[[A, k]]]}\n" + out, sizes),
                HasSubstr("data space 'X': 'E' is no dimension of the shape"));
}

TEST(TimeloopReader, ReportsWhatIsWrongWithItsPlace) {
    EXPECT_EQ(problems_of("problem: {shape: gemm-ABZ, instance: {K: 5, M: BATCH, N: -3}}\n"),
              "layer.yaml:1:48: problem.instance.M: expected a whole number of at least 1, found 'BATCH'\n"
              "layer.yaml:1:58: problem.instance.N: expected a whole number of at least 1, found '-3'\n");
    EXPECT_THAT(problems_of("problem: {shape: gemm-ABZ, instance: {K: 5, M: 2}}\n"),
                HasSubstr("layer.yaml:1:38: problem.instance: there is no size for dimension 'N'"));
    EXPECT_THAT(problems_of("problem: {shape: blob, instance: {K: 5}}\n"), HasSubstr("found 'blob'"));
    EXPECT_THAT(problems_of("problem: {shape: {name: x}, instance: {K: 5}}\n"), HasSubstr("missing key 'dimensions'"));
    EXPECT_THAT(problems_of("architecture: {}\n"), HasSubstr("expected a Timeloop problem"));
    EXPECT_THAT(problems_of("problem: 5\n"), HasSubstr("expected a map"));
    EXPECT_THAT(problems_of("problem: {shape: gemm-ABZ, instance: 5}\n"), HasSubstr("expected a map"));
    EXPECT_THAT(problems_of("problem: {<<: 5, shape: gemm-ABZ}\n"), HasSubstr("expected a map"));
    EXPECT_THAT(problems_of("problem: {shape: {dimensions: 7, data_spaces: [3, {projection: 8}]}, instance: {}}\n"),
                HasSubstr("expected a list, found '7'"));
}

TEST(TimeloopReader, RefusesSizesThatNoTraceHolds) {
    const std::string huge = "4611686018427387904";  // 2^62
    for (const std::string name : {"C", "M", "N", "P", "Q", "R", "S", "Wstride", "Hdilation"}) {
        std::map<std::string, std::string> values{{"C", "3"}, {"M", "3"}, {"N", "3"}, {"P", "3"},
                                                  {"Q", "3"}, {"R", "3"}, {"S", "3"}};
        values[name] = huge;
        std::string instance;
        for (const auto& [key, value] : values) {
            instance += (instance.empty() ? "" : ", ") + key + ": " + value;
        }
        EXPECT_THAT(problems_of("problem:" + cnn_shape + "  instance: {" + instance + "}\n"), Not(IsEmpty())) << name;
    }
    EXPECT_THAT(problems_of("problem: {shape: gemm, instance: {K: 16777216, M: 16777216, N: 16777216}}\n"),
                HasSubstr("more than 2^53 multiply-accumulates"));
    ImportOptions options;
    options.batch = std::uint64_t{1} << 62U;
    EXPECT_THAT(problems_of("problem: {shape: gemm, instance: {K: 1, M: 1, N: 1}}\n", options),
                HasSubstr("expected a batch"));
}

TEST(TimeloopReader, RefusesGarbage) {
    EXPECT_THAT(problems_of(std::string("\x01\x02\0", 3)), HasSubstr("expected text in UTF-8"));
    EXPECT_THAT(problems_of(std::string(100'000, '[')), HasSubstr("nested more than 64 levels deep"));
    EXPECT_THAT(problems_of("- 1\n"), HasSubstr("expected a map"));
    EXPECT_THAT(problems_of("problem: !Problem {}\n"), HasSubstr("tags are not supported"));
    EXPECT_THAT(problems_of("problem: &a {<<: *a}\n"), HasSubstr("an alias cannot stand inside"));
    const std::string text = "problem:" + cnn_shape + "  instance: {C: 3, M: 9, N: 1, P: 5, Q: 5, R: 1, S: 1}\n";
    for (std::size_t length = 0; length < text.size(); ++length) {
        static_cast<void>(problems_of(text.substr(0, length)));  // read or refused
    }
    std::string bomb = "a0: &a0 {x: 1}\n";
    for (int i = 1; i < 60; ++i) {
        const std::string before = std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " {<<: [*a" + before + ", *a" + before + "]}\n";
    }
    EXPECT_THAT(problems_of(bomb + "problem: {<<: *a59}\n"), HasSubstr("counting every use of an alias"));
}

}  // namespace
}  // namespace nibble
