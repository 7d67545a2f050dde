// SPDX-License-Identifier: MIT
#include "sim/wave/vcd_writer.h"

#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace nibble {
namespace {

TEST(VcdWriter, WritesChangesOnly) {
    std::ostringstream out;
    VcdWriter vcd(out, "top", 500, "a comment");
    const std::size_t bit = vcd.add("one", "bit", 1);
    const std::size_t word = vcd.add("one", "word", 4);
    const std::size_t other = vcd.add("two", "other", 1);
    vcd.begin(10);
    vcd.set(bit, 1);
    vcd.go_to(11);
    vcd.set(word, 5);
    vcd.set(other, 0);  // as it is
    vcd.go_to(12);
    vcd.set(bit, 0);
    vcd.set(bit, 1);  // back before the cycle is over
    vcd.go_to(20);
    vcd.set(bit, 0);
    vcd.finish(30);
    // Times are cycles of 500 ps.
    EXPECT_EQ(out.str(),
              "$comment a comment $end\n$timescale 1ps $end\n$scope module top $end\n"
              "$scope module one $end\n$var wire 1 ! bit $end\n$var wire 4 \" word [3:0] $end\n$upscope $end\n"
              "$scope module two $end\n$var wire 1 # other $end\n$upscope $end\n$upscope $end\n$enddefinitions $end\n"
              "#5000\n$dumpvars\n1!\nb0 \"\n0#\n$end\n"
              "#5500\nb101 \"\n"
              "#10000\n0!\n"
              "#15000\n");
}

TEST(VcdWriter, CodesAreDifferentAndPrintable) {
    std::ostringstream out;
    VcdWriter vcd(out, "top", 1, "");
    constexpr int signals = 20'000;
    for (int i = 0; i < signals; ++i) {
        vcd.add("m", "s", 1);
    }
    vcd.begin(0);
    std::istringstream in(out.str());
    std::set<std::string> codes;
    for (std::string word; in >> word;) {
        if (word == "$var") {
            in >> word >> word >> word;
            codes.insert(word);
            for (const char c : word) {
                EXPECT_TRUE(c >= '!' && c <= '~');
            }
        }
    }
    EXPECT_EQ(codes.size(), std::size_t{signals});
}

TEST(VcdWriter, NamesAreMadeValid) {
    EXPECT_EQ(vcd_name("edge-int4 (2ch)\n$end"), "edge_int4__2ch___end");
}

}  // namespace
}  // namespace nibble
