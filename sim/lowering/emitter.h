// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "models/machine/machine_params.h"
#include "sim/program/command.h"
#include "sim/program/program_source.h"

namespace nibble {

/// Later of two sets of completions to wait for.
[[nodiscard]] Dependencies later(const Dependencies& a, const Dependencies& b);

/// Appends commands to the program, keeping count of what each unit has been given: the counts are what later commands
/// wait for. Also adds up the traffic and the products that the commands state.
class Emitter {
public:
    explicit Emitter(const MachineParameters& machine);

    /// Commands that follow belong to this operation.
    void begin(OpRecord record);
    /// The operation is complete: states what its commands ask for, and what room of tensors that stayed it frees.
    void end(std::uint64_t frees_of_stay_bytes = 0);

    /// Between DRAM and a part of the scratchpad. Of nothing, or where memory is free, there is no command.
    void load(Slice slice, ScratchpadPart part, const Dependencies& needs, const ScratchpadRoom& room = {});
    void store(Slice slice, ScratchpadPart part, const Dependencies& needs, const ScratchpadRoom& room = {});
    void matmul(MatmulCommand tile, const Dependencies& needs, const ScratchpadRoom& room = {});
    void convert(const ConvertCommand& convert, const Dependencies& needs, const ScratchpadRoom& room = {});
    void vector(const VectorCommand& vector, const Dependencies& needs, const ScratchpadRoom& room = {});

    /// Everything given to all units so far.
    [[nodiscard]] const Dependencies& issued() const { return issued_; }
    /// Everything given to one unit so far, and nothing of the others.
    [[nodiscard]] Dependencies issued(Unit unit) const;

    [[nodiscard]] bool empty() const { return items_.empty(); }
    [[nodiscard]] ProgramItem pop();

    /// Bytes that a slice moves on the DRAM bus: every run in whole bursts.
    [[nodiscard]] std::uint64_t bus_bytes(const Slice& slice) const;

private:
    template <class Work>
    void emit(Unit unit, Work work, const Dependencies& needs, const ScratchpadRoom& room);

    std::uint64_t burst_bytes_;
    bool memory_free_;
    std::deque<ProgramItem> items_;
    std::uint64_t operation_ = 0;  // the present one
    OperationStatement statement_;
    Dependencies issued_{};
};

}  // namespace nibble
