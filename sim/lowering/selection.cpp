// SPDX-License-Identifier: MIT
#include "sim/lowering/selection.h"

#include <array>
#include <fnmatch.h>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr std::array<const char*, 5> names{"forward", "dx", "dw", "vector", "update"};

std::uint32_t bit_of(Phase phase) {
    return std::uint32_t{1} << static_cast<std::uint32_t>(phase);
}

}  // namespace

bool Selection::contains(const Operation& operation) const {
    return (phases & bit_of(operation.phase)) != 0 && fnmatch(layers.c_str(), operation.layer.c_str(), 0) == 0;
}

std::uint32_t parse_phases(const std::string& list) {
    std::uint32_t phases = 0;
    std::istringstream parts(list);
    for (std::string part; std::getline(parts, part, ',');) {
        bool known = false;
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (part == names[i]) {
                phases |= bit_of(static_cast<Phase>(i));
                known = true;
            }
        }
        if (!known) {
            const std::vector<std::string> candidates(names.begin(), names.end());
            throw InputError(fmt::format("--phases: expected a list of forward, dx, dw, vector, update, found '{}'{}",
                                         printable(part), suggestion(part, candidates)));
        }
    }
    if (phases == 0) {
        throw InputError("--phases: expected at least one of forward, dx, dw, vector, update");
    }
    return phases;
}

std::string phase_name(Phase phase) {
    return names[static_cast<std::size_t>(phase)];
}

}  // namespace nibble
