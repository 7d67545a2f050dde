// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/counters/op_record.h"
#include "sim/report/result.h"

namespace nibble {

/// Takes the records of both machines operation by operation and makes a Result of them, checking every conservation
/// law on the way. Memory grows with the number of layer groups only, and that is bounded: groups that appear after
/// `most_groups` others are counted together as "(other groups)".
class ResultCollector {
public:
    static constexpr std::size_t most_groups = 1000;

    explicit ResultCollector(Setup setup);

    [[nodiscard]] const Setup& setup() const { return result_.setup; }

    /// The next operation, in trace order; `baseline` is null if there is none.
    void add(const OpRecord& machine, const OpRecord* baseline);

    /// `baseline` is null if there is none. Throws ModelError if a law is broken.
    [[nodiscard]] Result finish(RunSummary machine, const RunSummary* baseline);

private:
    /// Comparisons in order of first appearance.
    struct Table {
        using Key = std::pair<std::string, std::string>;  // group, name
        std::vector<Comparison> rows;
        std::map<Key, std::size_t> places;

        Comparison& at(const std::string& group, const std::string& name);
    };

    [[nodiscard]] const std::string& group_of(const OpRecord& record);
    void sort_phases();

    Result result_;
    Table groups_;
    Table phases_;
    Table modes_;
    Table baseline_modes_;
    std::set<std::string> known_groups_;
};

}  // namespace nibble
