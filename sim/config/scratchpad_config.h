// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "models/scratchpad/scratchpad_params.h"
#include "sim/config/yaml_reader.h"

namespace nibble {

inline constexpr std::uint64_t most_bytes_on_chip = std::uint64_t{1} << 32;  ///< any more is a mistyped number
inline constexpr UnsignedRange banks_of_a_memory{1, 4096};
inline constexpr UnsignedRange bytes_of_a_line{1, 4096};

/// Reads section `scratchpad` of a machine file. What is wrong becomes a problem of the document.
[[nodiscard]] ScratchpadParameters read_scratchpad(YamlMap& section);

/// Checks what spans keys of the section; for parameters that were read without a problem.
void check_scratchpad(YamlMap& section, const ScratchpadParameters& scratchpad);

/// Ports of a memory's banks: 1rw, 1r1w or 2rw.
[[nodiscard]] BankPorts optional_ports(YamlMap& section, const YamlKey& key, BankPorts otherwise);

/// The section as YAML, every default written out.
[[nodiscard]] std::string scratchpad_yaml(const ScratchpadParameters& scratchpad);

}  // namespace nibble
