// SPDX-License-Identifier: MIT
#include "sim/base/error.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace nibble {

namespace {

std::string lines_of(const std::vector<Problem>& problems) {
    std::string text;
    for (const Problem& problem : problems) {
        if (!text.empty()) {
            text += '\n';
        }
        text += to_string(problem);
    }
    return text;
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn one into the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> distance(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                distance[i][j] = i + j;
                continue;
            }
            distance[i][j] = std::min({distance[i - 1][j] + 1, distance[i][j - 1] + 1,
                                       distance[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                distance[i][j] = std::min(distance[i][j], distance[i - 2][j - 2] + 1);
            }
        }
    }
    return distance[a.size()][b.size()];
}

}  // namespace

std::string to_string(const Problem& problem) {
    const SourceLocation& at = problem.where;
    std::string text = at.file;
    if (at.line > 0) {
        text += fmt::format(":{}", at.line);
        if (at.column > 0) {
            text += fmt::format(":{}", at.column);
        }
    }
    return text.empty() ? problem.what : text + ": " + problem.what;
}

InputError::InputError(std::vector<Problem> problems)
    : std::runtime_error(lines_of(problems)), problems_(std::move(problems)) {}

InputError::InputError(SourceLocation where, std::string what)
    : InputError(std::vector<Problem>{{std::move(where), std::move(what)}}) {}

InputError::InputError(std::string what) : InputError(SourceLocation{}, std::move(what)) {}

void ProblemList::add(std::uint64_t line, std::uint64_t column, std::string what) {
    if (full()) {
        ++dropped_;
        return;
    }
    problems_.push_back({{file_, line, column}, std::move(what)});
}

void ProblemList::throw_if_any() const {
    if (problems_.empty()) {
        return;
    }
    std::vector<Problem> all = problems_;
    if (dropped_ > 0) {
        all.push_back({{file_, 0, 0}, fmt::format("{} more problems not shown", dropped_)});
    }
    throw InputError(std::move(all));
}

std::string suggestion(std::string_view name, std::span<const std::string> candidates) {
    constexpr std::size_t longest_compared = 64;
    if (name.empty() || name.size() > longest_compared) {
        return {};
    }
    const std::string* best = nullptr;
    std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(name, candidate);
        if (distance < best_distance) {
            best = &candidate;
            best_distance = distance;
        }
    }
    return best == nullptr ? std::string{} : fmt::format(" (did you mean '{}'?)", *best);
}

std::string printable(std::string_view text, std::size_t most) {
    std::string shown;
    for (const char c : text.substr(0, most)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            shown += fmt::format("\\x{:02x}", byte);
        } else {
            shown += c;
        }
    }
    return text.size() > most ? shown + "..." : shown;
}

}  // namespace nibble
