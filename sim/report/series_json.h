// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sim/report/result.h"

namespace nibble {

/// The member `series` of result.json, on one line: both machines' runs over time. For results that have a series.
[[nodiscard]] std::string series_json(const Result& result);

}  // namespace nibble
