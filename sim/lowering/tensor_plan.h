// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "models/machine/machine_params.h"
#include "sim/base/error.h"
#include "sim/input/operation.h"
#include "sim/lowering/copy_format.h"
#include "sim/lowering/recipe.h"
#include "sim/lowering/residency_plan.h"
#include "sim/lowering/residency_planner.h"
#include "sim/lowering/selection.h"

namespace nibble {

/// What the whole trace says about its tensors, gathered in one pass before the simulation: in which formats each is
/// needed, when each is used for the last time, and which copies stay on chip in between. Also the place where the
/// trace is checked as a whole, so that nothing is simulated of a trace that is wrong further on. 16 bytes a tensor and
/// 2 bytes an operand access are kept.
class TensorPlan {
public:
    /// Reads the trace once. Throws InputError with every problem found: operands whose size does not fit the
    /// operation, tensors read before they are written, modes that the machine does not have.
    TensorPlan(const std::string& trace_path, const MachineParameters& machine, const Recipe& recipe,
               const Selection& selection);

    [[nodiscard]] const TraceHeader& header() const { return header_; }
    [[nodiscard]] std::uint64_t operations() const { return operations_; }  ///< selected ones
    [[nodiscard]] std::uint64_t tensors() const { return uses_.size(); }

    /// Copies to write when the tensor is made: those that operations of the trace read, selected or not, or the plain
    /// one if nobody does.
    [[nodiscard]] CopyFormats formats(TensorId tensor) const;
    /// Does a selected operation read or write it?
    [[nodiscard]] bool accessed(TensorId tensor) const { return uses_[tensor].accessed; }
    /// Is this access of the tensor the last one of all? Accesses are numbered through the selected operations, inputs
    /// before outputs.
    [[nodiscard]] bool last_access(TensorId tensor, std::uint64_t access) const {
        return uses_[tensor].last_access == access;
    }
    /// Where each operand access finds its data and leaves them.
    [[nodiscard]] const ResidencyPlan& residency() const { return residency_; }

private:
    /// Kept for every tensor of the trace: small.
    struct Use {
        std::uint64_t elements = 0;
        std::uint32_t last_access = 0;
        CopyFormats formats = 0;  // that are read
        TensorRole role = TensorRole::activation;
        std::uint8_t bits = 0;  // of a mask's element
        bool accessed : 1 = false;
        bool written : 1 = false;
    };
    static_assert(sizeof(Use) == 16);

    /// What the pass over the trace needs.
    struct Reading {
        const MachineParameters& machine;
        const Recipe& recipe;
        const Selection& selection;
        ResidencyPlanner residency;
        ProblemList problems;
        std::uint64_t accesses = 0;
    };
    void add(const Operation& operation, Reading& reading);
    void check_gemm(const Operation& operation, Reading& reading);
    void read(const Operation& operation, std::size_t input, bool selected, Reading& reading);
    void write(const Operation& operation, TensorId output, bool selected, Reading& reading);

    TraceHeader header_;
    std::uint64_t operations_ = 0;
    std::deque<Use> uses_;  // grows without moving: no second copy while it does
    ResidencyPlan residency_;
};

}  // namespace nibble
