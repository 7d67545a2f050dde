// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "sim/report/tally.h"

namespace nibble {

/// A tally as a JSON object, for stores of results.
[[nodiscard]] nlohmann::json json_of(const Tally& tally);
/// Nothing if it is not what json_of() makes.
[[nodiscard]] std::optional<Tally> tally_of(const nlohmann::json& json);

}  // namespace nibble
