// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>

namespace nibble {

/// Writes a file whole or not at all: under a temporary name, renamed when `write` has returned and nobody has
/// interrupted. `write` gets the directory besides. Throws InputError if the file cannot be written there.
void write_output_file(const std::string& path,
                       const std::function<void(std::ostream&, const std::filesystem::path& directory)>& write);

}  // namespace nibble
