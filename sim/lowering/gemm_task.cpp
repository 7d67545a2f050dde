// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_task.h"

#include <numeric>

#include <fmt/format.h>

namespace nibble {

namespace {

std::string text_of(const GemmTask::Operand& operand) {
    return fmt::format("{}{}{}{}", operand.bits, operand.on_chip ? " on chip" : "",
                       operand.stay_bytes > 0 ? fmt::format(" stays {}", operand.stay_bytes) : "",
                       operand.rounded_bits > 0 ? fmt::format(" rounded {}", operand.rounded_bits) : "");
}

std::uint64_t sum(const PartBytes& bits) {
    return std::accumulate(bits.begin(), bits.end(), std::uint64_t{0});
}

}  // namespace

std::string GemmTask::key() const {
    std::string text = fmt::format("{}; {}; left {}; right {}", problem.text(),
                                   array_mode_names[static_cast<std::size_t>(mode)], text_of(left), text_of(right));
    for (const Operand& side : side_inputs) {
        text += "; side " + text_of(side);
    }
    text += fmt::format("; result {}; code {}", result_bits, code_bits);
    for (const StoredCopy& copy : stored) {
        text += fmt::format("; stored {}", copy.bits);
    }
    return text + fmt::format("; lanes {} {} {}", lane_ops, sum(vector_read_bits), sum(vector_write_bits));
}

}  // namespace nibble
