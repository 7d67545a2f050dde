// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>

namespace nibble {

/// The user has asked the program to end (Ctrl-C, SIGTERM, SIGHUP). Exit code 130.
class Interrupted : public std::runtime_error {
public:
    Interrupted() : std::runtime_error("interrupted") {}
};

inline constexpr int interrupted_exit_code = 130;

/// From here on these signals end the program at once with exit code 130, except where they are deferred.
void install_interrupt_handlers();

/// While one of these exists there is something to tidy up: signals are only noted, and throw_if_interrupted() turns
/// them into an exception.
class DeferInterrupts {
public:
    DeferInterrupts();
    ~DeferInterrupts();
    DeferInterrupts(const DeferInterrupts&) = delete;
    DeferInterrupts& operator=(const DeferInterrupts&) = delete;
};

void throw_if_interrupted();

}  // namespace nibble
