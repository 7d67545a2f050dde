// SPDX-License-Identifier: MIT
#include "models/mac_array/mac_array.h"

#include <algorithm>
#include <array>
#include <variant>

#include <fmt/format.h>

#include "models/mac_array/tile_values.h"
#include "sim/base/error.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

std::uint64_t macs_of(const MatmulCommand& tile) {
    std::uint64_t macs = 0;
    for (const MatmulPass& pass : tile.passes) {
        macs += pass.m * pass.n * pass.k;
    }
    return macs;
}

}  // namespace

MacArray::MacArray(const sc_core::sc_module_name& name, Clock& clock, const MacArrayParameters& params,
                   std::uint32_t line_bytes, Ledger& ledger)
    : ClockedModule(name, clock), params_(params), line_bytes_(line_bytes), ledger_(ledger) {}

Activity MacArray::tick() {
    if (scratchpad_done_in->valid()) {
        scratchpad_done_in->pop();
        served_ = true;
        end_ = std::max(stream_end_, now()) + drain_;
    }
    if (!command_) {
        if (!command_in->valid()) {
            streaming_ = false;
            return Activity::waiting_for_input;
        }
        start();
    }
    streaming_ = now() >= stream_begin_ && now() < stream_end_;
    if (requesting_ && scratchpad_request_out->ready()) {
        scratchpad_request_out->push(request_);
        requesting_ = false;
    }
    if (can_complete() && now() + 1 >= end_) {
        completion_out->push({command_->operation});
        if (probe() != nullptr) {
            tell_done();
        }
        command_.reset();
        progress();
    }
    return Activity::busy;
}

void MacArray::start() {
    command_ = command_in->pop();
    const auto& tile = std::get<MatmulCommand>(command_->work);
    const auto mode = static_cast<std::size_t>(tile.mode);
    if (!params_.modes[mode]) {
        throw ModelError(
            fmt::format("{}: a tile in mode {}, which the array does not have", name(), array_mode_names[mode]));
    }
    const ArrayGeometry& geometry = *params_.modes[mode];
    const TileTiming timing = params_.ideal ? TileTiming{}
                                            : tile_timing(geometry, tile.dataflow, FoldRule{.overlap = params_.overlap},
                                                          tile.passes, tile.accumulate);
    const TileTraffic traffic = tile_traffic(geometry, tile);

    begin_ = now();
    stream_begin_ = now() + timing.fill;
    stream_end_ = stream_begin_ + timing.stream;
    drain_ = timing.drain;
    request_ = {.operation = command_->operation};
    const auto ask_for = [&](ScratchpadPart part, LineAccess access, std::uint64_t bytes) {
        const std::uint64_t lines = ceil_div(bytes, line_bytes_);
        request_.add({.part = part,
                      .access = access,
                      .lines_per_cycle = pace(lines, timing.stream),
                      .first_line = 0,
                      .lines = lines});
    };
    ask_for(tile.left_part, LineAccess::read, traffic.left_bytes);
    ask_for(tile.right_part, LineAccess::read, traffic.right_bytes);
    ask_for(tile.result_part, LineAccess::write, traffic.result_bytes);
    requesting_ = true;
    served_ = false;

    trace("tile of operation {}: {} fill, {} stream, {} drain", command_->operation, timing.fill, timing.stream,
          timing.drain);
    ledger_.add(command_->operation, mac_counters[mode], macs_of(tile));
    ledger_.add(command_->operation, Counter::accumulator_read_bytes, traffic.accumulator_read_bytes);
    ledger_.add(command_->operation, Counter::accumulator_write_bytes, traffic.accumulator_write_bytes);
    ledger_.add(command_->operation, Counter::transposed_bytes, traffic.transposed_bytes);
    if (tile.values) {
        compute(*tile.values, tile, params_.accumulation);
    }
}

void MacArray::tell_done() const {
    const auto& tile = std::get<MatmulCommand>(command_->work);
    CommandNote note{.unit = unit(), .operation = command_->operation, .begin = begin_, .end = now() + 1};
    note.wait_begin = stream_end_;
    note.wait = note.end - std::min(note.end, stream_end_ + drain_);
    note.what = array_mode_names[static_cast<std::size_t>(tile.mode)];
    note.m = tile.passes.front().m;
    note.n = tile.passes.front().n;
    note.k = tile.passes.front().k;
    note.passes = tile.passes.size();
    note.amount = macs_of(tile);
    probe()->command_done(note);
}

// Ends a quiet spell where the kind of cycle changes, so that no spell mixes streaming with the rest.
std::uint64_t MacArray::quiet_until() const {
    if (scratchpad_done_in->valid() || (requesting_ && scratchpad_request_out->ready())) {
        return now() + 1;
    }
    if (!command_) {
        return command_in->valid() ? now() + 1 : never;
    }
    std::uint64_t next = can_complete() ? std::max(now() + 1, end_ - 1) : never;
    for (const std::uint64_t boundary : {stream_begin_, stream_end_}) {
        if (boundary > now()) {
            next = std::min(next, boundary);
        }
    }
    return next;
}

void MacArray::pass(std::uint64_t /*cycles*/) {
    // Called with the cycle of the next edge: the cycles before it are all of one kind.
    streaming_ = command_ != nullptr && now() > stream_begin_ && now() <= stream_end_;
}

Activity MacArray::quiet_activity() const {
    return command_ ? Activity::busy : Activity::waiting_for_input;
}

std::string MacArray::state() const {
    if (!command_) {
        return "idle";
    }
    return fmt::format("operation {}: streams from cycle {} to {}, drains for {}, lines {}", command_->operation,
                       stream_begin_, stream_end_, drain_, served_ ? "served" : "not served yet");
}

}  // namespace nibble
