// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

namespace nibble {

inline constexpr std::size_t default_diff_operations = 10;

/// What the user asked of `nibblesim diff`: two directories made by `run --out`, or files result.json.
struct DiffRequest {
    std::string a;
    std::string b;
    std::size_t top = default_diff_operations;  ///< operations to show
    bool json = false;
};

/// Shows what moved from one result to another. Throws InputError before anything is shown.
void diff_command(const DiffRequest& request);

}  // namespace nibble
