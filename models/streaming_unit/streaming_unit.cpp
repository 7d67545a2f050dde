// SPDX-License-Identifier: MIT
#include "models/streaming_unit/streaming_unit.h"

#include <fmt/format.h>

namespace nibble {

Activity StreamingUnit::tick() {
    if (!command_) {
        if (!command_in->valid()) {
            return Activity::waiting_for_input;
        }
        command_ = command_in->pop();
        const Work work = start(*command_);
        request_ = {command_->operation, 0, work.lines_read, work.lines_written, work.lines_per_cycle};
        requesting_ = work.lines_read + work.lines_written > 0;
        lanes_done_ = now() + work.lane_cycles + pipeline_depth_;
        trace("operation {}: {} cycles of lanes, {} lines in, {} out", command_->operation, work.lane_cycles,
              work.lines_read, work.lines_written);
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
        command_.reset();
        progress();
    }
    return Activity::busy;
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
