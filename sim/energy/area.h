// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "models/machine/machine_params.h"
#include "sim/base/units.h"
#include "sim/energy/sram_model.h"

namespace nibble {

/// What an area table gives the size of.
enum class AreaUnit : std::uint8_t {
    fp16_fpu,       ///< one FP16 multiplier with its 32-bit accumulator
    int4_fp4_4way,  ///< one 4-way INT4 x INT4/FP4 inner-product unit
    fp8_mac,        ///< one FP8 multiply-add unit
    vector_lane,
    log_gradient_lane,
    dma_engine,       ///< load or store
    sequencer_entry,  ///< one command in a queue
};
inline constexpr std::size_t area_unit_count = 7;
inline constexpr std::array<std::string_view, area_unit_count> area_unit_names{
    "fp16_fpu", "int4_fp4_4way", "fp8_mac", "vector_lane", "log_gradient_lane", "dma_engine", "sequencer_entry"};

/// One technology's area of each unit, and where the number comes from, indexed by AreaUnit; that of SRAM follows from
/// its size and shape.
struct AreaTable {
    struct Row {
        SquareMicrometres each;
        std::string source;
    };
    std::array<Row, area_unit_count> rows;
    SramModel sram;

    [[nodiscard]] SquareMicrometres each(AreaUnit unit) const { return rows[static_cast<std::size_t>(unit)].each; }
};

/// Parts of a core's area.
enum class AreaComponent : std::uint8_t {
    mac_array,  ///< datapaths of the PEs; their registers and wires are in no published number and left out
    accumulators,
    log_gradient,
    vector_unit,
    scratchpad,
    dma,
    sequencer,
};
inline constexpr std::size_t area_component_count = 7;
inline constexpr std::array<std::string_view, area_component_count> area_component_names{
    "mac_array", "accumulators", "log_gradient", "vector_unit", "scratchpad", "dma", "sequencer"};

/// Indexed by AreaComponent. The total is defined as the sum of the parts in their order.
struct AreaBreakdown {
    std::array<SquareMicrometres, area_component_count> parts{};

    [[nodiscard]] SquareMicrometres operator[](AreaComponent component) const {
        return parts[static_cast<std::size_t>(component)];
    }
    [[nodiscard]] SquareMicrometres total() const;
};

/// Area of the datapaths of all PEs: the MAC area that Sun et al. 2020 compare machines by. In a `dedicated` array the
/// PEs as built stand for any one of the modes' arrays: all have the same area.
[[nodiscard]] SquareMicrometres mac_area_of(const MacArrayParameters& array, const AreaTable& table);

/// Area of a core without its DRAM.
[[nodiscard]] AreaBreakdown area_of(const MachineParameters& machine, const AreaTable& table);

}  // namespace nibble
