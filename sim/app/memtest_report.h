// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "models/dram/dram_params.h"
#include "sim/energy/dram_energy_table.h"
#include "sim/memtest/memory_test.h"
#include "sim/report/text_table.h"

namespace nibble {

/// Everything that the report of a memory test is printed from.
struct MemtestReport {
    std::string file;
    DramParameters memory;
    MemoryTest test;
    DramEnergyEntry energy;
};

[[nodiscard]] nlohmann::ordered_json memtest_json(const MemtestReport& report);
[[nodiscard]] std::string memtest_text(const MemtestReport& report, const TextStyle& style);

}  // namespace nibble
