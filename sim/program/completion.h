// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "sim/program/command.h"

namespace nibble {

/// Commands are shared, not copied, on their way from the sequencer to a unit.
using CommandPtr = std::shared_ptr<const Command>;

/// A unit has completed the oldest of the commands that it was given.
struct Completion {
    std::uint64_t operation = 0;
};

}  // namespace nibble
