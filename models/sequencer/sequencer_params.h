// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace nibble {

struct SequencerParameters {
    std::uint32_t queue_entries = 16;  ///< commands waiting for each unit
};

}  // namespace nibble
