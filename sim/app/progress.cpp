// SPDX-License-Identifier: MIT
#include "sim/app/progress.h"

#include <cstdlib>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

constexpr std::chrono::milliseconds between_updates{150};
constexpr std::string_view clear_line = "\r\x1b[K";

}  // namespace

Progress::Progress(std::string what, std::uint64_t operations, bool enabled)
    : what_(for_terminal(what, 20)), operations_(operations), enabled_(enabled) {}

Progress::~Progress() {
    if (shown_) {
        fmt::print(stderr, "{}", clear_line);
    }
}

void Progress::update(std::uint64_t operations_done, std::uint64_t cycles) {
    const Clock::time_point now = Clock::now();
    if (!enabled_ || now - updated_ < between_updates) {
        return;
    }
    updated_ = now;
    shown_ = true;
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    const auto done = static_cast<double>(operations_done);
    const auto all = static_cast<double>(operations_);
    const std::string left =
        operations_done > 0 ? ", " + duration(seconds * (all - done) / done) + " left" : std::string{};
    fmt::print(stderr, "{}{}: {} of {} operations, {}, {}{}", clear_line, what_, grouped(operations_done),
               grouped(operations_), with_prefix(static_cast<double>(cycles), "cycles"),
               with_prefix(seconds > 0 ? static_cast<double>(cycles) / seconds : 0, "cycles/s"), left);
    std::fflush(stderr);
}

bool progress_possible() {
    const char* terminal = std::getenv("TERM");
    return isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace nibble
