// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "sim/input/operation.h"
#include "sim/lowering/copy_format.h"
#include "sim/lowering/residency_plan.h"
#include "sim/lowering/stay_selection.h"

namespace nibble {

/// Collects the accesses of a step and decides which copies stay on chip between them. Only whole copies stay, and
/// only until a read; what an operation that is not simulated reads, and what weights and states are after the step, is
/// stored. Some hundred bytes an operation while it works.
class ResidencyPlanner {
public:
    /// `capacity_bytes`: the part of the scratchpad that holds tensors between operations.
    explicit ResidencyPlanner(std::uint64_t capacity_bytes) : capacity_(capacity_bytes) {}

    /// A read of one copy.
    struct Read {
        CopyFormat format = CopyFormat::fp16;
        std::uint64_t bytes = 0;        ///< of the copy
        std::uint64_t moved_bytes = 0;  ///< at least, if the copy is in DRAM: fewer if the operation skips a part
        bool may_load_all = true;       ///< instead, so that the copy stays
    };
    /// Accesses come in order.
    void read(TensorId tensor, const Read& read, std::uint32_t access, std::uint32_t operation);
    /// A read by an operation that is not simulated: from DRAM.
    void read_off_stage(TensorId tensor, CopyFormat format);
    /// `persists`: what is written last must outlast the step. `whole`: every element is.
    void write(TensorId tensor, bool whole, bool persists, std::uint32_t access, std::uint32_t operation);
    /// A write by an operation that is not simulated: to DRAM.
    void write_off_stage(TensorId tensor);

    /// The plan, once all accesses are in. Leaves nothing behind.
    [[nodiscard]] ResidencyPlan plan(std::uint64_t accesses, std::uint64_t operations);

private:
    static constexpr std::uint32_t none = Stay::none;
    /// A copy since the tensor was last written, or first read. Kept for every copy, as State is for every tensor:
    /// small.
    struct Copy {
        std::uint32_t version = none;  // the tensor's, that this is a copy of
        std::uint32_t access = none;   // the last one that could leave it on chip
        std::uint32_t operation = 0;   // of that
        std::uint32_t left_out = 0;    // bytes that it leaves out, if it reads from DRAM
        std::uint32_t chain = none;    // its stays
        std::uint32_t last_stay = none;
        std::uint32_t sibling = none;  // the tensor's next copy
        CopyFormat format = CopyFormat::fp16;
        bool must_store = false;
    };
    struct State {
        std::uint32_t version = none;  // the access that wrote it; none: it is in DRAM to begin with
        std::uint32_t operation = 0;   // of that
        std::uint32_t copies = none;   // the first
        bool whole = false;            // all of it was written
        bool persists = false;
    };

    [[nodiscard]] State& state(TensorId tensor);
    [[nodiscard]] Copy& copy(State& state, CopyFormat format);
    void add_stay(const State& state, Copy& copy, const Read& read, std::uint32_t access, std::uint32_t operation);
    void require_store(Copy& copy);

    std::uint64_t capacity_;
    std::deque<State> states_;  // by tensor
    std::deque<Copy> copies_;
    StayTable table_;
    std::deque<std::uint8_t> formats_;  // of each chain
};

}  // namespace nibble
