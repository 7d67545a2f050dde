// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace nibble {

/// What an import recognised, what it did not, and what it made up.
struct ImportSummary {
    struct Unrecognised {
        std::uint64_t calls = 0;
        std::uint64_t bytes = 0;  ///< of the tensors that they read and wrote
        std::string reason;       ///< why it is left out, where that is known; mostly empty
    };
    std::string format;            ///< word of --from
    std::string description;       ///< for people: format, version, framework
    std::uint64_t iterations = 1;  ///< training steps in the trace
    std::uint64_t bytes = 0;       ///< of the tensors of all calls or nodes: what the shares of `unrecognised` refer to
    std::map<std::string, Unrecognised> unrecognised;  ///< by operator
    std::vector<std::string> derived;  ///< what the source does not say and was derived: "dx", "optimiser"
    std::vector<std::string> notes;    ///< whatever else the user should know
};

}  // namespace nibble
