// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/base/units.h"

namespace nibble {

/// What one SRAM takes.
struct SramCost {
    Picojoules read;   ///< of one line
    Picojoules write;  ///< of one line
    double leakage_mw = 0;
    SquareMicrometres area;
};

/// A macro of the table, with one port that reads or writes.
struct SramRow {
    std::uint64_t node_nm = 0;
    SramMacro macro;
    SramCost cost;
};

/// Factors on each figure: for more ports, or from a node of the table to a technology.
struct SramFactors {
    double read = 1;
    double write = 1;
    double leakage = 1;
    double area = 1;
};

/// Published figures of SRAM macros at some nodes.
struct SramTable {
    std::vector<SramRow> rows;
    std::array<SramFactors, bank_ports_count> ports{};  ///< indexed by BankPorts; of one port: 1
};

/// Energy, leakage and area of any SRAM, by a fit of a table: each figure is taken as
///     node x capacity^a x line_bytes^b x banks^c,
/// with the exponents and a factor for every node that make the sum of squared relative (logarithmic) differences over
/// all rows least, times the factors of the ports and of the technology. Between the rows it interpolates; beyond them
/// it goes on with the same exponents, which nothing supports far outside.
class SramModel {
public:
    /// A model by which SRAM takes nothing.
    SramModel() = default;
    /// Throws InputError if the table has no row at the node, or its rows do not determine the exponents.
    SramModel(const SramTable& table, std::uint64_t node_nm, const SramFactors& scale);

    [[nodiscard]] SramCost cost(const SramMacro& macro) const;

private:
    /// Of one figure.
    struct Law {
        double log_factor = 0;
        double capacity = 0;  // exponents
        double line_bytes = 0;
        double banks = 0;
    };
    [[nodiscard]] static double value(const Law& law, const SramMacro& macro);

    bool empty_ = true;
    Law read_, write_, leakage_, area_;
    std::array<SramFactors, bank_ports_count> factors_{};  // of ports and technology together
};

/// Reads a table by name (a file of models/energy/sram) or path. Throws InputError.
[[nodiscard]] SramTable load_sram_table(const std::string& name_or_path);

/// The same from text; `file` stands for it in messages.
[[nodiscard]] SramTable parse_sram_table(const std::string& text, const std::string& file);

/// The SRAMs of the machine's scratchpad: one, or one for each part that has a memory of its own.
[[nodiscard]] std::vector<SramMacro> scratchpad_memories(const MachineParameters& machine);

}  // namespace nibble
