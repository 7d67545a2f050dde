// SPDX-License-Identifier: MIT
#include "sim/memtest/request_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace nibble {

namespace {

constexpr std::size_t buffer_bytes = 64 * 1024;
// A line of three fields takes 41 characters; some room for blanks.
constexpr std::size_t longest_line = 256;
// What has no line end for so long is no request file, and may be endless.
constexpr std::uint64_t no_text_bytes = std::uint64_t{1} << 20U;
constexpr std::string_view expected_line = "expected 'CYCLE R|W 0xADDRESS'";

constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/// All of `text` as a number of this base; nothing if it is none or needs more than 64 bits.
std::optional<std::uint64_t> number(std::string_view text, int base) {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value, base);
    return error == std::errc{} && stopped == end ? std::optional(value) : std::nullopt;
}

bool all_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

RequestReader::RequestReader(const std::filesystem::path& path, AddressSpace space)
    : source_(path, [](std::string_view) { return true; }),
      space_(std::move(space)),
      problems_(source_.name()),
      buffer_(buffer_bytes) {}

std::optional<TimedRequest> RequestReader::next() {
    while (read_line()) {
        const std::optional<TimedRequest> request = parse_line();
        if (request && problems_.empty()) {
            ++requests_;
            return request;
        }
        if (problems_.full()) {
            break;
        }
    }
    problems_.throw_if_any();
    if (requests_ == 0) {
        throw InputError({problems_.file(), 0, 0}, fmt::format("{} on each line, found no request", expected_line));
    }
    return std::nullopt;
}

bool RequestReader::fill() {
    begin_ = 0;
    end_ = source_.read(buffer_);
    return end_ > 0;
}

/// Makes the next line the current one; false at the end of the file.
bool RequestReader::read_line() {
    line_.clear();
    if (begin_ == end_ && !fill()) {
        return false;
    }
    ++line_number_;
    std::uint64_t line_bytes = 0;
    do {
        const char* from = buffer_.data() + begin_;
        const void* newline = std::memchr(from, '\n', end_ - begin_);
        const std::size_t length =
            newline != nullptr ? static_cast<std::size_t>(static_cast<const char*>(newline) - from) : end_ - begin_;
        const std::size_t kept = std::min(length, longest_line + 1 - std::min(line_.size(), longest_line + 1));
        line_.append(from, kept);
        begin_ += length;
        line_bytes += length;
        if (line_bytes > no_text_bytes) {
            problem(1, fmt::format("{}, found {} bytes without a line end: this is no request file", expected_line,
                                   line_bytes));
            problems_.throw_if_any();
        }
        if (newline != nullptr) {
            ++begin_;
            break;
        }
    } while (fill());
    if (line_.ends_with('\r')) {
        line_.pop_back();
    }
    return true;
}

std::vector<RequestReader::Field> RequestReader::fields() const {
    std::vector<Field> fields;
    const std::string_view line = line_;
    std::size_t at = 0;
    while (true) {
        while (at < line.size() && is_blank(line[at])) {
            ++at;
        }
        if (at == line.size()) {
            return fields;
        }
        const std::size_t from = at;
        while (at < line.size() && !is_blank(line[at])) {
            ++at;
        }
        fields.push_back({line.substr(from, at - from), from + 1});
    }
}

void RequestReader::problem(std::uint64_t column, std::string what) {
    problems_.add(line_number_, column, std::move(what));
}

/// The current line's request; nothing if it is empty or wrong.
std::optional<TimedRequest> RequestReader::parse_line() {
    if (line_.size() > longest_line) {
        problem(longest_line + 1,
                fmt::format("{}, found a line of more than {} characters", expected_line, longest_line));
        return std::nullopt;
    }
    const std::vector<Field> found = fields();
    if (found.empty()) {
        return std::nullopt;
    }
    constexpr std::size_t field_count = 3;
    if (found.size() < field_count) {
        problem(line_.size() + 1,
                fmt::format("{}, found nothing after '{}'", expected_line, printable(found.back().text)));
        return std::nullopt;
    }
    const std::optional<std::uint64_t> cycle = parse_cycle(found[0]);
    const std::optional<bool> write = parse_direction(found[1]);
    const std::optional<std::uint64_t> address = parse_address(found[2]);
    if (found.size() > field_count) {
        problem(found[field_count].column,
                fmt::format("expected the end of the line, found '{}'", printable(found[field_count].text)));
    }
    return cycle && write && address ? std::optional(TimedRequest{*cycle, *address, *write}) : std::nullopt;
}

std::optional<std::uint64_t> RequestReader::parse_cycle(const Field& field) {
    const std::optional<std::uint64_t> cycle = all_digits(field.text) ? number(field.text, 10) : std::nullopt;
    if (!cycle && !all_digits(field.text)) {
        problem(field.column,
                fmt::format("cycle: expected a whole number of memory clocks, found '{}'", printable(field.text)));
        return std::nullopt;
    }
    if (!cycle || *cycle > largest_cycle) {
        problem(field.column,
                fmt::format("cycle: expected at most {}, found '{}'", largest_cycle, printable(field.text)));
        return std::nullopt;
    }
    if (*cycle < last_cycle_) {
        problem(field.column, fmt::format("cycle: expected at least {}, that of the request before, found {}; sort the "
                                          "requests by cycle",
                                          last_cycle_, *cycle));
        return std::nullopt;
    }
    last_cycle_ = *cycle;
    return cycle;
}

std::optional<bool> RequestReader::parse_direction(const Field& field) {
    if (field.text == "R" || field.text == "W") {
        return field.text == "W";
    }
    const bool small = field.text == "r" || field.text == "w";
    problem(field.column,
            fmt::format("expected R or W, found '{}'{}", printable(field.text), small ? "; capital letters" : ""));
    return std::nullopt;
}

std::optional<std::uint64_t> RequestReader::parse_address(const Field& field) {
    const bool prefixed = field.text.starts_with("0x") || field.text.starts_with("0X");
    const std::string_view digits = prefixed ? field.text.substr(2) : field.text;
    if (!prefixed || digits.empty() || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
        problem(field.column,
                fmt::format("address: expected 0x and hexadecimal digits, found '{}'", printable(field.text)));
        return std::nullopt;
    }
    const std::optional<std::uint64_t> address = number(digits, 16);
    if (!address) {
        problem(field.column, fmt::format("address: expected at most 64 bits, found '{}'", printable(field.text)));
        return std::nullopt;
    }
    if (*address % request_bytes != 0) {
        problem(field.column,
                fmt::format("address: expected a multiple of {}, found '{}'; the request of {} bytes "
                            "that holds it begins at {:#x}",
                            request_bytes, field.text, request_bytes, *address / request_bytes * request_bytes));
        return std::nullopt;
    }
    if (*address >= space_.bytes || space_.bytes - *address < request_bytes) {
        problem(field.column, fmt::format("address: '{}' {}", field.text, space_.outside(*address)));
        return std::nullopt;
    }
    return address;
}

}  // namespace nibble
