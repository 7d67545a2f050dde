// SPDX-License-Identifier: MIT
#include "sim/lowering/residency_plan.h"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "sim/lowering/tensor_plan.h"
#include "tests/support/random_case.h"
#include "tests/support/step_trace.h"
#include "tests/support/test_machine.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using enum TensorRole;

MachineParameters machine_with(std::uint64_t resident_bytes) {
    MachineParameters machine = test::small_machine();
    machine.scratchpad.resident_bytes = resident_bytes;
    return machine;
}

/// A step of operations that make, use or update one tensor. Where an operation needs another operand it gets one that
/// never fits. Methods return the number of the access that they are about.
class Step {
public:
    explicit Step() : big_(trace.tensor(activation, 1'000'000)) {}

    std::uint64_t make(TensorId id, const std::string& layer = "in") { return vector({big_}, {id}, layer) + 1; }
    std::uint64_t use(TensorId id, const std::string& layer = "in") { return vector({id}, {big_}, layer); }
    /// The read; the write is the next access.
    std::uint64_t update(TensorId id) { return vector({id}, {id}, "in"); }
    std::uint64_t rows(const std::string& function, std::vector<TensorId> in, std::vector<TensorId> out) {
        return add(Phase::vector, "in", VectorWork{10, {{function, 1}}}, std::move(in), std::move(out));
    }
    std::uint64_t add(Phase phase, const std::string& layer, std::variant<Convolution, Matmul, VectorWork> work,
                      std::vector<TensorId> in, std::vector<TensorId> out) {
        const std::uint64_t first = accesses_;
        accesses_ += layer == "out" ? 0 : in.size() + out.size();
        trace.add(phase, layer, std::move(work), std::move(in), std::move(out));
        return first;
    }
    [[nodiscard]] TensorId big() const { return big_; }

    ResidencyPlan plan(std::uint64_t resident_bytes, const std::string& recipe = "fp16",
                       const Selection& selection = {}) {
        const test::TraceFile file(trace.finish());
        return TensorPlan(file.path(), machine_with(resident_bytes), *find_recipe(recipe), selection).residency();
    }

    test::StepTrace trace;

private:
    std::uint64_t vector(std::vector<TensorId> in, std::vector<TensorId> out, const std::string& layer) {
        return add(Phase::vector, layer, VectorWork{1000, {{"copy", 1}}}, std::move(in), std::move(out));
    }

    TensorId big_;
    std::uint64_t accesses_ = 0;
};

constexpr Placement nothing{};

Placement spared(CopyFormat format) {
    return {.spared = bit_of(format), .stays = 0};
}
Placement stays(CopyFormat format) {
    return {.spared = 0, .stays = bit_of(format)};
}
Placement spared_and_stays(CopyFormat format) {
    return {.spared = bit_of(format), .stays = bit_of(format)};
}

constexpr CopyFormat fp16 = CopyFormat::fp16;

// 100 elements of 16 bits are 200 bytes. However far away the use is.
TEST(ResidencyPlan, WhatIsReadLaterStaysWhileThereIsRoom) {
    for (const bool room : {false, true}) {
        Step step;
        const TensorId a = step.trace.tensor(activation, 100);
        const std::uint64_t made = step.make(a);
        for (int i = 0; i < 200; ++i) {
            step.update(step.big());
        }
        const std::uint64_t used = step.use(a);
        const ResidencyPlan plan = step.plan(room ? 200 : 199);
        EXPECT_EQ(plan.at(made), room ? spared_and_stays(fp16) : nothing);
        EXPECT_EQ(plan.at(used), room ? spared(fp16) : nothing);
    }
}

// b takes all the room between the two uses of a: a stays up to its first one, and is stored for the second.
TEST(ResidencyPlan, WhatCannotStayToItsLastReadIsStored) {
    Step step;
    const TensorId a = step.trace.tensor(activation, 100);
    const TensorId b = step.trace.tensor(activation, 100);
    const std::uint64_t a_made = step.make(a);
    const std::uint64_t a_used = step.use(a);
    const std::uint64_t b_made = step.make(b);
    const std::uint64_t b_used = step.use(b);
    const std::uint64_t a_used_again = step.use(a);
    const ResidencyPlan plan = step.plan(200);
    EXPECT_EQ(plan.at(a_made), stays(fp16));
    EXPECT_EQ(plan.at(a_used), spared(fp16));
    EXPECT_EQ(plan.at(b_made), spared_and_stays(fp16));
    EXPECT_EQ(plan.at(b_used), spared(fp16));
    EXPECT_EQ(plan.at(a_used_again), nothing);
}

TEST(ResidencyPlan, WhatIsReadTwiceIsLoadedToStay) {
    Step step;
    const TensorId x = step.trace.tensor(activation, 100);
    const std::uint64_t first = step.use(x);
    const std::uint64_t second = step.use(x);
    const ResidencyPlan plan = step.plan(200);
    EXPECT_EQ(plan.at(first), stays(fp16));
    EXPECT_EQ(plan.at(second), spared(fp16));
}

// Nobody reads it again, or what was written last must be in DRAM when the step is over.
TEST(ResidencyPlan, WhatOutlastsTheStepIsStored) {
    Step step;
    const TensorId out = step.trace.tensor(activation, 8);
    const TensorId moment = step.trace.tensor(state, 8);
    const std::uint64_t made = step.make(out);
    const std::uint64_t updated = step.update(moment);
    const std::uint64_t used = step.use(moment);
    const ResidencyPlan plan = step.plan(1000);
    EXPECT_EQ(plan.at(made), nothing);
    EXPECT_EQ(plan.at(updated), nothing) << "what it reads is overwritten";
    EXPECT_EQ(plan.at(updated + 1), stays(CopyFormat::fp32));
    EXPECT_EQ(plan.at(used), spared(CopyFormat::fp32));
}

TEST(ResidencyPlan, WhatAnOperationThatIsLeftOutReadsIsStored) {
    Step step;
    const TensorId a = step.trace.tensor(activation, 8);
    const std::uint64_t made = step.make(a);
    const std::uint64_t used = step.use(a);
    step.use(a, "out");
    const ResidencyPlan part = step.plan(1000, "fp16", {.layers = "in"});
    EXPECT_EQ(part.at(made), stays(fp16));
    EXPECT_EQ(part.at(used), spared(fp16));
    const ResidencyPlan all = step.plan(1000);
    EXPECT_EQ(all.at(made), spared_and_stays(fp16));
    EXPECT_EQ(all.at(used), spared_and_stays(fp16));
}

TEST(ResidencyPlan, WhatAnOperationThatIsLeftOutWritesIsInDram) {
    Step step;
    const TensorId a = step.trace.tensor(activation, 8);
    const std::uint64_t made = step.make(a);
    step.make(a, "out");
    const std::uint64_t used = step.use(a);
    const ResidencyPlan plan = step.plan(1000, "fp16", {.layers = "in"});
    EXPECT_EQ(plan.at(made), nothing);
    EXPECT_EQ(plan.at(used), nothing);
}

// 8x8 elements: 32 bytes of INT4, which a GEMM reads, and 128 of 16 bits, which vector work reads. Only the first fits,
// and only that copy is spared its store.
TEST(ResidencyPlan, CopiesStayOneByOne) {
    Step step;
    const TensorId x = step.trace.tensor(activation, 64);
    const TensorId w = step.trace.tensor(weight, 64);
    const TensorId y = step.trace.tensor(activation, 64);
    const std::uint64_t made = step.make(x);
    const std::uint64_t multiplied = step.add(Phase::forward, "fc", Matmul{1, 8, 8, 8, false, true}, {x, w}, {y});
    const std::uint64_t used = step.use(x);
    const ResidencyPlan plan = step.plan(100, "int4-fp4");
    EXPECT_EQ(plan.at(made), spared_and_stays(CopyFormat::int4));
    EXPECT_EQ(plan.at(multiplied), spared(CopyFormat::int4));
    EXPECT_EQ(plan.at(used), nothing);
}

// An operation reads and writes the same tensor: the new value takes the old one's place, so room for one is enough.
TEST(ResidencyPlan, ANewValueTakesThePlaceOfTheOldOne) {
    Step step;
    const TensorId a = step.trace.tensor(activation, 100);
    const std::uint64_t made = step.make(a);
    const std::uint64_t updated = step.update(a);
    const std::uint64_t used = step.use(a);
    const ResidencyPlan plan = step.plan(200);
    EXPECT_EQ(plan.at(made), spared_and_stays(fp16));
    EXPECT_EQ(plan.at(updated), spared(fp16));
    EXPECT_EQ(plan.at(updated + 1), spared_and_stays(fp16));
    EXPECT_EQ(plan.at(used), spared(fp16));
}

// A gather reads some rows of its table, a scatter writes some: neither leaves all of it on chip.
TEST(ResidencyPlan, TablesOfWhichRowsAreTouchedDoNotStay) {
    Step step;
    const TensorId table = step.trace.tensor(activation, 100);
    const TensorId sums = step.trace.tensor(activation, 100);
    step.rows("gather", {table}, {step.big()});
    step.rows("gather", {table}, {step.big()});
    step.rows("scatter_add", {step.big()}, {sums});
    step.use(sums);
    const ResidencyPlan plan = step.plan(1000);
    for (std::uint64_t access = 0; access < plan.accesses(); ++access) {
        EXPECT_EQ(plan.at(access), nothing) << access;
    }
}

// A strided 1x1 convolution reads every second of 8 rows. To load all of x for it, so that a second one finds it on
// chip, moves as much as two loads of half of it: no gain. What a full reader needs anyhow is.
TEST(ResidencyPlan, WhatAnOperationSkipsIsNotLoadedForNothing) {
    const Convolution strided{.n = 1, .c = 4, .h = 8, .w = 8, .k = 4, .stride_h = 2, .stride_w = 2};
    for (const bool full : {false, true}) {
        Step step;
        const TensorId x = step.trace.tensor(activation, 256);
        const TensorId w = step.trace.tensor(weight, 16);
        const TensorId y = step.trace.tensor(activation, 64);
        const std::uint64_t first = step.add(Phase::forward, "a", strided, {x, w}, {y});
        const std::uint64_t second = full ? step.use(x) : step.add(Phase::forward, "b", strided, {x, w}, {y});
        const ResidencyPlan plan = step.plan(1000);
        EXPECT_EQ(plan.at(first).keeps(fp16), full);
        EXPECT_EQ(plan.at(second).spares(fp16), full);
    }
}

// Whatever the step: what is on chip fits in every operation, a read finds its copy where the plan says, and nothing
// is read from DRAM that was not stored there.
TEST(ResidencyPlan, IsConsistent) {
    test::RandomCase random(72);
    std::uint64_t kept = 0;
    for (int n = 0; n < 200; ++n) {
        test::StepTrace trace;
        std::vector<std::uint64_t> bytes;
        std::vector<TensorRole> roles;
        for (std::uint64_t i = random.number(2, 8); i-- > 0;) {
            roles.push_back(random.coin() ? activation : state);
            const std::uint64_t elements = random.number(1, 400);
            bytes.push_back(elements * (roles.back() == activation ? 2U : 4U));
            trace.tensor(roles.back(), elements);
        }
        std::vector<std::pair<std::vector<TensorId>, std::vector<TensorId>>> operations;
        for (int i = 0; i < 60; ++i) {
            const auto some = [&](std::uint64_t most) {
                std::vector<TensorId> ids;
                for (std::uint64_t count = random.number(1, most); count > 0; --count) {
                    ids.push_back(static_cast<TensorId>(random.number(0, bytes.size() - 1)));
                }
                return ids;
            };
            operations.emplace_back(some(3), some(1));
            trace.vector(1, operations.back().first, operations.back().second);
        }
        const std::uint64_t capacity = random.number(0, 3000);
        const test::TraceFile file(trace.finish());
        const TensorPlan tensors(file.path(), machine_with(capacity), *find_recipe("fp16"), {});
        const ResidencyPlan& plan = tensors.residency();
        std::vector<bool> on_chip(bytes.size());
        std::vector<bool> in_dram(bytes.size(), true);  // the step's inputs
        std::uint64_t access = 0;
        for (const auto& [inputs, outputs] : operations) {
            std::vector<bool> used = on_chip;
            for (const TensorId id : inputs) {
                const Placement& at = plan.at(access++);
                EXPECT_EQ(at.spared != 0, on_chip[id]) << "tensor " << id << ", access " << access - 1;
                EXPECT_TRUE(at.spared != 0 || in_dram[id]) << "nowhere to be read from";
                on_chip[id] = at.stays != 0;
                used[id] = used[id] || on_chip[id];
                kept += on_chip[id] ? 1U : 0U;
            }
            for (const TensorId id : outputs) {
                const Placement& at = plan.at(access++);
                EXPECT_FALSE(on_chip[id]) << "kept for nothing: it is overwritten";
                on_chip[id] = at.stays != 0;
                in_dram[id] = at.spared == 0;
                used[id] = used[id] || on_chip[id];
            }
            std::uint64_t taken = 0;
            for (std::size_t id = 0; id < bytes.size(); ++id) {
                taken += used[id] ? bytes[id] : 0;
            }
            EXPECT_LE(taken, capacity);
        }
        for (std::size_t id = 0; id < bytes.size(); ++id) {
            EXPECT_FALSE(on_chip[id]) << "kept beyond the step";
            EXPECT_TRUE(roles[id] != state || in_dram[id]);
        }
    }
    EXPECT_GT(kept, 1000U);
}

}  // namespace
}  // namespace nibble
