// SPDX-License-Identifier: MIT
#pragma once

namespace nibble {

/// One operation being turned into commands, a tile or a chunk at a time, so that the memory for commands does not grow
/// with the operation.
class OperationLowering {
public:
    virtual ~OperationLowering() = default;
    /// Emits the commands of the next tile or chunk. False when there was none left: all of the operation's commands
    /// are emitted, though not its end.
    virtual bool step() = 0;
};

}  // namespace nibble
