// SPDX-License-Identifier: MIT
#include "models/log_gradient/log_gradient.h"

#include <variant>

#include "models/log_gradient/gradient_values.h"
#include "sim/base/units.h"

namespace nibble {

StreamingUnit::Work LogGradient::start(const Command& command) {
    const auto& convert = std::get<ConvertCommand>(command.work);
    constexpr std::uint64_t fp16_bytes = 2;
    ledger_.add(command.operation, Counter::gradients_converted, convert.elements);
    if (convert.values) {
        nibble::convert(*convert.values);
    }
    const std::uint64_t code_bytes = bytes_for(Bits(convert.elements * convert.code_bits)).count();
    // The ports are as wide as the lanes: FP16 in, codes out, in every cycle.
    const std::uint64_t port_bytes =
        params_.lanes * fp16_bytes + bytes_for(Bits(params_.lanes * convert.code_bits)).count();
    Work work{.lane_cycles = ceil_div(convert.elements, params_.lanes),
              .lines_read = {},
              .lines_written = {},
              .lines_per_cycle = lines_of(port_bytes),
              .amount = convert.elements};
    work.lines_read[static_cast<std::size_t>(convert.gradient_part)] = lines_of(convert.elements * fp16_bytes);
    work.lines_written[static_cast<std::size_t>(convert.code_part)] = lines_of(code_bytes);
    return work;
}

}  // namespace nibble
