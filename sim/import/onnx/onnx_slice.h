// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/import/onnx/onnx_program.h"
#include "sim/input/step_builder.h"

namespace nibble {

/// What a Slice node takes of one dimension: begin, begin + step, ..., `count` places.
struct OnnxSliceRange {
    std::int64_t begin = 0;
    std::int64_t step = 1;
    std::uint64_t count = 0;
};

/// One range for each dimension of `shape`. Ends beyond the tensor are cut, as ONNX has it. Throws InputError.
[[nodiscard]] std::vector<OnnxSliceRange> onnx_slice_ranges(const OnnxStep& step, const Shape& shape,
                                                            const std::vector<std::int64_t>& starts,
                                                            const std::vector<std::int64_t>& ends,
                                                            const std::optional<std::vector<std::int64_t>>& axes,
                                                            const std::optional<std::vector<std::int64_t>>& steps);

/// Attribute perm of a Transpose: which input dimension each output dimension is. Throws InputError.
[[nodiscard]] std::vector<std::size_t> onnx_permutation(const OnnxStep& step, std::size_t rank);

}  // namespace nibble
