// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/mac_array/tile_values.h"
#include "models/machine/machine_params.h"
#include "sim/counters/value_record.h"
#include "sim/input/operation.h"
#include "sim/lowering/code_dump.h"
#include "sim/lowering/gemm_measurement.h"
#include "sim/lowering/gemm_problem.h"
#include "sim/lowering/layer_values.h"
#include "sim/lowering/recipe.h"
#include "sim/lowering/recorded_values.h"
#include "sim/lowering/tiling.h"

namespace nibble {

/// Operand values for the GEMMs of a run in values mode, the check of what the array makes of them, and what there is
/// to measure of recorded ones.
///
/// Element `e` of a tensor that names recorded values is what quantisation makes of them (RecordedValues); the codes of
/// the present GEMM are held, and those of earlier ones until the array has finished them. Of another tensor it is a
/// code drawn from a hash of seed, tensor and e, so that nothing is stored; not-a-number codes are left out.
///
/// Every tile's operands are gathered in the order in which the array takes them. When a tile
/// completes its reduction, its outputs are compared bit for bit with a reference that walks the layer's textbook
/// formula element by element, chunk by chunk in the same order. Of operations with more than `most_checked` outputs
/// a regular sample is compared.
class GemmValues {
public:
    static constexpr std::uint64_t most_checked = 4096;  // outputs of one operation

    /// Recorded values are beside the trace at `trace_path`. Their codes go to `dump`, unless that is null. Where the
    /// trace says what a result was, it is compared if `compares_results`.
    GemmValues(const std::string& trace_path, const MachineParameters& machine, std::uint64_t seed,
               std::unique_ptr<CodeDump> dump, bool compares_results)
        : recorded_(trace_path),
          array_(machine.mac_array),
          seed_(seed),
          dump_(std::move(dump)),
          compares_results_(compares_results),
          checked_(std::make_shared<std::uint64_t>(0)) {}

    /// The tiles that follow belong to this GEMM, whose operands, as the array takes them, are `left` and `right`.
    /// Returns what is measured of it, which is complete when the array has finished all of them. Throws InputError if
    /// recorded values cannot be used, which check_recorded_values() finds out beforehand, or the dump not written.
    [[nodiscard]] std::shared_ptr<const ValueRecord> begin(const Operation& operation, const GemmProblem& problem,
                                                           const Tiling& tiling, const GemmPrecision& precision,
                                                           const Tensor& left, const Tensor& right);
    /// Operands of one tile; `first` of its reduction.
    [[nodiscard]] std::shared_ptr<TileValues> tile(const TileRange& tile, bool first, bool last);

    /// There are no more GEMMs: completes the dump.
    void finish();

    /// Outputs compared so far.
    [[nodiscard]] std::uint64_t checked() const { return *checked_; }

private:
    [[nodiscard]] ValueSource source(const Operation& operation, std::size_t input, const Tensor& tensor,
                                     OperandFormat format, bool keeps_numbers);

    RecordedValues recorded_;
    MacArrayParameters array_;
    std::uint64_t seed_;
    std::unique_ptr<CodeDump> dump_;
    bool compares_results_;
    std::shared_ptr<std::uint64_t> checked_;
    std::shared_ptr<const LayerValues> layer_;
    std::shared_ptr<GemmMeasurement> measurement_;
    std::shared_ptr<const ResultCheck> result_check_;  // null: nothing to compare with
    /// A reduction in progress.
    struct Reduction {
        std::shared_ptr<std::vector<float>> sums;
        std::shared_ptr<ExactOutputs> exact;  // null unless outputs are compared
    };
    std::map<std::array<std::uint64_t, 3>, Reduction> reductions_;  // by where the output tile begins: product, i, j
};

}  // namespace nibble
