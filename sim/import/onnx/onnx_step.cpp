// SPDX-License-Identifier: MIT
#include <algorithm>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/onnx/onnx_program.h"

namespace nibble {

std::string OnnxStep::op() const {
    // The versions of an operator in these domains mean the same.
    const bool known = node_->domain.empty() || node_->domain == "com.microsoft";
    return known ? node_->op : node_->domain + "." + node_->op;
}

std::string OnnxStep::title() const {
    return node_->name.empty() ? fmt::format("node {} ({})", index_, printable(node_->op))
                               : fmt::format("node '{}' ({})", printable(node_->name, 100), printable(node_->op));
}

OnnxValueId OnnxStep::input(std::size_t at) const {
    if (!has_input(at)) {
        fail(fmt::format("expected an input {}, counted from 0", at));
    }
    return inputs[at];
}

OnnxValueId OnnxStep::output(std::size_t at) const {
    if (!has_output(at)) {
        fail(fmt::format("expected an output {}, counted from 0", at));
    }
    return outputs[at];
}

const OnnxAttribute* OnnxStep::attribute(const char* name) const {
    const auto found = std::find_if(node_->attributes.begin(), node_->attributes.end(),
                                    [&](const OnnxAttribute& attribute) { return attribute.name == name; });
    return found == node_->attributes.end() ? nullptr : &*found;
}

std::int64_t OnnxStep::integer(const char* name, std::int64_t otherwise) const {
    const OnnxAttribute* found = attribute(name);
    return found == nullptr ? otherwise : found->number.value_or(otherwise);
}

double OnnxStep::real(const char* name, double otherwise) const {
    const OnnxAttribute* found = attribute(name);
    return found == nullptr ? otherwise : found->real.value_or(otherwise);
}

std::string OnnxStep::text(const char* name, const char* otherwise) const {
    const OnnxAttribute* found = attribute(name);
    return found == nullptr ? otherwise : found->text.value_or(otherwise);
}

std::optional<std::vector<std::int64_t>> OnnxStep::integers(const char* name) const {
    const OnnxAttribute* found = attribute(name);
    return found == nullptr ? std::nullopt : std::optional(found->numbers);
}

std::uint64_t OnnxStep::count(const char* name, std::uint64_t otherwise, std::uint64_t least,
                              std::uint64_t most) const {
    const std::int64_t value = integer(name, static_cast<std::int64_t>(otherwise));
    if (value < 0 || static_cast<std::uint64_t>(value) < least || static_cast<std::uint64_t>(value) > most) {
        fail(fmt::format("{}: expected a whole number from {} to {}, found {}", name, least, most, value));
    }
    return static_cast<std::uint64_t>(value);
}

void OnnxStep::fail(const std::string& what) const {
    throw InputError({*file_, 0, 0}, fmt::format("{}: {}", title(), what));
}

}  // namespace nibble
