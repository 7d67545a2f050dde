// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "models/numerics/gemm.h"
#include "models/scratchpad/scratchpad_params.h"

namespace nibble {

/// Arithmetic that the array is set to for one tile: the formats of its two operands.
enum class ArrayMode : std::uint8_t {
    int4,      ///< INT4 x INT4 (forward)
    int4_fp4,  ///< INT4 x radix-4 FP4 (dx, dw), shifters instead of multipliers
    fp8,       ///< FP8 x FP8, and INT4 x FP8 (the INT4 operand is exact in FP8)
    fp16,      ///< FP16 x FP16, and narrower operands widened on the way in
};
inline constexpr std::size_t array_mode_count = 4;
inline constexpr std::array<std::string_view, array_mode_count> array_mode_names{"int4", "int4_fp4", "fp8", "fp16"};

/// Which operand stays in the PEs while the other two move.
enum class Dataflow : std::uint8_t { output_stationary, weight_stationary, input_stationary };
inline constexpr std::size_t dataflow_count = 3;
inline constexpr std::array<std::string_view, dataflow_count> dataflow_names{"output", "weight", "input"};

/// The array as one mode sees it.
struct ArrayGeometry {
    std::uint32_t rows = 0;
    std::uint32_t cols = 0;
    std::uint32_t macs_per_pe = 1;  ///< depth of the inner product that a PE computes in one step, along the reduction
    std::uint32_t cycles_per_step = 1;  ///< more than 1 where a PE's datapath is shared or narrow
};

/// Whether all modes run on one array of PEs at stated rates (a real machine; RaPiD), or each mode is given an array
/// of the same MAC area dedicated to it (the estimate of Sun et al. 2020, section 6 and figure 6c).
enum class ArraySharing : std::uint8_t { shared, dedicated };

/// Area of a datapath over that of an FP16 FPU, and what it does in a cycle. 4-way INT4 x FP4: Sun et al. 2020, section
/// 6; FP8: the density behind their figure 6c (2.0 as printed, 2.05 reproduces every row). That an FP16 FPU does two
/// FP8 multiply-adds is RaPiD's rate (ISCA 2021).
inline constexpr double int4_fp4_4way_relative_area = 0.55;
inline constexpr double int4_fp4_4way_macs = 4;
inline constexpr double fp8_relative_area = 1 / 2.05;
inline constexpr double fp8_macs_per_fp16_fpu = 2;

/// Datapaths inside one PE, as multiples of the units that the area table knows. They decide the array's area.
struct PeDatapaths {
    double int4_fp4_4way = 0;  ///< 4-way INT4 x INT4/FP4 inner-product units
    double fp8 = 0;            ///< FP8 multiply-add units
    double fp16 = 0;           ///< FP16 FPUs; below 1 where several PEs share one
};

struct MacArrayParameters {
    ArraySharing sharing = ArraySharing::shared;
    std::uint32_t rows = 0;  ///< PEs as built; in `shared` every mode has this geometry
    std::uint32_t cols = 0;
    PeDatapaths pe;
    std::array<std::optional<ArrayGeometry>, array_mode_count> modes;  ///< empty: the array cannot do it
    std::vector<Dataflow> dataflows;                                   ///< those that the array supports, at least one
    bool overlap = true;  ///< shadow registers: the next stationary operand is preloaded, and finished outputs are
                          ///< drained, while the present fold streams
    std::uint64_t accumulator_bytes = 0;       ///< SRAM for the 32-bit partial sums of one output tile
    std::uint32_t accumulator_banks = 2;       ///< its banks, interleaved by line: one is read while one is written
    std::uint32_t accumulator_line_bytes = 0;  ///< width of a bank; 0: a row of partial sums, those of all columns
    BankPorts accumulator_ports = BankPorts::one_read_or_write;
    AccumulationRule accumulation;  ///< values mode; timing does not depend on it
    bool ideal = false;             ///< a tile takes as long as its lines
};

inline constexpr std::uint32_t partial_sum_bytes = 4;

/// Bytes of the partial sums that all columns of a mode make in one step.
[[nodiscard]] constexpr std::uint32_t partial_sum_row_bytes(const ArrayGeometry& geometry) {
    return geometry.cols * partial_sum_bytes;
}

/// The accumulators as an SRAM.
[[nodiscard]] constexpr SramMacro accumulators_of(const MacArrayParameters& array) {
    std::uint32_t widest_row = 0;
    for (const std::optional<ArrayGeometry>& geometry : array.modes) {
        widest_row =
            geometry && partial_sum_row_bytes(*geometry) > widest_row ? partial_sum_row_bytes(*geometry) : widest_row;
    }
    return {array.accumulator_bytes, array.accumulator_line_bytes > 0 ? array.accumulator_line_bytes : widest_row,
            array.accumulator_banks, array.accumulator_ports};
}

/// Can the accumulators take what a mode's rows of PEs make? A fold that splits the reduction (weight- or
/// input-stationary) reads a row of sums and writes one in every step; an output-stationary one moves a row a cycle,
/// in or out.
[[nodiscard]] constexpr bool accumulators_keep_up(const MacArrayParameters& array, const ArrayGeometry& geometry,
                                                  Dataflow dataflow) {
    const SramMacro memory = accumulators_of(array);
    const std::uint64_t line_width = std::uint64_t{memory.banks} * memory.line_bytes;
    const std::uint64_t row = partial_sum_row_bytes(geometry);
    const bool both_ways = dataflow != Dataflow::output_stationary;
    const std::uint64_t cycles = both_ways ? geometry.cycles_per_step : 1;
    switch (memory.ports) {
        case BankPorts::one_read_or_write:
            return (both_ways ? 2 : 1) * row <= line_width * cycles;
        case BankPorts::one_read_one_write:
            return row <= line_width * cycles;
        case BankPorts::two_read_or_write:
            return (both_ways ? 2 : 1) * row <= 2 * line_width * cycles;
    }
    return false;
}

/// MACs a cycle when every PE is busy.
[[nodiscard]] constexpr double peak_macs_per_cycle(const ArrayGeometry& geometry) {
    return static_cast<double>(geometry.rows) * geometry.cols * geometry.macs_per_pe / geometry.cycles_per_step;
}

}  // namespace nibble
