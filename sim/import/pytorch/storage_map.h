// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "sim/input/operation.h"

namespace nibble {

/// Which tensors of a trace lie where in the memory that a recording speaks of. A storage is reused by PyTorch when it
/// is freed: what is written last counts. Offsets and sizes are in elements.
class StorageMap {
public:
    /// A tensor that fills part of a storage.
    struct Piece {
        std::uint64_t offset = 0;
        std::uint64_t elements = 0;
        TensorId tensor = 0;
    };

    /// The tensor that fills exactly, or contains, this part; nothing if no single one does.
    [[nodiscard]] std::optional<Piece> find(std::uint64_t storage, std::uint64_t offset, std::uint64_t elements) const;
    /// All tensors that lie at least partly in this part, in the order of their offsets.
    [[nodiscard]] std::vector<Piece> overlapping(std::uint64_t storage, std::uint64_t offset,
                                                 std::uint64_t elements) const;
    /// The tensor fills this part from now on; those that overlap with it are gone.
    void write(std::uint64_t storage, const Piece& piece);

private:
    std::unordered_map<std::uint64_t, std::map<std::uint64_t, Piece>> storages_;
};

}  // namespace nibble
