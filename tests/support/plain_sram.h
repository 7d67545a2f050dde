// SPDX-License-Identifier: MIT
#pragma once

#include "sim/energy/sram_model.h"

namespace nibble::test {

/// A table that follows its laws exactly, at two nodes: reading takes 2 pJ a byte of a line and writing 3 pJ, whatever
/// the capacity and the banks; leakage 0.25 mW and area 0.5 um2 a byte. At the second node everything is tenfold.
inline SramTable plain_sram_table() {
    SramTable table;
    for (const std::uint64_t node : {10U, 20U}) {
        for (const SramMacro& macro :
             {SramMacro{1024, 16, 1}, SramMacro{4096, 16, 1}, SramMacro{4096, 64, 1}, SramMacro{4096, 64, 8}}) {
            const double times = node == 20 ? 10 : 1;
            const auto bytes = static_cast<double>(macro.capacity_bytes);
            table.rows.push_back(
                {node,
                 macro,
                 {Picojoules(2.0 * macro.line_bytes * times), Picojoules(3.0 * macro.line_bytes * times),
                  0.25 * bytes * times, SquareMicrometres(0.5 * bytes * times)}});
        }
    }
    table.ports = {{{1, 1, 1, 1}, {2, 3, 4, 5}, {6, 7, 8, 9}}};
    return table;
}

/// For one port.
inline SramModel half_a_square_micrometre_a_byte() {
    SramTable table = plain_sram_table();
    table.ports = {{{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}}};
    return {table, 10, {}};
}

}  // namespace nibble::test
