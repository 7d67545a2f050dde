// SPDX-License-Identifier: MIT
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"
#include "sim/report/text_report.h"
#include "sim/report/text_table.h"
#include "tests/unit/report_samples.h"

namespace nibble {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(NumberFormat, Grouped) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1000), "1,000");
    EXPECT_EQ(grouped(12345678), "12,345,678");
    EXPECT_EQ(grouped(18446744073709551615U), "18,446,744,073,709,551,615");
}

TEST(NumberFormat, WithPrefix) {
    EXPECT_EQ(with_prefix(0), "0");
    EXPECT_EQ(with_prefix(0, "J"), "0 J");
    EXPECT_EQ(with_prefix(1.814e9), "1.81 G");
    EXPECT_EQ(with_prefix(0.0123, "s"), "12.3 ms");
    EXPECT_EQ(with_prefix(950, "s"), "950 s");
    EXPECT_EQ(with_prefix(999.4), "999");
    EXPECT_EQ(with_prefix(999.6), "1.00 k");
    EXPECT_EQ(with_prefix(0.0009996, "s"), "1.00 ms");
    EXPECT_EQ(with_prefix(99.96), "100");
    EXPECT_EQ(with_prefix(9.996), "10.0");
    EXPECT_EQ(with_prefix(3e-15, "J"), "0.00 pJ");
    EXPECT_EQ(with_prefix(5e21), "5000 E");
}

TEST(NumberFormat, BytesRatiosSharesAndTimes) {
    EXPECT_EQ(byte_size(1023), "1023 B");
    EXPECT_EQ(byte_size(1024), "1.00 KiB");
    EXPECT_EQ(byte_size(1536.0 * 1024), "1.50 MiB");
    EXPECT_EQ(ratio(3.714), "3.71x");
    EXPECT_EQ(ratio(12.34), "12.3x");
    EXPECT_EQ(ratio(0.0641), "0.064x");
    EXPECT_EQ(percent(0.512), "51%");
    EXPECT_EQ(percent(0.003), "0.3%");
    EXPECT_EQ(percent(0), "0%");
    EXPECT_EQ(duration(0.35), "350 ms");
    EXPECT_EQ(duration(4.23), "4.2 s");
    EXPECT_EQ(duration(200), "3 min 20 s");
    EXPECT_EQ(duration(3900), "1 h 5 min");
}

TEST(SafeText, TerminalsAreNotSteered) {
    EXPECT_EQ(for_terminal("a\x1b[31mb\n\x7f", 20), "a?[31mb??");
    EXPECT_EQ(for_terminal("\xc2\x9b"
                           "31m",
                           20),
              "?31m");  // the 8-bit CSI, U+009B
    EXPECT_EQ(for_terminal("\xe2\x80\xae"
                           "abc",
                           20),
              "?abc");                                                    // right-to-left override
    EXPECT_EQ(for_terminal("\xff\xfe", 20), "\xef\xbf\xbd\xef\xbf\xbd");  // no UTF-8
    EXPECT_EQ(for_terminal("\xc3\xa4"
                           "bc",
                           20),
              "\xc3\xa4"
              "bc");
}

TEST(SafeText, CutsByCharacters) {
    EXPECT_EQ(for_terminal("abcdefgh", 8), "abcdefgh");
    EXPECT_EQ(for_terminal("abcdefghi", 8), "abcde...");
    EXPECT_EQ(for_terminal("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 4), "\xc3\xa4...");
    EXPECT_EQ(for_terminal("abcdef", 2), "..");
}

TEST(SafeText, OnlyWellFormedUtf8IsKept) {
    const std::string replaced = "\xef\xbf\xbd";
    EXPECT_EQ(to_utf8("\xc0\xaf"), replaced + replaced);                                // overlong
    EXPECT_EQ(to_utf8("\xed\xa0\x80"), replaced + replaced + replaced);                 // surrogate
    EXPECT_EQ(to_utf8("\xf4\x90\x80\x80"), replaced + replaced + replaced + replaced);  // above U+10FFFF
    EXPECT_EQ(to_utf8("\xe2\x82"), replaced + replaced);                                // cut short
    EXPECT_EQ(to_utf8("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
}

TEST(Bar, LengthIsTheShare) {
    EXPECT_EQ(bar(0.5, 10, {}), "#####");
    EXPECT_EQ(bar(1, 10, {}), "##########");
    EXPECT_EQ(bar(0, 10, {}), "");
    EXPECT_EQ(bar(0.001, 10, {}), "#");
    EXPECT_EQ(bar(0.0001, 10, {}), "");
    EXPECT_EQ(bar(0.25, 10, {.unicode = true}), "██▌");
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

void expect_fits(const std::string& text) {
    for (const std::string& line : lines_of(text)) {
        EXPECT_LE(display_width(line), report_width) << line;
    }
}

TEST(TextReport, SaysTheHeadline) {
    const std::string text = text_report(samples::result(), {});
    EXPECT_THAT(text, HasSubstr("three: one training step, batch 2"));
    EXPECT_THAT(text, HasSubstr("iso-mac-area"));
    // 712 / 310 = 2.297 of 4 promised: 57%; 16778 / 5555 = 3.020.
    EXPECT_THAT(text, HasSubstr("2.30x faster, 3.02x less energy\n"));
    EXPECT_THAT(text, HasSubstr("MAC area alone promised 4.00x (Sun et al. 2020: 7.3x): 57% of it is left"));
    expect_fits(text);
}

TEST(TextReport, SaysWhatStayedOnChip) {
    Result result = samples::result();
    result.machine.totals.counters[index_of(Counter::dram_bytes_read)] = 10'000;
    result.machine.totals.counters[index_of(Counter::dram_bytes_written)] = 752;
    const std::string text = text_report(result, {});
    EXPECT_THAT(text, testing::ContainsRegex("activation +3 +3.00 KiB +1.00 KiB +3 +3.00 KiB +1.00 KiB\n"));
    EXPECT_THAT(text, testing::ContainsRegex("state +1 +-512 B +0 B"));
    EXPECT_THAT(text, Not(HasSubstr("mask"))) << "none stayed";
    EXPECT_THAT(text, testing::ContainsRegex("all +4 +2.50 KiB +1.00 KiB"));
    // 3584 bytes spared, 10752 moved: a quarter of 14 KiB.
    EXPECT_THAT(text, testing::ContainsRegex("DRAM traffic spared +3.50 KiB of 14.0 KiB .25%."));
    EXPECT_THAT(text, HasSubstr("5 element-wise steps in 2 GEMMs, 1 narrow copies\n"));
}

TEST(TextReport, NoColourUnlessAskedFor) {
    EXPECT_THAT(text_report(samples::result(), {}), Not(HasSubstr("\x1b")));
    EXPECT_THAT(text_report(samples::result(), {.colour = true}), HasSubstr("\x1b["));
}

TEST(TextReport, OneMachineAlone) {
    const std::string text = text_report(samples::result(false), {});
    EXPECT_THAT(text, Not(HasSubstr("baseline")));
    EXPECT_THAT(text, Not(HasSubstr("faster")));
    expect_fits(text);
}

TEST(TextTable, ShortensNamesFirst) {
    TextTable table({{"layer"}, {"cycles"}});
    table.add({"block1.sub2.conv3", "1,000"});
    // 2 of indent, 17 of the name, 2 between, 6 of the title: 27.
    EXPECT_EQ(table.text({.width = 27}), "  layer              cycles\n  block1.sub2.conv3   1,000\n");
    // 14 are left for the name: 3 dots, 6 before and 5 behind.
    EXPECT_EQ(table.text({.width = 24}), "  layer           cycles\n  block1...conv3   1,000\n");
}

TEST(TextTable, ContinuesBelowWhatHasNoRoomBeside) {
    TextTable table({{"layer"}, {"first"}, {"second"}, {"third"}});
    table.add({"a", "1", "22", "333"});
    table.add_rule();
    table.add({"b", "4", "55", "666"});
    // Behind the name (2 + 5), 2 + 5 and 2 + 6 make 22; the third takes a line of its own.
    EXPECT_EQ(table.text({.width = 22}),
              "  layer  first  second\n  a          1      22\n  --------------------\n  b          4      55\n"
              "\n  layer  third\n  a        333\n  ------------\n  b        666\n");
}

TEST(Fitted, TextsGoOnBelowWhereTheyBegan) {
    EXPECT_EQ(fitted("  machine  edge int4 wide\nshort\n", {.width = 24}),
              "  machine  edge int4\n           wide\nshort\n");
    EXPECT_EQ(fitted("one two three", {.width = 9}), "one two\nthree");
}

TEST(Bar, IsShorterWhereLinesAre) {
    EXPECT_EQ(bar(1, 10, {}), std::string(10, '#'));
    EXPECT_EQ(bar(1, 10, {.width = 60}), std::string(6, '#'));
}

TEST(SafeText, CutsTheMiddleBetweenCharacters) {
    EXPECT_EQ(without_middle("abcdefgh", 8), "abcdefgh");
    EXPECT_EQ(without_middle("abcdefgh", 7), "ab...gh");
    EXPECT_EQ(without_middle("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc", 5), "\xc3\xa4...\xc3\xbc");
    EXPECT_EQ(without_middle("abcdefgh", 2), "..");
}

TEST(TextReport, HostileNamesDoNoHarm) {
    Result result = samples::result();
    const std::string name = samples::hostile_name();
    result.setup.network = name;
    result.setup.machine.machine.name = name;
    result.setup.baseline->rule = name;
    result.setup.baseline->notes = {name};
    result.groups[0].group = name;
    const std::string text = text_report(result, {});
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    expect_fits(text);
}

TEST(TextReport, ManyGroupsAreShortened) {
    Result result = samples::result();
    const Comparison one = result.groups[0];
    result.groups.clear();
    for (int i = 0; i < 1000; ++i) {
        result.groups.push_back(one);
        result.groups.back().group = "group " + std::to_string(i);
    }
    EXPECT_LT(lines_of(text_report(result, {})).size(), 120U);
}

/// The report of three operations whose first two GEMMs have these values.
std::string report_with(std::shared_ptr<const ValueRecord> first, std::shared_ptr<const ValueRecord> second) {
    std::vector<OpRecord> machine = samples::machine_records();
    machine[0].values = std::move(first);
    machine[1].values = std::move(second);
    ResultCollector collector(samples::setup(false));
    for (const OpRecord& record : machine) {
        collector.add(record, nullptr);
    }
    return text_report(collector.finish(samples::summary_of(machine), nullptr), TextStyle{});
}

TEST(TextReport, QuantisationOfRecordedValuesWorstFirst) {
    const std::string report = report_with(samples::values("fp4_even", 0.125), samples::values("fp4_odd", 0.25));
    EXPECT_THAT(report,
                HasSubstr("GEMMs with recorded operands: 2; outputs compared with full precision: 2; the 2 worst"));
    // dx has twice the error of forward; the array's error is twice the other in both.
    EXPECT_THAT(report, testing::ContainsRegex("a +dx +fp4_odd x int4_signed +20.0, exact +25% +50%\n"
                                               " +a +forward +fp4_even x int4_signed +20.0, exact +12.5% +25%\n"));
    // Operands, SQNR, clipped, underflowed, zero codes, bits toggled.
    EXPECT_THAT(report, testing::ContainsRegex("fp4_even +1 +20.0 +12% +25% +50% +38%"));
    EXPECT_THAT(report, testing::ContainsRegex("int4_signed +2 +exact +12% +25% +50% +-"));
}

TEST(TextReport, OverflowIsTheWorst) {
    auto overflown = std::make_shared<ValueRecord>(*samples::values("fp4_odd", 0.125));
    overflown->output->overflowed = 0.5;
    overflown->output->array_relative_error.reset();
    const std::string report = report_with(samples::values("fp4_even", 0.5), overflown);
    EXPECT_THAT(report, testing::ContainsRegex("dx .* 12.5% +50% overflow\n.* forward .* 50% +100%\n"));
}

TEST(TextReport, ValuesDrawnFromAHashAreNoFinding) {
    auto hashed = std::make_shared<ValueRecord>(*samples::values("fp4_odd", {}));
    hashed->operands[0].recorded.reset();
    EXPECT_THAT(report_with(hashed, nullptr), Not(HasSubstr("Quantisation")));
    EXPECT_THAT(report_with(samples::values("fp4_even", {}), nullptr),
                HasSubstr("GEMMs with recorded operands: 1; outputs compared with full precision: 0\n"));
}

TEST(ValueSummary, KeepsTheWorstAndCountsAll) {
    ValueSummary summary;
    OpRecord record = samples::machine_records()[0];
    for (std::uint64_t i = 0; i < 100; ++i) {
        record.index = i;
        record.values = samples::values("fp4_even", static_cast<double>(i * 37 % 100));  // each of 0..99 once
        summary.add(record, nullptr);
    }
    EXPECT_EQ(summary.compared(), 100U);
    ASSERT_EQ(summary.worst().size(), ValueSummary::most_worst);
    for (std::size_t i = 0; i < ValueSummary::most_worst; ++i) {
        EXPECT_EQ(summary.worst()[i].values.output->relative_error, 99.0 - static_cast<double>(i));
    }
    EXPECT_EQ(summary.formats().at("fp4_even").operands, 100U);
}

}  // namespace
}  // namespace nibble
