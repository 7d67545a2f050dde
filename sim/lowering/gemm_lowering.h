// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "sim/counters/op_record.h"
#include "sim/lowering/gemm_problem.h"
#include "sim/lowering/gemm_values.h"
#include "sim/lowering/lowering_context.h"
#include "sim/lowering/tiling.h"

namespace nibble {

/// Lowers the GEMMs that run on the array: chooses a tiling, loads operand tiles into alternating buffers, multiplies,
/// and on the last tile of each reduction applies the epilogue, converts gradients and stores every copy that a later
/// operation reads.
class GemmLowering {
public:
    /// `values` is null in shapes mode.
    GemmLowering(LoweringContext context, GemmValues* values);

    /// `record` holds what is known of the operation; `first_access` numbers its operand accesses (see TensorPlan).
    void lower(const Operation& operation, OpRecord record, std::uint64_t first_access);

    /// Gradients whose codes were compared with the reference so far.
    [[nodiscard]] std::uint64_t gradients_checked() const { return *gradients_checked_; }

private:
    struct Operand;
    struct Job;

    [[nodiscard]] Operand operand(const Operation& operation, std::size_t input) const;
    void bring_on_chip(Operand& operand, std::uint64_t access);
    [[nodiscard]] const Tiling& tiling(const Operation& operation, const GemmProblem& problem,
                                       const TilingInput& input);
    void emit_tiles(Job& job);
    void finish_tile(Job& job, const TileRange& tile);

    LoweringContext context_;
    GemmValues* values_;
    std::shared_ptr<std::uint64_t> gradients_checked_ = std::make_shared<std::uint64_t>(0);
    double dram_bytes_per_cycle_;
    std::unordered_map<std::string, Tiling> tilings_;  // searched before, by everything that the search looks at
};

}  // namespace nibble
