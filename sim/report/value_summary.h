// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/counters/op_record.h"

namespace nibble {

/// A mean of what is not always there.
struct Mean {
    double sum = 0;
    std::uint64_t count = 0;

    void add(double value) {
        sum += value;
        ++count;
    }
    [[nodiscard]] bool empty() const { return count == 0; }
    [[nodiscard]] double value() const { return sum / static_cast<double>(count); }
};

/// What quantisation did to all recorded operands of one format, each operand of each GEMM counted once.
struct FormatAverages {
    std::uint64_t operands = 0;
    Mean sqnr_db, clipped, underflowed, zero_codes, toggle_rate;
};

/// A GEMM whose output was compared with full precision.
struct OutputQuality {
    std::uint64_t index = 0;
    std::string layer;
    std::string phase;
    ValueRecord values;
    std::optional<OutputRecord> baseline;  ///< the same output on the baseline
};

/// A GEMM of which the array delivers something else than the source of the trace computed.
struct DifferentResult {
    std::uint64_t index = 0;
    std::string layer;
    std::string phase;
    ResultComparison found;
};

/// All GEMMs whose results the trace gives, on the machine.
struct ReplaySummary {
    std::uint64_t gemms = 0;
    std::uint64_t different_gemms = 0;
    std::uint64_t cut_gemms = 0;  ///< added up in another order than that of an untiled reduction
    std::uint64_t outputs_compared = 0;
    std::uint64_t outputs_different = 0;
    double largest_difference = 0;
    std::vector<DifferentResult> first;  ///< the first ValueSummary::most_worst with a difference
};

/// What a report says of recorded values, gathered operation by operation in memory that does not grow.
class ValueSummary {
public:
    static constexpr std::size_t most_worst = 10;

    void add(const OpRecord& machine, const OpRecord* baseline);

    [[nodiscard]] bool empty() const { return formats_.empty(); }
    /// GEMMs with a recorded operand, and those of them whose output was compared.
    [[nodiscard]] std::uint64_t gemms() const { return gemms_; }
    [[nodiscard]] std::uint64_t compared() const { return compared_; }
    /// By name of the format.
    [[nodiscard]] const std::map<std::string, FormatAverages>& formats() const { return formats_; }
    /// Outputs with the largest errors as the array delivers them, the largest first; what overflowed comes before.
    [[nodiscard]] const std::vector<OutputQuality>& worst() const { return worst_; }
    [[nodiscard]] const ReplaySummary& replay() const { return replay_; }

private:
    void add_result(const OpRecord& machine);

    std::map<std::string, FormatAverages> formats_;
    std::vector<OutputQuality> worst_;
    ReplaySummary replay_;
    std::uint64_t gemms_ = 0;
    std::uint64_t compared_ = 0;
};

}  // namespace nibble
