// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nibble {

/// A parameter that two machines do not share.
struct ParameterChange {
    std::string parameter;  ///< "scratchpad.banks"; "[1]" is an item of a list
    std::optional<std::string> a;
    std::optional<std::string> b;
};

/// What differs between two machine files, but for the machines' names, in the order of the files. Throws InputError if
/// one of them is no YAML.
[[nodiscard]] std::vector<ParameterChange> machine_differences(const std::filesystem::path& a,
                                                               const std::filesystem::path& b);

}  // namespace nibble
