// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "sim/lowering/tiling.h"

namespace nibble {

/// Mappings chosen for GEMMs beforehand, by GemmTask::key().
class MappingTable {
public:
    struct Entry {
        Tiling tiling;
        std::uint64_t expected_cycles = 0;  ///< of the GEMM alone
    };

    void set(std::string key, const Entry& entry) { entries_.insert_or_assign(std::move(key), entry); }
    /// Null if there is none.
    [[nodiscard]] const Entry* find(const std::string& key) const {
        const auto found = entries_.find(key);
        return found == entries_.end() ? nullptr : &found->second;
    }

private:
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace nibble
