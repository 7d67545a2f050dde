// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "sim/import/byte_source.h"
#include "sim/import/byte_window.h"

namespace nibble {

/// The elements of one long list in a JSON document, one at a time and in flat memory: the list is a member of the
/// object that the document is, {"schema": "1.0", "nodes": [{...}, {...}, ...], "end": 7}, or the document itself.
///
/// Finds where elements begin and end, and no more: whoever parses an element sees whether it is JSON. Every error is
/// an InputError that names the file and the byte.
class JsonArrayStream {
public:
    /// No element, and no key, may be longer. What recordings hold is far below: PyTorch cuts lists of arguments at
    /// 4,096.
    static constexpr std::size_t longest_element = std::size_t{4} << 20U;
    /// Brackets may lie at most this deep in one another.
    static constexpr std::size_t deepest = 128;
    /// Members beside the list that are longer, or come after so many others, are skipped.
    static constexpr std::size_t longest_member = 4096;
    static constexpr std::size_t most_members = 256;

    /// Reads up to the list. Throws InputError if there is none.
    JsonArrayStream(ByteSource source, std::string key);

    /// Goes to the next element; false at the end, when the rest of the document has been read.
    [[nodiscard]] bool next();
    /// The element's text, valid until next(); so many bytes behind it as ByteWindow::padding may be read.
    [[nodiscard]] std::string_view element() const { return element_; }
    /// Byte of the file at which the element begins.
    [[nodiscard]] std::uint64_t position() const { return position_; }
    /// Number of the element, from 0.
    [[nodiscard]] std::uint64_t index() const { return elements_ - 1; }

    /// Strings (as they are written, without the quotes), numbers and words beside the list, by key. Those behind the
    /// list are there once next() has returned false.
    [[nodiscard]] const std::map<std::string, std::string, std::less<>>& members() const { return members_; }

    /// Throws InputError: "FILE: byte N: what".
    [[noreturn]] void fail(std::uint64_t position, const std::string& what) const;
    /// The same for the element.
    [[noreturn]] void fail(const std::string& what) const { fail(position_, what); }

private:
    void find_list();
    bool read_member();
    void finish();
    std::size_t end_of_value(bool keep);
    std::size_t end_of_nested(bool keep);
    std::size_t end_of_string(std::size_t at, bool keep);
    std::size_t end_of_word(bool keep);
    std::string_view take_string();
    [[nodiscard]] std::string_view front(std::size_t length) const;
    void check_length(std::size_t length) const;
    char skip_space();
    void expect(char wanted);
    bool more(std::size_t& at, bool keep);
    [[noreturn]] void unexpected(const std::string& wanted);

    ByteWindow window_;
    std::string key_;
    std::map<std::string, std::string, std::less<>> members_;
    std::string_view element_;
    std::uint64_t position_ = 0;
    std::uint64_t elements_ = 0;
    bool in_object_ = false;  // the list is a member of one
    bool found_ = false;
    bool ended_ = false;
};

}  // namespace nibble
