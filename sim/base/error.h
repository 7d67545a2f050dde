// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

/// A place in a file of the user's. Lines and columns count from 1; 0 means "the file as a whole".
struct SourceLocation {
    std::string file;
    std::uint64_t line = 0;
    std::uint64_t column = 0;
};

/// One thing that is wrong with the user's input: "what was expected, what was found, what to do".
struct Problem {
    SourceLocation where;
    std::string what;
};

/// "file:line:column: what", leaving out the parts that are not known.
[[nodiscard]] std::string to_string(const Problem& problem);

/// The user's file or flag is wrong. Carries every problem that was found; what() is one line for each. Exit code 2.
class InputError : public std::runtime_error {
public:
    explicit InputError(std::vector<Problem> problems);
    InputError(SourceLocation where, std::string what);
    /// A wrong flag: no file is to blame.
    explicit InputError(std::string what);

    [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

private:
    std::vector<Problem> problems_;
};

/// A rule that this program promises to keep was broken: our bug, never the user's. Exit code 70.
class ModelError : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

/// Collects the problems of one file, so that the user sees all of them at once.
/// Keeps the first `limit` and counts the rest: a hostile file cannot make the list grow without bound.
class ProblemList {
public:
    explicit ProblemList(std::string file, std::size_t limit = 20) : file_(std::move(file)), limit_(limit) {}

    void add(std::uint64_t line, std::uint64_t column, std::string what);
    [[nodiscard]] bool empty() const { return problems_.empty(); }
    [[nodiscard]] std::size_t count() const { return problems_.size() + dropped_; }
    [[nodiscard]] bool full() const { return problems_.size() >= limit_; }
    [[nodiscard]] const std::string& file() const { return file_; }

    /// Throws InputError with everything collected, if anything was.
    void throw_if_any() const;

private:
    std::string file_;
    std::size_t limit_;
    std::vector<Problem> problems_;
    std::size_t dropped_ = 0;
};

/// " (did you mean 'x'?)" for the candidate nearest to `name` in edit distance (a swap of neighbours counts once), or
/// "" if none is near.
[[nodiscard]] std::string suggestion(std::string_view name, std::span<const std::string> candidates);

/// `text` cut to a length fit for an error line, with control characters shown as \xNN.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = 60);

}  // namespace nibble
