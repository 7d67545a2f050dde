// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "models/machine/machine_params.h"

namespace nibble {

class YamlDocument;

/// Reads a machine: a preset's name or the path of a YAML file. Throws InputError with every problem of the file:
/// what the strict reader finds, values out of range, and machines that cannot exist:
///  - a resident part that leaves the scratchpad no room for tiles; more DMA lines a cycle than banks;
///  - accumulators smaller than the 32-bit partial sums of one fold of the array;
///  - a shared array whose modes claim rates that the datapaths of its PEs do not have, or a dedicated one in which the
///    arrays of the modes differ from the array as built by more than 2% in area;
///  - with a weight- or input-stationary dataflow on a shared array, an accumulation chunk that does not divide what a
///    fold reduces: values would depend on the tiling;
///  - INT4 x FP4 products without a log-gradient unit to make their operands;
///  - an unknown technology or DRAM standard, or a memory system that the standard does not allow.
/// A scratchpad too narrow to feed the array is allowed: the array waits.
[[nodiscard]] MachineParameters load_machine(const std::string& name_or_path);

/// The same from text; `file` stands for it in messages.
[[nodiscard]] MachineParameters parse_machine(const std::string& text, const std::string& file);

/// The machine that an open document describes. Throws InputError as load_machine() does.
[[nodiscard]] MachineParameters read_machine(YamlDocument& document);

/// The machine as a YAML file with every default written out. Reading it gives the same machine again.
[[nodiscard]] std::string effective_yaml(const MachineParameters& machine);

}  // namespace nibble
