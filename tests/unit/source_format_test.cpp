// SPDX-License-Identifier: MIT
#include "sim/import/source_format.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace nibble {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

std::optional<SourceFormat> recognised(const std::string& name, const std::string& content) {
    const fs::path path = fs::path(testing::TempDir()) / name;
    std::ofstream(path, std::ios::binary) << content;
    const auto format = recognise_source(path);
    fs::remove(path);
    return format;
}

TEST(SourceFormat, JsonIsToldByItsKeys) {
    EXPECT_EQ(recognised("a.json", R"({"schema": "1.0.1", "pid": 3, "nodes": []})"), SourceFormat::pytorch_et);
    EXPECT_EQ(recognised("a.json", R"({"schemaVersion": 1, "traceEvents": []})"), SourceFormat::kineto);
    EXPECT_EQ(recognised("a.json", R"([{"ph": "X", "name": "aten::mm"}])"), SourceFormat::kineto);
    EXPECT_EQ(recognised("a.trace", R"({"nibblesim_torch":1,"torch":"1.13.1"})"), SourceFormat::torch_dump);
    EXPECT_EQ(recognised("a.trace", R"({"nibblesim_trace":1,"name":"net","batch":4})"), std::nullopt) << "our own";
    EXPECT_EQ(recognised("a.json", R"({"some": "thing"})"), std::nullopt);
}

TEST(SourceFormat, BinaryFilesAreToldByTheirFirstFields) {
    // ONNX: IR version 10, then the producer's name. Chakra: 7 bytes of metadata, field 1, a version in 5 letters.
    EXPECT_EQ(recognised("model", "\x08\x0a\x12\x07pytorch"s), SourceFormat::onnx);
    EXPECT_EQ(recognised("model", "\x07\x0a\x05"s + "1.0.0"), SourceFormat::chakra);
    EXPECT_EQ(recognised("model", "\x0a\x0a\x05"s + "1.0.0"), SourceFormat::chakra);
    EXPECT_EQ(recognised("noise", "\x00\x01\x02\x03\x04"s), std::nullopt);
}

TEST(SourceFormat, YamlAndTables) {
    EXPECT_EQ(recognised("l.yaml", "problem:\n  shape: cnn-layer\n"), SourceFormat::timeloop);
    EXPECT_EQ(recognised("l.yaml", "- id: 0\n  operator_type: Conv\n"), SourceFormat::zigzag);
    EXPECT_EQ(recognised("l.yaml", "name: net\nlayers:\n  - linear: x\n"), std::nullopt) << "our own workload";
    EXPECT_EQ(recognised("t.csv", "\xEF\xBB\xBFLayer name, IFMAP Height,\nc1, 3,\n"), SourceFormat::scale_sim);
    EXPECT_EQ(recognised("t.csv", "Layer\tM\tN\tK\n"), SourceFormat::scale_sim);
    EXPECT_EQ(recognised("t.txt", "Layer, M, N, K\n"), std::nullopt);
    EXPECT_EQ(recognised("e.csv", ""), std::nullopt);
}

}  // namespace
}  // namespace nibble
