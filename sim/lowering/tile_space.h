// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "models/scratchpad/scratchpad_params.h"
#include "sim/lowering/emitter.h"

namespace nibble {

[[nodiscard]] std::uint64_t total(const TileBytes& bytes);

[[nodiscard]] constexpr std::uint64_t& of(TileBytes& bytes, TileBuffer buffer) {
    return bytes[static_cast<std::size_t>(buffer)];
}
[[nodiscard]] constexpr std::uint64_t of(const TileBytes& bytes, TileBuffer buffer) {
    return bytes[static_cast<std::size_t>(buffer)];
}

[[nodiscard]] constexpr std::uint64_t& of(PartBytes& bytes, ScratchpadPart part) {
    return bytes[static_cast<std::size_t>(part)];
}

/// Room for tiles: of one buffer that all share, or of a buffer for each kind.
class TileCapacity {
public:
    TileCapacity() = default;
    explicit TileCapacity(const ScratchpadParameters& scratchpad);

    [[nodiscard]] bool shared() const { return shared_; }
    [[nodiscard]] bool holds(const TileBytes& bytes) const;
    /// Bytes of one buffer; all of them if they share one.
    [[nodiscard]] std::uint64_t bytes(TileBuffer buffer) const { return of(capacity_, buffer); }
    /// "1572864 bytes", or "left 65536, right ... bytes".
    [[nodiscard]] std::string text() const;
    friend bool operator==(const TileCapacity&, const TileCapacity&) = default;

private:
    bool shared_ = true;
    TileBytes capacity_{};  // if shared, the same number everywhere
};

/// The part of the scratchpad that holds tiles, handed out operation by operation, first in, first out: an operation
/// starts while the one before is still at work if both fit side by side.
class TileSpace {
public:
    explicit TileSpace(const ScratchpadParameters& scratchpad) : capacity_(scratchpad) {}

    [[nodiscard]] const TileCapacity& capacity() const { return capacity_; }
    /// Takes `bytes`; returns what must be complete before they may be written.
    [[nodiscard]] Dependencies take(const TileBytes& bytes);
    /// What was taken last is free once `release` is complete.
    void release_last(const Dependencies& release) { taken_.back().release = release; }

private:
    struct Block {
        TileBytes bytes{};
        Dependencies release{};
    };
    TileCapacity capacity_;
    TileBytes used_{};
    // Of everybody whose room was handed on. An operation may get what is left over of such room, even where it fits
    // beside those that hold some now.
    Dependencies given_back_{};
    std::deque<Block> taken_;
};

}  // namespace nibble
