// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <systemc>

#include "sim/kernel/report_bridge.h"

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    nibble::bridge_systemc_reports();
    return sc_core::sc_elab_and_sim(argc, argv);
}

int sc_main(int /*argc*/, char** /*argv*/) {
    return RUN_ALL_TESTS();
}
