// SPDX-License-Identifier: MIT
// Watching a machine changes nothing, and what is seen adds up, on random machines and traces.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "models/dram/dram_standard.h"
#include "sim/lowering/recipe.h"
#include "sim/timeline/run_probe.h"
#include "sim/timeline/timeline_file.h"
#include "tests/support/random_case.h"
#include "tests/support/run_trace.h"

namespace nibble {
namespace {

std::string text_of(const Series& series) {
    std::string text = fmt::format("series of {} cycles\n", series.bucket_cycles);
    for (const SeriesBucket& bucket : series.buckets) {
        text += fmt::format("{} | {} | {} | {} {} | {} {}\n", fmt::join(bucket.counters, " "),
                            fmt::join(bucket.causes, " "), fmt::join(bucket.busy, " "), bucket.row_hits,
                            bucket.row_misses, bucket.tile_byte_cycles, bucket.resident_byte_cycles);
    }
    return text;
}

std::string content_of(const std::filesystem::path& path) {
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    return content.str();
}

/// Everything that was counted in the run is in some bucket, and nothing else is.
void check_sums(const Series& series, const test::TraceRun& run, const MachineParameters& machine) {
    SeriesBucket sum;
    for (const SeriesBucket& bucket : series.buckets) {
        sum += bucket;
    }
    for (std::size_t i = 0; i < counter_count; ++i) {
        EXPECT_EQ(sum.counters[i], run.summary.counters[i]) << counter_info[i].name;
    }
    EXPECT_EQ(sum.causes, run.summary.causes);
    for (std::size_t unit = 0; unit < machine_unit_count; ++unit) {
        EXPECT_EQ(run.summary.units[unit].unit, machine_unit_names[unit]);
        EXPECT_EQ(sum.busy[unit], run.summary.units[unit].cycles[static_cast<std::size_t>(Activity::busy)])
            << machine_unit_names[unit];
    }
    // Every burst found its row open or did not; an ideal engine's bursts are none.
    const std::uint64_t bytes =
        sum.counters[index_of(Counter::dram_bytes_read)] + sum.counters[index_of(Counter::dram_bytes_written)];
    EXPECT_EQ((sum.row_hits + sum.row_misses) * find_dram_standard(machine.dram.standard)->burst_bytes(),
              machine.dma.ideal ? 0 : bytes);
    EXPECT_LE(series.buckets.size(), SeriesRecorder::most_buckets);
    EXPECT_LT((series.buckets.size() - 1) * series.bucket_cycles, run.summary.cycles);
    EXPECT_GE(series.buckets.size() * series.bucket_cycles, run.summary.cycles);
}

class WatchedRuns : public testing::TestWithParam<std::uint64_t> {
protected:
    static constexpr std::uint64_t cases_per_test = 25;
};

TEST_P(WatchedRuns, AreTheSameAndWhatIsSeenAddsUp) {
    for (std::uint64_t seed = GetParam(); seed < GetParam() + cases_per_test; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        test::RandomCase random(seed);
        const MachineParameters machine = random.machine();
        const test::TraceFile trace(random.trace());
        LoweringOptions lowering;
        lowering.recipe = find_recipe(random.one_of(recipe_names()));
        const std::uint64_t from = random.number(0, 3000);
        const std::uint64_t to = from + random.number(1, 3000);
        const std::string unwatched =
            test::simulate([&] { return test::story(test::run_here(trace.path(), machine, lowering)); });
        // The story of a watched run, and all that was seen.
        const auto watched = [&](RunOptions options) {
            return test::simulate([&] {
                std::ostringstream text;
                const auto writer = make_timeline_writer(TimelineFormat::json, text, 1, machine.clock_period_ps);
                RunProbe probe(3, writer.get());
                options.probe = &probe;
                const std::string wave = fmt::format("{}.{}.vcd", trace.path(), getpid());
                options.wave = {wave, from, to, "*"};
                const test::TraceRun run = test::run_here(trace.path(), machine, lowering, options);
                probe.finish();
                check_sums(probe.series(), run, machine);
                const std::string waveform = content_of(wave);
                std::filesystem::remove(wave);
                EXPECT_NE(waveform.find("$enddefinitions"), std::string::npos);
                return test::story(run) + text_of(probe.series()) + text.str() + waveform;
            });
        };
        const std::string skipping = watched({.skipping = true});
        EXPECT_EQ(skipping.substr(0, unwatched.size()), unwatched);
        EXPECT_EQ(watched({.skipping = false}), skipping);
        RunOptions shuffled;
        std::mt19937_64 order(seed);
        std::shuffle(shuffled.construction_order.begin(), shuffled.construction_order.end(), order);
        EXPECT_EQ(watched(shuffled), skipping);
    }
}

INSTANTIATE_TEST_SUITE_P(From, WatchedRuns, testing::Range<std::uint64_t>(30000, 30200, 25));

}  // namespace
}  // namespace nibble
