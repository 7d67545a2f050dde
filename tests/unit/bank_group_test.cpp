// SPDX-License-Identifier: MIT
#include "models/scratchpad/bank_group.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_case.h"

namespace nibble {
namespace {

using enum ScratchpadClient;

constexpr std::array<ScratchpadClient, scratchpad_client_count> clients{mac_array, log_gradient, vector_unit, load,
                                                                        store};

LineStream lines(std::uint64_t count, std::uint32_t per_cycle, std::uint64_t first = 0) {
    return {.lines_per_cycle = per_cycle, .first_line = first, .lines = count};
}

/// Lines that each cycle brings a client, cycle by cycle.
std::vector<std::uint64_t> served_each_cycle(BankGroup& group, ScratchpadClient client, int cycles) {
    std::vector<std::uint64_t> served;
    for (int i = 0; i < cycles; ++i) {
        const std::uint64_t before = group.lines_left(client);
        group.advance(1);
        served.push_back(before - group.lines_left(client));
    }
    return served;
}

TEST(BankGroup, AloneAStreamGoesAtItsOwnPace) {
    BankGroup group(8, 1, Arbitration::fixed_priority);
    group.start(vector_unit, lines(11, 3));
    EXPECT_EQ(served_each_cycle(group, vector_unit, 5), (std::vector<std::uint64_t>{3, 3, 3, 2, 0}));
    EXPECT_EQ(group.take_conflicts(vector_unit), 0U);
    EXPECT_TRUE(group.idle());
}

// Both begin at bank 0, the array first; from then on the load is one bank behind and no longer in the way.
TEST(BankGroup, StreamsOfOnePaceSlidePastEachOtherAfterOneConflict) {
    BankGroup group(4, 1, Arbitration::fixed_priority);
    group.start(load, lines(8, 1));
    group.start(mac_array, lines(8, 1));
    EXPECT_EQ(served_each_cycle(group, load, 9), (std::vector<std::uint64_t>{0, 1, 1, 1, 1, 1, 1, 1, 1}));
    EXPECT_EQ(group.take_conflicts(mac_array), 0U);
    EXPECT_EQ(group.take_conflicts(load), 1U);
}

// Banks 0 to 3. The array takes two a cycle: 01 23 01 23 01 23 01 23. The load wants one:
//   cycle  0    1    2    3    4    5    6    7
//   bank   0    0    1    1    2    3    3    0
//   gets   no   yes  no   yes  yes  no   yes  yes
TEST(BankGroup, AFasterStreamRunsIntoASlowerOneAgainAndAgain) {
    BankGroup group(4, 1, Arbitration::fixed_priority);
    group.start(mac_array, lines(100, 2));
    group.start(load, lines(100, 1));
    EXPECT_EQ(served_each_cycle(group, load, 8), (std::vector<std::uint64_t>{0, 1, 0, 1, 1, 0, 1, 1}));
    // Cycle 8 finds both as cycle 2 did: six cycles repeat, in which four lines come and two conflicts. The array is
    // done after 50 cycles: 2, and 8 times these six.
    group.advance(42);
    EXPECT_EQ(group.lines_left(mac_array), 0U);
    EXPECT_EQ(group.lines_left(load), 100U - (1 + 8 * 4));
    group.advance(100);
    EXPECT_EQ(group.take_conflicts(load), 1U + 8 * 2);
}

// Bank 1 is the array's: the load gets bank 0 and waits for bank 1, though banks 2 and 3 are free.
TEST(BankGroup, LinesComeInOrder) {
    BankGroup group(4, 1, Arbitration::fixed_priority);
    group.start(mac_array, lines(1, 1, 1));
    group.start(load, lines(3, 3));
    EXPECT_EQ(served_each_cycle(group, load, 2), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(group.take_conflicts(load), 1U);
}

TEST(BankGroup, AStreamCannotHaveMoreLinesThanThereArePorts) {
    BankGroup one_port(4, 1, Arbitration::fixed_priority);
    one_port.start(load, lines(10, 100));
    EXPECT_EQ(served_each_cycle(one_port, load, 3), (std::vector<std::uint64_t>{4, 4, 2}));
    EXPECT_EQ(one_port.take_conflicts(load), 2U) << "in the last cycle it gets what it still wants";
    BankGroup two_ports(4, 2, Arbitration::fixed_priority);
    two_ports.start(load, lines(10, 100));
    EXPECT_EQ(served_each_cycle(two_ports, load, 2), (std::vector<std::uint64_t>{8, 2}));
    EXPECT_EQ(two_ports.take_conflicts(load), 1U);
}

TEST(BankGroup, TwoPortsServeTwoStreamsOfOneBankAndNotAThird) {
    BankGroup group(4, 2, Arbitration::fixed_priority);
    group.start(mac_array, lines(2, 1));
    group.start(vector_unit, lines(2, 1));
    group.start(load, lines(2, 1));
    EXPECT_EQ(served_each_cycle(group, load, 3), (std::vector<std::uint64_t>{0, 1, 1}));
    EXPECT_EQ(group.take_conflicts(vector_unit), 0U);
    EXPECT_EQ(group.take_conflicts(load), 1U);
}

// One bank, three clients with six lines each. Fixed priority: one after the other. Round robin: in turns.
TEST(BankGroup, ArbitrationDecidesWhoWaits) {
    const auto run = [](Arbitration arbitration) {
        BankGroup group(1, 1, arbitration);
        std::map<ScratchpadClient, std::uint64_t> ends;
        for (const ScratchpadClient client : {load, mac_array, vector_unit}) {
            group.start(client, lines(6, 1));
        }
        for (std::uint64_t cycle = 1; !group.idle(); ++cycle) {
            group.advance(1);
            for (const ScratchpadClient client : {load, mac_array, vector_unit}) {
                if (!group.busy(client)) {
                    ends.try_emplace(client, cycle);
                }
            }
        }
        for (const auto& [client, end] : ends) {
            EXPECT_EQ(group.take_conflicts(client), end - 6) << "every cycle brings a line or a conflict";
        }
        return ends;
    };
    EXPECT_EQ(run(Arbitration::fixed_priority),
              (std::map<ScratchpadClient, std::uint64_t>{{mac_array, 6}, {vector_unit, 12}, {load, 18}}));
    EXPECT_EQ(run(Arbitration::round_robin),
              (std::map<ScratchpadClient, std::uint64_t>{{mac_array, 16}, {vector_unit, 17}, {load, 18}}));
}

// Under fixed priority the array, which takes both banks in every cycle, starves the store; with round robin the store
// comes first in every other cycle and gets its line.
TEST(BankGroup, RoundRobinStarvesNobody) {
    for (const auto& [arbitration, left] :
         {std::pair{Arbitration::fixed_priority, 50U}, std::pair{Arbitration::round_robin, 0U}}) {
        BankGroup group(2, 1, arbitration);
        group.start(mac_array, lines(10'000, 2));
        group.start(store, lines(50, 1));
        group.advance(100);
        EXPECT_EQ(group.lines_left(store), left);
    }
}

/// The rule once more, without any shortcut: one cycle at a time, a count of accesses for every bank.
class PlainGroup {
public:
    PlainGroup(std::uint64_t banks, std::uint64_t ports, Arbitration arbitration)
        : banks_(banks), ports_(ports), rotates_(arbitration == Arbitration::round_robin) {}

    void start(ScratchpadClient client, const LineStream& stream) {
        streams_[client].push_back({stream.first_line, stream.first_line + stream.lines, stream.lines_per_cycle});
    }
    void cycle() {
        std::vector<ScratchpadClient> order;
        for (const auto& [client, open] : streams_) {
            if (std::ranges::any_of(open, [](const Open& stream) { return stream.next < stream.end; })) {
                order.push_back(client);
            }
        }
        if (order.empty()) {
            return;
        }
        if (rotates_) {
            const auto turn = std::ranges::find_if(order, [&](ScratchpadClient client) { return client > last_; });
            std::ranges::rotate(order, turn == order.end() ? order.begin() : turn);
        }
        last_ = order.front();
        std::map<std::uint64_t, std::uint64_t> accesses;
        for (const ScratchpadClient client : order) {
            for (Open& stream : streams_[client]) {
                const std::uint64_t until = std::min(stream.end, stream.next + stream.per_cycle);
                while (stream.next < until && accesses[stream.next % banks_] < ports_) {
                    ++accesses[stream.next++ % banks_];
                }
                conflicts[client] += stream.next < until ? 1U : 0U;
            }
        }
    }
    [[nodiscard]] std::uint64_t lines_left(ScratchpadClient client) {
        std::uint64_t left = 0;
        for (const Open& stream : streams_[client]) {
            left += stream.end - stream.next;
        }
        return left;
    }
    std::map<ScratchpadClient, std::uint64_t> conflicts;

private:
    struct Open {
        std::uint64_t next, end, per_cycle;
    };
    std::uint64_t banks_, ports_;
    bool rotates_;
    ScratchpadClient last_ = store;  // that came first in the last cycle
    std::map<ScratchpadClient, std::vector<Open>> streams_;
};

// Jumps of any length, over whole periods and across the ends of streams, are as many single cycles.
TEST(BankGroup, AnyJumpIsAsManyCyclesOfThePlainRule) {
    test::RandomCase random(43);
    std::uint64_t jumped = 0;
    for (int i = 0; i < 400; ++i) {
        const auto banks = static_cast<std::uint32_t>(random.number(1, 12));
        const auto ports = static_cast<std::uint32_t>(random.number(1, 2));
        const Arbitration arbitration = random.coin() ? Arbitration::fixed_priority : Arbitration::round_robin;
        BankGroup group(banks, ports, arbitration);
        PlainGroup plain(banks, ports, arbitration);
        for (int n = 0; n < 12; ++n) {
            for (const ScratchpadClient client : clients) {
                for (std::uint64_t streams = group.busy(client) ? 0 : random.number(0, 2); streams-- > 0;) {
                    const LineStream stream = lines(
                        random.number(1, 400), static_cast<std::uint32_t>(random.number(1, 6)), random.number(0, 20));
                    group.start(client, stream);
                    plain.start(client, stream);
                }
            }
            const std::uint64_t jump = random.one_of<std::uint64_t>({1, 2, 7, 40, 300});
            group.advance(jump);
            for (std::uint64_t cycle = 0; cycle < jump; ++cycle) {
                plain.cycle();
            }
            for (const ScratchpadClient client : clients) {
                ASSERT_EQ(group.lines_left(client), plain.lines_left(client)) << "case " << i << " step " << n;
                jumped += group.lines_left(client) > 0 && jump > 1 ? 1U : 0U;
            }
        }
        group.advance(1'000'000);
        for (std::uint64_t left = 1; left > 0;) {
            plain.cycle();
            left = 0;
            for (const ScratchpadClient client : clients) {
                left += plain.lines_left(client);
            }
        }
        for (const ScratchpadClient client : clients) {
            ASSERT_EQ(group.take_conflicts(client), plain.conflicts[client]) << "case " << i;
        }
    }
    EXPECT_GT(jumped, 2000U) << "jumps that end before the streams do";
}

// A stream of more lines than could ever be gone through one by one.
TEST(BankGroup, LongStreamsTakeNoTime) {
    constexpr std::uint64_t many = std::uint64_t{1} << 50;
    BankGroup group(6, 1, Arbitration::round_robin);
    group.start(mac_array, lines(many, 2));
    group.start(mac_array, lines(many, 1));
    group.start(load, lines(many, 3));
    group.advance(many / 2);
    EXPECT_LE(group.lines_left(mac_array) + group.lines_left(load), 3 * many - many / 2);
}

}  // namespace
}  // namespace nibble
