// SPDX-License-Identifier: MIT
#include "models/scratchpad/scratchpad.h"

#include <string>

#include <fmt/format.h>

namespace nibble {

Scratchpad::Scratchpad(const sc_core::sc_module_name& name, Clock& clock, const ScratchpadParameters& params,
                       Ledger& ledger)
    : ClockedModule(name, clock), core_(params), ledger_(ledger) {
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        const std::string client(scratchpad_client_names[i]);
        request_in[i] = std::make_unique<Port<PopIf<ScratchpadRequest>>>((client + "_request_in").c_str());
        done_out[i] = std::make_unique<Port<PushIf<ScratchpadDone>>>((client + "_done_out").c_str());
    }
}

Activity Scratchpad::tick() {
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        if (!serving_[i] && (*request_in[i])->valid()) {
            const ScratchpadRequest request = (*request_in[i])->pop();
            core_.start(static_cast<ScratchpadClient>(i), request);
            ledger_.add(request.operation, Counter::scratchpad_lines_read, request.lines_read);
            ledger_.add(request.operation, Counter::scratchpad_lines_written, request.lines_written);
            serving_[i] = true;
        }
    }
    const bool busy = core_.any_busy();
    core_.advance(1);
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        const auto client = static_cast<ScratchpadClient>(i);
        if (serving_[i] && !core_.busy(client) && (*done_out[i])->ready()) {
            const ScratchpadRequest& request = core_.request(client);
            ledger_.add(request.operation, Counter::scratchpad_conflict_cycles, core_.conflicts(client));
            (*done_out[i])->push({request.tag});
            serving_[i] = false;
        }
    }
    return busy ? Activity::busy : Activity::idle;
}

std::uint64_t Scratchpad::quiet_until() const {
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        const bool finished = serving_[i] && !core_.busy(static_cast<ScratchpadClient>(i));
        if (finished ? (*done_out[i])->ready() : !serving_[i] && (*request_in[i])->valid()) {
            return now() + 1;
        }
    }
    const std::uint64_t cycles = core_.cycles_to_next_end();
    return cycles == 0 ? never : now() + cycles;
}

Activity Scratchpad::quiet_activity() const {
    return core_.any_busy() ? Activity::busy : Activity::idle;
}

std::string Scratchpad::state() const {
    std::string text;
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        const auto client = static_cast<ScratchpadClient>(i);
        const char* what = core_.busy(client) ? "being served" : serving_[i] ? "done, not yet told" : "idle";
        text += fmt::format("{}{} {}", i == 0 ? "" : ", ", scratchpad_client_names[i], what);
    }
    return text;
}

}  // namespace nibble
