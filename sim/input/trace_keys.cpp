// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/input/trace_meaning.h"

namespace nibble {

namespace {

using Key = TraceKey;

struct KindKeys {
    std::string_view what;  // for people
    std::vector<Key> required;
    std::vector<Key> optional;
};

const KindKeys& keys_of(TraceLineKind kind) {
    // In the order of TraceLineKind.
    static const std::array<KindKeys, 6> table{{
        {"the first line", {Key::nibblesim_trace, Key::name, Key::batch}, {}},
        {"a tensor",
         {Key::tensor, Key::role, Key::shape},
         {Key::name, Key::bits, Key::values, Key::quantized, Key::clip, Key::has_sign, Key::fp4_scale_log2,
          Key::fp8_scale_log2}},
        {"a convolution",
         {Key::op, Key::phase, Key::layer, Key::n, Key::c, Key::h, Key::w, Key::k, Key::r, Key::s, Key::in, Key::out},
         {Key::group, Key::position, Key::stride, Key::pad, Key::dilation, Key::groups, Key::transposed, Key::epilogue,
          Key::operand_bits, Key::result}},
        {"a matrix product",
         {Key::op, Key::phase, Key::layer, Key::m, Key::n, Key::k, Key::in, Key::out},
         {Key::group, Key::position, Key::batch, Key::left, Key::right, Key::epilogue, Key::operand_bits, Key::result}},
        {"a vector operation",
         {Key::op, Key::phase, Key::layer, Key::steps, Key::elements, Key::in, Key::out},
         {Key::group, Key::position}},
        {"the last line", {Key::end, Key::tensors, Key::operations}, {}},
    }};
    return table.at(static_cast<std::size_t>(kind));
}

bool contains(const std::vector<Key>& keys, Key key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

std::optional<TraceLineKind> kind_of(TraceLine& line) {
    if (line.has(Key::op)) {
        if (!line.readable(Key::op)) {
            return std::nullopt;
        }
        static const std::vector<std::string> kinds{"conv", "matmul", "vector"};
        const auto kind = std::find(kinds.begin(), kinds.end(), line.text(Key::op));
        if (kind == kinds.end()) {
            line.problem(Key::op, fmt::format("expected one of conv, matmul, vector, found '{}'{}",
                                              printable(line.text(Key::op)), suggestion(line.text(Key::op), kinds)));
            return std::nullopt;
        }
        return static_cast<TraceLineKind>(static_cast<int>(TraceLineKind::convolution) + (kind - kinds.begin()));
    }
    if (line.has(Key::tensor)) {
        return TraceLineKind::tensor;
    }
    if (line.has(Key::end)) {
        return TraceLineKind::end;
    }
    if (line.has(Key::nibblesim_trace)) {
        return TraceLineKind::header;
    }
    line.problem(1, "expected a line with one of the keys 'tensor', 'op' and 'end'");
    return std::nullopt;
}

void check_keys(TraceLine& line, TraceLineKind kind) {
    const KindKeys& keys = keys_of(kind);
    for (std::size_t i = 0; i < trace_key_count; ++i) {
        const auto key = static_cast<Key>(i);
        const bool required = contains(keys.required, key);
        if (line.has(key) && !required && !contains(keys.optional, key)) {
            line.problem(key, fmt::format("not a key of {}", keys.what));
        } else if (!line.has(key) && required && !(kind == TraceLineKind::end && !line.readable(Key::end))) {
            line.problem(1, fmt::format("missing key '{}' of {}", name_of(key), keys.what));
        }
    }
}

}  // namespace nibble
