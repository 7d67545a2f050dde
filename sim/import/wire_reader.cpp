// SPDX-License-Identifier: MIT
#include "sim/import/wire_reader.h"

#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

bool WireReader::next() {
    if (next_ == bytes_.size()) {
        return false;
    }
    field_begin_ = next_;
    const std::uint64_t tag = varint(next_);
    constexpr unsigned type_bits = 3;
    constexpr std::uint64_t largest_field = (1U << 29U) - 1;
    if (tag >> type_bits == 0 || tag >> type_bits > largest_field) {
        fail(fmt::format("expected a field of a protocol-buffer message, found field number {}", tag >> type_bits));
    }
    field_ = static_cast<std::uint32_t>(tag >> type_bits);
    std::uint64_t length = 0;
    switch (tag & ((1U << type_bits) - 1)) {
        case 0:
            type_ = Type::varint;
            number_ = varint(next_);
            return true;
        case 1:
            type_ = Type::fixed64;
            length = 8;
            break;
        case 2:
            type_ = Type::delimited;
            length = varint(next_);
            break;
        case 5:
            type_ = Type::fixed32;
            length = 4;
            break;
        default:
            fail(fmt::format("expected a field of a protocol-buffer message, found wire type {}", tag & 7U));
    }
    if (length > bytes_.size() - next_) {
        fail(fmt::format("cut short: field {} has {} bytes, {} are left", field_, length, bytes_.size() - next_));
    }
    content_ = bytes_.substr(next_, length);
    next_ += length;
    return true;
}

std::uint64_t WireReader::number() const {
    expect(Type::varint, "a number");
    return number_;
}

std::int64_t WireReader::signed_number() const {
    return std::bit_cast<std::int64_t>(number());
}

std::int64_t WireReader::zigzag_number() const {
    const std::uint64_t value = number();
    return std::bit_cast<std::int64_t>((value >> 1U) ^ (0 - (value & 1U)));
}

float WireReader::number32() const {
    expect(Type::fixed32, "a 32-bit number");
    float value = 0;
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(&value, content_.data(), sizeof value);
    return value;
}

std::string_view WireReader::text() const {
    expect(Type::delimited, "text");
    return content_;
}

WireReader WireReader::message() const {
    expect(Type::delimited, "a message");
    if (depth_ == deepest) {
        fail(fmt::format("messages lie more than {} deep in one another", deepest));
    }
    return {content_, *file_, offset_of(content_), depth_ + 1};
}

void WireReader::append_to(std::vector<std::int64_t>& all) const {
    if (type_ == Type::varint) {
        all.push_back(signed_number());
        return;
    }
    expect(Type::delimited, "numbers");
    const WireReader packed(content_, *file_, offset_of(content_), depth_);
    for (std::size_t at = 0; at < content_.size();) {
        all.push_back(std::bit_cast<std::int64_t>(packed.varint(at)));
    }
}

std::uint64_t WireReader::varint(std::size_t& at) const {
    constexpr unsigned payload_bits = 7;
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += payload_bits) {
        if (at == bytes_.size()) {
            fail("cut short inside a number");
        }
        const auto byte = static_cast<unsigned char>(bytes_[at++]);
        value |= std::uint64_t{byte & 0x7FU} << shift;
        if ((byte & 0x80U) == 0) {
            return value;
        }
    }
    fail("a number of more than 10 bytes");
}

void WireReader::expect(Type type, const char* what) const {
    if (type_ != type) {
        fail(fmt::format("field {}: expected {}, found wire type {}", field_, what, static_cast<unsigned>(type_)));
    }
}

std::uint64_t WireReader::offset_of(std::string_view part) const {
    return begin_ + static_cast<std::uint64_t>(part.data() - bytes_.data());
}

void WireReader::fail(const std::string& what) const {
    throw InputError({*file_, 0, 0}, fmt::format("byte {}: {}", position(), what));
}

}  // namespace nibble
