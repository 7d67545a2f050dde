// SPDX-License-Identifier: MIT
#include "sim/app/run_watch.h"

#include <iostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/error.h"
#include "sim/counters/probe.h"
#include "sim/timeline/timeline_file.h"

namespace nibble {

void check(const WatchRequest& request, bool has_baseline) {
    if (request.wave.empty()) {
        if (request.wave_from != 0 || request.wave_to != 0 || request.wave_units != "*" ||
            request.wave_machine != "machine") {
            throw InputError("--wave-from, --wave-to, --wave-units and --wave-machine need --wave FILE");
        }
        return;
    }
    if (request.wave_to <= request.wave_from) {
        throw InputError(fmt::format("--wave needs a window: expected --wave-to above --wave-from, found {} and {}",
                                     request.wave_to, request.wave_from));
    }
    if (!fits_some_unit(request.wave_units)) {
        throw InputError(fmt::format("--wave-units: '{}' fits none of the units: {}", printable(request.wave_units),
                                     fmt::join(machine_unit_names, ", ")));
    }
    if (request.wave_machine == "baseline" && !has_baseline) {
        throw InputError("--wave-machine: there is no baseline");
    }
}

RunWatch::RunWatch(const WatchRequest& request) : request_(request) {
    if (!request.timeline.empty()) {
        timeline_ = std::make_unique<PendingFile>(request.timeline);
    }
    if (!request.wave.empty()) {
        wave_ = std::make_unique<PendingFile>(request.wave);
    }
}

void RunWatch::watch(Job& job, unsigned process) {
    job.series = request_.series || timeline_ != nullptr;
    if (timeline_ != nullptr) {
        events_.push_back(std::make_unique<TemporaryFile>());
        job.timeline = {events_.back()->path(), timeline_format_of(request_.timeline), process};
    }
}

void RunWatch::prepare(Job& machine, Job* baseline) {
    watch(machine, 1);
    if (baseline != nullptr) {
        watch(*baseline, 2);
    }
    if (wave_ != nullptr) {
        Job& watched = request_.wave_machine == "baseline" ? *baseline : machine;
        watched.wave = {wave_->temporary(), request_.wave_from, request_.wave_to, request_.wave_units};
    }
}

void RunWatch::write(const Result& result, bool quiet) {
    if (timeline_ != nullptr) {
        std::vector<TimelinePart> parts{
            {"machine", &result.setup.machine, &result.machine.summary, events_[0]->path()}};
        if (result.baseline) {
            parts.push_back({"baseline", &*result.setup.baseline, &result.baseline->summary, events_[1]->path()});
        }
        write_timeline(timeline_->temporary(), timeline_format_of(request_.timeline), result.setup, parts);
    }
    const bool of_baseline = request_.wave_machine == "baseline";
    const std::uint64_t cycles = of_baseline ? result.baseline->summary.cycles : result.machine.summary.cycles;
    if (wave_ != nullptr && cycles <= request_.wave_from && !quiet) {
        std::cerr << fmt::format("nibblesim: warning: the waveform is empty: the run ended after {} cycles\n", cycles);
    }
}

void RunWatch::commit() {
    if (timeline_ != nullptr) {
        timeline_->commit();
    }
    if (wave_ != nullptr) {
        wave_->commit();
    }
}

}  // namespace nibble
