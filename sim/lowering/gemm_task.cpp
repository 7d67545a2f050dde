// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_task.h"

#include <numeric>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nibble {

namespace {

std::string text_of(const GemmTask::Operand& operand) {
    return fmt::format("{}{}{}{}", operand.bits, operand.on_chip ? " on chip" : "",
                       operand.stay_bytes > 0 ? fmt::format(" stays {}", operand.stay_bytes) : "",
                       operand.rounded_bits > 0 ? fmt::format(" rounded {}", operand.rounded_bits) : "");
}

std::string_view name_of(ScratchpadPart part) {
    return scratchpad_part_names[static_cast<std::size_t>(part)];
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

std::string GemmTask::content_key() const {
    std::string text = key() + fmt::format("; result in {}; code in {}", name_of(result_part), name_of(code_part));
    for (const StoredCopy& copy : stored) {
        text += fmt::format("; from {}", name_of(copy.part));
    }
    for (const WholeCopy& copy : whole_inputs) {
        text += fmt::format("; whole in {} {}", copy.bytes, name_of(copy.part));
    }
    for (const WholeCopy& copy : whole_outputs) {
        text += fmt::format("; whole out {} {}", copy.bytes, name_of(copy.part));
    }
    return text +
           fmt::format("; read {}; written {}", fmt::join(vector_read_bits, " "), fmt::join(vector_write_bits, " "));
}

}  // namespace nibble
