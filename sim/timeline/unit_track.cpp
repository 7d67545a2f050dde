// SPDX-License-Identifier: MIT
#include "sim/timeline/unit_track.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace nibble {

namespace {

/// What an amount of work counts, and what several commands are called.
struct Work {
    std::string_view amount;
    std::string_view commands;
};

Work work_of(MachineUnit unit) {
    switch (unit) {
        case MachineUnit::mac_array:
            return {"macs", "tiles"};
        case MachineUnit::log_gradient:
            return {"gradients", "conversions"};
        case MachineUnit::vector_unit:
            return {"lane_operations", "vector commands"};
        default:
            return {"bytes", "transfers"};
    }
}

std::string name_of(MachineUnit unit, const CommandNote& command) {
    switch (unit) {
        case MachineUnit::mac_array:
            return fmt::format("{}x{}x{}{} {}", command.m, command.n, command.k,
                               command.passes > 1 ? fmt::format(" and {} more", command.passes - 1) : "", command.what);
        case MachineUnit::log_gradient:
            return fmt::format("{} gradients", command.amount);
        case MachineUnit::vector_unit:
            return fmt::format("{} lane operations", command.amount);
        default:
            return fmt::format("{} B {} {}", command.amount, unit == MachineUnit::load ? "to" : "from", command.what);
    }
}

void add_if(std::vector<TimelineArgument>& arguments, std::string_view name, std::uint64_t value) {
    if (value > 0) {
        arguments.push_back({name, value});
    }
}

void add_if(std::vector<TimelineArgument>& arguments, std::string_view name, std::string_view value) {
    if (!value.empty()) {
        arguments.push_back({name, value});
    }
}

}  // namespace

void UnitTrack::append(Piece& piece, const Piece& next) {
    piece.end = next.end;
    piece.commands += next.commands;
    piece.cycles += next.cycles;
    piece.waiting += next.waiting;
    piece.starved += next.starved;
    piece.amount += next.amount;
}

void UnitTrack::halve() {
    for (std::size_t i = 0; i < pieces_.size(); i += 2) {
        pieces_[i / 2] = pieces_[i];
        append(pieces_[i / 2], pieces_[i + 1]);
    }
    pieces_.resize(pieces_.size() / 2);
    commands_of_piece_ *= 2;
}

void UnitTrack::add(TimelineWriter& out, const CommandNote& command, std::optional<MachineUnit> waited_for,
                    std::uint64_t waiting, const WatchedOperationPtr& operation) {
    if (operation_ != operation) {
        finish(out);
        operation_ = operation;
    }
    Piece piece{.first = command,
                .begin = std::max(command.begin, last_end_),
                .end = command.end,
                .gap_begin = last_end_,
                .waited_for = waited_for};
    piece.cycles = piece.end - piece.begin;
    piece.waiting = waiting;
    piece.starved = command.wait;
    piece.amount = command.amount;
    last_end_ = piece.end;
    ++commands_;
    if (!pieces_.empty() && pieces_.back().commands < commands_of_piece_) {
        append(pieces_.back(), piece);
        return;
    }
    if (pieces_.size() == 2 * most_slices_) {
        halve();
    }
    pieces_.push_back(std::move(piece));
}

void UnitTrack::finish(TimelineWriter& out) {
    if (!pieces_.empty()) {
        write_operation(out);
    }
    pieces_.clear();
    commands_of_piece_ = 1;
    operation_.reset();
}

void UnitTrack::write_operation(TimelineWriter& out) {
    const OpRecord& record = operation_->record;
    std::uint64_t commands = 0;
    std::uint64_t cycles = 0;
    for (const Piece& piece : pieces_) {
        commands += piece.commands;
        cycles += piece.cycles;
        merged_ += piece.commands > 1 ? piece.commands : 0;
    }
    const std::string tiling = to_string(record.mapping);
    std::vector<TimelineArgument> arguments{{"operation", record.index}, {"commands", commands}, {"cycles", cycles}};
    if (unit_ == MachineUnit::mac_array) {
        add_if(arguments, "batch", record.batch);
        add_if(arguments, "m", record.m);
        add_if(arguments, "n", record.n);
        add_if(arguments, "k", record.k);
        add_if(arguments, "mode", record.mode);
        add_if(arguments, "dataflow", record.dataflow);
        add_if(arguments, "tiling", tiling);
    }
    write_gap(out, pieces_.front());
    out.begin(track_,
              {operation_->name, timeline_category::operation, pieces_.front().begin, pieces_.back().end, arguments});
    for (const Piece& piece : pieces_) {
        if (&piece != &pieces_.front()) {
            write_gap(out, piece);
        }
        write_piece(out, piece);
    }
    out.end(track_);
}

void UnitTrack::write_gap(TimelineWriter& out, const Piece& piece) const {
    if (piece.waited_for && piece.gap_begin < piece.begin) {
        const std::string name = fmt::format("waits for {}", machine_unit_names[index_of(*piece.waited_for)]);
        out.slice(track_, {name, timeline_category::stall, piece.gap_begin, piece.begin});
    }
}

void UnitTrack::write_piece(TimelineWriter& out, const Piece& piece) const {
    const Work work = work_of(unit_);
    const bool single = piece.commands == 1;
    std::vector<TimelineArgument> arguments{{"cycles", piece.cycles}, {work.amount, piece.amount}};
    if (!single) {
        arguments.push_back({"commands", piece.commands});
    } else if (unit_ == MachineUnit::mac_array) {
        add_if(arguments, "m", piece.first.m);
        add_if(arguments, "n", piece.first.n);
        add_if(arguments, "k", piece.first.k);
        add_if(arguments, "passes", piece.first.passes);
    }
    add_if(arguments, "waiting", piece.waiting);
    add_if(arguments, "waiting_for_scratchpad", piece.starved);
    const std::string name = single ? name_of(unit_, piece.first) : fmt::format("{} {}", piece.commands, work.commands);
    out.begin(track_, {name, timeline_category::command, piece.begin, piece.end, arguments});
    if (single && piece.starved > 0) {
        const std::uint64_t begin = piece.first.wait_begin;
        out.slice(track_, {"waits for scratchpad", timeline_category::stall, begin, begin + piece.starved});
    }
    out.end(track_);
}

}  // namespace nibble
