// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/timeline/timeline_writer.h"

namespace nibble {

/// The spells in which a unit was busy, as slices. When there are more than `most_slices`, those are joined between
/// which there is little time: less than a span that doubles whenever it does not suffice.
class SpellTrack {
public:
    static constexpr std::size_t most_slices = 4096;

    explicit SpellTrack(unsigned track) : track_(track) {}

    [[nodiscard]] unsigned track() const { return track_; }
    /// The next spell, after all before it.
    void add(std::uint64_t begin, std::uint64_t end);
    void write(TimelineWriter& out) const;

private:
    struct Spell {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        std::uint64_t busy = 0;  ///< cycles
    };

    /// Adds the spell to `spells`, or joins it with the last one.
    void append(std::vector<Spell>& spells, const Spell& spell) const;

    unsigned track_;
    std::vector<Spell> spells_;
    std::uint64_t joined_gap_ = 1;  // spells with fewer cycles between them are joined
};

}  // namespace nibble
