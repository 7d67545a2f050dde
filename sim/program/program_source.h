// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <variant>

#include "sim/counters/op_record.h"
#include "sim/program/command.h"

namespace nibble {

/// The commands that follow work for this operation.
struct OperationBegin {
    OpRecord record;  ///< what is known before the first command
};

/// The operation has no further commands.
struct OperationEnd {
    OperationStatement statement;
    /// Of the scratchpad: room of tensors whose stay ends with the operation. Free once its commands, and all before
    /// them, have completed.
    std::uint64_t frees_of_stay_bytes = 0;
};

struct ProgramEnd {};

/// Begin, commands, end of one operation; then of the next.
using ProgramItem = std::variant<OperationBegin, Command, OperationEnd, ProgramEnd>;

/// A program, produced as it is fetched: memory does not grow with its length.
class ProgramSource {
public:
    virtual ~ProgramSource() = default;
    /// The next item; ProgramEnd for ever after the last.
    virtual ProgramItem next() = 0;
};

}  // namespace nibble
