// SPDX-License-Identifier: MIT
#include "sim/counters/mapping_record.h"

#include <fmt/format.h>

namespace nibble {

std::string to_string(const MappingRecord& mapping) {
    if (!mapping.mapped()) {
        return {};
    }
    const auto cut = [](const CutRecord& dimension) {
        return fmt::format("{} of {}", dimension.tile, dimension.extent);
    };
    return fmt::format("i {}, j {}, l {}{}, order {}, buffers {} {} {}", cut(mapping.i), cut(mapping.j), cut(mapping.l),
                       mapping.batch.extent > 1 ? fmt::format(", {} products", cut(mapping.batch)) : "", mapping.order,
                       mapping.left_buffers, mapping.right_buffers, mapping.output_buffers);
}

}  // namespace nibble
