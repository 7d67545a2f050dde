// SPDX-License-Identifier: MIT
#include "models/scratchpad/scratchpad_core.h"

#include <array>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/support/random_case.h"

namespace nibble {
namespace {

using enum ScratchpadClient;

constexpr std::array<ScratchpadClient, scratchpad_client_count> clients{mac_array, log_gradient, vector_unit, load,
                                                                        store};

ScratchpadParameters memory(std::uint32_t banks, BankPorts ports = BankPorts::one_read_or_write) {
    return {.capacity_bytes = 1024, .resident_bytes = 0, .banks = banks, .line_bytes = 32, .ports = ports};
}

ScratchpadParameters five_memories(std::uint32_t banks) {
    ScratchpadParameters made = memory(banks);
    made.capacity_bytes = 5 * 256;
    made.resident_bytes = 256;
    made.buffers = TileBytes{256, 256, 256, 256};
    return made;
}

ScratchpadRequest lines(std::uint64_t count, std::uint32_t per_cycle, LineAccess access = LineAccess::read,
                        ScratchpadPart part = ScratchpadPart::left) {
    ScratchpadRequest request;
    request.add({.part = part, .access = access, .lines_per_cycle = per_cycle, .first_line = 0, .lines = count});
    return request;
}

/// Cycles until a client's request is served, one by one.
std::uint64_t cycles_until_done(ScratchpadCore& core, ScratchpadClient client) {
    std::uint64_t cycles = 0;
    while (core.busy(client)) {
        core.advance(1);
        ++cycles;
    }
    return cycles;
}

/// Two clients of ten lines at two a cycle each, from bank 0 of two banks: cycles until the second is done.
std::uint64_t cycles_of_two(const ScratchpadParameters& parameters, const ScratchpadRequest& first,
                            const ScratchpadRequest& second) {
    ScratchpadCore core(parameters);
    core.start(mac_array, first);
    core.start(load, second);
    return cycles_until_done(core, load);
}

TEST(ScratchpadCore, AloneARequestGoesAtItsOwnPace) {
    ScratchpadCore core(memory(8));
    core.start(vector_unit, lines(11, 3));
    EXPECT_EQ(core.least_cycles_to_an_end(), 4U);  // 3, 3, 3, 2
    core.advance(1);
    EXPECT_EQ(core.least_cycles_to_an_end(), 3U);
    EXPECT_EQ(cycles_until_done(core, vector_unit), 3U);
    EXPECT_EQ(core.take_conflicts(vector_unit), 0U);
    EXPECT_FALSE(core.any_busy());
    EXPECT_EQ(core.least_cycles_to_an_end(), 0U);
}

// Ten lines on two banks take five cycles. In one memory the second client waits for the first.
TEST(ScratchpadCore, OneMemoryServesOneClientAfterTheOther) {
    EXPECT_EQ(cycles_of_two(memory(2), lines(10, 2), lines(10, 2, LineAccess::write)), 10U);
    EXPECT_EQ(cycles_of_two(memory(2), lines(10, 2), lines(10, 2, LineAccess::write, ScratchpadPart::right)), 10U)
        << "parts share it";
}

TEST(ScratchpadCore, SeparateMemoriesWorkSideBySide) {
    EXPECT_EQ(cycles_of_two(five_memories(2), lines(10, 2), lines(10, 2, LineAccess::write, ScratchpadPart::right)),
              5U);
    EXPECT_EQ(cycles_of_two(five_memories(2), lines(10, 2), lines(10, 2, LineAccess::write)), 10U);
    EXPECT_EQ(cycles_of_two(five_memories(2), lines(10, 2, LineAccess::read, ScratchpadPart::resident), lines(10, 2)),
              5U);
}

TEST(ScratchpadCore, ABufferHasItsOwnBanks) {
    ScratchpadParameters parameters = five_memories(2);
    parameters.buffer_banks = {0, 1, 4, 0};
    for (const auto& [part, cycles] :
         {std::pair{ScratchpadPart::left, 10U}, std::pair{ScratchpadPart::right, 20U},
          std::pair{ScratchpadPart::output, 5U}, std::pair{ScratchpadPart::resident, 10U}}) {
        ScratchpadCore core(parameters);
        core.start(load, lines(20, 9, LineAccess::write, part));
        EXPECT_EQ(cycles_until_done(core, load), cycles);
    }
}

TEST(ScratchpadCore, ReadersAndWritersHaveTheirOwnPortsOrShareThem) {
    using enum LineAccess;
    EXPECT_EQ(cycles_of_two(memory(2, BankPorts::one_read_one_write), lines(10, 2), lines(10, 2, write)), 5U);
    EXPECT_EQ(cycles_of_two(memory(2, BankPorts::one_read_one_write), lines(10, 2), lines(10, 2)), 10U);
    EXPECT_EQ(cycles_of_two(memory(2, BankPorts::one_read_one_write), lines(10, 2, write), lines(10, 2, write)), 10U);
    EXPECT_EQ(cycles_of_two(memory(2, BankPorts::two_read_or_write), lines(10, 2), lines(10, 2)), 5U);
    EXPECT_EQ(cycles_of_two(memory(2, BankPorts::two_read_or_write), lines(10, 2, write), lines(10, 2, write)), 5U);
}

// Of three streams the longest, 9 lines at one a cycle, decides. In one memory of 4 banks the three start at bank 0:
// the second waits one cycle and the third two, then all slide past each other.
TEST(ScratchpadCore, ARequestIsDoneWhenAllItsStreamsAre) {
    ScratchpadRequest request = lines(4, 1);
    request.add({.part = ScratchpadPart::right, .lines_per_cycle = 1, .first_line = 0, .lines = 9});
    request.add({.part = ScratchpadPart::output, .access = LineAccess::write, .lines_per_cycle = 1, .lines = 2});
    for (const bool separate : {false, true}) {
        ScratchpadCore core(separate ? five_memories(4) : memory(4));
        core.start(mac_array, request);
        EXPECT_EQ(core.least_cycles_to_an_end(), 9U);
        EXPECT_EQ(cycles_until_done(core, mac_array), separate ? 9U : 10U);
        EXPECT_EQ(core.take_conflicts(mac_array), separate ? 0U : 1U + 2);
    }
}

// In memories of their own one client is done after 4 cycles and the other after 10, whoever started first.
TEST(ScratchpadCore, EachRequestEndsInItsOwnCycle) {
    for (const bool longer_first : {false, true}) {
        ScratchpadCore core(five_memories(4));
        if (longer_first) {
            core.start(load, lines(10, 1, LineAccess::write, ScratchpadPart::right));
        }
        core.start(mac_array, lines(4, 1));
        if (!longer_first) {
            core.start(load, lines(10, 1, LineAccess::write, ScratchpadPart::right));
        }
        EXPECT_EQ(core.least_cycles_to_an_end(), 4U);
        EXPECT_EQ(cycles_until_done(core, mac_array), 4U);
        EXPECT_EQ(core.least_cycles_to_an_end(), 6U);
        EXPECT_EQ(cycles_until_done(core, load), 6U);
    }
}

TEST(ScratchpadCore, ARequestOfNothingIsDoneAtOnce) {
    ScratchpadCore core(memory(2));
    core.start(load, lines(0, 1));
    EXPECT_FALSE(core.busy(load));
    EXPECT_EQ(core.least_cycles_to_an_end(), 0U);
}

TEST(ScratchpadCore, MisuseIsAModelError) {
    ScratchpadCore core(memory(2));
    core.start(load, lines(1, 1));
    EXPECT_THROW(core.start(load, lines(1, 1)), ModelError);
    EXPECT_THROW(core.start(store, lines(1, 0)), ModelError);
    ScratchpadRequest full;
    for (std::size_t i = 0; i < ScratchpadRequest::most_streams; ++i) {
        full.add({.lines = 1});
    }
    EXPECT_THROW(full.add({.lines = 1}), ModelError);
}

TEST(ScratchpadCore, PaceIsTheSlowestThatKeepsUp) {
    EXPECT_EQ(pace(10, 10), 1U);
    EXPECT_EQ(pace(11, 10), 2U);
    EXPECT_EQ(pace(1, 10), 1U);
    EXPECT_EQ(pace(0, 10), 1U);
    EXPECT_EQ(pace(7, 0), 7U);
}

/// Everything that a neighbour can see of a core.
std::vector<bool> seen(const ScratchpadCore& core) {
    std::vector<bool> all{core.any_busy()};
    for (const ScratchpadClient client : clients) {
        all.push_back(core.busy(client));
    }
    return all;
}

// What the skipping clock relies on: a jump of no more than least_cycles_to_an_end() is as many single cycles.
TEST(ScratchpadCore, AJumpIsAsManySingleCycles) {
    test::RandomCase random(41);
    std::uint64_t jumped = 0;
    for (int i = 0; i < 300; ++i) {
        const ScratchpadParameters parameters = random.machine().scratchpad;
        ScratchpadCore jumps(parameters);
        ScratchpadCore steps(parameters);
        for (int n = 0; n < 60; ++n) {
            for (const ScratchpadClient client : clients) {
                if (jumps.busy(client)) {
                    continue;
                }
                ASSERT_EQ(jumps.take_conflicts(client), steps.take_conflicts(client)) << "case " << i << " step " << n;
                if (random.number(0, 2) == 0) {
                    ScratchpadRequest request;
                    for (std::uint64_t streams = random.number(0, 3); streams-- > 0;) {
                        request.add({.part = static_cast<ScratchpadPart>(random.number(0, scratchpad_part_count - 1)),
                                     .access = random.coin() ? LineAccess::read : LineAccess::write,
                                     .lines_per_cycle = static_cast<std::uint32_t>(random.number(1, 12)),
                                     .first_line = random.number(0, 30),
                                     .lines = random.number(0, 120)});
                    }
                    jumps.start(client, request);
                    steps.start(client, request);
                }
            }
            const std::uint64_t end = jumps.least_cycles_to_an_end();
            const std::uint64_t jump = end > 1 ? random.number(1, end) : 1;
            jumps.advance(jump);
            for (std::uint64_t cycle = 0; cycle < jump; ++cycle) {
                const std::vector<bool> before = seen(steps);
                steps.advance(1);
                ASSERT_TRUE(cycle + 1 == jump || seen(steps) == before) << "nothing ends on the way";
            }
            jumped += jump > 1 ? 1 : 0;
            ASSERT_EQ(seen(jumps), seen(steps)) << "case " << i << " step " << n;
        }
    }
    EXPECT_GT(jumped, 1000U);
}

}  // namespace
}  // namespace nibble
