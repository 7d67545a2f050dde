// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>

#include "models/machine/machine_params.h"
#include "sim/lowering/copy_format.h"
#include "sim/lowering/emitter.h"
#include "sim/lowering/tensor_plan.h"

namespace nibble {

/// First-fit allocation of DRAM addresses; blocks start on 4 KiB.
class DramAllocator {
public:
    explicit DramAllocator(std::uint64_t capacity_bytes);
    /// Throws InputError if nothing that large is left.
    [[nodiscard]] std::uint64_t allocate(std::uint64_t bytes);
    void free(std::uint64_t address, std::uint64_t bytes);

private:
    std::uint64_t capacity_;
    std::map<std::uint64_t, std::uint64_t> gaps_;  // address to bytes; never adjacent
};

/// Where the tensors of the step are while the program is made: their addresses in DRAM, and which of them stay in the
/// resident part of the scratchpad.
///
/// A tensor stays on chip from one operation to the next while its next use is near (at most `window` operations away)
/// and the resident part has room. If all its uses are that near it is never written to DRAM; otherwise it is written
/// when it is made, and read back where the gap was long. Data that come from DRAM stay in the same way.
class TensorMemory {
public:
    static constexpr std::uint8_t window = 16;  // operations

    TensorMemory(const MachineParameters& machine, const TensorPlan& plan);

    /// A copy of a tensor in one format.
    struct Copy {
        std::uint64_t bytes = 0;
        std::uint64_t address = 0;
        bool placed = false;     // has an address in DRAM
        bool resident = false;   // is on chip, whole
        Dependencies written{};  // complete on chip
        Dependencies stored{};   // complete in DRAM
        /// What to wait for before reading it.
        [[nodiscard]] const Dependencies& ready() const { return resident ? written : stored; }
    };

    void declare(const Tensor& tensor);
    [[nodiscard]] const Tensor& tensor(TensorId id) const { return at(id).tensor; }
    /// Copies to write when the tensor is made: those that somebody reads, or the plain one if nobody does.
    [[nodiscard]] CopyFormats formats(TensorId id) const;
    [[nodiscard]] Copy& copy(TensorId id, CopyFormat format);
    /// DRAM address of a copy.
    [[nodiscard]] std::uint64_t address(TensorId id, CopyFormat format);

    /// May this copy, about to be read from DRAM, be kept for its next use? If so it is resident from now on, and the
    /// caller loads it whole. `access` is the number of this operand access (see TensorPlan).
    [[nodiscard]] bool keep_input(TensorId id, CopyFormat format, std::uint64_t access);
    /// Decides where a tensor that is about to be made goes: marks its copies resident if they stay.
    void place_output(TensorId id, std::uint64_t access);
    /// Must the tensor be written to DRAM when it is made?
    [[nodiscard]] bool stored(TensorId id) const { return at(id).stored; }
    /// The access is over; `issued` is everything given to the units so far.
    void accessed(TensorId id, std::uint64_t access, const Dependencies& issued);

    /// What has to be complete before a newly resident copy may be written.
    [[nodiscard]] const Dependencies& resident_release() const { return resident_release_; }

private:
    struct Live {
        Tensor tensor;
        std::array<Copy, copy_format_count> copies{};
        bool stored = true;
    };
    [[nodiscard]] Live& at(TensorId id);
    [[nodiscard]] const Live& at(TensorId id) const;
    [[nodiscard]] bool fits(std::uint64_t bytes) const { return resident_used_ + bytes <= resident_capacity_; }
    void leave_chip(Live& live, const Dependencies& issued);

    const TensorPlan& plan_;
    DramAllocator dram_;
    std::unordered_map<TensorId, Live> live_;
    std::uint64_t resident_capacity_;
    std::uint64_t resident_used_ = 0;
    Dependencies resident_release_{};
};

}  // namespace nibble
