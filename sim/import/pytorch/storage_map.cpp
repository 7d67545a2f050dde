// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/storage_map.h"

#include <iterator>

namespace nibble {

std::optional<StorageMap::Piece> StorageMap::find(std::uint64_t storage, std::uint64_t offset,
                                                  std::uint64_t elements) const {
    const auto found = storages_.find(storage);
    if (found == storages_.end()) {
        return std::nullopt;
    }
    const auto after = found->second.upper_bound(offset);
    if (after == found->second.begin()) {
        return std::nullopt;
    }
    const Piece& piece = std::prev(after)->second;
    if (offset + elements > piece.offset + piece.elements) {
        return std::nullopt;
    }
    return piece;
}

std::vector<StorageMap::Piece> StorageMap::overlapping(std::uint64_t storage, std::uint64_t offset,
                                                       std::uint64_t elements) const {
    std::vector<Piece> all;
    const auto found = storages_.find(storage);
    if (found == storages_.end()) {
        return all;
    }
    const auto& pieces = found->second;
    auto piece = pieces.upper_bound(offset);
    if (piece != pieces.begin() && std::prev(piece)->second.offset + std::prev(piece)->second.elements > offset) {
        --piece;
    }
    for (; piece != pieces.end() && piece->first < offset + elements; ++piece) {
        all.push_back(piece->second);
    }
    return all;
}

void StorageMap::write(std::uint64_t storage, const Piece& piece) {
    for (const Piece& old : overlapping(storage, piece.offset, piece.elements)) {
        storages_[storage].erase(old.offset);
    }
    storages_[storage][piece.offset] = piece;
}

}  // namespace nibble
