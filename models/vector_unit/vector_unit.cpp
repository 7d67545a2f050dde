// SPDX-License-Identifier: MIT
#include "models/vector_unit/vector_unit.h"

#include <algorithm>
#include <variant>

#include "sim/base/units.h"

namespace nibble {

StreamingUnit::Work VectorUnit::start(const Command& command) {
    const auto& vector = std::get<VectorCommand>(command.work);
    constexpr std::uint64_t port_bytes_per_lane = 3 * 4;  // two operands and a result of 32 bits
    ledger_.add(command.operation, Counter::vector_lane_ops, vector.lane_ops);
    ledger_.add(command.operation, Counter::vector_macs, vector.macs);
    const auto lines = [&](const PartBytes& bytes) {
        PartLines made{};
        std::ranges::transform(bytes, made.begin(), [&](std::uint64_t b) { return lines_of(b); });
        return made;
    };
    return {.lane_cycles = ceil_div(vector.lane_ops, params_.lanes),
            .lines_read = lines(vector.read_bytes),
            .lines_written = lines(vector.write_bytes),
            .lines_per_cycle = lines_of(params_.lanes * port_bytes_per_lane),
            .amount = vector.lane_ops};
}

}  // namespace nibble
