// SPDX-License-Identifier: MIT
#include "sim/kernel/report_bridge.h"

#include <systemc>

#include "sim/base/error.h"

namespace nibble {

namespace {

void on_report(const sc_core::sc_report& report, const sc_core::sc_actions& /*actions*/) {
    if (report.get_severity() >= sc_core::SC_WARNING) {
        throw ModelError(report.what());
    }
}

}  // namespace

void bridge_systemc_reports() {
    sc_core::sc_report_handler::set_handler(on_report);
}

}  // namespace nibble
