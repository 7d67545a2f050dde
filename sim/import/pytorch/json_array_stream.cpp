// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/json_array_stream.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

enum class Mark : unsigned char { none, quote, open, close };

// What the search for the end of a nested value must stop at.
constexpr std::array<Mark, 256> make_marks() {
    std::array<Mark, 256> marks{};
    marks['"'] = Mark::quote;
    marks['['] = marks['{'] = Mark::open;
    marks[']'] = marks['}'] = Mark::close;
    return marks;
}

constexpr std::array<Mark, 256> marks = make_marks();

Mark mark_of(char c) {
    return marks[static_cast<unsigned char>(c)];
}

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

}  // namespace

JsonArrayStream::JsonArrayStream(ByteSource source, std::string key)
    : window_(std::move(source)), key_(std::move(key)) {
    find_list();
}

bool JsonArrayStream::next() {
    if (ended_) {
        return false;
    }
    window_.drop(element_.size());
    element_ = {};
    char c = skip_space();
    if (c != ']' && elements_ != 0) {
        expect(',');
        c = skip_space();
        if (c == ']') {
            unexpected("an element");
        }
    }
    if (c == ']') {
        window_.drop(1);
        ended_ = true;
        finish();
        return false;
    }
    element_ = front(end_of_value(true));
    position_ = window_.position();
    ++elements_;
    return true;
}

/// Stands behind the list's bracket afterwards.
void JsonArrayStream::find_list() {
    const char c = skip_space();
    if (c == '[') {
        window_.drop(1);
        return;
    }
    if (c != '{') {
        unexpected("a JSON document");
    }
    window_.drop(1);
    in_object_ = true;
    if (skip_space() != '}') {
        while (!read_member()) {
            if (skip_space() == '}') {
                break;
            }
            expect(',');
        }
    }
    if (!found_) {
        fail(window_.position(),
             fmt::format("expected a member \"{}\" with a list, found the end of the object", key_));
    }
}

/// Reads "key": value; true if this is the list, of which only the bracket is read.
bool JsonArrayStream::read_member() {
    if (skip_space() != '"') {
        unexpected("a key");
    }
    const std::uint64_t begin = window_.position();
    const std::string key(take_string());
    skip_space();
    expect(':');
    const char c = skip_space();
    if (key == key_) {
        if (found_) {
            fail(begin, fmt::format("a second member \"{}\"", key_));
        }
        if (c != '[') {
            unexpected("a list");
        }
        found_ = true;
        window_.drop(1);
        return true;
    }
    // Whatever is long or nested is dropped while it is read.
    if (mark_of(c) == Mark::open) {
        window_.drop(end_of_value(false));
        return false;
    }
    std::string_view text = front(end_of_value(true));
    const std::size_t end = text.size();
    if (c == '"') {
        text = text.substr(1, end - 2);
    }
    if (key.size() <= longest_member && text.size() <= longest_member && members_.size() < most_members) {
        members_.insert_or_assign(key, text);
    }
    window_.drop(end);
    return false;
}

/// Reads what is behind the list.
void JsonArrayStream::finish() {
    if (in_object_) {
        while (skip_space() != '}') {
            expect(',');
            read_member();
        }
        window_.drop(1);
    }
    std::size_t at = 0;
    while (more(at, false)) {
        if (!is_space(window_.bytes()[at])) {
            fail(window_.position() + at, "expected nothing behind the document");
        }
        ++at;
    }
}

/// Length of the value that the window begins with. Unless it is to be kept, its front may be dropped on the way, and
/// the length is that of the rest.
std::size_t JsonArrayStream::end_of_value(bool keep) {
    if (window_.bytes().empty()) {
        unexpected("a value");
    }
    switch (mark_of(window_.bytes().front())) {
        case Mark::open:
            return end_of_nested(keep);
        case Mark::quote:
            return end_of_string(0, keep);
        case Mark::close:
            unexpected("a value");
        case Mark::none:
            break;
    }
    return end_of_word(keep);
}

std::size_t JsonArrayStream::end_of_nested(bool keep) {
    std::array<char, deepest> closers{};
    std::size_t depth = 0;
    const auto closer_missing = [&](std::size_t at) {
        window_.drop(at);
        unexpected(fmt::format("'{}'", closers.at(depth - 1)));
    };
    for (std::size_t at = 0;;) {
        const std::string_view bytes = window_.bytes();
        while (at < bytes.size() && mark_of(bytes[at]) == Mark::none) {
            ++at;
        }
        if (at == bytes.size()) {
            if (!more(at, keep)) {
                closer_missing(at);
            }
            continue;
        }
        const char c = bytes[at];
        if (c == '"') {
            at = end_of_string(at, keep);
            continue;
        }
        if (mark_of(c) == Mark::open) {
            if (depth == deepest) {
                fail(window_.position() + at, fmt::format("brackets lie more than {} deep in one another", deepest));
            }
            closers[depth++] = c == '[' ? ']' : '}';
        } else {
            if (c != closers[depth - 1]) {
                closer_missing(at);
            }
            --depth;
        }
        ++at;
        if (depth == 0) {
            return at;
        }
    }
}

/// The place behind the closing quote of the string that begins at `at`.
std::size_t JsonArrayStream::end_of_string(std::size_t at, bool keep) {
    const std::uint64_t begin = window_.position() + at;
    ++at;
    while (more(at, keep)) {
        const std::string_view bytes = window_.bytes();
        while (at < bytes.size() && bytes[at] != '"' && bytes[at] != '\\') {
            ++at;
        }
        if (at == bytes.size()) {
            continue;
        }
        if (bytes[at] == '"') {
            return at + 1;
        }
        at += 2;  // whatever is escaped does not end the string
    }
    fail(begin, "cut short: a string without its closing quote");
}

std::size_t JsonArrayStream::end_of_word(bool keep) {
    std::size_t at = 0;
    while (more(at, keep)) {
        const char c = window_.bytes()[at];
        if (is_space(c) || c == ',' || c == ':' || mark_of(c) != Mark::none) {
            break;
        }
        ++at;
    }
    if (at == 0) {
        unexpected("a value");
    }
    return at;
}

/// The string that the window begins with, without its quotes; drops it. Valid until the window grows.
std::string_view JsonArrayStream::take_string() {
    const std::string_view quoted = front(end_of_string(0, true));
    window_.drop(quoted.size());
    return quoted.substr(1, quoted.size() - 2);
}

/// Drops white space; returns what is behind it, or '\0' at the end of the file.
char JsonArrayStream::skip_space() {
    std::size_t at = 0;
    while (more(at, false)) {
        const char c = window_.bytes()[at];
        if (!is_space(c)) {
            window_.drop(at);
            return c;
        }
        ++at;
    }
    window_.drop(at);
    return '\0';
}

void JsonArrayStream::expect(char wanted) {
    const std::string_view bytes = window_.bytes();
    if (bytes.empty() || bytes.front() != wanted) {
        unexpected(fmt::format("'{}'", wanted));
    }
    window_.drop(1);
}

/// Sees to it that the byte `at` is in the window; false at the end of the file. What is not kept is dropped when the
/// window must grow, and `at` moves with it.
bool JsonArrayStream::more(std::size_t& at, bool keep) {
    while (at >= window_.bytes().size()) {
        if (!keep) {
            const std::size_t done = window_.bytes().size();
            window_.drop(done);
            at -= done;
        } else {
            check_length(at);
        }
        if (!window_.grow()) {
            at = std::min(at, window_.bytes().size());
            return false;
        }
    }
    return true;
}

/// So many bytes at the front of the window, if that is not too many.
std::string_view JsonArrayStream::front(std::size_t length) const {
    check_length(length);
    return window_.bytes().substr(0, length);
}

void JsonArrayStream::check_length(std::size_t length) const {
    if (length > longest_element) {
        fail(window_.position(), fmt::format("an element of more than {} MiB", longest_element >> 20U));
    }
}

/// Fails at the front of the window.
void JsonArrayStream::unexpected(const std::string& wanted) {
    constexpr std::size_t shown = 20;
    const std::string_view found = window_.bytes().substr(0, shown);
    fail(window_.position(), found.empty() ? fmt::format("cut short: expected {}, found the end of the file", wanted)
                                           : fmt::format("expected {}, found '{}'", wanted, printable(found)));
}

void JsonArrayStream::fail(std::uint64_t position, const std::string& what) const {
    throw InputError({window_.source().name(), 0, 0}, fmt::format("byte {}: {}", position, what));
}

}  // namespace nibble
