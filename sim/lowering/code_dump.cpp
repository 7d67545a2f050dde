// SPDX-License-Identifier: MIT
#include "sim/lowering/code_dump.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "models/numerics/int4.h"
#include "sim/lowering/selection.h"

namespace nibble {

namespace {

std::string plain_name(std::string_view text) {
    constexpr std::size_t longest = 200;
    constexpr std::string_view others = "._-";
    std::string name(text.substr(0, longest));
    std::ranges::replace_if(
        name,
        [&](char c) {
            const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            return !letter && !(c >= '0' && c <= '9') && others.find(c) == std::string_view::npos;
        },
        '_');
    return name;
}

std::string_view numpy_type(OperandFormat format) {
    switch (code_bits(format)) {
        case 4:
            return "|i1";
        case 8:
            return "|u1";
        default:
            return "<f2";
    }
}

}  // namespace

void CodeDump::begin(const Operation& operation) {
    const std::string layer = plain_name(operation.layer);
    const std::string phase = phase_name(operation.phase);
    const std::uint64_t use = ++uses_[fmt::format("{}.{}", layer, phase)];
    prefix_ = use == 1 ? fmt::format("{}.{}", layer, phase) : fmt::format("{}#{}.{}", layer, use, phase);
}

void CodeDump::add(std::string_view operand, const Tensor& tensor, const OperandCodes& quantized) {
    const std::string name = fmt::format("{}.{}", prefix_, operand);
    const OperandFormat format = quantized.format;
    const std::size_t bytes = code_bits(format) == 16 ? 2 : 1;
    std::size_t at = 0;
    npz_.add(name + ".codes.npy", numpy_type(format), bytes, tensor.shape, [&](std::span<char> out) {
        if (bytes == 2) {
            std::memcpy(out.data(), quantized.codes.data() + at, out.size());
            at += out.size() / bytes;
            return;
        }
        for (char& byte : out) {
            const std::uint16_t code = quantized.codes[at++];
            byte = static_cast<char>(format == OperandFormat::int4_signed ? int4_signed_value(code) : code);
        }
    });
    npz_.add(name + ".scale.npy", "<f8", sizeof(double), {},
             [&](std::span<char> out) { std::memcpy(out.data(), &quantized.range.scale, out.size()); });
    const std::string_view text = operand_format_names[static_cast<std::size_t>(format)];
    // One text: an element of as many UTF-32 characters.
    npz_.add(name + ".format.npy", fmt::format("<U{}", text.size()), 4 * text.size(), {}, [&](std::span<char> out) {
        std::ranges::fill(out, '\0');
        for (std::size_t i = 0; i < text.size(); ++i) {
            out[4 * i] = text[i];
        }
    });
}

}  // namespace nibble
