// SPDX-License-Identifier: MIT
#include "sim/import/tables/scale_sim_reader.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/input/operation_size.h"
#include "tests/support/imported_graph.h"

namespace nibble {
namespace {

using test::expect_writable;
using test::Imported;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::filesystem::path data = std::filesystem::path(NIBBLE_SOURCE_DIR) / "../shared/data/scale-sim";
const std::string conv_heading =
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n";
const std::string gemm_heading = "Layer, M, N, K,\n";

Imported import_file(const std::filesystem::path& path, const ImportOptions& options = {}) {
    Imported imported;
    ByteSource source(path, [](std::string_view) { return true; });
    imported.graph = read_scale_sim(source, options, imported.summary);
    return imported;
}

Imported import_text(const std::string& text, const ImportOptions& options = {}, const std::string& name = "net.csv") {
    const test::Folder folder;
    return import_file(folder.add(name, text), options);
}

std::string problems_of(const std::string& text, const ImportOptions& options = {}) {
    return test::problems_of([&] { return import_text(text, options); });
}

TEST(ScaleSimReader, ReadsConvolutions) {
    const Imported net = import_text(conv_heading + "a,9,8,3,2,16,32,2,\nb,4,4,1,1,32,8,1,\n");
    EXPECT_EQ(net.graph.header.batch, 1U);
    EXPECT_THAT(net.layers(), ElementsAre("a", "b"));
    // Outputs: (9 - 3) / 2 + 1 = 4 rows; (8 - 2) / 2 + 1 = 4 columns; nothing is left over.
    EXPECT_EQ(net.conv(0),
              (Convolution{.n = 1, .c = 16, .h = 9, .w = 8, .k = 32, .r = 3, .s = 2, .stride_h = 2, .stride_w = 2}));
    EXPECT_EQ(net.macs(), 4U * 4 * 3 * 2 * 16 * 32 + 4U * 4 * 32 * 8);
    EXPECT_EQ(net.graph.operations[0].position, Position::first);
    EXPECT_EQ(net.graph.operations[1].position, Position::last);
    EXPECT_TRUE(net.graph.layers_disconnected);
    EXPECT_FALSE(net.graph.backward_recorded);
    EXPECT_EQ(net.summary.format, "scale-sim");
    EXPECT_THAT(net.summary.description, HasSubstr("2 convolutions"));
    expect_writable(net.graph);
}

TEST(ScaleSimReader, EachLayerHasTensorsOfItsOwn) {
    const Imported net = import_text(conv_heading + "a,9,8,3,2,16,32,2,\nb,4,4,1,1,32,8,1,\n");
    ASSERT_EQ(net.graph.tensors.size(), 6U);
    std::vector<std::string> names;
    for (const Tensor& tensor : net.graph.tensors) {
        names.push_back(tensor.name);
    }
    EXPECT_THAT(names, ElementsAre("a.input", "a.weight", "a.output", "b.input", "b.weight", "b.output"));
    EXPECT_EQ(net.graph.tensors[0].shape, (Shape{1, 16, 9, 8}));
    EXPECT_EQ(net.graph.tensors[1].shape, (Shape{32, 16, 3, 2}));
    EXPECT_EQ(net.graph.tensors[1].role, TensorRole::weight);
    EXPECT_EQ(net.graph.tensors[2].shape, (Shape{1, 32, 4, 4}));
}

TEST(ScaleSimReader, RoundsOutputSizesUpAsScaleSimDoes) {
    // (I - F + S) / S: rows (10 - 3 + 2) / 2 = 4.5, columns (11 - 3 + 2) / 2 = 5, in SCALE-Sim 5 and 5.
    const Imported net = import_text(conv_heading + "a,10,11,3,3,1,1,2,\nb,6,6,2,2,4,4,2,\n");
    EXPECT_EQ(net.conv(0).p(), 5U);
    EXPECT_EQ(net.conv(0).q(), 5U);
    EXPECT_EQ(net.conv(0).pad_bottom, 1U);
    EXPECT_EQ(net.conv(0).pad_right, 0U);
    EXPECT_EQ(net.conv(1).pad_bottom, 0U);
    EXPECT_EQ(net.macs(), 5U * 5 * 9 + 3U * 3 * 4 * 16);
    EXPECT_THAT(net.summary.notes, Contains(HasSubstr("1 layer: padded below")));
}

TEST(ScaleSimReader, ReadsMatrixProducts) {
    const Imported net = import_text("Layer,M,N,K,\r\nQKT,1024,512,64,\r\nPW-FF-L2,7,5,3");
    EXPECT_EQ(net.matmul(0), (Matmul{.m = 1024, .n = 512, .k = 64, .right_transposed = true}));
    EXPECT_EQ(net.matmul(1), (Matmul{.m = 7, .n = 5, .k = 3, .right_transposed = true}));
    EXPECT_EQ(net.graph.tensors[1].shape, (Shape{512, 64}));
    EXPECT_EQ(net.macs(), 1024U * 512 * 64 + 7U * 5 * 3);
    EXPECT_THAT(net.summary.notes, Contains(HasSubstr("right operands are taken for weights")));
    EXPECT_THAT(net.summary.notes, Contains(HasSubstr("no comma at the end")));
    expect_writable(net.graph);
}

TEST(ScaleSimReader, TakesColumnsByTheirHeadings) {
    EXPECT_EQ(import_text("Layer,K,M,N\nx,3,1,2\n").matmul(0),
              (Matmul{.m = 1, .n = 2, .k = 3, .right_transposed = true}));
    EXPECT_THAT(import_text("Layer,K,M,N\nx,3,1,2\n").summary.notes, Contains(HasSubstr("SCALE-Sim's order")));
    // "IFMAP Width" twice, as in DeepSpeech2.csv.
    const Imported twice = import_text(
        "Layer, IFMAP Width, ifmap width, Filter Height, Filter Width, Channels, Num Filter, "
        "Strides,\na,9,8,3,2,1,5,1,\n");
    EXPECT_EQ(twice.conv(0).h, 9U);
    EXPECT_EQ(twice.conv(0).w, 8U);
    EXPECT_THAT(twice.summary.notes, Contains(HasSubstr("two columns have one heading")));
    // Headings that nobody knows: by place.
    const Imported odd = import_text("Op,IFMAP Height,IFMAP Width,FH,FW,Ch,Num Filter,S\na,9,8,3,2,4,5,1\n");
    EXPECT_EQ(odd.conv(0), (Convolution{.n = 1, .c = 4, .h = 9, .w = 8, .k = 5, .r = 3, .s = 2}));
    EXPECT_THAT(odd.summary.notes, Contains(HasSubstr("column 4 ('FH') is taken for the filter height")));
}

TEST(ScaleSimReader, ReadsTheDialectsOfTheFormat) {
    const Convolution expected{.n = 1, .c = 3, .h = 24, .w = 24, .k = 64, .r = 7, .s = 7};
    const std::string bom = "\xef\xbb\xbf";
    const std::string tabs =
        "Layer name\tIFMAP Height\tIFMAP Width\tFilter Height\tFilter Width\tChannels\tNum Filter\tStrides\n"
        "c\t24\t24\t7\t7\t3\t64\t1\n";
    const std::string dollars =
        "Layer name,IFMAP Height,IFMAP Width,Filter Height,Filter Width,Channels,Num Filter,Strides,$\n"
        "c,24,24,7,7,3,64,1,$\n";
    const std::string more =
        "Layer name,IFMAP Height,IFMAP Width,Filter Height,Filter Width,Channels,Num Filter,Strides,,,eh,ew,e2\n"
        "c,24,24,7,7,3,64,1,,,18,18,5\n";
    const std::string lower =
        bom + "Layer name,Ifmap height,ifmap width,filter height,filter width,channels,num filters,strides,\r\n" +
        "c,24,24,7,7,3,64,1,\r\n\r\n";
    const std::string quoted = conv_heading + "\"c\",\"24\", 24 ,7,7,3,64,1\n";
    for (const std::string& text : {tabs, dollars, more, lower, quoted, conv_heading + "c,24,24,7,7,3,64,1"}) {
        EXPECT_EQ(import_text(text).conv(0), expected) << text;
        EXPECT_THAT(import_text(text).layers(), ElementsAre("c")) << text;
    }
    EXPECT_THAT(import_text(more).summary.notes, Contains(HasSubstr("3 values: in columns that are not known")));
}

TEST(ScaleSimReader, ReadsASecondStride) {
    for (const std::string& text :
         {conv_heading + "a,9,9,3,3,1,1,2,3,\n",
          std::string("Layer name,IFMAP height,IFMAP width,Filter height,Filter width,Channels,Num "
                      "filter,Stride height,Stride width,\na,9,9,3,3,1,1,2,3,\n")}) {
        EXPECT_EQ(import_text(text).conv(0).stride_h, 2U);
        EXPECT_EQ(import_text(text).conv(0).stride_w, 3U);
        EXPECT_EQ(import_text(text).macs(), 4U * 3 * 9);  // (9 - 3) / 2 + 1 rows, (9 - 3) / 3 + 1 columns
    }
}

TEST(ScaleSimReader, SaysThatItLeavesSparsityOut) {
    const Imported conv = import_text(
        "Layer name,IFMAP Height,IFMAP Width,Filter Height,Filter Width,Channels,Num Filter,Strides,Sparsity\n"
        "a,9,9,3,3,4,5,1,1:4,\nb,9,9,3,3,4,5,1,2:4,\n");
    EXPECT_EQ(conv.macs(), 2U * 7 * 7 * 9 * 4 * 5);
    EXPECT_THAT(conv.summary.notes, Contains(HasSubstr("2 layers: sparsity is left out")));
    const Imported gemm = import_text("Layer, M, N, K, Sparsity,\na,2,3,4,2:4,\n");
    EXPECT_EQ(gemm.macs(), 24U);
    EXPECT_THAT(gemm.summary.notes, Contains(HasSubstr("1 layer: sparsity is left out")));
}

TEST(ScaleSimReader, DepthwiseRowsHaveTheMacsOfScaleSim) {
    // SCALE-Sim replaces the row by one of a single channel for each channel, with all the filters: 8 x 7 x 7 x 9 x 2.
    const Imported net = import_text(conv_heading + "DP_1,9,9,3,3,8,2,1,\n");
    EXPECT_EQ(net.conv(0).groups, 8U);
    EXPECT_EQ(net.conv(0).c, 8U);
    EXPECT_EQ(net.conv(0).k, 16U);
    EXPECT_TRUE(net.conv(0).depthwise());
    EXPECT_EQ(net.macs(), 8U * 7 * 7 * 9 * 2);
    EXPECT_THAT(net.summary.notes, Contains(HasSubstr("1 layer: depthwise")));
}

TEST(ScaleSimReader, PointsOutWhatLooksDepthwise) {
    const Imported net = import_text(conv_heading + "a,9,9,3,3,8,1,1,\nb,7,7,1,1,8,4,1,\n");
    EXPECT_EQ(net.conv(0).groups, 1U);
    EXPECT_THAT(net.summary.notes, Contains(HasSubstr("1 layer: one filter")));
}

TEST(ScaleSimReader, RowsThatAreProductsBecomeProducts) {
    // The filter covers each row of a flat input; and the filter covers the whole input.
    const Imported net =
        import_text(conv_heading + "rnn,672,2560,1,2560,1,4,1,\nfc,7,7,7,7,512,1000,1,\nz,1,1,1,1,3,2,1,\n");
    EXPECT_EQ(net.matmul(0), (Matmul{.m = 672, .n = 4, .k = 2560, .right_transposed = true}));
    EXPECT_EQ(net.matmul(1), (Matmul{.m = 1, .n = 1000, .k = 7 * 7 * 512, .right_transposed = true}));
    EXPECT_EQ(net.matmul(2), (Matmul{.m = 1, .n = 2, .k = 3, .right_transposed = true}));
}

TEST(ScaleSimReader, NamesAreMadeUnique) {
    const Imported net = import_text(gemm_heading + "a,1,1,1,\na,1,1,1,\na_2,1,1,1,\na,1,1,1,\n,1,1,1,\n");
    EXPECT_THAT(net.layers(), ElementsAre("a", "a_2", "a_2_2", "a_3", "layer"));
}

TEST(ScaleSimReader, TitlesAndEmptyLinesAreNoLayers) {
    const Imported net = import_text(conv_heading + "\nTransformer,\n ,,,\na,1,8,1,1,1,3,1,\n\n\n");
    EXPECT_THAT(net.layers(), ElementsAre("a"));
    EXPECT_THAT(net.summary.notes, Contains(HasSubstr("1 line: nothing but a title")));
}

TEST(ScaleSimReader, TheBatchMultipliesEveryLayer) {
    ImportOptions options;
    options.batch = 4;
    const Imported conv = import_text(conv_heading + "a,9,9,3,3,2,2,1,\nfc,1,1,1,1,3,2,1,\n", options);
    EXPECT_EQ(conv.graph.header.batch, 4U);
    EXPECT_EQ(conv.conv(0).n, 4U);
    EXPECT_EQ(conv.matmul(1).m, 4U);
    EXPECT_EQ(import_text(gemm_heading + "a,2,3,5,\n", options).matmul(0),
              (Matmul{.m = 8, .n = 3, .k = 5, .right_transposed = true}));
    // Its own column multiplies as well, and tells the step's batch if all rows agree.
    const std::string heading =
        "Layer name,Ifmap height,ifmap width,filter height,filter width,channels,num filters,strides,batch size,\n";
    const Imported column = import_text(heading + "a,9,9,3,3,2,2,1,2,\nb,9,9,3,3,2,2,1,2,\n", options);
    EXPECT_EQ(column.conv(0).n, 8U);
    EXPECT_EQ(column.graph.header.batch, 8U);
    EXPECT_EQ(import_text(heading + "a,9,9,3,3,2,2,1,\n").conv(0).n, 1U);  // a heading without values
    const Imported mixed = import_text(heading + "a,9,9,3,3,2,2,1,2,\nb,9,9,3,3,2,2,1,3,\n");
    EXPECT_EQ(mixed.graph.header.batch, 1U);
    EXPECT_THAT(mixed.summary.notes, Contains(HasSubstr("batches of different sizes")));
}

TEST(ScaleSimReader, TablesOfGradientsAreBackwardProducts) {
    const std::string rows = conv_heading + "conv1,12544,64,1,64,1,147,1,\n";
    const Imported dx = import_text(rows, {}, "net_input_grad.csv");
    ASSERT_EQ(dx.gemms().size(), 1U);
    EXPECT_EQ(dx.gemms()[0].phase, Phase::dx);
    EXPECT_EQ(dx.matmul(0), (Matmul{.m = 12544, .n = 147, .k = 64}));
    const auto role = [](const Imported& net, TensorId id) { return net.graph.tensors.at(id).role; };
    EXPECT_EQ(role(dx, dx.gemms()[0].inputs[0]), TensorRole::gradient);
    EXPECT_EQ(role(dx, dx.gemms()[0].inputs[1]), TensorRole::weight);
    EXPECT_EQ(role(dx, dx.gemms()[0].outputs[0]), TensorRole::gradient);
    // The gradient that is read is made before: a trace must not read one that nobody writes.
    EXPECT_EQ(dx.graph.operations[0].outputs, std::vector{dx.gemms()[0].inputs[0]});
    EXPECT_TRUE(dx.graph.backward_recorded);
    EXPECT_THAT(dx.summary.notes, Contains(AllOf(HasSubstr("the file's name"), HasSubstr("1 row dx"))));
    EXPECT_THAT(dx.summary.notes, Not(Contains(HasSubstr("right operands are taken for weights"))));
    expect_writable(dx.graph);

    ImportOptions options;
    options.batch = 3;
    const Imported dw = import_text(conv_heading + "conv1_wgrad,147,12544,1,12544,1,64,1,\n", options);
    EXPECT_EQ(dw.gemms()[0].phase, Phase::dw);
    EXPECT_EQ(dw.matmul(0), (Matmul{.m = 147, .n = 64, .k = 12544 * 3, .left_transposed = true}));
    EXPECT_EQ(role(dw, dw.gemms()[0].outputs[0]), TensorRole::weight_gradient);
    EXPECT_THAT(dw.summary.notes, Contains(HasSubstr("the rows' name")));
    expect_writable(dw.graph);
}

TEST(ScaleSimReader, OtherNamesAreForward) {
    for (const std::string name : {"conv_dw_1", "dw", "gradient_net", "upgrade", "weighted_grads", "dgrade"}) {
        EXPECT_EQ(import_text(gemm_heading + name + ",2,3,4,\n").gemms()[0].phase, Phase::forward) << name;
    }
    for (const std::string name : {"attn_inpgrad", "InputGrad", "a-input-gradient", "l2 dgrad 3"}) {
        EXPECT_EQ(import_text(gemm_heading + name + ",2,3,4,\n").gemms()[0].phase, Phase::dx) << name;
    }
    for (const std::string name : {"weightgrad", "a_weight_grads", "wgrad7"}) {
        EXPECT_EQ(import_text(gemm_heading + name + ",2,3,4,\n").gemms()[0].phase, Phase::dw) << name;
    }
}

TEST(ScaleSimReader, ReportsEveryWrongRow) {
    EXPECT_EQ(problems_of(conv_heading + "a,9,9,3,3,2,x,1,\nb,-9,9,3,3,2,2,1,\nc,0,9,3,3,2,2,1,\nd,9,9\n"
                                         "e,9.5,9,3,3,2,2,1\nf,99999999999999999999,9,3,3,2,2,1\n"),
              "net.csv:2:13: number of filters: expected a whole number of at least 1, found 'x'\n"
              "net.csv:3:3: IFMAP height: expected a whole number of at least 1, found '-9'\n"
              "net.csv:4:3: IFMAP height: expected a whole number of at least 1, found '0'\n"
              "net.csv:5: there is no value for the filter height\n"
              "net.csv:6:3: IFMAP height: expected a whole number of at least 1, found '9.5'\n"
              "net.csv:7:3: IFMAP height: expected a whole number of at least 1, found '99999999999999999999'\n");
    EXPECT_EQ(problems_of(conv_heading + "a,3,9,5,3,2,2,1,\nb,9,9,3,3,2,2,5000000,\n"),
              "net.csv:2: layer 'a': a filter of 5 x 3 does not fit an IFMAP of 3 x 9\n"
              "net.csv:3: layer 'b': stride: expected 1 to 2^20, found 5000000\n");
}

TEST(ScaleSimReader, RefusesSizesThatNoTraceHolds) {
    const std::string huge = "4611686018427387904";  // 2^62
    EXPECT_THAT(problems_of(gemm_heading + "a," + huge + ",1,1,\n"),
                HasSubstr("an operand of more than 2^48 elements"));
    EXPECT_THAT(problems_of(gemm_heading + "a,281474976710656,281474976710656,1,\n"),
                HasSubstr("an operand of more than 2^48 elements"));
    EXPECT_THAT(problems_of(gemm_heading + "a,16777216,16777216,16777216,\n"),  // 2^24 each: 2^72 MACs
                HasSubstr("more than 2^53 multiply-accumulates"));
    for (int column = 0; column < 7; ++column) {
        std::vector<std::string> values{"9", "9", "3", "3", "2", "2", "1"};
        values[static_cast<std::size_t>(column)] = huge;
        std::string row = "a";
        for (const std::string& value : values) {
            row += "," + value;
        }
        EXPECT_THAT(problems_of(conv_heading + row + ",\n"), HasSubstr("net.csv:2: layer 'a': ")) << row;
        EXPECT_THAT(problems_of(conv_heading + "DP" + row + ",\n"), HasSubstr("net.csv:2: layer 'DPa': ")) << row;
        EXPECT_THAT(problems_of(conv_heading + row + "_wgrad,\n"), Not(IsEmpty())) << row;
    }
    ImportOptions options;
    options.batch = std::uint64_t{1} << 62U;
    EXPECT_THAT(problems_of(gemm_heading + "a,2,3,4,\n", options), HasSubstr("expected a batch from 1 to"));
    options.batch = std::uint64_t{1} << 32U;
    EXPECT_THAT(problems_of(conv_heading + "a,9,9,3,3,1024,1024,1,\n", options), HasSubstr("more than"));
    options.batch = 0;
    EXPECT_THAT(problems_of(gemm_heading + "a,2,3,4,\n", options), HasSubstr("expected a batch from 1 to"));
}

TEST(ScaleSimReader, RefusesWhatIsNoTopology) {
    EXPECT_THAT(problems_of(""), Not(IsEmpty()));
    EXPECT_THAT(problems_of("\n\n,,,\n"), HasSubstr("the file is empty"));
    EXPECT_THAT(problems_of(conv_heading), HasSubstr("headings and no layers"));
    EXPECT_THAT(problems_of("Conv1,224,224,7,7,3,64,2,\n"),
                AllOf(HasSubstr("net.csv:1: expected the headings"), HasSubstr("found 'Conv1'")));
    EXPECT_THAT(problems_of("{\"nibblesim_trace\":1}\n"), HasSubstr("expected the headings"));
    EXPECT_THAT(problems_of("Layer name, IFMAP Height, IFMAP Width\na,1,2\n"),
                HasSubstr("there is no column for the filter height"));
    EXPECT_THAT(problems_of("Layer,M,N,K,K\na,1,2,3,4\n"), HasSubstr("net.csv:1:13: a second column for the K"));
    EXPECT_THAT(problems_of("L,M,N,K\n\xff\xfe,1,2,3\n"), HasSubstr("expected text in UTF-8"));
    EXPECT_THAT(problems_of(std::string("\x7f"
                                        "ELF\0\0\0",
                                        7)),
                HasSubstr("expected text in UTF-8"));
    EXPECT_THAT(problems_of(gemm_heading + "a" + std::string(1'000'000, ',') + "\n"), HasSubstr("at most 64 columns"));
    EXPECT_THAT(problems_of(std::string(1'000'000, ',') + "\n"), HasSubstr("at most 64 columns"));
    EXPECT_THAT(problems_of(std::string(1'000'000, 'x')), HasSubstr("expected the headings"));
}

TEST(ScaleSimReader, ATableOfAnyLengthIsReadOrRefused) {
    std::string text = gemm_heading;
    for (int i = 0; i <= 100'000; ++i) {
        text += "a,1,1,1,\n";
    }
    EXPECT_THAT(problems_of(text), HasSubstr("net.csv:100002: expected at most 100000 layers"));
    EXPECT_THAT(problems_of(std::string(17 << 20, '\n')), Not(IsEmpty()));
}

TEST(ScaleSimReader, EveryBeginningOfAFileIsReadOrRefused) {
    const std::string text = conv_heading + "a,9,8,3,2,16,32,2,\nb,4,4,1,1,32,8,1,\n";
    for (std::size_t length = 0; length < text.size(); ++length) {
        try {
            static_cast<void>(import_text(text.substr(0, length)));
        } catch (const InputError& error) {
            EXPECT_FALSE(error.problems().empty());
        }
    }
}

/// The numbers of each row of a file, read as plainly as can be: values between commas that are whole numbers.
std::vector<std::vector<std::uint64_t>> numbers_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::vector<std::vector<std::uint64_t>> rows;
    std::string line;
    std::getline(file, line);  // headings
    while (std::getline(file, line)) {
        std::istringstream cells(line);
        std::string cell;
        std::getline(cells, cell, ',');  // name
        std::vector<std::uint64_t> numbers;
        while (std::getline(cells, cell, ',')) {
            if (cell.find_first_of("0123456789") != std::string::npos) {
                numbers.push_back(std::stoull(cell));
            }
        }
        if (!numbers.empty()) {
            rows.push_back(numbers);
        }
    }
    return rows;
}

/// SCALE-Sim's own formula: output ceil((I - F + S) / S) in each direction, times the filter and the channels; or M N
/// K.
std::uint64_t published_macs(const std::vector<std::uint64_t>& row) {
    if (row.size() == 3) {
        return row[0] * row[1] * row[2];
    }
    const std::uint64_t rows = (row[0] - row[2] + row[6] + row[6] - 1) / row[6];
    const std::uint64_t columns = (row[1] - row[3] + row[6] + row[6] - 1) / row[6];
    return rows * columns * row[2] * row[3] * row[4] * row[5];
}

TEST(ScaleSimReader, RealFilesHaveThePublishedMacs) {
    if (!std::filesystem::exists(data)) {
        GTEST_SKIP() << "no " << data;
    }
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(data)) {
        if (entry.path().extension() != ".csv") {
            continue;
        }
        SCOPED_TRACE(entry.path().filename());
        const Imported net = import_file(entry.path());
        const std::vector<std::vector<std::uint64_t>> rows = numbers_of(entry.path());
        ASSERT_EQ(net.gemms().size(), rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            EXPECT_EQ(macs_of(net.gemms()[i]), published_macs(rows[i])) << net.gemms()[i].layer;
        }
        expect_writable(net.graph);
        ++files;
    }
    EXPECT_EQ(files, 11);
}

TEST(ScaleSimReader, RealFilesHaveTheKnownTotals) {
    if (!std::filesystem::exists(data)) {
        GTEST_SKIP() << "no " << data;
    }
    // Published with SCALE-Sim: its ResNet-18 without padding, and the gradients of the true ResNet-50.
    EXPECT_EQ(import_file(data / "Resnet18.csv").macs(), 1'471'181'568U);
    const Imported dx = import_file(data / "resnet_input_grad.csv");
    const Imported dw = import_file(data / "resnet_weight_grad.csv");
    EXPECT_EQ(dx.macs(), 4'089'184'256U);
    EXPECT_EQ(dw.macs(), 4'089'184'256U);
    EXPECT_EQ(dx.gemms().front().phase, Phase::dx);
    EXPECT_EQ(dw.gemms().back().phase, Phase::dw);
    EXPECT_TRUE(dx.graph.backward_recorded);
    EXPECT_FALSE(import_file(data / "resnet_fwd.csv").graph.backward_recorded);
}

}  // namespace
}  // namespace nibble
