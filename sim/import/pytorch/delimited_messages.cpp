// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/delimited_messages.h"

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

bool DelimitedMessages::next() {
    window_.drop(message_.size());
    message_ = {};
    constexpr unsigned payload_bits = 7;
    constexpr unsigned most_bits = 35;  // a length has 32
    std::uint64_t length = 0;
    std::size_t at = 0;
    for (unsigned shift = 0;; shift += payload_bits) {
        if (at == window_.bytes().size() && !window_.grow()) {
            if (at == 0) {
                return false;
            }
            fail("cut short inside the length of a message");
        }
        if (shift == most_bits) {
            fail("expected the length of a message, found a number of more than 5 bytes");
        }
        const auto byte = static_cast<unsigned char>(window_.bytes()[at++]);
        length |= std::uint64_t{byte & 0x7FU} << shift;
        if ((byte & 0x80U) == 0) {
            break;
        }
    }
    if (length > longest_message) {
        fail(fmt::format("a message of {} bytes; they may have {} MiB", length, longest_message >> 20U));
    }
    window_.drop(at);
    while (window_.bytes().size() < length) {
        if (!window_.grow()) {
            fail(
                fmt::format("cut short: a message of {} bytes, of which {} are there", length, window_.bytes().size()));
        }
    }
    message_ = window_.bytes().substr(0, length);
    return true;
}

void DelimitedMessages::fail(const std::string& what) const {
    throw InputError({window_.source().name(), 0, 0}, fmt::format("byte {}: {}", window_.position(), what));
}

}  // namespace nibble
