// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "models/mac_array/mac_array_params.h"
#include "models/mac_array/tile_values.h"
#include "sim/counters/value_record.h"
#include "sim/input/operation.h"
#include "sim/lowering/quantization_report.h"
#include "sim/lowering/recorded_values.h"
#include "sim/lowering/result_check.h"

namespace nibble {

/// Operand `input` (0 or 1) of a GEMM, as traces/FORMAT.md calls it: x, w, dy of a convolution, left, right of a matrix
/// product.
[[nodiscard]] std::string_view operand_name(const Operation& operation, std::size_t input);

/// The recorded numbers of a tile, in the order of its codes. Padding is zero.
struct TileNumbers {
    std::vector<float> left, right;
};

/// Outputs of one reduction, pass after pass.
struct ExactOutputs {
    explicit ExactOutputs(std::size_t outputs) : full_precision(outputs), quantized(outputs) {}

    std::vector<double> full_precision;  ///< of the recorded numbers
    std::vector<double> quantized;       ///< of the codes, in units of both scales
};

/// What there is to measure of the values of one GEMM: of its recorded operands, of their codes as they stream into the
/// array tile by tile, and, if both are recorded, of its outputs. Each tile is a few dense products, computed here once
/// from the recorded numbers and once from the codes, both in binary64.
class GemmMeasurement {
public:
    /// Codes on the same wires are `macs_per_pe` steps of the reduction apart where they run along it.
    GemmMeasurement(Dataflow dataflow, std::size_t macs_per_pe) : dataflow_(dataflow), macs_per_pe_(macs_per_pe) {}

    /// Says what operand `input` is; `recorded` is null if it is drawn from a hash.
    void describe(const Operation& operation, std::size_t input, bool on_left, OperandFormat format,
                  const RecordedOperand* recorded);
    /// Are outputs compared? They are if both operands are recorded.
    [[nodiscard]] bool compares() const { return record_->operands[0].recorded && record_->operands[1].recorded; }

    /// Takes in a tile as it is given to the array. `numbers` must be there if compares(); then the tile is added to
    /// `outputs`, those of its reduction, which is null otherwise.
    void add_tile(std::span<const MatmulPass> passes, const TileValues& codes, const TileNumbers& numbers,
                  ExactOutputs* outputs);
    /// Takes in what the array delivers for a reduction whose tiles have all been added.
    void compare(const ExactOutputs& outputs, std::span<const float> delivered);

    /// The trace says what the result was: `untiled_order` as in ResultComparison.
    void begin_results(bool untiled_order) { record_->result = ResultComparison{.untiled_order = untiled_order}; }
    /// Compares what the array delivers for a tile with it. Only after begin_results(), and if compares().
    void compare_results(const ResultCheck& check, const TileRange& tile, std::span<const float> delivered);

    /// Up to date after every tile.
    [[nodiscard]] std::shared_ptr<const ValueRecord> record() const { return record_; }

private:
    struct Side {
        std::size_t input = 0;
        OperandFormat format = OperandFormat::fp16;
        ToggleCounter toggles;
    };

    void count_toggles(const MatmulPass& pass, std::span<const std::uint16_t> left,
                       std::span<const std::uint16_t> right);
    void note_toggle_rate(const Side& side);
    /// What sums are in units of.
    [[nodiscard]] double unit() const;

    Dataflow dataflow_;
    std::size_t macs_per_pe_;
    std::shared_ptr<ValueRecord> record_ = std::make_shared<ValueRecord>();
    Side left_, right_;
    OutputComparison comparison_;
};

}  // namespace nibble
