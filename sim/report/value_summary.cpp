// SPDX-License-Identifier: MIT
#include "sim/report/value_summary.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace nibble {

namespace {

void add(FormatAverages& averages, const QuantizationRecord& operand) {
    ++averages.operands;
    if (operand.sqnr_db) {
        averages.sqnr_db.add(*operand.sqnr_db);
    }
    averages.clipped.add(operand.clipped);
    averages.underflowed.add(operand.underflowed);
    averages.zero_codes.add(operand.zero_codes);
    if (operand.toggle_rate) {
        averages.toggle_rate.add(*operand.toggle_rate);
    }
}

/// Is `a` further from full precision than `b`? Of equals the first stays first.
bool worse(const OutputQuality& a, const OutputQuality& b) {
    const auto badness = [](const OutputQuality& quality) {
        const OutputRecord& output = *quality.values.output;
        return std::pair(output.overflowed, output.array_relative_error.value_or(0));
    };
    return badness(a) > badness(b);
}

}  // namespace

void ValueSummary::add(const OpRecord& machine, const OpRecord* baseline) {
    if (machine.values == nullptr) {
        return;
    }
    const ValueRecord& values = *machine.values;
    bool recorded = false;
    for (const OperandRecord& operand : values.operands) {
        if (operand.recorded) {
            recorded = true;
            nibble::add(formats_[operand.format], *operand.recorded);
        }
    }
    gemms_ += recorded ? 1 : 0;
    add_result(machine);
    if (!values.output) {
        return;
    }
    ++compared_;
    OutputQuality quality{machine.index, machine.layer, machine.phase, values, std::nullopt};
    if (baseline != nullptr && baseline->values != nullptr) {
        quality.baseline = baseline->values->output;
    }
    worst_.insert(std::ranges::upper_bound(worst_, quality, worse), std::move(quality));
    if (worst_.size() > most_worst) {
        worst_.pop_back();
    }
}

void ValueSummary::add_result(const OpRecord& machine) {
    const std::optional<ResultComparison>& found = machine.values->result;
    if (!found) {
        return;
    }
    ++replay_.gemms;
    replay_.cut_gemms += found->untiled_order ? 0U : 1U;
    replay_.outputs_compared += found->outputs_compared;
    replay_.outputs_different += found->outputs_different;
    replay_.largest_difference = std::max(replay_.largest_difference, found->largest_difference);
    if (found->outputs_different == 0) {
        return;
    }
    ++replay_.different_gemms;
    if (replay_.first.size() < most_worst) {
        replay_.first.push_back({machine.index, machine.layer, machine.phase, *found});
    }
}

}  // namespace nibble
