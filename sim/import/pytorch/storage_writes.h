// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <unordered_map>

#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// Counts how often each storage has been written, so that what lies in it at one moment has a name.
class StorageWrites {
public:
    /// Counts what the call writes.
    void add(const RecordedCall& call) {
        for (const RecordedTensor& output : call.outputs) {
            if (output.storage != 0) {
                ++writes_[output.storage];
            }
        }
    }
    [[nodiscard]] std::uint32_t of(std::uint64_t storage) const {
        const auto found = writes_.find(storage);
        return found == writes_.end() ? 0 : found->second;
    }

private:
    std::unordered_map<std::uint64_t, std::uint32_t> writes_;
};

}  // namespace nibble
