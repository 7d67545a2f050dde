// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace nibble {

/// Shows what is in a trace, a workload or a machine. Throws InputError.
void info_command(const std::string& subject, std::optional<std::uint64_t> batch, bool json);

/// Shows what comes with the program: presets, workloads, recipes.
void list_command(bool json);

}  // namespace nibble
