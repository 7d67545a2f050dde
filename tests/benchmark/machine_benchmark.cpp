// SPDX-License-Identifier: MIT
// Host speed of the simulation. Each measurement elaborates in a child process of its own and reports the processor
// time of the run alone, so that other work on the host disturbs as little as possible.
#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <systemc>

#include "models/machine/machine.h"
#include "sim/config/data_directory.h"
#include "sim/config/machine_config.h"
#include "sim/input/trace_writer.h"
#include "sim/input/training_step.h"
#include "sim/input/workload_reader.h"
#include "sim/kernel/report_bridge.h"
#include "sim/lowering/lowering.h"
#include "sim/timeline/run_probe.h"
#include "sim/timeline/timeline_file.h"

namespace {

using namespace nibble;

/// What one run took and did.
struct Measured {
    double seconds = 0;
    double amount = 0;  // cycles, edges or MACs: what the benchmark counts
};

double processor_seconds() {
    std::timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Measured in_child(const std::function<Measured()>& body) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) {
        std::perror("pipe");
        std::exit(1);
    }
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        const Measured measured = body();
        _exit(write(ends[1], &measured, sizeof measured) == sizeof measured ? 0 : 1);
    }
    close(ends[1]);
    Measured measured;
    const bool complete = read(ends[0], &measured, sizeof measured) == sizeof measured;
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (!complete || status != 0) {
        std::fputs("a measured run failed\n", stderr);
        std::exit(1);
    }
    return measured;
}

void measure(benchmark::State& state, const char* unit, const std::function<Measured()>& body) {
    double amount = 0;
    for (auto _ : state) {
        const Measured measured = in_child(body);
        state.SetIterationTime(measured.seconds);
        amount += measured.amount;
    }
    state.counters[unit] = benchmark::Counter(amount, benchmark::Counter::kIsRate);
}

/// A unit that does nothing.
class EmptyUnit : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(EmptyUnit);
    EmptyUnit(const sc_core::sc_module_name& name, const sc_core::sc_event& edge) : sc_module(name) {
        SC_METHOD(tick);
        sensitive << edge;
        dont_initialize();
    }

private:
    void tick() { ++ticks_; }
    std::uint64_t ticks_ = 0;
};

/// Eight empty units on one event and the method that notifies it: the least that a machine of eight units costs.
class BareKernel : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(BareKernel);
    BareKernel(const sc_core::sc_module_name& name, std::uint64_t edges) : sc_module(name), left_(edges) {
        SC_METHOD(make_edge);
        for (int unit = 0; unit < 8; ++unit) {
            units_.push_back(std::make_unique<EmptyUnit>(sc_core::sc_gen_unique_name("unit"), edge_));
        }
    }

private:
    void make_edge() {
        if (left_-- == 0) {
            sc_core::sc_stop();
            return;
        }
        edge_.notify(sc_core::SC_ZERO_TIME);
        next_trigger(sc_core::sc_time::from_value(1000));
    }
    std::uint64_t left_;
    sc_core::sc_event edge_;
    std::vector<std::unique_ptr<EmptyUnit>> units_;
};

void bare_kernel(benchmark::State& state) {
    constexpr std::uint64_t edges = 2'000'000;
    measure(state, "cycles/s", [] {
        BareKernel model("kernel", edges);
        const double begin = processor_seconds();
        sc_core::sc_start();
        return Measured{processor_seconds() - begin, static_cast<double>(edges)};
    });
}
BENCHMARK(bare_kernel)->UseManualTime()->Unit(benchmark::kMillisecond);

/// Training-step traces of built-in networks, in files that are removed at exit.
class StepTraces {
public:
    StepTraces() = default;
    StepTraces(const StepTraces&) = delete;
    StepTraces& operator=(const StepTraces&) = delete;
    ~StepTraces() {
        if (getpid() == owner_) {
            for (const auto& [key, path] : paths_) {
                unlink(path.c_str());
            }
        }
    }

    const std::string& path(const std::string& network, std::uint64_t batch) {
        const auto [entry, is_new] = paths_.try_emplace({network, batch}, "/tmp/nibble_benchmark_XXXXXX");
        if (is_new) {
            close(mkstemp(entry->second.data()));
            std::ofstream file(entry->second);
            const Workload workload = read_workload(find_data_file(DataKind::workload, network));
            TraceWriter writer(file, {workload.name, batch});
            expand_training_step(workload, batch, [&](const TraceItem& item) { writer.write(item); });
            writer.finish();
        }
        return entry->second;
    }

private:
    pid_t owner_ = getpid();
    std::map<std::pair<std::string, std::uint64_t>, std::string> paths_;
};

const std::string& step_trace(const std::string& network, std::uint64_t batch) {
    static StepTraces traces;
    return traces.path(network, batch);
}

struct Scenario {
    std::string network = "resnet18";
    std::uint64_t batch = 1;
    std::string phases = "forward,dx,dw,vector,update";
    std::string layers = "*";
    bool skipping = true;
    bool values = false;
    bool timeline = false;  ///< record one, uncompressed
};

Measured run(const Scenario& scenario, bool count_macs) {
    const std::string& path = step_trace(scenario.network, scenario.batch);
    const MachineParameters machine = load_machine("edge-int4");
    LoweringOptions options;
    options.recipe = find_recipe("int4-fp4");
    options.selection = {parse_phases(scenario.phases), scenario.layers};
    options.values = scenario.values;
    const TensorPlan plan(path, machine, *options.recipe, options.selection);
    Lowering program(path, plan, machine, options);
    Ledger ledger([](const OpRecord&) {});
    std::ofstream events;
    std::unique_ptr<TimelineWriter> timeline;
    std::optional<RunProbe> probe;
    RunOptions run_options{.skipping = scenario.skipping};
    if (scenario.timeline) {
        events.open("/dev/null");
        timeline = make_timeline_writer(TimelineFormat::json, events, 1, machine.clock_period_ps);
        run_options.probe = &probe.emplace(plan.operations(), timeline.get());
    }
    Machine model(machine, program, ledger, run_options);
    const double begin = processor_seconds();
    const RunSummary summary = model.run();
    if (probe) {
        probe->finish();
    }
    const double seconds = processor_seconds() - begin;
    double macs = 0;
    for (const Counter counter : {Counter::mac_int4, Counter::mac_int4_fp4, Counter::mac_fp8, Counter::mac_fp16}) {
        macs += static_cast<double>(summary.counters[index_of(counter)]);
    }
    return {seconds, count_macs ? macs : static_cast<double>(summary.cycles)};
}

// The whole machine, every cycle an edge: a training step of ResNet-18.
void every_edge(benchmark::State& state) {
    step_trace("resnet18", 1);
    measure(state, "cycles/s", [] { return run({.skipping = false}, false); });
}
BENCHMARK(every_edge)->UseManualTime()->Unit(benchmark::kMillisecond);

void skipping(benchmark::State& state) {
    step_trace("resnet18", 1);
    measure(state, "cycles/s", [] { return run({}, false); });
}
BENCHMARK(skipping)->UseManualTime()->Unit(benchmark::kMillisecond);

// What watching a run for its timeline and series costs: time with it over time without, taken in turn.
void timeline_overhead(benchmark::State& state) {
    step_trace("resnet18", 1);
    double watched = 0;
    for (auto _ : state) {
        state.SetIterationTime(in_child([] { return run({}, false); }).seconds);
        watched += in_child([] { return run({.timeline = true}, false); }).seconds;
    }
    state.counters["times"] = benchmark::Counter(watched, benchmark::Counter::kIsRate);
}
BENCHMARK(timeline_overhead)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(5);

// The compute-bound layers of the demo: the GEMMs of ResNet-18 at batch 16.
void skipping_compute_bound(benchmark::State& state) {
    step_trace("resnet18", 16);
    measure(state, "cycles/s", [] { return run({.batch = 16, .phases = "forward,dx,dw"}, false); });
}
BENCHMARK(skipping_compute_bound)->UseManualTime()->Unit(benchmark::kMillisecond);

// Values mode: operands gathered, multiplied bit-true by the array, results checked against the reference.
void values(benchmark::State& state) {
    step_trace("resnet18", 1);
    measure(state, "MAC/s", [] { return run({.phases = "forward,dx,dw", .layers = "layer2*", .values = true}, true); });
}
BENCHMARK(values)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    bridge_systemc_reports();
    return sc_core::sc_elab_and_sim(argc, argv);
}

int sc_main(int /*argc*/, char** /*argv*/) {
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
