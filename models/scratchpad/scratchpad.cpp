// SPDX-License-Identifier: MIT
#include "models/scratchpad/scratchpad.h"

#include <string>

#include <fmt/format.h>

namespace nibble {

namespace {

static_assert(line_counters.size() == scratchpad_part_count);
static_assert(client_conflict_counters.size() == scratchpad_client_count);

Counter line_counter(const LineStream& stream) {
    return line_counters[static_cast<std::size_t>(stream.part)][static_cast<std::size_t>(stream.access)];
}

}  // namespace

Scratchpad::Scratchpad(const sc_core::sc_module_name& name, Clock& clock, const ScratchpadParameters& params,
                       Ledger& ledger)
    : ClockedModule(name, clock), core_(params), ideal_(params.ideal), ledger_(ledger) {
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        const std::string client(scratchpad_client_names[i]);
        request_in[i] = std::make_unique<Port<PopIf<ScratchpadRequest>>>((client + "_request_in").c_str());
        done_out[i] = std::make_unique<Port<PushIf<ScratchpadDone>>>((client + "_done_out").c_str());
    }
}

Activity Scratchpad::tick() {
    bool busy = false;
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        if (!serving_[i].under_way && (*request_in[i])->valid()) {
            start(i, (*request_in[i])->pop());
            busy = ideal_;
        }
    }
    busy = busy || core_.any_busy();
    core_.advance(1);
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        const auto client = static_cast<ScratchpadClient>(i);
        if (serving_[i].under_way && !core_.busy(client) && (*done_out[i])->ready()) {
            finish(i);
        }
    }
    return busy ? Activity::busy : Activity::idle;
}

void Scratchpad::start(std::size_t client, const ScratchpadRequest& request) {
    if (!ideal_) {
        core_.start(static_cast<ScratchpadClient>(client), request);
    }
    for (const LineStream& stream : request.streams()) {
        ledger_.add(request.operation, line_counter(stream), stream.lines);
    }
    Served& served = serving_[client];
    served.under_way = true;
    served.operation = request.operation;
    served.tag = request.tag;
    if (probe() != nullptr) {
        served.lines = {.begin = now()};
        for (const LineStream& stream : request.streams()) {
            served.lines.lines[static_cast<std::size_t>(stream.part)][static_cast<std::size_t>(stream.access)] +=
                stream.lines;
        }
    }
}

void Scratchpad::finish(std::size_t client) {
    Served& served = serving_[client];
    const std::uint64_t conflicts = core_.take_conflicts(static_cast<ScratchpadClient>(client));
    ledger_.add(served.operation, Counter::scratchpad_conflict_cycles, conflicts);
    ledger_.add(served.operation, client_conflict_counters[client], conflicts);
    if (probe() != nullptr) {
        served.lines.end = now() + 1;
        probe()->lines_served(served.lines);
    }
    (*done_out[client])->push({served.tag});
    served.under_way = false;
}

std::uint64_t Scratchpad::quiet_until() const {
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        const bool finished = serving_[i].under_way && !core_.busy(static_cast<ScratchpadClient>(i));
        if (finished ? (*done_out[i])->ready() : !serving_[i].under_way && (*request_in[i])->valid()) {
            return now() + 1;
        }
    }
    const std::uint64_t cycles = core_.least_cycles_to_an_end();
    return cycles == 0 ? never : now() + cycles;
}

Activity Scratchpad::quiet_activity() const {
    return core_.any_busy() ? Activity::busy : Activity::idle;
}

std::string Scratchpad::state() const {
    std::string text;
    for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
        const auto client = static_cast<ScratchpadClient>(i);
        const char* what = core_.busy(client) ? "being served" : serving_[i].under_way ? "done, not yet told" : "idle";
        text += fmt::format("{}{} {}", i == 0 ? "" : ", ", scratchpad_client_names[i], what);
    }
    return text;
}

}  // namespace nibble
