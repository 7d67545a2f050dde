// SPDX-License-Identifier: MIT
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/explore/front_plot.h"
#include "sim/explore/metric_unit.h"
#include "sim/explore/plot_scale.h"
#include "tests/unit/explore_samples.h"

namespace nibble {
namespace {

using test::point;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> labels_of(const PlotScale& scale) {
    std::vector<std::string> labels;
    for (const PlotScale::Tick& tick : scale.ticks()) {
        labels.push_back(tick.label);
    }
    return labels;
}

TEST(MetricUnit, FollowsFromTheName) {
    EXPECT_EQ(metric_text("energy_pj", 1.09e11), "109 mJ");
    EXPECT_EQ(metric_text("cycles", 52'400'000), "52.4 M");
    EXPECT_EQ(metric_text("area_um2", 3'200'000), "3.2 mm2");
    EXPECT_EQ(metric_text("time_ms", 52.4), "52.4 ms");
    EXPECT_EQ(metric_text("power_mw", 2430), "2.43 W");
    EXPECT_EQ(metric_text("dram_bytes_per_s", 51.2e9), "51.2 GB/s");
    EXPECT_EQ(metric_text("peak_macs_per_s", 4.096e12), "4.10 TMAC/s");
    EXPECT_EQ(metric_text("speedup", 2.4), "2.40");
    EXPECT_EQ(metric_text("energy_delay_pj_s", 5.9e9), "5.90 mJ s");
    EXPECT_EQ(unit_of("peak_macs_per_s").quantity, "peak");
    EXPECT_EQ(unit_of("dram_energy_pj").quantity, "dram energy");
    EXPECT_EQ(unit_of("_pj").unit, "");
}

TEST(PlotScale, MarksRoundNumbers) {
    // 0.0312 to 0.109 J: a seventh of the range is 0.0111, so steps of 0.02 J, of which 0.1 and more are not yet J.
    const PlotScale energy("energy_pj", 3.12e10, 1.09e11);
    EXPECT_EQ(energy.label(), "energy (mJ)");
    EXPECT_THAT(labels_of(energy), ElementsAre("20", "40", "60", "80", "100", "120"));
    EXPECT_DOUBLE_EQ(energy.place(2e10), 0);
    EXPECT_DOUBLE_EQ(energy.place(7e10), 0.5);
    EXPECT_THAT(labels_of(PlotScale("speedup", 1.1, 2.4)),
                ElementsAre("1.0", "1.2", "1.4", "1.6", "1.8", "2.0", "2.2", "2.4"));
    EXPECT_EQ(PlotScale("cycles", 1e6, 9e6).label(), "cycles (M)");
}

TEST(PlotScale, IsLogarithmicBeyondTwoDecades) {
    EXPECT_FALSE(PlotScale("cycles", 1, 100).logarithmic());
    EXPECT_FALSE(PlotScale("cycles", 0, 1e9).logarithmic());
    const PlotScale wide("cycles", 30, 4000);
    EXPECT_TRUE(wide.logarithmic());
    EXPECT_THAT(labels_of(wide), ElementsAre("20.0", "50.0", "100", "200", "500", "1.00 k", "2.00 k", "5.00 k"));
    EXPECT_THAT(labels_of(PlotScale("speedup", 0.1, 20)),
                ElementsAre("0.1", "0.2", "0.5", "1.00", "2.00", "5.00", "10.0", "20.0"));
    EXPECT_THAT(labels_of(PlotScale("utilization", 0, 0.3)),
                ElementsAre("0.00", "0.05", "0.10", "0.15", "0.20", "0.25", "0.30"));
    EXPECT_NEAR(wide.place(20), 0, 1e-12);
    EXPECT_NEAR(wide.place(5000), 1, 1e-12);
}

TEST(PlotScale, HoldsAnyNumbers) {
    for (const auto& [least, most] : std::vector<std::pair<double, double>>{{0, 0},
                                                                            {5, 5},
                                                                            {-3, 4},
                                                                            {0, 5e-324},
                                                                            {5e-324, 1e100},
                                                                            {-1e100, 1e100},
                                                                            {-1e-150, 1e-150},
                                                                            {1e15, 1e15 + 1},
                                                                            {1e-100, 1e100}}) {
        const PlotScale scale("x", least, most);
        EXPECT_FALSE(scale.ticks().empty());
        EXPECT_LE(scale.ticks().size(), 250U);
        EXPECT_GE(scale.place(least), -1e-9);
        EXPECT_LE(scale.place(most), 1 + 1e-9);
    }
}

std::string svg_of(const PointTable& table, const Objective& x, const Objective& y) {
    std::ostringstream out;
    const std::vector<Objective> both{x, y};
    write_front_svg(out, table, pareto_fronts(table, both, true), x, y);
    return out.str();
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

TEST(FrontPlot, DrawsPointsFrontAndWhatTheyAre) {
    PointTable table = test::small_table();
    table.rows = {point(0, {"8", "1"}, {1e10, 1}), point(1, {"16", "1"}, {2e10, 2}), point(2, {"32", "1"}, {2e10, 1.5}),
                  point(3, {"64", "1"}, {3e10, std::nullopt})};
    const std::string svg = svg_of(table, table.objectives[0], table.objectives[1]);
    EXPECT_EQ(count_of(svg, "<circle"), 3U);
    EXPECT_EQ(count_of(svg, "</path>"), 2U);  // marks of the front
    EXPECT_THAT(svg,
                HasSubstr("<title>design 1, base, net\nrows: 16\nbw: 1\nenergy_pj: 20.0 mJ\nspeedup: 2.00</title>"));
    EXPECT_THAT(svg, HasSubstr("energy (mJ), less is better"));
    EXPECT_THAT(svg, HasSubstr("speedup, more is better"));
}

TEST(FrontPlot, LineIsTheEdgeOfWhatIsDominated) {
    // Both axes from 1 to 2, so that points are corners: x 90 to 870, y 490 (1) to 50 (2). What the front dominates
    // lies below and right of it where y is to be large and x small: from the left point to the right, then up.
    PointTable table = test::small_table();
    table.metrics = {"a", "b"};
    table.rows = {point(0, {"", ""}, {1, 1}), point(1, {"", ""}, {2, 2})};
    EXPECT_THAT(svg_of(table, {"a", false}, {"b", true}), HasSubstr("\"M90.0,490.0H870.0V50.0\""));
    // Large x, small y: what it dominates lies above and left: up, then to the right.
    EXPECT_THAT(svg_of(table, {"a", true}, {"b", false}), HasSubstr("\"M90.0,490.0V50.0H870.0\""));
}

TEST(FrontPlot, HostileTextStaysText) {
    PointTable table = test::small_table();
    table.study = "</svg><script>alert(\"1\")</script>";
    table.rows = {point(0, {"<b>", "&\"'\x01\xff"}, {1, 1}, "<i>"),
                  point(1, {"", ""}, {2, 1}, std::string(10'000, 'w'))};
    const std::string svg = svg_of(table, table.objectives[0], table.objectives[1]);
    EXPECT_THAT(svg, Not(HasSubstr("<script")));
    EXPECT_THAT(svg, Not(HasSubstr("<b>")));
    EXPECT_THAT(svg, Not(HasSubstr("<i>")));
    EXPECT_THAT(svg, Not(HasSubstr("\x01")));
    EXPECT_THAT(svg, Not(HasSubstr("\xff")));
    EXPECT_LT(svg.size(), 20'000U);
}

TEST(FrontPlot, OfNothingSaysSo) {
    const PointTable table = test::small_table();
    EXPECT_THAT(svg_of(table, table.objectives[0], table.objectives[1]), HasSubstr("</svg>"));
    std::ostringstream out;
    write_front_svg(out, table, pareto_fronts(table, table.objectives, false), table.objectives[0],
                    table.objectives[1]);
    EXPECT_THAT(out.str(), HasSubstr("no points"));
}

}  // namespace
}  // namespace nibble
