// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/input/operation.h"

namespace nibble {

/// The words that stand for roles, phases and positions in traces and reports; they equal the enumerators' names.
[[nodiscard]] std::string_view name_of(TensorRole role);
[[nodiscard]] std::string_view name_of(Phase phase);
[[nodiscard]] std::string_view name_of(Position position);

[[nodiscard]] std::optional<TensorRole> role_named(std::string_view name);
[[nodiscard]] std::optional<Phase> phase_named(std::string_view name);
[[nodiscard]] std::optional<Position> position_named(std::string_view name);

/// All of them, for messages.
[[nodiscard]] std::vector<std::string> role_names();
[[nodiscard]] std::vector<std::string> phase_names();
[[nodiscard]] std::vector<std::string> position_names();

}  // namespace nibble
