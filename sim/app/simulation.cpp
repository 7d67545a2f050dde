// SPDX-License-Identifier: MIT
#include "sim/app/simulation.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <memory>
#include <poll.h>
#include <system_error>
#include <utility>
#include <vector>

#include "models/machine/machine.h"
#include "sim/app/interrupt.h"
#include "sim/app/machine_process.h"
#include "sim/app/progress.h"
#include "sim/base/error.h"
#include "sim/counters/ledger.h"
#include "sim/timeline/run_probe.h"

namespace nibble {

namespace {

RunSummary run_machine(const std::string& trace_path, const Job& job, const MachineProcess::RecordSink& sink) {
    Lowering lowering(trace_path, *job.plan, job.machine, job.lowering);
    Ledger ledger(sink);
    std::ofstream events;
    std::unique_ptr<TimelineWriter> timeline;
    if (job.timeline) {
        events.open(job.timeline->events, std::ios::binary);
        timeline =
            make_timeline_writer(job.timeline->format, events, job.timeline->process, job.machine.clock_period_ps);
    }
    std::optional<RunProbe> probe;
    if (job.series || timeline != nullptr) {
        probe.emplace(job.plan->operations(), timeline.get());
    }
    RunOptions options;
    options.skipping = job.skipping;
    options.probe = probe ? &*probe : nullptr;
    options.wave = job.wave;
    Machine machine(job.machine, lowering, ledger, options);
    RunSummary summary = machine.run();
    if (probe) {
        probe->finish();
        summary.series = std::make_shared<const Series>(probe->series());
    }
    if (timeline != nullptr && !events.flush()) {
        throw InputError("temporary file for the timeline cannot be written");
    }
    summary.on_chip = lowering.on_chip();
    summary.values_checked = lowering.values_checked();
    return summary;
}

std::unique_ptr<MachineProcess> start(const std::string& trace_path, const Job& job) {
    return std::make_unique<MachineProcess>(
        job.machine.name, [&](const MachineProcess::RecordSink& sink) { return run_machine(trace_path, job, sink); });
}

/// Waits for news of machines that have not finished, and takes it in.
void receive_some(const std::vector<std::unique_ptr<MachineProcess>>& machines) {
    constexpr int longest_wait_ms = 200;  // so that a signal just before poll() is not overlooked for long
    std::vector<pollfd> waiting;
    std::vector<MachineProcess*> of;
    for (const auto& machine : machines) {
        if (!machine->finished()) {
            waiting.push_back({machine->descriptor(), POLLIN, 0});
            of.push_back(machine.get());
        }
    }
    if (poll(waiting.data(), waiting.size(), longest_wait_ms) < 0 && errno != EINTR) {
        throw std::system_error(errno, std::generic_category(), "poll");
    }
    throw_if_interrupted();
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        if (waiting[i].revents != 0) {
            of[i]->receive();
        }
    }
}

bool all_finished(const std::vector<std::unique_ptr<MachineProcess>>& machines) {
    for (const auto& machine : machines) {
        if (!machine->finished()) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::vector<RunSummary> simulate(const std::string& trace_path, std::span<const Job> jobs, const RecordsSink& sink,
                                 Progress& progress) {
    std::vector<std::unique_ptr<MachineProcess>> machines;
    for (const Job& job : jobs) {
        machines.push_back(start(trace_path, job));
    }
    const auto has_record = [](const std::unique_ptr<MachineProcess>& machine) { return machine->has_record(); };
    std::vector<OpRecord> records(machines.size());
    const auto deliver = [&] {
        while (std::ranges::all_of(machines, has_record)) {
            std::ranges::transform(machines, records.begin(),
                                   [](const auto& machine) { return machine->take_record(); });
            sink(records);
        }
    };
    while (!all_finished(machines)) {
        receive_some(machines);
        deliver();
        std::uint64_t operations = 0;
        std::uint64_t cycles = 0;
        for (const auto& each : machines) {
            operations += each->operations();
            cycles += each->cycles();
        }
        progress.update(operations, cycles);
    }
    if (std::ranges::any_of(machines, has_record)) {
        throw ModelError("the machines did not retire the same operations");
    }
    std::vector<RunSummary> summaries;
    for (const auto& machine : machines) {
        summaries.push_back(machine->summary());
    }
    return summaries;
}

}  // namespace nibble
