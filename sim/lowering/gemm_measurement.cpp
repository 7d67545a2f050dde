// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_measurement.h"

#include <algorithm>
#include <variant>

#include "models/numerics/full_precision_gemm.h"
#include "models/numerics/operand.h"

namespace nibble {

namespace {

std::vector<float> decoded(OperandFormat format, std::span<const std::uint16_t> codes) {
    std::vector<float> numbers(codes.size());
    std::ranges::transform(codes, numbers.begin(),
                           [format](std::uint16_t code) { return decode_operand(format, code); });
    return numbers;
}

}  // namespace

std::string_view operand_name(const Operation& operation, std::size_t input) {
    if (!std::holds_alternative<Convolution>(operation.work)) {
        return input == 0 ? "left" : "right";
    }
    switch (operation.phase) {
        case Phase::dx:
            return input == 0 ? "dy" : "w";
        case Phase::dw:
            return input == 0 ? "x" : "dy";
        default:
            return input == 0 ? "x" : "w";
    }
}

void GemmMeasurement::describe(const Operation& operation, std::size_t input, bool on_left, OperandFormat format,
                               const RecordedOperand* recorded) {
    OperandRecord& operand = record_->operands[input];
    operand.name = operand_name(operation, input);
    operand.on_left = on_left;
    operand.format = operand_format_names[static_cast<std::size_t>(format)];
    if (recorded != nullptr) {
        operand.recorded = quantization_of(recorded->values, recorded->quantized);
    }
    (on_left ? left_ : right_) = {input, format, {}};
}

void GemmMeasurement::add_tile(std::span<const MatmulPass> passes, const TileValues& codes, const TileNumbers& numbers,
                               ExactOutputs* outputs) {
    std::size_t left = 0;
    std::size_t right = 0;
    std::size_t out = 0;
    for (const MatmulPass& pass : passes) {
        const std::size_t left_size = pass.m * pass.k;
        const std::size_t right_size = pass.k * pass.n;
        const std::span left_codes(codes.left.data() + left, left_size);
        const std::span right_codes(codes.right.data() + right, right_size);
        count_toggles(pass, left_codes, right_codes);
        if (outputs != nullptr) {
            add_full_precision_product(pass.m, pass.n, pass.k, std::span(numbers.left).subspan(left, left_size),
                                       std::span(numbers.right).subspan(right, right_size),
                                       std::span(outputs->full_precision).subspan(out, pass.m * pass.n));
            add_full_precision_product(pass.m, pass.n, pass.k, decoded(left_.format, left_codes),
                                       decoded(right_.format, right_codes),
                                       std::span(outputs->quantized).subspan(out, pass.m * pass.n));
        }
        left += left_size;
        right += right_size;
        out += pass.m * pass.n;
    }
    note_toggle_rate(left_);
    note_toggle_rate(right_);
}

// What moves follows from the dataflow (see tile_timing()). An output-stationary array takes both operands along the
// reduction. A stationary operand is shifted in along the reduction too, and stays while the other one streams along
// the dimension that it does not share with it.
void GemmMeasurement::count_toggles(const MatmulPass& pass, std::span<const std::uint16_t> left,
                                    std::span<const std::uint16_t> right) {
    if (record_->operands[left_.input].recorded) {
        if (dataflow_ == Dataflow::weight_stationary) {
            left_.toggles.add_down(left, pass.k, 1);
        } else {
            left_.toggles.add_along(left, pass.k, macs_per_pe_);
        }
    }
    if (record_->operands[right_.input].recorded) {
        if (dataflow_ == Dataflow::input_stationary) {
            right_.toggles.add_along(right, pass.n, 1);
        } else {
            right_.toggles.add_down(right, pass.n, macs_per_pe_);
        }
    }
}

void GemmMeasurement::note_toggle_rate(const Side& side) {
    if (auto& recorded = record_->operands[side.input].recorded) {
        recorded->toggle_rate = side.toggles.rate(code_bits(side.format));
    }
}

// The array's sums, like those of the codes, are in units of both scales.
double GemmMeasurement::unit() const {
    return record_->operands[0].recorded->range.scale * record_->operands[1].recorded->range.scale;
}

void GemmMeasurement::compare_results(const ResultCheck& check, const TileRange& tile,
                                      std::span<const float> delivered) {
    check.compare(tile, delivered, unit(), *record_->result);
}

void GemmMeasurement::compare(const ExactOutputs& outputs, std::span<const float> delivered) {
    const double unit = this->unit();
    for (std::size_t i = 0; i < delivered.size(); ++i) {
        comparison_.add(outputs.full_precision[i], outputs.quantized[i] * unit,
                        static_cast<double>(delivered[i]) * unit);
    }
    record_->output = comparison_.record();
}

}  // namespace nibble
