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
    /// `operations` are to be done in all, over all machines.
    Progress(std::string what, std::uint64_t operations, bool enabled);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void update(std::uint64_t operations_done, std::uint64_t cycles);

private:
    using Clock = std::chrono::steady_clock;

    std::string what_;
    std::uint64_t operations_;
    bool enabled_;
    bool shown_ = false;
    Clock::time_point begin_ = Clock::now();
    Clock::time_point updated_;
};

/// Is standard error a terminal that can rewrite a line?
[[nodiscard]] bool progress_possible();

}  // namespace nibble
