// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>

#include "sim/base/units.h"
#include "sim/program/command.h"

namespace nibble {

/// Keeps count of what one tile of results, and all that goes with it, takes among the tiles of the scratchpad while
/// its commands are emitted: each takes what it is the first to write, the last one frees everything.
class OutputRoom {
public:
    /// `also_frees_bytes`: that the last command frees besides.
    OutputRoom(std::uint64_t elements, std::uint64_t also_frees_bytes)
        : elements_(elements), frees_bytes_(also_frees_bytes) {}

    /// The next command writes so many bits more of every result, or of its codes, which are packed apart.
    void results(std::uint64_t bits) { grow(result_bits_, bits); }
    void codes(std::uint64_t bits) { grow(code_bits_, bits); }

    /// Bits of every result so far.
    [[nodiscard]] std::uint64_t result_bits() const { return result_bits_; }

    /// The room of the next command.
    [[nodiscard]] ScratchpadRoom of_command(bool last) {
        return {.takes_bytes = std::exchange(takes_bytes_, 0),
                .frees_bytes = last ? std::exchange(frees_bytes_, 0) : 0};
    }

private:
    // What is packed together is rounded to bytes once.
    void grow(std::uint64_t& packed_bits, std::uint64_t bits) {
        const std::uint64_t before = bytes_for(Bits(elements_ * packed_bits)).count();
        packed_bits += bits;
        const std::uint64_t more = bytes_for(Bits(elements_ * packed_bits)).count() - before;
        takes_bytes_ += more;
        frees_bytes_ += more;
    }

    std::uint64_t elements_;
    std::uint64_t result_bits_ = 0;
    std::uint64_t code_bits_ = 0;
    std::uint64_t takes_bytes_ = 0;  // by the next command
    std::uint64_t frees_bytes_;      // by the last one
};

}  // namespace nibble
