// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "models/machine/machine_params.h"
#include "sim/base/error.h"
#include "sim/input/operation.h"
#include "sim/lowering/copy_format.h"
#include "sim/lowering/recipe.h"
#include "sim/lowering/selection.h"

namespace nibble {

/// The copy that an operation reads of its `input`-th input.
[[nodiscard]] CopyFormat input_copy(const Operation& operation, std::size_t input, TensorRole role,
                                    const Recipe& recipe, GradientStorage storage);

/// What the whole trace says about its tensors, gathered in one pass before the simulation: in which formats each is
/// needed, and how soon each is used again. Also the place where the trace is checked as a whole, so that nothing is
/// simulated of a trace that is wrong further on. 24 bytes a tensor and 1 byte an operand access are kept.
class TensorPlan {
public:
    /// Reads the trace once. Throws InputError with every problem found: operands whose size does not fit the
    /// operation, tensors read before they are written, modes that the machine does not have.
    TensorPlan(const std::string& trace_path, const MachineParameters& machine, const Recipe& recipe,
               const Selection& selection);

    [[nodiscard]] const TraceHeader& header() const { return header_; }
    [[nodiscard]] std::uint64_t operations() const { return operations_; }  ///< selected ones
    [[nodiscard]] std::uint64_t tensors() const { return uses_.size(); }

    /// Copies of a tensor that operations of the trace read, selected or not.
    [[nodiscard]] CopyFormats formats(TensorId tensor) const { return uses_[tensor].formats; }
    /// Does a selected operation read or write it?
    [[nodiscard]] bool accessed(TensorId tensor) const { return uses_[tensor].accessed; }
    /// The longest distance between two neighbouring accesses over the tensor's life, in selected operations.
    [[nodiscard]] std::uint8_t longest_gap(TensorId tensor) const { return uses_[tensor].longest_gap; }

    /// What follows an operand access. Accesses are numbered through the selected operations, inputs before outputs.
    struct NextUse {
        std::uint8_t distance = 0;  ///< in selected operations, at least 1; 0: there is none; far: `far` or more
        bool same_copy = false;     ///< it is a read of the copy that this access read
    };
    static constexpr std::uint8_t far = 127;
    [[nodiscard]] NextUse next_use(std::uint64_t access) const {
        return {static_cast<std::uint8_t>(next_use_[access] & far), (next_use_[access] & same_copy_bit) != 0};
    }

private:
    static constexpr std::uint8_t same_copy_bit = 0x80;
    /// Kept for every tensor of the trace: small.
    struct Use {
        std::uint64_t elements = 0;
        std::uint64_t last_access = 0;
        std::uint32_t last_operation = 0;
        CopyFormats formats = 0;
        std::uint8_t longest_gap = 0;
        TensorRole role = TensorRole::activation;
        CopyFormat last_copy : 4 = CopyFormat::fp16;
        bool accessed : 1 = false;
        bool written : 1 = false;
        bool last_read : 1 = false;  // the last access was a read
    };
    static_assert(sizeof(Use) == 24);

    void add(const Operation& operation, const MachineParameters& machine, const Recipe& recipe,
             const Selection& selection, ProblemList& problems);
    void access(TensorId tensor, CopyFormat copy, bool read);

    TraceHeader header_;
    std::uint64_t operations_ = 0;
    // Grow without moving: no second copy while they do.
    std::deque<Use> uses_;
    std::deque<std::uint8_t> next_use_;
};

}  // namespace nibble
