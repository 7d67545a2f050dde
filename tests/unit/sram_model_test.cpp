// SPDX-License-Identifier: MIT
#include "sim/energy/sram_model.h"

#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/energy/least_squares.h"
#include "sim/energy/technology.h"
#include "tests/support/plain_sram.h"

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// y = 1 + 2 x through (0, 1), (1, 3), (2, 5); with (2, 8) instead the least sum of squares is at y = 0.5 + 3.5 x: its
// residuals 0.5, -1, 0.5 add up to 0 and so do their products with x.
TEST(LeastSquares, FindsWhatLeavesTheLeast) {
    const std::vector<std::vector<double>> features{{1, 0}, {1, 1}, {1, 2}};
    const auto exact = least_squares(features, {1, 3, 5});
    ASSERT_TRUE(exact);
    EXPECT_THAT(*exact, ElementsAre(testing::DoubleNear(1, 1e-12), testing::DoubleNear(2, 1e-12)));
    const auto best = least_squares(features, {1, 3, 8});
    ASSERT_TRUE(best);
    EXPECT_THAT(*best, ElementsAre(testing::DoubleNear(0.5, 1e-12), testing::DoubleNear(3.5, 1e-12)));
}

TEST(LeastSquares, SaysWhenFeaturesDoNotTellApart) {
    EXPECT_FALSE(least_squares({{1, 2}, {2, 4}, {3, 6}}, {1, 2, 3}));
    EXPECT_FALSE(least_squares({{1, 0}}, {1}));
}

TEST(SramModel, ReproducesATableThatFollowsItsLaws) {
    const SramModel model(test::plain_sram_table(), 10, {});
    const SramCost cost = model.cost({.capacity_bytes = 10'000, .line_bytes = 20, .banks = 5});
    EXPECT_NEAR(cost.read.count(), 40, 1e-9);
    EXPECT_NEAR(cost.write.count(), 60, 1e-9);
    EXPECT_NEAR(cost.leakage_mw, 2500, 1e-7);
    EXPECT_NEAR(cost.area.count(), 5000, 1e-7);
}

TEST(SramModel, MultipliesByNodePortsAndTechnology) {
    const SramModel model(test::plain_sram_table(), 20, {.read = 0.5, .write = 0.25, .leakage = 0.2, .area = 0.1});
    const SramCost cost =
        model.cost({.capacity_bytes = 10'000, .line_bytes = 20, .banks = 5, .ports = BankPorts::one_read_one_write});
    EXPECT_NEAR(cost.read.count(), 40 * 10 * 2 * 0.5, 1e-8);
    EXPECT_NEAR(cost.write.count(), 60 * 10 * 3 * 0.25, 1e-8);
    EXPECT_NEAR(cost.leakage_mw, 2500 * 10 * 4 * 0.2, 1e-6);
    EXPECT_NEAR(cost.area.count(), 5000 * 10 * 5 * 0.1, 1e-6);
}

TEST(SramModel, NoMemoryTakesNothing) {
    const SramCost none = SramModel(test::plain_sram_table(), 10, {}).cost({.capacity_bytes = 0, .line_bytes = 16});
    EXPECT_EQ(none.read.count() + none.write.count() + none.leakage_mw + none.area.count(), 0);
    EXPECT_EQ(SramModel().cost({.capacity_bytes = 64, .line_bytes = 16}).area.count(), 0);
}

TEST(SramModel, RefusesATableThatDoesNotSay) {
    SramTable table = test::plain_sram_table();
    EXPECT_THROW(SramModel(table, 7, {}), InputError);
    std::erase_if(table.rows, [](const SramRow& row) { return row.macro.banks > 1; });
    EXPECT_THROW(SramModel(table, 10, {}), InputError) << "nothing says what banks do";
}

struct Figure {
    const char* name;
    double (*of)(const SramCost&);
    double worst;  // deviation of a row that still counts as a fit
};

// The rows span a factor of 512 in capacity, 16 in line width and 200 in read energy. One law for all of them comes
// within a quarter; it is no better than that, which is less than what CACTI's own choice of subarrays moves.
constexpr Figure figures[] = {
    {"read energy", [](const SramCost& cost) { return cost.read.count(); }, 0.25},
    {"write energy", [](const SramCost& cost) { return cost.write.count(); }, 0.25},
    {"leakage", [](const SramCost& cost) { return cost.leakage_mw; }, 0.25},
    {"area", [](const SramCost& cost) { return cost.area.count(); }, 0.25},
};

TEST(SramModel, ComesNearEveryRowOfCacti) {
    const SramTable table = load_sram_table("cacti7");
    ASSERT_GE(table.rows.size(), 12U);
    for (const Figure& figure : figures) {
        double sum = 0;
        for (const SramRow& row : table.rows) {
            const SramModel model(table, row.node_nm, {});
            const double published = figure.of(row.cost);
            const double fitted = figure.of(model.cost(row.macro));
            const double deviation = fitted / published - 1;
            fmt::print("{:<13} {} nm {:>8} B in {:>2} x {:>3} B: CACTI {:>8.4g}, fit {:>8.4g}, deviation {:+5.1f}%\n",
                       figure.name, row.node_nm, row.macro.capacity_bytes, row.macro.banks, row.macro.line_bytes,
                       published, fitted, 100 * deviation);
            EXPECT_LT(std::abs(deviation), figure.worst);
            sum += std::log(fitted / published);
        }
        EXPECT_NEAR(sum, 0, 1e-9) << "a least-squares fit with a free factor errs up as much as down";
    }
}

// The one macro with two ports that the factors were taken from (22 nm, 2 MB in lines of 32 bytes, a read and a write
// port): 134.9 pJ, 139.6 pJ, 3.665 mm2.
TEST(SramModel, ComesNearTheMacroBehindTheFactorsOfPorts) {
    const SramModel model(load_sram_table("cacti7"), 22, {});
    const SramCost cost =
        model.cost({.capacity_bytes = 2097152, .line_bytes = 32, .banks = 1, .ports = BankPorts::one_read_one_write});
    EXPECT_NEAR(cost.read.count() / 134.898, 1, 0.01);
    EXPECT_NEAR(cost.write.count() / 139.563, 1, 0.01);
    EXPECT_NEAR(cost.area.count() / 3.66505e6, 1, 0.01);
}

// More of anything never costs less energy or area; energy a byte falls with the width of a line.
TEST(SramModel, GrowsWithCapacityWidthBanksAndPorts) {
    for (const char* technology : {"7nm", "45nm"}) {
        const SramModel model = load_technology(technology).area.sram;
        SramMacro macro{.capacity_bytes = 16 * 1024, .line_bytes = 16, .banks = 1};
        const auto expect_more = [&](const SramMacro& larger, const char* what) {
            const SramCost less = model.cost(macro);
            const SramCost more = model.cost(larger);
            EXPECT_GT(more.read, less.read) << what;
            EXPECT_GT(more.write, less.write) << what;
            EXPECT_GT(more.area, less.area) << what;
        };
        for (std::uint64_t capacity = 16 * 1024; capacity <= 8 << 20; capacity *= 2) {
            macro.capacity_bytes = capacity;
            SramMacro larger = macro;
            larger.capacity_bytes *= 2;
            expect_more(larger, "capacity");
            EXPECT_GT(model.cost(larger).leakage_mw, model.cost(macro).leakage_mw);
            SramMacro wider = macro;
            wider.line_bytes *= 2;
            expect_more(wider, "line width");
            EXPECT_LT(model.cost(wider).read, model.cost(macro).read * 2);
            SramMacro banked = macro;
            banked.banks *= 2;
            expect_more(banked, "banks");
            SramMacro ported = macro;
            ported.ports = BankPorts::one_read_one_write;
            expect_more(ported, "ports");
        }
    }
}

// 7 nm: Jouppi's 14 pJ for 64 bits of a 1 MB cache, of which a plain RAM takes 67.7 / 100. For this macro the fit lies
// 7% above CACTI at 22 nm and 10% at 45 nm (see the rows).
TEST(SramModel, MeetsTheAnchorOfEachTechnology) {
    const SramMacro anchor{.capacity_bytes = 1 << 20, .line_bytes = 8, .banks = 1};
    EXPECT_NEAR(load_technology("7nm").area.sram.cost(anchor).read.count(), 14 * 0.677, 0.11 * 14 * 0.677);
    EXPECT_NEAR(load_technology("45nm").area.sram.cost(anchor).read.count(), 67.7, 0.11 * 67.7);
}

std::vector<std::string> problems_of(const std::string& text) {
    std::vector<std::string> lines;
    try {
        static_cast<void>(parse_sram_table(text, "s.yaml"));
    } catch (const InputError& error) {
        for (const Problem& problem : error.problems()) {
            lines.push_back(to_string(problem));
        }
    }
    return lines;
}

const std::string row =
    "{node_nm: 22, capacity_bytes: 64, line_bytes: 8, banks: 1, read_pj: 1, write_pj: 1, "
    "leakage_mw: 1, area_mm2: 1}";
const std::string ports =
    "ports:\n"
    "  - {ports: 1r1w, read: 2, write: 2, area: 2, leakage: 2, source: s}\n"
    "  - {ports: 2rw, read: 3, write: 3, area: 3, leakage: 3, source: s}\n";

TEST(SramTableTest, ReadsRowsAndPorts) {
    const SramTable table = parse_sram_table("rows:\n  - " + row + "\n" + ports, "s.yaml");
    ASSERT_EQ(table.rows.size(), 1U);
    EXPECT_EQ(table.rows[0].cost.area, SquareMicrometres(1e6));
    EXPECT_EQ(table.ports[static_cast<std::size_t>(BankPorts::one_read_or_write)].read, 1);
    EXPECT_EQ(table.ports[static_cast<std::size_t>(BankPorts::two_read_or_write)].area, 3);
}

TEST(SramTableTest, NamesWhatIsWrong) {
    EXPECT_THAT(problems_of("rows:\n  - {node_nm: 22}\n" + ports), testing::SizeIs(7));
    EXPECT_THAT(problems_of("rows:\n  - " + row +
                            "\nports:\n  - {ports: 1r1w, read: 2, write: 2, area: 2, leakage: 2, "
                            "source: s}\n"),
                ElementsAre("s.yaml:4:3: ports: no row for 2rw"));
    std::string twice = ports;
    twice.replace(twice.find("2rw"), 3, "1r1w");
    EXPECT_THAT(problems_of("rows:\n  - " + row + "\n" + twice),
                ElementsAre(HasSubstr("ports[1].ports: listed twice"), HasSubstr("ports: no row for 2rw")));
    std::string unsourced = ports;
    unsourced.replace(unsourced.find("source: s"), 9, "source: ''");
    EXPECT_THAT(problems_of("rows:\n  - " + row + "\n" + unsourced),
                ElementsAre(HasSubstr("every number needs its source")));
}

}  // namespace
}  // namespace nibble
