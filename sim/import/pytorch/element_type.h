// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

struct ElementType {
    ElementKind kind = ElementKind::other;
    std::uint32_t bits = 0;
};

/// The element type of this name as PyTorch's recordings write it: the name of the C++ type, such as "float",
/// "long int" or "c10::BFloat16". Source: caffe2::TypeMeta's names, c10/util/typeid.h.
[[nodiscard]] std::optional<ElementType> element_type(std::string_view name);

}  // namespace nibble
