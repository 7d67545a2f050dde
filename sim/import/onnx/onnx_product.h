// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "sim/import/onnx/onnx_importer.h"

namespace nibble {

/// How a node takes its two matrices, and what it does with the product.
struct OnnxProductForm {
    bool left_transposed = false;
    bool right_transposed = false;
    std::vector<VectorStep> epilogue;
    std::vector<TensorId> more;  ///< that the epilogue reads
};

/// The product of two stacks of matrices, with NumPy's rules for stacks that differ, into the node's first output.
void onnx_matrix_product(OnnxImporter& importer, const OnnxStep& step, OnnxValueId left, OnnxValueId right,
                         const OnnxProductForm& form);

/// What a product of a recorded backward pass is: with a weight dx; of a gradient on the left that lies as it is dx of
/// a product of activations; every other product of a gradient dw. Of a forward pass: forward.
[[nodiscard]] Phase onnx_product_phase(const OnnxImporter& importer, const OnnxStep& step,
                                       const OnnxImporter::Operand& left, const OnnxImporter::Operand& right);

/// The value is the gradient of a parameter, by its name: "fc.weight_grad".
[[nodiscard]] bool onnx_gradient_of_parameter(const OnnxImporter& importer, OnnxValueId id);

}  // namespace nibble
