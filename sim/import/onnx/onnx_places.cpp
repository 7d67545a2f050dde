// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_places.h"

namespace nibble {

std::vector<std::size_t> onnx_strides(const Shape& shape) {
    std::vector<std::size_t> strides(shape.size(), 1);
    for (std::size_t d = shape.size(); d-- > 1;) {
        strides[d - 1] = strides[d] * shape[d];
    }
    return strides;
}

OnnxPlaces onnx_broadcast_places(const Shape& from, const Shape& to) {
    const std::vector<std::size_t> strides = onnx_strides(from);
    const std::size_t skipped = to.size() - from.size();
    OnnxPlaces places;
    for_each_onnx_index(to, [&](const std::vector<std::size_t>& index) {
        std::size_t place = 0;
        for (std::size_t d = 0; d < from.size(); ++d) {
            place += from[d] == 1 ? 0 : index[skipped + d] * strides[d];
        }
        places.push_back(place);
    });
    return places;
}

}  // namespace nibble
