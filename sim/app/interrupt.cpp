// SPDX-License-Identifier: MIT
#include "sim/app/interrupt.h"

#include <csignal>
#include <unistd.h>

namespace nibble {

namespace {

// Signal handlers can reach nothing but globals.
volatile std::sig_atomic_t deferred = 0;
volatile std::sig_atomic_t interrupted = 0;

void on_signal(int /*signal*/) {
    if (deferred == 0) {
        _exit(interrupted_exit_code);
    }
    interrupted = 1;
}

}  // namespace

void install_interrupt_handlers() {
    struct sigaction action {};
    action.sa_handler = on_signal;  // no SA_RESTART: waiting for the machines ends when a signal comes
    sigemptyset(&action.sa_mask);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        sigaction(signal, &action, nullptr);
    }
}

DeferInterrupts::DeferInterrupts() {
    deferred = deferred + 1;
}

DeferInterrupts::~DeferInterrupts() {
    deferred = deferred - 1;
}

void throw_if_interrupted() {
    if (interrupted != 0) {
        throw Interrupted();
    }
}

}  // namespace nibble
