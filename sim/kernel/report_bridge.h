// SPDX-License-Identifier: MIT
#pragma once

namespace nibble {

/// Makes every SystemC warning and error (renamed object, unbound port, ...) a ModelError thrown from where it arose,
/// and silences the kernel's informational messages. Call once before elaboration.
void bridge_systemc_reports();

}  // namespace nibble
