// SPDX-License-Identifier: MIT
#pragma once

#include <variant>

#include "sim/counters/op_record.h"
#include "sim/program/command.h"

namespace nibble {

/// The commands that follow work for this operation.
struct OperationBegin {
    OpRecord record;  ///< everything known before the run
};

struct ProgramEnd {};

using ProgramItem = std::variant<OperationBegin, Command, ProgramEnd>;

/// A program, produced as it is fetched: memory does not grow with its length.
class ProgramSource {
public:
    virtual ~ProgramSource() = default;
    /// The next item; ProgramEnd for ever after the last.
    virtual ProgramItem next() = 0;
};

}  // namespace nibble
