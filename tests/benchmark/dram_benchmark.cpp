// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <random>
#include <string>

#include <benchmark/benchmark.h>

#include "models/dram/dram_core.h"

namespace nibble {
namespace {

/// `time_per_burst` is host time, `bus_share` the part of the peak bandwidth that the modelled memory delivered.
void report(benchmark::State& state, const DramCore& core) {
    const DramCounters counters = core.counters();
    const auto bursts = static_cast<double>(counters.reads + counters.writes);
    state.counters["time_per_burst"] =
        benchmark::Counter(bursts, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["bus_share"] =
        static_cast<double>(counters.data_bus_cycles) / static_cast<double>(counters.channel_cycles);
}

/// Keeps the memory's queues full with what `next` returns; one iteration is one completed request.
template <class Next>
void run_traffic(benchmark::State& state, Next next) {
    const DramParameters parameters;
    DramCore core(parameters);
    for (auto _ : state) {
        while (core.can_accept()) {
            core.accept(next());
        }
        core.advance_until(core.now() + 1'000'000);
        while (core.has_completion()) {
            benchmark::DoNotOptimize(core.pop_completion());
        }
    }
    report(state, core);
}

constexpr std::uint64_t memory_bytes = std::uint64_t{8} << 30;

void dram_sequential_reads(benchmark::State& state) {
    const auto bytes = static_cast<std::uint32_t>(state.range(0));
    std::uint64_t id = 0;
    run_traffic(state, [&] {
        ++id;
        return DramRequest{id, id * bytes % memory_bytes, bytes, false};
    });
}
BENCHMARK(dram_sequential_reads)->Arg(64)->Arg(256)->Arg(1024)->Arg(4096);

void dram_two_reads_one_write(benchmark::State& state) {
    std::uint64_t id = 0;
    run_traffic(state, [&] {
        ++id;
        const std::uint64_t stream = id % 3;
        return DramRequest{id, stream * (memory_bytes / 4) + id / 3 * 1024 % (memory_bytes / 4), 1024, stream == 2};
    });
}
BENCHMARK(dram_two_reads_one_write);

/// What a machine does when memory is its limit: two engines, one that loads from two places and one that stores, with
/// 16 requests of 4 KiB each under way. One iteration is one call of advance_until(), `cycles` far at most.
void run_deep_mixed(benchmark::State& state, const DramParameters& parameters, std::uint64_t cycles) {
    constexpr std::uint64_t bytes = max_dram_request_bytes;
    constexpr std::uint64_t outstanding = 16;
    DramCore core(parameters);
    std::array<std::uint64_t, 2> sent{};
    std::array<std::uint64_t, 2> in_flight{};
    bool store = false;
    for (auto _ : state) {
        while (core.can_accept() && in_flight[0] + in_flight[1] < 2 * outstanding) {
            store = in_flight[store ? 0 : 1] < outstanding ? !store : store;
            const std::uint64_t stream = store ? 2 : sent[0] % 2;
            const std::uint64_t place = store ? sent[1] : sent[0] / 2;
            core.accept({store ? 1U : 0U, (stream * (memory_bytes / 4) + place * bytes) % memory_bytes,
                         static_cast<std::uint32_t>(bytes), store});
            ++sent[store ? 1 : 0];
            ++in_flight[store ? 1 : 0];
        }
        core.advance_until(core.now() + cycles);
        while (core.has_completion()) {
            --in_flight[core.pop_completion().id];
        }
    }
    report(state, core);
}

void dram_deep_mixed(benchmark::State& state) {
    run_deep_mixed(state, {}, static_cast<std::uint64_t>(state.range(0)));
}
BENCHMARK(dram_deep_mixed)->ArgName("cycles")->Arg(1'000'000)->Arg(1);

/// The same on channels of other standards and policies, four channels.
void dram_deep_mixed_on(benchmark::State& state, const char* standard, const char* page_policy) {
    DramParameters parameters = typical_dram(standard);
    parameters.channels = 4;
    if (const std::string problem = set_page_policy(parameters, page_policy); !problem.empty()) {
        state.SkipWithError(problem.c_str());
    }
    run_deep_mixed(state, parameters, 1'000'000);
}
BENCHMARK_CAPTURE(dram_deep_mixed_on, ddr4, "DDR4-3200", "open");
BENCHMARK_CAPTURE(dram_deep_mixed_on, ddr5, "DDR5-4800", "open");
BENCHMARK_CAPTURE(dram_deep_mixed_on, lpddr4, "LPDDR4-3200", "open");
BENCHMARK_CAPTURE(dram_deep_mixed_on, hbm2, "HBM2-2000", "open");
BENCHMARK_CAPTURE(dram_deep_mixed_on, hbm3, "HBM3-6400", "open");
BENCHMARK_CAPTURE(dram_deep_mixed_on, lpddr5_closed, "LPDDR5-6400", "closed");
BENCHMARK_CAPTURE(dram_deep_mixed_on, lpddr5_timeout, "LPDDR5-6400", "timeout:100");

/// One iteration: one call for one cycle without a request.
void dram_quiet_cycle(benchmark::State& state) {
    DramCore core(DramParameters{});
    for (auto _ : state) {
        benchmark::DoNotOptimize(core.advance_until(core.now() + 1));
    }
}
BENCHMARK(dram_quiet_cycle);

void dram_random_reads(benchmark::State& state) {
    std::mt19937_64 random(1);
    std::uint64_t id = 0;
    run_traffic(state, [&] { return DramRequest{++id, random() % (memory_bytes / 64) * 64, 64, false}; });
}
BENCHMARK(dram_random_reads);

/// One iteration: 10^9 cycles without a request, four channels refreshing.
void dram_idle(benchmark::State& state) {
    DramCore core(DramParameters{});
    for (auto _ : state) {
        benchmark::DoNotOptimize(core.advance_until(core.now() + 1'000'000'000));
    }
}
BENCHMARK(dram_idle);

}  // namespace
}  // namespace nibble

BENCHMARK_MAIN();
