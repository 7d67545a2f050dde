// SPDX-License-Identifier: MIT
#include "models/vector_unit/vector_unit.h"

#include <variant>

#include "sim/base/units.h"

namespace nibble {

StreamingUnit::Work VectorUnit::start(const Command& command) {
    const auto& vector = std::get<VectorCommand>(command.work);
    constexpr std::uint64_t port_bytes_per_lane = 3 * 4;  // two operands and a result of 32 bits
    ledger_.add(command.operation, Counter::vector_lane_ops, vector.lane_ops);
    ledger_.add(command.operation, Counter::vector_macs, vector.macs);
    return {.lane_cycles = ceil_div(vector.lane_ops, params_.lanes),
            .lines_read = ceil_div(vector.read_bytes, line_bytes_),
            .lines_written = ceil_div(vector.write_bytes, line_bytes_),
            .lines_per_cycle = ceil_div(params_.lanes * port_bytes_per_lane, line_bytes_)};
}

}  // namespace nibble
