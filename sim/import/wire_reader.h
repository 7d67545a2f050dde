// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

/// Reads one message in the protocol-buffer wire format, field by field, without a schema and without copying: what the
/// caller does not ask for (such as the weights of a model) is skipped where it lies. Every error is an InputError that
/// names the file and the byte. Source: protobuf.dev, "Encoding".
///
///     while (reader.next()) {
///         switch (reader.field()) {
///             case 1: name = reader.text(); break;
///             case 2: read_node(reader.message()); break;
///         }
///     }
class WireReader {
public:
    /// Messages may lie at most this deep in one another.
    static constexpr unsigned deepest = 64;

    /// `file` is for messages and must outlive the reader, as must the bytes; `begin` is the byte of the file at which
    /// they start.
    WireReader(std::string_view bytes, const std::string& file, std::uint64_t begin = 0)
        : WireReader(bytes, file, begin, 0) {}

    /// Goes to the next field and reads its tag; false at the end of the message.
    [[nodiscard]] bool next();
    [[nodiscard]] std::uint32_t field() const { return field_; }
    /// Byte of the file at which the field starts.
    [[nodiscard]] std::uint64_t position() const { return begin_ + field_begin_; }

    /// The field's value. Each throws InputError if the field is of another wire type.
    [[nodiscard]] std::uint64_t number() const;        ///< varint: bool, enum, uint64
    [[nodiscard]] std::int64_t signed_number() const;  ///< varint: int32, int64
    [[nodiscard]] std::int64_t zigzag_number() const;  ///< varint: sint32, sint64
    [[nodiscard]] float number32() const;              ///< fixed 32 bits: float
    [[nodiscard]] std::string_view text() const;       ///< length-delimited: string, bytes; valid as long as the bytes
    [[nodiscard]] WireReader message() const;          ///< length-delimited: a message inside this one
    void append_to(std::vector<std::int64_t>& all) const;  ///< repeated int64, packed or not

    [[noreturn]] void fail(const std::string& what) const;

private:
    enum class Type : std::uint8_t { varint = 0, fixed64 = 1, delimited = 2, fixed32 = 5 };

    WireReader(std::string_view bytes, const std::string& file, std::uint64_t begin, unsigned depth)
        : bytes_(bytes), file_(&file), begin_(begin), depth_(depth) {}
    [[nodiscard]] std::uint64_t varint(std::size_t& at) const;
    void expect(Type type, const char* what) const;
    [[nodiscard]] std::uint64_t offset_of(std::string_view part) const;

    std::string_view bytes_;
    const std::string* file_;
    std::uint64_t begin_ = 0;
    unsigned depth_ = 0;
    std::size_t next_ = 0;         // of bytes_
    std::size_t field_begin_ = 0;  // of bytes_
    std::uint32_t field_ = 0;
    Type type_ = Type::varint;
    std::uint64_t number_ = 0;  // of a varint
    std::string_view content_;  // of every other type
};

}  // namespace nibble
