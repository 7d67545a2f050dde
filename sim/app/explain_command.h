// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace nibble {

/// What the user asked of `nibblesim explain`.
struct ExplainRequest {
    std::string result;       ///< directory made by run --out, or its result.json
    std::string layer = "*";  ///< shell pattern
    bool json = false;
    bool quiet = false;  ///< no progress
};

/// Says why layers of a run take the time that they take, and which unit binds them: the run is repeated, with the same
/// mappings, once as it was and once with each unit taking no time. Throws InputError if the result cannot be repeated.
void explain_command(const ExplainRequest& request);

}  // namespace nibble
