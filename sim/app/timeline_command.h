// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace nibble {

/// What the user asked of `nibblesim timeline`.
struct TimelineRequest {
    std::string file;
    std::uint64_t from = 0;
    std::optional<std::uint64_t> to;
    std::optional<std::size_t> width;  ///< characters of a line
    bool json = false;
};

/// Shows a timeline as text. Throws InputError if the file is none.
void timeline_command(const TimelineRequest& request);

}  // namespace nibble
