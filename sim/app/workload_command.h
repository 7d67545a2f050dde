// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace nibble {

/// Writes the training-step trace of a workload. The file appears complete or not at all. Throws InputError.
void workload_command(const std::string& name, std::uint64_t batch, const std::string& path, bool json);

}  // namespace nibble
