// SPDX-License-Identifier: MIT
#include "sim/timeline/run_probe.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "sim/report/safe_text.h"

namespace nibble {

namespace {

/// To which cycles a counter's amounts belong.
enum class Belongs : std::uint8_t {
    to_command,  ///< to all of its unit's present command
    to_cycle,    ///< to the one in which they are counted
    told,        ///< the probe is told by other means, with exact times
};

struct CounterPlace {
    Belongs belongs = Belongs::told;
    MachineUnit unit = MachineUnit::sequencer;
};

constexpr CounterPlace place_of(Counter counter) {
    const std::string_view component = counter_info[index_of(counter)].component;
    for (const MachineUnit unit : {MachineUnit::mac_array, MachineUnit::log_gradient, MachineUnit::vector_unit}) {
        if (component == machine_unit_names[index_of(unit)]) {
            return {Belongs::to_command, unit};
        }
    }
    const bool conflicts = component == "scratchpad" && !counter_info[index_of(counter)].priced;
    if (conflicts || component == "dma" || component == "sequencer") {
        return {Belongs::to_cycle, MachineUnit::sequencer};
    }
    return {};
}

constexpr auto places = [] {
    std::array<CounterPlace, counter_count> made{};
    for (std::size_t i = 0; i < counter_count; ++i) {
        made[i] = place_of(static_cast<Counter>(i));
    }
    return made;
}();

constexpr unsigned operations_track = 1;

// Tracks from top to bottom, below that of operations.
constexpr std::array<MachineUnit, machine_unit_count> track_order{
    MachineUnit::load,  MachineUnit::mac_array, MachineUnit::log_gradient, MachineUnit::vector_unit,
    MachineUnit::store, MachineUnit::dram,      MachineUnit::scratchpad,   MachineUnit::sequencer};

bool executes_commands(MachineUnit unit) {
    return unit != MachineUnit::dram && unit != MachineUnit::scratchpad && unit != MachineUnit::sequencer;
}

/// UTF-8 text of at most `most` characters.
std::string cut(std::string_view text, std::size_t most) {
    std::string utf8 = to_utf8(text);
    std::size_t characters = 0;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        constexpr unsigned continuation_mask = 0xc0;
        constexpr unsigned continuation = 0x80;
        const bool begins = (static_cast<unsigned char>(utf8[i]) & continuation_mask) != continuation;
        if (begins && ++characters > most) {
            return utf8.substr(0, i) + "...";
        }
    }
    return utf8;
}

std::string_view main_cause(const CauseCycles& causes) {
    return cause_names[static_cast<std::size_t>(std::ranges::max_element(causes) - causes.begin())];
}

}  // namespace

RunProbe::RunProbe(std::uint64_t operations, TimelineWriter* timeline) : timeline_(timeline) {
    activities_.fill(Activity::idle);  // as spells_ begin
    if (timeline_ == nullptr) {
        return;
    }
    const std::uint64_t share = slices_of_commands / std::max<std::uint64_t>(1, operations);
    const auto slices = static_cast<std::size_t>(std::clamp<std::uint64_t>(share, least_slices, most_slices));
    unsigned track = operations_track;
    timeline_->name_track(track, "operations");
    for (const MachineUnit unit : track_order) {
        timeline_->name_track(++track, machine_unit_names[index_of(unit)]);
        if (executes_commands(unit)) {
            tracks_.emplace_back(unit, track, slices);
        } else {
            spell_tracks_[index_of(unit)].emplace(track);
        }
    }
}

UnitTrack* RunProbe::track_of(MachineUnit unit) {
    const auto found = std::ranges::find(tracks_, unit, &UnitTrack::unit);
    return found != tracks_.end() ? &*found : nullptr;
}

void RunProbe::operation_opened(const OpRecord& record) {
    if (timeline_ != nullptr) {
        auto label = std::make_shared<WatchedOperation>(
            WatchedOperation{cut(record.layer + ' ' + record.phase, longest_name), record});
        open_.push_back(std::move(label));
    }
}

void RunProbe::operation_retired(const OpRecord& record) {
    if (timeline_ == nullptr) {
        return;
    }
    const auto counted = [&](Counter counter) { return record.counters[index_of(counter)]; };
    timeline_->slice(
        operations_track,
        {open_.front()->name, timeline_category::retired, retired_at_, passed_,
         std::array{TimelineArgument{"operation", record.index}, TimelineArgument{"cycles", counted(Counter::cycles)},
                    TimelineArgument{"predicted_cycles", record.predicted_cycles},
                    TimelineArgument{"most_cycles_for", main_cause(record.causes)},
                    TimelineArgument{"macs", record.macs},
                    TimelineArgument{"dram_bytes_read", counted(Counter::dram_bytes_read)},
                    TimelineArgument{"dram_bytes_written", counted(Counter::dram_bytes_written)}}});
    retired_at_ = passed_;
    open_.pop_front();
    ++first_open_;
}

void RunProbe::counted(Counter counter, std::uint64_t amount) {
    const CounterPlace place = places[index_of(counter)];
    if (place.belongs == Belongs::to_command) {
        begun_[index_of(place.unit)].emplace_back(counter, amount);
    } else if (place.belongs == Belongs::to_cycle) {
        fresh_.emplace_back(counter, amount);
    }
}

void RunProbe::issued(MachineUnit unit, std::optional<MachineUnit> waited_for) {
    if (timeline_ != nullptr) {
        issued_[index_of(unit)].push_back(waited_for);
    }
}

void RunProbe::scratchpad_room(const RoomNote& room) {
    room_.tiles_taken += room.tiles_taken;
    room_.tiles_freed += room.tiles_freed;
    room_.resident_taken += room.resident_taken;
    room_.resident_freed += room.resident_freed;
}

void RunProbe::command_done(const CommandNote& command) {
    for (const auto& [counter, amount] : begun_[index_of(command.unit)]) {
        series_.add(counter, command.begin, command.end, amount);
    }
    begun_[index_of(command.unit)].clear();
    if (timeline_ != nullptr) {
        done_.push_back(command);
    }
}

void RunProbe::lines_served(const LineNote& lines) {
    for (std::size_t part = 0; part < line_counters.size(); ++part) {
        for (std::size_t access = 0; access < line_counters[part].size(); ++access) {
            series_.add(line_counters[part][access], lines.begin, lines.end, lines.lines[part][access]);
        }
    }
}

void RunProbe::memory_moved(Counter direction, std::uint64_t cycle, std::uint64_t bytes) {
    series_.add(direction, cycle, cycle + 1, bytes);
}

std::uint64_t RunProbe::memory_note_due() const {
    const std::uint64_t width = series_.bucket_cycles();
    return (memory_told_ / width + 1) * width;
}

void RunProbe::memory_counted(const MemoryNote& note) {
    for (std::size_t i = 0; i < memory_counters.size(); ++i) {
        series_.add(memory_counters[i], note.begin, note.end, note.counts[i]);
    }
    const auto hits = [](SeriesBucket& bucket) -> std::uint64_t& { return bucket.row_hits; };
    const auto misses = [](SeriesBucket& bucket) -> std::uint64_t& { return bucket.row_misses; };
    series_.add(hits, note.begin, note.end, note.row_hits);
    series_.add(misses, note.begin, note.end, note.row_misses);
    memory_told_ = note.end;
}

void RunProbe::cycles_passed(std::uint64_t first, std::uint64_t cycles, const UnitActivities& activities, Cause cause) {
    passed_ = first;
    if (activities != activities_) {
        for (std::size_t unit = 0; unit < machine_unit_count; ++unit) {
            if (activities[unit] != activities_[unit]) {
                end_spell(unit);
                spells_[unit].activity = activities[unit];
            }
        }
        activities_ = activities;
    }
    if (cause != cause_) {
        end_cause();
        cause_ = cause;
    }
    if (room_ != RoomNote{}) {
        end_room();
    }
    passed_ += cycles;
    for (const auto& [counter, amount] : fresh_) {
        series_.add(counter, first, passed_, amount);
    }
    fresh_.clear();
    // Units are told of an edge in no particular order; none completes two commands in a cycle.
    std::ranges::sort(done_, {}, &CommandNote::unit);
    for (const CommandNote& command : done_) {
        take_command(command);
    }
    done_.clear();
}

void RunProbe::end_spell(std::size_t unit) {
    Spell& spell = spells_[unit];
    if (spell.activity == Activity::busy) {
        const auto busy = [unit](SeriesBucket& bucket) -> std::uint64_t& { return bucket.busy[unit]; };
        series_.add(busy, spell.begin, passed_, passed_ - spell.begin);
        if (spell_tracks_[unit] && spell.begin < passed_) {
            spell_tracks_[unit]->add(spell.begin, passed_);
        }
    }
    spell.waited = waited_so_far(unit);
    spell.begin = passed_;
}

std::uint64_t RunProbe::waited_so_far(std::size_t unit) const {
    const Spell& spell = spells_[unit];
    const bool waits = spell.activity == Activity::waiting_for_input || spell.activity == Activity::waiting_for_output;
    return spell.waited + (waits ? passed_ - spell.begin : 0);
}

void RunProbe::end_cause() {
    const Cause cause = cause_;
    const auto of_cause = [cause](SeriesBucket& bucket) -> std::uint64_t& {
        return bucket.causes[static_cast<std::size_t>(cause)];
    };
    series_.add(of_cause, cause_begin_, passed_, passed_ - cause_begin_);
    series_.add(Counter::cycles, cause_begin_, passed_, passed_ - cause_begin_);
    cause_begin_ = passed_;
}

void RunProbe::end_room() {
    const auto tiles = [](SeriesBucket& bucket) -> std::uint64_t& { return bucket.tile_byte_cycles; };
    const auto stays = [](SeriesBucket& bucket) -> std::uint64_t& { return bucket.resident_byte_cycles; };
    const std::uint64_t cycles = passed_ - room_begin_;
    series_.add(tiles, room_begin_, passed_, cycles * tile_bytes_);
    series_.add(stays, room_begin_, passed_, cycles * resident_bytes_);
    room_begin_ = passed_;
    tile_bytes_ += room_.tiles_taken - room_.tiles_freed;
    resident_bytes_ += room_.resident_taken - room_.resident_freed;
    room_ = {};
}

void RunProbe::take_command(const CommandNote& command) {
    const std::size_t unit = index_of(command.unit);
    const std::optional<MachineUnit> waited_for = issued_[unit].front();
    issued_[unit].pop_front();
    const bool transfer = command.unit == MachineUnit::load || command.unit == MachineUnit::store;
    const std::uint64_t waited = waited_so_far(unit);
    const std::uint64_t waiting = transfer ? waited - waited_[unit] : 0;
    waited_[unit] = waited;
    track_of(command.unit)->add(*timeline_, command, waited_for, waiting, open_[command.operation - first_open_]);
}

void RunProbe::finish() {
    for (std::size_t unit = 0; unit < machine_unit_count; ++unit) {
        end_spell(unit);
    }
    end_cause();
    end_room();
    if (timeline_ == nullptr) {
        return;
    }
    std::uint64_t commands = 0;
    std::uint64_t merged = 0;
    for (UnitTrack& track : tracks_) {
        track.finish(*timeline_);
        commands += track.commands();
        merged += track.merged();
    }
    for (const std::optional<SpellTrack>& track : spell_tracks_) {
        if (track) {
            track->write(*timeline_);
        }
    }
    timeline_->note("nibblesim_coalescing", std::array{TimelineArgument{"commands", commands},
                                                       TimelineArgument{"commands_in_shared_slices", merged}});
    timeline_->flush();
}

}  // namespace nibble
