// SPDX-License-Identifier: MIT
// Request files with the results of DRAMsim3 (tests data beside the checkout) through the same memories here. Prints
// ours beside theirs, with what no controller could beat and the reason for each difference; models/dram/README.md
// shows it.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/dram/address_map.h"
#include "models/dram/dram_core.h"
#include "models/dram/dram_params.h"
#include "models/dram/dram_standard.h"
#include "sim/energy/dram_energy.h"
#include "sim/memtest/memory_test.h"
#include "sim/memtest/request_reader.h"

namespace nibble {
namespace {

const std::filesystem::path data = std::filesystem::path(NIBBLE_SOURCE_DIR) / "../shared/data/dram";

/// A row of reference.csv by its column names.
using Row = std::map<std::string, std::string>;

double number(const Row& row, const std::string& column) {
    return std::stod(row.at(column));
}

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream in(line);
    for (std::string field; std::getline(in, field, ',');) {
        fields.push_back(field.substr(0, field.find('\r')));
    }
    return fields;
}

std::vector<Row> reference() {
    std::ifstream in(data / "reference.csv");
    std::string line;
    std::getline(in, line);
    const std::vector<std::string> names = split(line);
    std::vector<Row> rows;
    while (std::getline(in, line)) {
        const std::vector<std::string> fields = split(line);
        Row row;
        for (std::size_t i = 0; i < names.size(); ++i) {
            row[names[i]] = fields.at(i);
        }
        rows.push_back(row);
    }
    return rows;
}

/// The memory of one of DRAMsim3's configurations. Its controller takes 32 requests of each kind and hands them on to
/// queues of 8 for each bank: 40 of a stream that stays in one bank. It writes when all 32 are taken, and then all 32.
DramParameters memory_like(const std::string& config) {
    DramParameters memory;
    if (config == "HBM2_8Gb_x128") {
        memory = typical_dram("HBM2-2000");  // 16 pseudo-channels, 8 GiB
        memory.address_mapping = "ro-ra-bg-ba-ch-co";
    } else {
        memory = typical_dram(config == "DDR4_8Gb_x8_2400" ? "DDR4-2400" : "DDR4-3200");  // 2 ranks, 16 GiB a channel
        memory.channels = 1;
        memory.address_mapping = "ro-ch-ra-ba-bg-co";
    }
    memory.read_queue_entries = 40;
    memory.write_queue_entries = 40;
    memory.write_high_watermark = 32;
    memory.write_low_watermark = 0;
    return memory;
}

AddressSpace space_of(const DramParameters& memory) {
    return {memory.capacity_bytes_per_channel * memory.channels, [](std::uint64_t) { return std::string("no room"); }};
}

/// What no controller can beat: cycles that one resource is needed for, by the standard's rules alone.
struct Bound {
    std::uint64_t cycles = 0;
    std::string_view what;

    void raise(std::uint64_t other, std::string_view by) {
        if (other > cycles) {
            *this = {other, by};
        }
    }
};

Bound bound_of(const std::filesystem::path& file, const DramParameters& memory) {
    const DramStandard& standard = *find_dram_standard(memory.standard);
    const AddressMap map(standard, memory);
    std::map<std::uint32_t, std::uint64_t> bursts;                                    // of a channel
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::set<std::uint32_t>> rows;  // of a channel's bank
    RequestReader requests(file, space_of(memory));
    std::uint64_t count = 0;
    std::uint64_t last = 0;
    while (const std::optional<TimedRequest> request = requests.next()) {
        const DramLocation at = map.locate(request->address);
        bursts[at.channel] += RequestReader::request_bytes / standard.burst_bytes();
        rows[{at.channel, at.bank}].insert(at.row);
        last = request->cycle;
        ++count;
    }
    // Every row that is touched is opened at least once.
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> rank_rows;
    std::map<std::uint32_t, std::uint64_t> channel_rows;
    Bound bound;
    for (const auto& [bank, opened] : rows) {
        rank_rows[{bank.first, bank.second / standard.banks()}] += opened.size();
        channel_rows[bank.first] += opened.size();
        bound.raise((opened.size() - 1) * standard.t_rc, "tRC");
    }
    for (const auto& [channel, channel_bursts] : bursts) {
        bound.raise(channel_bursts * standard.burst, "data bus");
        bound.raise(channel_rows[channel] * standard.activate_slots, "row bus");
    }
    for (const auto& [rank, opened] : rank_rows) {
        bound.raise((opened - 1) * standard.t_rrd_s, "tRRD");
        bound.raise((opened - 1) / 4 * standard.t_faw, "tFAW");
    }
    bound.raise(std::max(count - 1, last) + standard.t_rcd_read + standard.rl, "offered");
    return bound;
}

/// By how much completion may differ from DRAMsim3's, and why it does.
struct Expectation {
    std::string_view config;
    std::string_view requests;
    double tolerance;
    std::string_view reason;
};

constexpr std::string_view ddr4_window =
    "one bank group at a time, and so tCCD_L, until the next row's requests are in the queue; then the bus";
constexpr std::string_view ddr4_random =
    "the bus; theirs serves the banks in the order of their numbers, those of one group (tCCD_L) in a row";
constexpr std::string_view ddr4_stride =
    "tFAW and the bus; theirs serves the banks in the order of their numbers, those of one group (tRRD_L, tCCD_L) in a "
    "row";
constexpr std::string_view ddr4_turns = "tCCD_L, and turnarounds: 32 writes a turn here as there";
constexpr std::string_view ddr4_two_streams =
    "both streams lie in one bank, every turn is a row conflict; theirs has a queue of 8 for that bank";
constexpr std::string_view sparse = "one request in 200 clocks: the file's length and one latency";
constexpr std::string_view hbm_stream =
    "one request a clock is offered, and taken; at the end a refresh counts (theirs: 260 clocks, ours 350)";
constexpr std::string_view hbm_random =
    "one request a clock is offered, and taken here; theirs by its tFAW of 30 (here 15)";
constexpr std::string_view hbm_stride =
    "two channels; theirs by its tFAW of 30; ours by a pseudo-channel's half of the row bus, 6 slots a row";

constexpr std::array<Expectation, 21> expectations{{
    {"DDR4_8Gb_x8_2400", "random_read", 0.06, ddr4_random},
    {"DDR4_8Gb_x8_2400", "read_write_mix", 0.03, ddr4_turns},
    {"DDR4_8Gb_x8_2400", "seq_read", 0.02, ddr4_window},
    {"DDR4_8Gb_x8_2400", "seq_write", 0.02, ddr4_window},
    {"DDR4_8Gb_x8_2400", "sparse_random_read", 0.001, sparse},
    {"DDR4_8Gb_x8_2400", "stride_8k", 0.10, ddr4_stride},
    {"DDR4_8Gb_x8_2400", "two_streams", 0.04, ddr4_two_streams},
    {"DDR4_8Gb_x8_3200", "random_read", 0.06, ddr4_random},
    {"DDR4_8Gb_x8_3200", "read_write_mix", 0.04, ddr4_turns},
    {"DDR4_8Gb_x8_3200", "seq_read", 0.02, ddr4_window},
    {"DDR4_8Gb_x8_3200", "seq_write", 0.02, ddr4_window},
    {"DDR4_8Gb_x8_3200", "sparse_random_read", 0.001, sparse},
    {"DDR4_8Gb_x8_3200", "stride_8k", 0.20, ddr4_stride},
    {"DDR4_8Gb_x8_3200", "two_streams", 0.08, ddr4_two_streams},
    {"HBM2_8Gb_x128", "random_read", 0.08, hbm_random},
    {"HBM2_8Gb_x128", "read_write_mix", 0.02, hbm_stream},
    {"HBM2_8Gb_x128", "seq_read", 0.02, hbm_stream},
    {"HBM2_8Gb_x128", "seq_write", 0.02, hbm_stream},
    {"HBM2_8Gb_x128", "sparse_random_read", 0.001, sparse},
    {"HBM2_8Gb_x128", "stride_8k", 0.25, hbm_stride},
    {"HBM2_8Gb_x128", "two_streams", 0.02, hbm_stream},
}};

const Expectation& expectation_of(const Row& row) {
    const auto found = std::ranges::find_if(expectations, [&](const Expectation& expectation) {
        return expectation.config == row.at("config") && expectation.requests == row.at("requests");
    });
    EXPECT_NE(found, expectations.end()) << row.at("config") << ' ' << row.at("requests");
    return found == expectations.end() ? expectations.front() : *found;
}

struct Comparison {
    Row row;
    DramParameters memory;
    MemoryTest test;
    Bound bound;
};

const std::vector<Comparison>& runs() {
    static const std::vector<Comparison> all = [] {
        std::vector<Comparison> made;
        for (const Row& row : reference()) {
            const DramParameters memory = memory_like(row.at("config"));
            const std::filesystem::path file = data / (row.at("requests") + ".trace.gz");
            RequestReader requests(file, space_of(memory));
            DramCore core(memory);
            made.push_back({row, memory, run_memory_test(requests, core), bound_of(file, memory)});
        }
        return made;
    }();
    return all;
}

class DramReference : public testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(data)) {
            GTEST_SKIP() << "no reference results at " << data;
        }
        ASSERT_EQ(runs().size(), expectations.size());
    }
};

double deviation(double ours, double theirs) {
    return ours / theirs - 1;
}

TEST_F(DramReference, CompletionIsNearTheirsAndNeverBelowTheBound) {
    std::puts("| memory | requests | at least | by | ours | DRAMsim3 | deviation | why |");
    std::puts("|---|---|---:|---|---:|---:|---:|---|");
    for (const Comparison& run : runs()) {
        const Expectation& expected = expectation_of(run.row);
        const auto ours = static_cast<double>(run.test.completion_cycles);
        const double theirs = number(run.row, "completion_cycles");
        fmt::print("| {} | {} | {} | {} | {} | {:.0f} | {:+.1f}% | {} |\n", run.memory.standard, run.row.at("requests"),
                   run.bound.cycles, run.bound.what, ours, theirs, 100 * deviation(ours, theirs), expected.reason);
        SCOPED_TRACE(run.row.at("config") + ' ' + run.row.at("requests"));
        EXPECT_EQ(static_cast<double>(run.test.reads + run.test.writes), number(run.row, "n"));
        EXPECT_NEAR(deviation(ours, theirs), 0, expected.tolerance);
        EXPECT_GE(run.test.completion_cycles, run.bound.cycles) << run.bound.what;
    }
}

// Rows are opened as often as theirs are, and hit as often. HBM requests are two bursts here: the second of them hits
// the row that the first has opened, and a row of a pseudo-channel is half as long as a row of theirs.
TEST_F(DramReference, RowsAreOpenedAsOftenAsTheirs) {
    std::puts(
        "| memory | requests | ACT | DRAMsim3 | row hits | DRAMsim3 | read latency | DRAMsim3 | in flight | DRAMsim3 "
        "|");
    std::puts("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (const Comparison& run : runs()) {
        const DramStandard& standard = *find_dram_standard(run.memory.standard);
        const std::uint64_t bursts = RequestReader::request_bytes / standard.burst_bytes();
        const double requests = number(run.row, "n");
        const double hits =
            static_cast<double>(run.test.counters.row_hits()) - static_cast<double>(bursts - 1) * requests;
        const double their_hits = number(run.row, "row_hits_read") + number(run.row, "row_hits_write");
        const double their_latency = number(run.row, "avg_read_latency_cycles");
        // Little's law: reads in flight are latency times rate.
        const double our_flight = run.test.read_latency.mean() * static_cast<double>(run.test.reads) /
                                  static_cast<double>(run.test.completion_cycles);
        const double their_flight =
            their_latency * static_cast<double>(run.test.reads) / number(run.row, "completion_cycles");
        fmt::print("| {} | {} | {} | {:.0f} | {:.0f} | {:.0f} | {:.1f} | {:.1f} | {:.0f} | {:.0f} |\n",
                   run.memory.standard, run.row.at("requests"), run.test.counters.activates, number(run.row, "num_act"),
                   hits, their_hits, run.test.read_latency.mean(), their_latency, our_flight, their_flight);
        SCOPED_TRACE(run.row.at("config") + ' ' + run.row.at("requests"));
        // Of 20,000 requests, the turns between two streams in one bank cost the most rows: 1% of the requests more.
        EXPECT_NEAR(hits / requests, their_hits / requests, bursts == 1 ? 0.01 : 0.04);
        const double rows_of_ours_in_one_of_theirs = their_hits > requests / 2 ? static_cast<double>(bursts) : 1;
        EXPECT_NEAR(static_cast<double>(run.test.counters.activates) / requests,
                    rows_of_ours_in_one_of_theirs * number(run.row, "num_act") / requests, 0.012);
    }
}

// DDR4, whose currents are the same. DRAMsim3 multiplies volts, milliamperes and clocks and calls it picojoules: times
// the clock period in nanoseconds it is. Background follows the time that the run takes.
TEST_F(DramReference, EnergiesOfCommandsAreTheirsTimesTheClock) {
    std::puts(
        "| memory | requests | nJ each: ACT | DRAMsim3 | RD | DRAMsim3 | WR | DRAMsim3 | REF | DRAMsim3 | uJ: all | "
        "DRAMsim3 |");
    std::puts("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    const DramEnergyTable table = load_dram_energy();
    for (const Comparison& run : runs()) {
        if (run.memory.standard == "HBM2-2000") {
            continue;
        }
        const DramStandard& standard = *find_dram_standard(run.memory.standard);
        const DramPrices prices(table.of(run.memory.standard), standard);
        const double clock_ns = standard.clock_period_ps * 1e-3;
        const auto theirs = [&](const char* energy, double count) {
            return count == 0 ? 0 : number(run.row, energy) * clock_ns / count;
        };
        const auto reads = static_cast<double>(run.test.reads);
        const auto writes = static_cast<double>(run.test.writes);
        const std::array<std::pair<double, double>, 4> each{
            {{prices.each(DramEnergyTerm::activate).count(), theirs("act_energy_pj", number(run.row, "num_act"))},
             {prices.each(DramEnergyTerm::read).count(), theirs("read_energy_pj", reads)},
             {prices.each(DramEnergyTerm::write).count(), theirs("write_energy_pj", writes)},
             {prices.each(DramEnergyTerm::refresh).count(), theirs("ref_energy_pj", number(run.row, "num_ref"))}}};
        fmt::print("| {} | {}", run.memory.standard, run.row.at("requests"));
        SCOPED_TRACE(run.row.at("config") + ' ' + run.row.at("requests"));
        for (const auto& [ours, their] : each) {
            fmt::print(" | {:.3f} | {:.3f}", ours * 1e-3, their * 1e-3);
            if (their > 0) {
                EXPECT_NEAR(deviation(ours, their), 0, 0.01);  // their tRFC and clock are rounded
            }
        }
        const double total = prices.price(run.test.counters).total().count();
        const double their_total = number(run.row, "total_energy_pj") * clock_ns;
        fmt::print(" | {:.1f} | {:.1f} |\n", total * 1e-6, their_total * 1e-6);
        EXPECT_NEAR(deviation(total, their_total), 0, expectation_of(run.row).tolerance + 0.02);
    }
}

}  // namespace
}  // namespace nibble
