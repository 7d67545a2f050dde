// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/recorded_call.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <utility>

namespace nibble {

std::vector<std::size_t> order_in_memory(const RecordedTensor& tensor) {
    std::vector<std::size_t> order(tensor.shape.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (tensor.strides.size() != tensor.shape.size()) {
        return order;
    }
    // Where a dimension of 1 lies says nothing: it stays in its place.
    std::vector<std::size_t> longer;
    std::ranges::copy_if(order, std::back_inserter(longer), [&](std::size_t at) { return tensor.shape[at] > 1; });
    std::vector<std::size_t> sorted = longer;
    std::ranges::stable_sort(sorted, std::greater<>(), [&](std::size_t at) { return tensor.strides[at]; });
    for (std::size_t i = 0; i < longer.size(); ++i) {
        order[longer[i]] = sorted[i];
    }
    return order;
}

bool lies_in_rows_or_columns(const RecordedTensor& tensor) {
    std::vector<std::size_t> order = order_in_memory(tensor);
    if (std::ranges::is_sorted(order)) {
        return true;
    }
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    return std::ranges::is_sorted(order);
}

}  // namespace nibble
