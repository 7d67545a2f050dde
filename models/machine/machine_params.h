// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "models/dma/dma_params.h"
#include "models/dram/dram_params.h"
#include "models/log_gradient/log_gradient_params.h"
#include "models/mac_array/mac_array_params.h"
#include "models/scratchpad/scratchpad_params.h"
#include "models/sequencer/sequencer_params.h"
#include "models/vector_unit/vector_unit_params.h"

namespace nibble {

/// How the two rounding phases of one gradient are kept in memory (DESIGN, "Two phases, one tensor").
enum class GradientStorage : std::uint8_t {
    two_codes,    ///< two 4-bit tensors; each GEMM reads the one that it needs
    packed_pair,  ///< one 5-bit tensor (even code and one bit for the odd one), read by both GEMMs
    rerounded,    ///< the 16-bit gradient alone; the log-gradient unit rounds every tile that a GEMM has loaded
};

/// A complete, validated machine: what the models are built from. Constructing a machine from it cannot fail on input.
struct MachineParameters {
    std::string name;
    std::string description;
    std::uint64_t clock_period_ps = 0;  ///< of the core; the DRAM's follows from its standard
    std::string technology;             ///< energy and area table, e.g. "7nm"
    bool ideal_memory = false;  ///< memory answers at once and costs nothing: for fidelity to compute-only estimates
    GradientStorage gradient_storage = GradientStorage::two_codes;
    SequencerParameters sequencer;
    DmaParameters dma;
    DramParameters dram;
    ScratchpadParameters scratchpad;
    MacArrayParameters mac_array;
    LogGradientParameters log_gradient;
    VectorUnitParameters vector_unit;
};

}  // namespace nibble
