// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_window.h"

#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace nibble {

namespace {

// As in a trace (traces/FORMAT.md, Limits): sums and products of these fit 64 bits.
constexpr std::uint64_t most_extent = std::uint64_t{1} << 32U;
constexpr std::uint64_t most_window = std::uint64_t{1} << 20U;

/// A list of the node, one number for each of `count` places.
Shape list_of(const OnnxStep& step, const char* name, std::size_t count, std::uint64_t least, std::uint64_t otherwise) {
    const std::optional<std::vector<std::int64_t>> given = step.integers(name);
    if (!given || given->empty()) {
        return Shape(count, otherwise);
    }
    if (given->size() != count) {
        step.fail(fmt::format("{}: expected {} numbers, found {}", name, count, given->size()));
    }
    Shape list;
    for (const std::int64_t value : *given) {
        if (value < static_cast<std::int64_t>(least) || value > static_cast<std::int64_t>(most_window)) {
            step.fail(fmt::format("{}: expected numbers from {} to {}, found {}", name, least, most_window, value));
        }
        list.push_back(static_cast<std::uint64_t>(value));
    }
    return list;
}

/// Everything that the node says itself.
OnnxWindow said(const OnnxStep& step, const Shape& input, const Shape& kernel) {
    const std::size_t rank = input.size();
    if (kernel.size() != rank) {
        step.fail(fmt::format("a window of {} dimensions for an input of {}", kernel.size(), rank));
    }
    for (std::size_t i = 0; i < rank; ++i) {
        if (input[i] > most_extent || kernel[i] == 0 || kernel[i] > most_window) {
            step.fail(fmt::format("expected an input of at most {} and a window of 1 to {}, found {} and {}",
                                  most_extent, most_window, input[i], kernel[i]));
        }
    }
    OnnxWindow window;
    window.kernel = kernel;
    window.stride = list_of(step, "strides", rank, 1, 1);
    window.dilation = list_of(step, "dilations", rank, 1, 1);
    const Shape pads = list_of(step, "pads", 2 * rank, 0, 0);
    window.pad_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(rank));
    window.pad_end.assign(pads.begin() + static_cast<std::ptrdiff_t>(rank), pads.end());
    const std::string automatic = step.text("auto_pad", "NOTSET");
    if (automatic != "NOTSET" && automatic != "SAME_UPPER" && automatic != "SAME_LOWER" && automatic != "VALID" &&
        !automatic.empty()) {
        step.fail(fmt::format("auto_pad: expected NOTSET, SAME_UPPER, SAME_LOWER or VALID, found '{}'",
                              automatic.substr(0, 20)));
    }
    return window;
}

std::uint64_t reach(const OnnxWindow& window, std::size_t i) {
    return window.dilation[i] * (window.kernel[i] - 1) + 1;
}

/// Splits padding between both sides, the odd one where auto_pad says.
void share(OnnxWindow& window, std::size_t i, std::uint64_t total, bool lower) {
    window.pad_begin[i] = lower ? total - total / 2 : total / 2;
    window.pad_end[i] = total - window.pad_begin[i];
}

}  // namespace

Shape onnx_kernel(const OnnxStep& step, std::size_t dimensions) {
    if (!step.integers("kernel_shape")) {
        step.fail("expected the attribute kernel_shape");
    }
    return list_of(step, "kernel_shape", dimensions, 1, 1);
}

OnnxWindow onnx_window(const OnnxStep& step, const Shape& input, const Shape& kernel) {
    OnnxWindow window = said(step, input, kernel);
    const std::string automatic = step.text("auto_pad", "NOTSET");
    const bool round_up = step.integer("ceil_mode", 0) != 0;
    for (std::size_t i = 0; i < input.size(); ++i) {
        const std::uint64_t window_reach = reach(window, i);
        const std::uint64_t stride = window.stride[i];
        if (automatic.starts_with("SAME")) {
            const std::uint64_t out = (input[i] + stride - 1) / stride;
            const std::uint64_t needed = out == 0 ? 0 : (out - 1) * stride + window_reach;
            share(window, i, needed > input[i] ? needed - input[i] : 0, automatic == "SAME_LOWER");
        } else if (automatic == "VALID") {
            window.pad_begin[i] = window.pad_end[i] = 0;
        }
        const std::uint64_t padded = input[i] + window.pad_begin[i] + window.pad_end[i];
        if (window_reach > padded) {
            step.fail(fmt::format("a window of {} does not fit a padded input of {}", window_reach, padded));
        }
        const std::uint64_t room = padded - window_reach;
        std::uint64_t places = (round_up ? (room + stride - 1) / stride : room / stride) + 1;
        if (round_up && (places - 1) * stride >= input[i] + window.pad_begin[i]) {
            --places;  // a window that would begin in the padding behind the input
        }
        window.output.push_back(places);
    }
    return window;
}

OnnxWindow onnx_transposed_window(const OnnxStep& step, const Shape& input, const Shape& kernel) {
    OnnxWindow window = said(step, input, kernel);
    const std::string automatic = step.text("auto_pad", "NOTSET");
    const Shape extra = list_of(step, "output_padding", input.size(), 0, 0);
    const std::optional<std::vector<std::int64_t>> wanted = step.integers("output_shape");
    for (std::size_t i = 0; i < input.size(); ++i) {
        if (input[i] == 0) {
            step.fail("an input without elements");
        }
        const std::uint64_t full = window.stride[i] * (input[i] - 1) + extra[i] + reach(window, i);
        if (wanted || automatic.starts_with("SAME")) {
            std::uint64_t out = input[i] * window.stride[i];
            if (wanted) {
                // Some models give the batch and the channels too.
                const std::size_t skipped = wanted->size() > input.size() ? wanted->size() - input.size() : 0;
                const std::int64_t value = skipped + i < wanted->size() ? (*wanted)[skipped + i] : 0;
                out = value > 0 ? static_cast<std::uint64_t>(value) : 0;
            }
            // A result that is larger than what the window reaches has zeros at its end, as with output_padding.
            if (out == 0 || out >= full + window.stride[i]) {
                step.fail(fmt::format("output_shape: expected a size from 1 to {}, found {}",
                                      full + window.stride[i] - 1, out));
            }
            share(window, i, full > out ? full - out : 0, automatic != "SAME_UPPER");
            window.output.push_back(out);
            continue;
        } else if (automatic == "VALID") {
            window.pad_begin[i] = window.pad_end[i] = 0;
        }
        const std::uint64_t pads = window.pad_begin[i] + window.pad_end[i];
        if (pads >= full) {
            step.fail(fmt::format("padding of {} leaves nothing of a result of {}", pads, full));
        }
        window.output.push_back(full - pads);
    }
    return window;
}

}  // namespace nibble
