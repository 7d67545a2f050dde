// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/app/ideal_unit.h"
#include "sim/counters/op_record.h"
#include "sim/report/result.h"
#include "sim/report/tally.h"
#include "sim/report/text_table.h"

namespace nibble {

/// Layers of a run, as they were and with each unit taking no time.
struct Explanation {
    static constexpr std::size_t most_operations = 12;

    struct Freed {
        IdealUnit unit{};
        Tally layer;
        std::uint64_t step_cycles = 0;
    };

    std::string network;
    std::uint64_t batch = 1;
    std::string pattern;  ///< shell pattern that the layers fit
    std::uint64_t step_cycles = 0;
    Tally layer;                           ///< what the layers took
    std::vector<OpRecord> operations;      ///< those of them that took longest, longest first
    std::optional<OpRecord> most_waiting;  ///< the one that waited longest for memory, if any did
    std::vector<Freed> freed;              ///< one for each unit that takes time
};

/// Of the units that gain something when they are free, in order of what they gain for the layers; equal ones as given.
[[nodiscard]] std::vector<const Explanation::Freed*> by_gain(const Explanation& explanation);

/// In sentences, with the tables that they rest on.
[[nodiscard]] std::string explanation_text(const Explanation& explanation, const Subject& subject,
                                           const TextStyle& style);
[[nodiscard]] nlohmann::ordered_json explanation_json(const Explanation& explanation, const Subject& subject);

}  // namespace nibble
