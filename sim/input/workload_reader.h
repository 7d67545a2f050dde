// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

#include "sim/config/yaml_reader.h"
#include "sim/input/workload.h"

namespace nibble {

/// Reads a workload file (workloads/README.md). Throws InputError with every problem that was found.
[[nodiscard]] Workload read_workload(const std::filesystem::path& path);
[[nodiscard]] Workload read_workload(const YamlDocument& document);

}  // namespace nibble
