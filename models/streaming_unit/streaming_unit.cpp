// SPDX-License-Identifier: MIT
#include "models/streaming_unit/streaming_unit.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "sim/base/units.h"

namespace nibble {

std::uint64_t StreamingUnit::lines_of(std::uint64_t bytes) const {
    return ceil_div(bytes, line_bytes_);
}

ScratchpadRequest StreamingUnit::request_for(const Work& work, std::uint64_t operation) const {
    const auto sum = [](const PartLines& lines) {
        return std::accumulate(lines.begin(), lines.end(), std::uint64_t{0});
    };
    // An ideal unit asks for everything at once.
    const std::uint64_t cycles =
        ideal_ ? 1
               : std::max(work.lane_cycles, ceil_div(sum(work.lines_read) + sum(work.lines_written),
                                                     std::min(work.lines_per_cycle, most_lines_per_cycle_)));
    ScratchpadRequest request{.operation = operation};
    for (const LineAccess access : {LineAccess::read, LineAccess::write}) {
        const PartLines& lines = access == LineAccess::read ? work.lines_read : work.lines_written;
        for (std::size_t part = 0; part < scratchpad_part_count; ++part) {
            request.add({.part = static_cast<ScratchpadPart>(part),
                         .access = access,
                         .lines_per_cycle = pace(lines[part], cycles),
                         .first_line = 0,
                         .lines = lines[part]});
        }
    }
    return request;
}

Activity StreamingUnit::tick() {
    if (!command_) {
        if (!command_in->valid()) {
            return Activity::waiting_for_input;
        }
        command_ = command_in->pop();
        const Work work = start(*command_);
        request_ = request_for(work, command_->operation);
        requesting_ = request_.count > 0;
        begin_ = now();
        amount_ = work.amount;
        lanes_done_ = now() + (ideal_ ? 0 : work.lane_cycles + pipeline_depth_);
        trace("operation {}: {} cycles of lanes, {} streams of lines", command_->operation, work.lane_cycles,
              request_.count);
    }
    if (requesting_ && scratchpad_request_out->ready()) {
        scratchpad_request_out->push(request_);
        requesting_ = false;
        transferring_ = true;
    } else if (transferring_ && scratchpad_done_in->valid()) {
        scratchpad_done_in->pop();
        transferring_ = false;
    }
    if (lanes_done_by(now()) && can_complete()) {
        completion_out->push({command_->operation});
        if (probe() != nullptr) {
            tell_done();
        }
        command_.reset();
        progress();
    }
    return Activity::busy;
}

void StreamingUnit::tell_done() const {
    CommandNote note{.unit = unit(), .operation = command_->operation, .begin = begin_, .end = now() + 1};
    note.wait_begin = lanes_done_;
    note.wait = now() - lanes_done_;
    note.amount = amount_;
    probe()->command_done(note);
}

std::uint64_t StreamingUnit::quiet_until() const {
    if (!command_) {
        return command_in->valid() ? now() + 1 : never;
    }
    if ((requesting_ && scratchpad_request_out->ready()) || (transferring_ && scratchpad_done_in->valid())) {
        return now() + 1;
    }
    if (!can_complete()) {
        return never;
    }
    return lanes_done_by(now() + 1) ? now() + 1 : lanes_done_;
}

Activity StreamingUnit::quiet_activity() const {
    return command_ ? Activity::busy : Activity::waiting_for_input;
}

std::string StreamingUnit::state() const {
    if (!command_) {
        return "idle";
    }
    return fmt::format("operation {}: lanes done at cycle {}, lines {}", command_->operation, lanes_done_,
                       requesting_     ? "not asked for"
                       : transferring_ ? "being served"
                                       : "served");
}

}  // namespace nibble
