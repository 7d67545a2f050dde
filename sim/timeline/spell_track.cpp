// SPDX-License-Identifier: MIT
#include "sim/timeline/spell_track.h"

#include <array>
#include <utility>

namespace nibble {

void SpellTrack::append(std::vector<Spell>& spells, const Spell& spell) const {
    if (!spells.empty() && spell.begin - spells.back().end < joined_gap_) {
        spells.back().end = spell.end;
        spells.back().busy += spell.busy;
    } else {
        spells.push_back(spell);
    }
}

void SpellTrack::add(std::uint64_t begin, std::uint64_t end) {
    append(spells_, {begin, end, end - begin});
    while (spells_.size() > most_slices) {
        joined_gap_ *= 2;
        std::vector<Spell> fewer;
        for (const Spell& spell : spells_) {
            append(fewer, spell);
        }
        spells_ = std::move(fewer);
    }
}

void SpellTrack::write(TimelineWriter& out) const {
    for (const Spell& spell : spells_) {
        out.slice(track_, {"busy", timeline_category::busy, spell.begin, spell.end,
                           std::array{TimelineArgument{"cycles", spell.busy}}});
    }
}

}  // namespace nibble
