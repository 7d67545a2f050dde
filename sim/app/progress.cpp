// SPDX-License-Identifier: MIT
#include "sim/app/progress.h"

#include <cstdlib>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "sim/app/terminal.h"
#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

constexpr std::chrono::milliseconds between_updates{150};
constexpr std::string_view clear_line = "\r\x1b[K";

}  // namespace

Progress::Progress(std::string what, std::string units, std::uint64_t all, bool enabled)
    : what_(for_terminal(what, 40)), units_(std::move(units)), all_(all), enabled_(enabled) {}

Progress::~Progress() {
    if (shown_) {
        fmt::print(stderr, "{}", clear_line);
    }
}

void Progress::update(std::uint64_t done, std::uint64_t cycles, const std::string& note) {
    const Clock::time_point now = Clock::now();
    if (!enabled_ || now - updated_ < between_updates) {
        return;
    }
    updated_ = now;
    shown_ = true;
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    std::string line = fmt::format("{}: {} of {} {}", what_, grouped(done), grouped(all_), units_);
    if (cycles > 0) {
        const auto simulated = static_cast<double>(cycles);
        line += fmt::format(", {}, {}", with_prefix(simulated, "cycles"),
                            with_prefix(seconds > 0 ? simulated / seconds : 0, "cycles/s"));
    }
    if (done > 0) {
        line +=
            fmt::format(", {} left", duration(seconds * static_cast<double>(all_ - done) / static_cast<double>(done)));
    }
    if (!note.empty()) {
        line += ", " + note;
    }
    // A line that is wider than the terminal would go on below, where it cannot be taken back.
    fmt::print(stderr, "{}{}", clear_line, for_terminal(line, terminal_width(STDERR_FILENO) - 1));
    std::fflush(stderr);
}

bool progress_possible() {
    const char* terminal = std::getenv("TERM");
    return isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace nibble
