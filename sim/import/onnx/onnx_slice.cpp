// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_slice.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nibble {

std::vector<OnnxSliceRange> onnx_slice_ranges(const OnnxStep& step, const Shape& shape,
                                              const std::vector<std::int64_t>& starts,
                                              const std::vector<std::int64_t>& ends,
                                              const std::optional<std::vector<std::int64_t>>& axes,
                                              const std::optional<std::vector<std::int64_t>>& steps) {
    const auto rank = static_cast<std::int64_t>(shape.size());
    if (starts.size() != ends.size() || (axes && axes->size() != starts.size()) ||
        (steps && steps->size() != starts.size()) || (!axes && starts.size() > shape.size())) {
        step.fail("starts, ends, axes and steps must be as many as each other");
    }
    std::vector<OnnxSliceRange> ranges;
    for (const std::uint64_t size : shape) {
        ranges.push_back({0, 1, size});
    }
    for (std::size_t i = 0; i < starts.size(); ++i) {
        const std::int64_t said = axes ? (*axes)[i] : static_cast<std::int64_t>(i);
        if (said < -rank || said >= rank) {
            step.fail(fmt::format("axis {} of {} dimensions", said, rank));
        }
        const auto axis = static_cast<std::size_t>(said < 0 ? said + rank : said);
        const auto size = static_cast<std::int64_t>(shape[axis]);  // at most 2^48
        const std::int64_t stride = std::clamp(steps ? (*steps)[i] : 1, -size - 1, size + 1);
        if (stride == 0) {
            step.fail("a step of 0");
        }
        // From the front, cut to what the direction can reach.
        const auto place = [&](std::int64_t at, std::int64_t least, std::int64_t most) {
            const std::int64_t counted = at < 0 ? std::max(at, -size - 1) + size : at;
            return std::clamp(counted, least, most);
        };
        OnnxSliceRange range;
        range.step = stride;
        if (stride > 0) {
            range.begin = place(starts[i], 0, size);
            const std::int64_t end = place(ends[i], 0, size);
            range.count = end > range.begin ? static_cast<std::uint64_t>((end - range.begin + stride - 1) / stride) : 0;
        } else {
            range.begin = place(starts[i], -1, size - 1);
            const std::int64_t end = place(ends[i], -1, size - 1);
            range.count =
                range.begin > end ? static_cast<std::uint64_t>((range.begin - end - stride - 1) / -stride) : 0;
        }
        ranges[axis] = range;
    }
    return ranges;
}

std::vector<std::size_t> onnx_permutation(const OnnxStep& step, std::size_t rank) {
    const auto said = step.integers("perm");
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < rank; ++i) {
        order.push_back(rank - 1 - i);
    }
    if (!said || (said->empty() && rank > 0)) {
        return order;
    }
    std::vector<bool> taken(rank, false);
    bool good = said->size() == rank;
    for (std::size_t i = 0; good && i < rank; ++i) {
        const std::int64_t from = (*said)[i] < 0 ? (*said)[i] + static_cast<std::int64_t>(rank) : (*said)[i];
        good = from >= 0 && from < static_cast<std::int64_t>(rank) && !taken[static_cast<std::size_t>(from)];
        if (good) {
            order[i] = static_cast<std::size_t>(from);
            taken[order[i]] = true;
        }
    }
    if (!good) {
        step.fail(fmt::format("perm: [{}] is no order of {} dimensions", fmt::join(*said, ","), rank));
    }
    return order;
}

}  // namespace nibble
