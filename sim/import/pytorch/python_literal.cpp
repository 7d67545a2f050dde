// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/python_literal.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr unsigned deepest = 64;

struct Word {
    std::string_view text;
    RecordedValue value;
};

const std::array<Word, 6>& words() {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    static const std::array<Word, 6> all{{{"None", {}},
                                          {"True", {true}},
                                          {"False", {false}},
                                          {"inf", {infinity}},
                                          {"-inf", {-infinity}},
                                          {"nan", {std::numeric_limits<double>::quiet_NaN()}}}};
    return all;
}

class Parser {
public:
    Parser(std::string_view text, const CallPlace& place) : text_(text), place_(place) {}

    RecordedValue read_all() {
        RecordedValue value = read(0);
        skip_space();
        if (at_ != text_.size()) {
            fail("nothing more");
        }
        return value;
    }

private:
    RecordedValue read(unsigned depth) {
        skip_space();
        switch (front()) {
            case '[':
                return read_list(']', depth);
            case '(':
                return read_list(')', depth);
            case '\'':
            case '"':
                return {read_text()};
            default:
                return read_word();
        }
    }

    RecordedValue read_list(char closer, unsigned depth) {
        if (depth == deepest) {
            place_.fail(fmt::format("byte {} of the text: lists lie more than {} deep in one another", at_, deepest));
        }
        ++at_;
        RecordedValue::List list;
        for (skip_space(); front() != closer; skip_space()) {
            if (!list.empty()) {
                if (front() != ',') {
                    fail(fmt::format("',' or '{}'", closer));
                }
                ++at_;
                skip_space();
                if (front() == closer) {  // a tuple of one: (1,)
                    break;
                }
            }
            list.push_back(read(depth + 1));
        }
        ++at_;
        return {std::move(list)};
    }

    std::string read_text() {
        const char quote = text_[at_++];
        std::string text;
        for (; front() != quote; ++at_) {
            if (at_ == text_.size()) {
                fail("a closing quote");
            }
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
                ++at_;
                if (text_[at_] != '\\' && text_[at_] != '\'' && text_[at_] != '"') {
                    text += '\\';  // "\n" and its like mean nothing here: they stay as they are
                }
            }
            text += text_[at_];
        }
        ++at_;
        return text;
    }

    RecordedValue read_word() {
        const std::size_t end = std::min(text_.find_first_of(" \t\r\n,()[]'\"", at_), text_.size());
        const std::string_view text = text_.substr(at_, end - at_);
        const char* last = text.data() + text.size();
        for (const Word& word : words()) {
            if (text == word.text) {
                at_ = end;
                return word.value;
            }
        }
        std::int64_t whole = 0;
        if (const auto [stop, error] = std::from_chars(text.data(), last, whole);
            error == std::errc() && stop == last) {
            at_ = end;
            return {whole};
        }
        double number = 0;
        const auto [stop, error] = std::from_chars(text.data(), last, number);
        if (text.empty() || error != std::errc() || stop != last || text.find_first_of("in") != text.npos) {
            fail("a number, a text, a list, True, False or None");
        }
        at_ = end;
        return {number};
    }

    [[nodiscard]] char front() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
    [[noreturn]] void fail(const std::string& wanted) const {
        constexpr std::size_t shown = 20;
        place_.fail(
            fmt::format("byte {} of the text: expected {}, found {}", at_, wanted,
                        at_ == text_.size() ? "its end" : fmt::format("'{}'", printable(text_.substr(at_, shown)))));
    }

    std::string_view text_;
    const CallPlace& place_;
    std::size_t at_ = 0;
};

}  // namespace

RecordedValue read_python_literal(std::string_view text, const CallPlace& place) {
    return Parser(text, place).read_all();
}

}  // namespace nibble
