// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/input/operation.h"
#include "sim/lowering/recipe.h"
#include "sim/lowering/selection.h"

namespace nibble {

/// What the whole trace says about its tensors, gathered in one pass before the simulation: in which formats each is
/// needed, and how soon each is used again. Also the place where the trace is checked as a whole, so that nothing is
/// simulated of a trace that is wrong further on. About 16 bytes a tensor and 1 byte an operand are kept.
class TensorPlan {
public:
    /// Reads the trace once. Throws InputError with every problem found: operands whose size does not fit the
    /// operation, tensors read before they are written, modes that the machine does not have.
    TensorPlan(const std::string& trace_path, const MachineParameters& machine, const Recipe& recipe,
               const Selection& selection);

    [[nodiscard]] const TraceHeader& header() const { return header_; }
    [[nodiscard]] std::uint64_t operations() const { return operations_; }  ///< selected ones
    [[nodiscard]] std::uint64_t tensors() const { return uses_.size(); }

    /// Formats in which a tensor is stored: one bit for each StorageFormat.
    [[nodiscard]] std::uint8_t formats(TensorId tensor) const { return uses_[tensor].formats; }
    /// Selected operations from this access (the i-th of all operand accesses, inputs before outputs) to the tensor's
    /// next one; 0 if there is none; 255 if it is 255 or more.
    [[nodiscard]] std::uint8_t next_use(std::uint64_t access) const { return next_use_[access]; }
    /// The longest such distance over the tensor's life; 0 for a tensor that is accessed once.
    [[nodiscard]] std::uint8_t longest_gap(TensorId tensor) const { return uses_[tensor].longest_gap; }

private:
    struct Use {
        std::uint64_t elements = 0;
        std::uint32_t last_operation = 0;
        std::uint8_t formats = 0;
        std::uint8_t longest_gap = 0;
        bool accessed = false;
    };
    TraceHeader header_;
    std::uint64_t operations_ = 0;
    std::vector<Use> uses_;
    std::vector<std::uint8_t> next_use_;
};

}  // namespace nibble
