// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace nibble {

/// One line on the terminal that says how far a run is. Says nothing unless enabled; then it is rewritten a few times
/// a second, and gone at the end.
class Progress {
public:
    /// `all` units ("operations") are to be done.
    Progress(std::string what, std::string units, std::uint64_t all, bool enabled);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// `cycles` have been simulated for that, if any. `note` is what else there is to say.
    void update(std::uint64_t done, std::uint64_t cycles = 0, const std::string& note = {});

private:
    using Clock = std::chrono::steady_clock;

    std::string what_;
    std::string units_;
    std::uint64_t all_;
    bool enabled_;
    bool shown_ = false;
    Clock::time_point begin_ = Clock::now();
    Clock::time_point updated_;
};

/// Is standard error a terminal that can rewrite a line?
[[nodiscard]] bool progress_possible();

}  // namespace nibble
