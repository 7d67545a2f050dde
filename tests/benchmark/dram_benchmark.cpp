// SPDX-License-Identifier: MIT
#include <cstdint>
#include <random>

#include <benchmark/benchmark.h>

#include "models/dram/dram_core.h"

namespace nibble {
namespace {

/// Keeps the memory's queues full with what `next` returns; one iteration is one completed request. `ns_per_burst` is
/// host time, `bus_share` the part of the peak bandwidth that the modelled memory delivered.
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
    const DramCounters counters = core.counters();
    const auto bursts = static_cast<double>(counters.reads + counters.writes);
    state.counters["time_per_burst"] =
        benchmark::Counter(bursts, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["bus_share"] =
        static_cast<double>(counters.data_bus_cycles) / static_cast<double>(counters.channel_cycles);
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
