// SPDX-License-Identifier: MIT
#include <cstdlib>

#include <systemc>

#include "sim/app/command_line.h"
#include "sim/app/interrupt.h"
#include "sim/kernel/report_bridge.h"

// Debian's libsystemc brings a main of its own; this one takes its place.
int main(int argc, char** argv) {
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
    nibble::install_interrupt_handlers();
    nibble::bridge_systemc_reports();
    return sc_core::sc_elab_and_sim(argc, argv);
}

int sc_main(int argc, char** argv) {
    return nibble::run_command_line(argc, argv);
}
