// SPDX-License-Identifier: MIT
#include "models/scratchpad/scratchpad_core.h"

#include <algorithm>
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

ScratchpadParameters banks(std::uint32_t count) {
    return {.capacity_bytes = 1024, .resident_bytes = 0, .banks = count, .line_bytes = 32};
}

ScratchpadRequest lines(std::uint64_t read, std::uint64_t written, std::uint64_t per_cycle) {
    return {.lines_read = read, .lines_written = written, .lines_per_cycle = per_cycle};
}

/// Cycles until a client's stream is served, one by one.
std::uint64_t cycles_until_done(ScratchpadCore& core, ScratchpadClient client) {
    std::uint64_t cycles = 0;
    while (core.busy(client)) {
        core.advance(1);
        ++cycles;
    }
    return cycles;
}

// 7 + 4 lines at 3 a cycle: 3, 3, 3, 2.
TEST(ScratchpadCore, AloneAStreamGoesAtItsOwnPace) {
    ScratchpadCore core(banks(8));
    core.start(vector_unit, lines(7, 4, 3));
    EXPECT_EQ(core.cycles_to_next_end(), 4U);
    EXPECT_EQ(cycles_until_done(core, vector_unit), 4U);
    EXPECT_EQ(core.conflicts(vector_unit), 0U);
    EXPECT_FALSE(core.any_busy());
    EXPECT_EQ(core.cycles_to_next_end(), 0U);
}

TEST(ScratchpadCore, NoMoreLinesThanBanksAreServedInACycle) {
    ScratchpadCore core(banks(4));
    core.start(load, lines(0, 10, 100));
    EXPECT_EQ(cycles_until_done(core, load), 3U);  // 4 + 4 + 2
    EXPECT_EQ(core.conflicts(load), 2U);           // in the third cycle it got the two that it still wanted
}

// 4 banks: the array takes 3 for two cycles; the loader, which wants 2, gets the one left over, twice, then 2, 2.
TEST(ScratchpadCore, ClientsAreServedByPriority) {
    ScratchpadCore core(banks(4));
    core.start(load, lines(0, 6, 2));
    core.start(mac_array, lines(6, 0, 3));
    core.advance(2);
    EXPECT_FALSE(core.busy(mac_array));
    EXPECT_EQ(core.conflicts(mac_array), 0U);
    EXPECT_EQ(core.conflicts(load), 2U);
    EXPECT_EQ(cycles_until_done(core, load), 2U);
    EXPECT_EQ(core.conflicts(load), 2U);
}

TEST(ScratchpadCore, AClientThatGetsNothingWaits) {
    ScratchpadCore core(banks(2));
    core.start(log_gradient, lines(10, 0, 2));
    core.start(store, lines(1, 0, 1));
    EXPECT_EQ(core.cycles_to_next_end(), 5U);
    EXPECT_EQ(cycles_until_done(core, store), 6U);
    EXPECT_EQ(core.conflicts(store), 5U);
}

TEST(ScratchpadCore, AStreamOfNothingIsDoneAtOnce) {
    ScratchpadCore core(banks(2));
    core.start(load, lines(0, 0, 1));
    EXPECT_FALSE(core.busy(load));
    EXPECT_EQ(core.cycles_to_next_end(), 0U);
}

TEST(ScratchpadCore, MisuseIsAModelError) {
    ScratchpadCore core(banks(2));
    core.start(load, lines(1, 0, 1));
    EXPECT_THROW(core.start(load, lines(1, 0, 1)), ModelError);
    EXPECT_THROW(core.start(store, lines(1, 0, 0)), ModelError);
}

/// Everything that can be seen of a core.
std::vector<std::uint64_t> seen(const ScratchpadCore& core) {
    std::vector<std::uint64_t> all{core.cycles_to_next_end()};
    for (const ScratchpadClient client : clients) {
        all.push_back(core.busy(client) ? 1 : 0);
        all.push_back(core.conflicts(client));
    }
    return all;
}

// What the skipping clock relies on: short of the next end, a jump is as many single cycles.
TEST(ScratchpadCore, AJumpIsAsManySingleCycles) {
    test::RandomCase random(41);
    std::uint64_t jumped = 0;
    for (int i = 0; i < 300; ++i) {
        const auto parameters = banks(static_cast<std::uint32_t>(random.number(1, 9)));
        ScratchpadCore jumps(parameters);
        ScratchpadCore steps(parameters);
        for (int n = 0; n < 60; ++n) {
            for (const ScratchpadClient client : clients) {
                if (!jumps.busy(client) && random.number(0, 2) == 0) {
                    const ScratchpadRequest request =
                        lines(random.number(0, 60), random.number(0, 60), random.number(1, 12));
                    jumps.start(client, request);
                    steps.start(client, request);
                }
            }
            const std::uint64_t end = jumps.cycles_to_next_end();
            const std::uint64_t jump = end > 1 ? random.number(1, end - 1) : 1;
            jumps.advance(jump);
            for (std::uint64_t cycle = 0; cycle < jump; ++cycle) {
                steps.advance(1);
            }
            jumped += jump > 1 ? 1 : 0;
            ASSERT_EQ(seen(jumps), seen(steps)) << "case " << i << " step " << n;
        }
    }
    EXPECT_GT(jumped, 1000U);
}

// Whatever the streams, the banks are never idle while a client wants more than it gets.
TEST(ScratchpadCore, IsWorkConserving) {
    test::RandomCase random(42);
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t bank_count = random.number(1, 8);
        ScratchpadCore core(banks(static_cast<std::uint32_t>(bank_count)));
        std::uint64_t total = 0;
        for (const ScratchpadClient client : clients) {
            const std::uint64_t count = random.number(1, 100);
            core.start(client, lines(count, 0, bank_count));
            total += count;
        }
        std::uint64_t cycles = 0;
        while (core.any_busy()) {
            core.advance(1);
            ++cycles;
        }
        EXPECT_EQ(cycles, (total + bank_count - 1) / bank_count);
    }
}

}  // namespace
}  // namespace nibble
