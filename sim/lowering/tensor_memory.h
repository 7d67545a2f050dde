// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <unordered_map>

#include "models/machine/machine_params.h"
#include "sim/lowering/copy_format.h"
#include "sim/lowering/emitter.h"
#include "sim/lowering/tensor_plan.h"

namespace nibble {

/// First-fit allocation of DRAM addresses; blocks start on 4 KiB. Remembers what has to be complete before an address
/// that was used may be written again.
class DramAllocator {
public:
    struct Block {
        std::uint64_t address = 0;
        Dependencies release{};  ///< of what used these addresses before
    };
    explicit DramAllocator(std::uint64_t capacity_bytes);
    /// Throws InputError if nothing that large is left.
    [[nodiscard]] Block allocate(std::uint64_t bytes);
    /// The block's last user is done once `release` is complete.
    void free(std::uint64_t address, std::uint64_t bytes, const Dependencies& release);

private:
    struct Gap {
        std::uint64_t bytes = 0;
        Dependencies release{};
    };
    std::uint64_t capacity_;
    std::map<std::uint64_t, Gap> gaps_;  // by address; never adjacent
};

/// The part of the scratchpad that holds tensors from one operation to a later one, handed out line by line: what is
/// free need not lie in one piece. Takes what was released longest ago first.
class ResidentSpace {
public:
    explicit ResidentSpace(std::uint64_t capacity_bytes);
    /// Takes `bytes`; returns what must be complete before they may be written. Throws ModelError if they do not fit:
    /// the plan has seen to it that they do.
    [[nodiscard]] Dependencies take(std::uint64_t bytes);
    /// `bytes` are free once `release` is complete.
    void free(std::uint64_t bytes, const Dependencies& release) { free_.push_back({bytes, release}); }

private:
    struct Piece {
        std::uint64_t bytes = 0;
        Dependencies release{};
    };
    std::deque<Piece> free_;
};

/// Where the tensors of the step are while the program is made: their addresses in DRAM, and which of them are in the
/// resident part of the scratchpad, as the plan decided (ResidencyPlan). Knows what every reader and writer has to wait
/// for.
class TensorMemory {
public:
    TensorMemory(const MachineParameters& machine, const TensorPlan& plan);

    /// A copy of a tensor in one format.
    struct Copy {
        std::uint64_t bytes = 0;
        std::uint64_t address = 0;
        bool placed = false;        // has an address in DRAM
        bool resident = false;      // takes room on chip
        std::uint64_t room = 0;     // bytes of that which a command takes: with ideal memory nothing is loaded
        std::uint64_t kept_by = 0;  // the access that left it there
        Dependencies released{};    // what used its address before
        Dependencies written{};     // complete on chip
        Dependencies stored{};      // complete in DRAM
    };

    void declare(const Tensor& tensor);
    [[nodiscard]] const Tensor& tensor(TensorId id) const { return at(id).tensor; }
    [[nodiscard]] const TensorPlan& plan() const { return plan_; }
    [[nodiscard]] const Copy& copy(TensorId id, CopyFormat format) const;
    /// DRAM address of a copy.
    [[nodiscard]] std::uint64_t address(TensorId id, CopyFormat format);

    /// How a copy is read.
    struct Source {
        bool on_chip = false;
        bool stays = false;            ///< if it comes from DRAM: it has to be loaded whole, to stay on chip
        Dependencies ready{};          ///< before it may be read where it is
        Dependencies room{};           ///< before it may be written on chip, if it is to stay
        std::uint64_t room_bytes = 0;  ///< that are given to it for that
    };
    /// A read of a copy begins. `access` is its number (see TensorPlan).
    [[nodiscard]] Source begin_read(TensorId id, CopyFormat format, std::uint64_t access);
    /// The copy that a read loaded is on chip once `written` is complete.
    void loaded(TensorId id, CopyFormat format, const Dependencies& written);
    /// What must be complete before a tensor's copies may be written.
    struct Target {
        Dependencies on_chip{};
        Dependencies in_dram{};
        std::uint64_t room_bytes = 0;  ///< that are given to copies that stay
    };
    /// A write begins.
    [[nodiscard]] Target begin_write(TensorId id, std::uint64_t access);
    /// What makes the tensor is complete on chip, and in DRAM.
    void written(TensorId id, const Dependencies& on_chip, const Dependencies& in_dram);

    /// No command writes the tensor's copies that stay, and so none takes their room.
    void never_written(TensorId id);

    /// Tensors of which a copy stayed on chip so far, by TensorRole.
    using TensorCounts = std::array<std::uint64_t, 8>;
    [[nodiscard]] const TensorCounts& kept_tensors() const { return kept_tensors_; }

    /// A read of a copy is over; `issued` is everything given to the units so far. Returns the bytes that are free on
    /// chip once that is complete.
    std::uint64_t end_read(TensorId id, CopyFormat format, std::uint64_t access, const Dependencies& issued);
    /// A write is over.
    void end_write(TensorId id, std::uint64_t access, const Dependencies& issued);

private:
    struct Live {
        Tensor tensor;
        std::array<Copy, copy_format_count> copies{};
        Dependencies used{};  // everything that operations before this one do with it
        bool kept = false;    // a copy was on chip
    };
    [[nodiscard]] Live& at(TensorId id);
    [[nodiscard]] const Live& at(TensorId id) const;
    struct Room {
        std::uint64_t bytes = 0;
        Dependencies release{};  // before they may be written
    };
    /// Room for a copy from this access on, unless it has some.
    [[nodiscard]] Room keep(Live& live, Copy& copy, std::uint64_t access);
    void end_access(TensorId id, Live& live, std::uint64_t access, const Dependencies& issued);

    const TensorPlan& plan_;
    bool memory_free_;  // ideal memory: whatever is read is at hand
    DramAllocator dram_;
    ResidentSpace resident_;
    std::unordered_map<TensorId, Live> live_;
    TensorCounts kept_tensors_{};
};

}  // namespace nibble
