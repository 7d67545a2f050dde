// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include "sim/import/byte_source.h"
#include "sim/import/onnx/onnx_import.h"
#include "sim/input/operation_size.h"
#include "tests/support/imported_graph.h"
#include "tests/support/onnx_bytes.h"

namespace nibble::test {

/// Each operation comes after those that write what it reads, each tensor is written once, and operands of GEMMs have
/// the sizes that these want.
inline void expect_sound(const StepGraph& graph) {
    std::vector<bool> written(graph.tensors.size(), false);
    std::vector<bool> read(graph.tensors.size(), false);
    for (const Operation& operation : graph.operations) {
        for (const TensorId id : operation.inputs) {
            read.at(id) = true;
        }
        for (const TensorId id : operation.outputs) {
            EXPECT_FALSE(written.at(id)) << graph.tensors[id].name << " is written twice, at last in "
                                         << operation.layer;
            EXPECT_FALSE(read.at(id)) << graph.tensors[id].name << " is read before " << operation.layer
                                      << " writes it";
            written.at(id) = true;
        }
        const std::vector<OperandElements> expected = expected_elements(operation);
        if (expected.empty()) {
            EXPECT_FALSE(operation.outputs.empty()) << operation.layer;
            continue;
        }
        ASSERT_GE(operation.inputs.size(), 2U);
        EXPECT_TRUE(expected[0].allows(graph.tensors[operation.inputs[0]].elements)) << operation.layer << ", left";
        EXPECT_TRUE(expected[1].allows(graph.tensors[operation.inputs[1]].elements)) << operation.layer << ", right";
        EXPECT_TRUE(expected[2].allows(graph.tensors[operation.outputs[0]].elements)) << operation.layer << ", result";
    }
}

/// Reads the bytes of a model as the program does.
inline Imported import_onnx(const std::string& bytes, const ImportOptions& options = {}) {
    const Folder folder;
    ByteSource source(folder.add("model.onnx", bytes), [](std::string_view) { return true; });
    Imported imported;
    imported.graph = read_onnx(source, options, imported.summary);
    expect_sound(imported.graph);
    return imported;
}

}  // namespace nibble::test
