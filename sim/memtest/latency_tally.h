// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>

namespace nibble {

/// Distribution of latencies in memory clocks, exact: a count for each latency that occurs. Memory grows with the
/// number of different latencies, which queues bound, and not with the number of requests.
class LatencyTally {
public:
    void add(std::uint64_t latency);

    [[nodiscard]] std::uint64_t count() const { return count_; }
    /// 0 if nothing was added; so are the others.
    [[nodiscard]] double mean() const;
    /// The least latency that `percent` of a hundred requests do not exceed.
    [[nodiscard]] std::uint64_t percentile(double percent) const;
    [[nodiscard]] std::uint64_t longest() const;

private:
    std::map<std::uint64_t, std::uint64_t> counts_;  // by latency
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
};

}  // namespace nibble
