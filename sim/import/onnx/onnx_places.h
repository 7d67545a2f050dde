// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include "sim/input/step_builder.h"

namespace nibble {

/// Where the elements of a result come from: one place of the input for each.
using OnnxPlaces = std::vector<std::size_t>;

/// Goes through all indices of `shape` in row-major order.
template <class Visit>
void for_each_onnx_index(const Shape& shape, const Visit& visit) {
    std::vector<std::size_t> index(shape.size(), 0);
    const std::uint64_t count = elements_of(shape);
    for (std::uint64_t i = 0; i < count; ++i) {
        visit(index);
        for (std::size_t d = shape.size(); d-- > 0;) {
            if (++index[d] < shape[d]) {
                break;
            }
            index[d] = 0;
        }
    }
}

/// How far apart neighbours along each dimension lie.
[[nodiscard]] std::vector<std::size_t> onnx_strides(const Shape& shape);

/// Of a tensor of shape `from` that is broadcast to shape `to`.
[[nodiscard]] OnnxPlaces onnx_broadcast_places(const Shape& from, const Shape& to);

}  // namespace nibble
