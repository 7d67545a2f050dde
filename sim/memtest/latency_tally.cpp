// SPDX-License-Identifier: MIT
#include "sim/memtest/latency_tally.h"

namespace nibble {

void LatencyTally::add(std::uint64_t latency) {
    ++counts_[latency];
    ++count_;
    sum_ += latency;
}

double LatencyTally::mean() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

std::uint64_t LatencyTally::percentile(double percent) const {
    const double wanted = percent / 100 * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (const auto& [latency, count] : counts_) {
        seen += count;
        if (static_cast<double>(seen) >= wanted) {
            return latency;
        }
    }
    return longest();
}

std::uint64_t LatencyTally::longest() const {
    return counts_.empty() ? 0 : counts_.rbegin()->first;
}

}  // namespace nibble
