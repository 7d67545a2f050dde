// SPDX-License-Identifier: MIT
#include "sim/lowering/tensor_memory.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/input/trace_reader.h"
#include "tests/support/random_case.h"
#include "tests/support/step_trace.h"
#include "tests/support/test_machine.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using enum TensorRole;

// ---- addresses in DRAM

TEST(DramAllocator, LiveBlocksNeverOverlapAndFreedOnesComeBack) {
    constexpr std::uint64_t capacity = 1 << 20;
    test::RandomCase random(71);
    for (int i = 0; i < 20; ++i) {
        DramAllocator dram(capacity);
        std::map<std::uint64_t, std::uint64_t> live;  // address to bytes
        for (int n = 0; n < 400; ++n) {
            if (!live.empty() && random.number(0, 2) == 0) {
                const auto victim =
                    std::next(live.begin(), static_cast<std::ptrdiff_t>(random.number(0, live.size() - 1)));
                dram.free(victim->first, victim->second);
                live.erase(victim);
                continue;
            }
            const std::uint64_t bytes = random.number(1, 30000);
            std::uint64_t address = 0;
            try {
                address = dram.allocate(bytes);
            } catch (const InputError&) {
                continue;
            }
            EXPECT_EQ(address % 4096, 0U);
            EXPECT_LE(address + bytes, capacity);
            const auto above = live.lower_bound(address);
            EXPECT_TRUE(above == live.end() || above->first >= address + bytes);
            EXPECT_TRUE(above == live.begin() || std::prev(above)->first + std::prev(above)->second <= address);
            live.emplace(address, bytes);
        }
        for (const auto& [address, bytes] : live) {
            dram.free(address, bytes);
        }
        // Everything has come together again: one block of nearly all (a ninth is kept for padding) fits.
        EXPECT_EQ(dram.allocate(capacity / 9 * 8), 0U);
    }
}

TEST(DramAllocator, SaysWhenNothingIsLeft) {
    DramAllocator dram(64 * 1024);
    static_cast<void>(dram.allocate(40 * 1024));
    try {
        static_cast<void>(dram.allocate(30 * 1024));
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "the step does not fit the machine's memory: no 30720 bytes left of 65536");
    }
}

// ---- residency

/// A step as the lowering goes through it.
class Step {
public:
    Step(test::StepTrace& trace, std::uint64_t resident_bytes, const std::string& recipe = "fp16")
        : file_(trace.finish()),
          machine_(machine_with(resident_bytes)),
          plan_(file_.path(), machine_, *find_recipe(recipe), {}),
          memory_(machine_, plan_),
          reader_(file_.path()) {}

    static MachineParameters machine_with(std::uint64_t resident_bytes) {
        MachineParameters machine = test::small_machine();
        machine.scratchpad.resident_bytes = resident_bytes;
        return machine;
    }

    TensorMemory& memory() { return memory_; }
    const TensorPlan& plan() const { return plan_; }

    /// Declares tensors up to the next operation.
    std::optional<Operation> next_operation() {
        while (const auto item = reader_.next()) {
            if (const auto* tensor = std::get_if<Tensor>(&*item)) {
                memory_.declare(*tensor);
            } else {
                return std::get<Operation>(*item);
            }
        }
        return std::nullopt;
    }

    /// Executes one operation as vector work: places its outputs, touches its operands.
    void execute(const Operation& operation) {
        for (std::size_t i = 0; i < operation.outputs.size(); ++i) {
            memory_.place_output(operation.outputs[i], accesses_ + operation.inputs.size() + i);
        }
        for (const auto* operands : {&operation.inputs, &operation.outputs}) {
            for (const TensorId id : *operands) {
                memory_.accessed(id, accesses_++, {});
            }
        }
    }

    std::uint64_t accesses() const { return accesses_; }

private:
    test::TraceFile file_;
    MachineParameters machine_;
    TensorPlan plan_;
    TensorMemory memory_;
    TraceReader reader_;
    std::uint64_t accesses_ = 0;
};

/// a is made, then `between` operations follow that do not touch it, then it is read.
void chain(test::StepTrace& trace, unsigned between) {
    const TensorId a = trace.tensor(activation, 100);  // tensor 0
    const TensorId other = trace.tensor(state, 8);
    trace.vector(100, {other}, {a});
    for (unsigned i = 0; i < between; ++i) {
        trace.vector(8, {other}, {other});
    }
    trace.vector(100, {a}, {other});
}

// The next use is `between` + 1 operations away; 16 is near.
TEST(TensorMemory, KeepsOnChipWhatIsUsedSoon) {
    for (const unsigned between : {0U, 15U, 16U, 40U}) {
        test::StepTrace trace;
        chain(trace, between);
        Step step(trace, 1000);
        const bool near = between + 1 <= TensorMemory::window;
        step.execute(*step.next_operation());
        EXPECT_EQ(step.memory().copy(0, CopyFormat::fp16).resident, near) << between;
        EXPECT_EQ(step.memory().stored(0), !near) << between;
        for (unsigned i = 0; i < between; ++i) {
            step.execute(*step.next_operation());
        }
        EXPECT_EQ(step.memory().copy(0, CopyFormat::fp16).resident, near) << between;
        step.execute(*step.next_operation());
        EXPECT_THROW(static_cast<void>(step.memory().copy(0, CopyFormat::fp16)), ModelError)
            << "gone after its last use";
    }
}

// Room for one tensor: the next one finds it free when the one before has been used for the last time.
TEST(TensorMemory, WhatLeavesMakesRoom) {
    test::StepTrace trace;
    const TensorId other = trace.tensor(state, 8);
    std::vector<TensorId> tensors;
    for (int i = 0; i < 5; ++i) {
        tensors.push_back(trace.tensor(activation, 100));
        trace.vector(100, {other}, {tensors.back()});
        trace.vector(100, {tensors.back()}, {other});
    }
    Step step(trace, 250);
    for (const TensorId id : tensors) {
        step.execute(*step.next_operation());
        EXPECT_TRUE(step.memory().copy(id, CopyFormat::fp16).resident) << "tensor " << id;
        step.execute(*step.next_operation());
    }
}

TEST(TensorMemory, StoresWhatDoesNotFit) {
    test::StepTrace trace;
    chain(trace, 0);
    Step step(trace, 199);  // 100 elements of 16 bits are 200 bytes
    step.execute(*step.next_operation());
    EXPECT_FALSE(step.memory().copy(0, CopyFormat::fp16).resident);
    EXPECT_TRUE(step.memory().stored(0));
}

TEST(TensorMemory, StoresWhatNobodyReadsAgain) {
    test::StepTrace trace;
    const TensorId in = trace.tensor(state, 8);
    const TensorId out = trace.tensor(activation, 8);
    trace.vector(8, {in}, {out});
    Step step(trace, 1000);
    const Operation operation = *step.next_operation();
    step.memory().place_output(out, 1);
    EXPECT_TRUE(step.memory().stored(out));
    EXPECT_FALSE(step.memory().copy(out, CopyFormat::fp16).resident);
    EXPECT_EQ(step.memory().formats(out), bit_of(CopyFormat::fp16)) << "the plain copy if nobody reads any";
}

// Used at once, and again 30 operations later: on chip for the first use, and in DRAM for the second.
TEST(TensorMemory, AFarUseIsServedFromDram) {
    test::StepTrace trace;
    const TensorId a = trace.tensor(activation, 100);
    const TensorId other = trace.tensor(state, 8);
    trace.vector(100, {other}, {a});
    trace.vector(100, {a}, {other});
    for (int i = 0; i < 29; ++i) {
        trace.vector(8, {other}, {other});
    }
    trace.vector(100, {a}, {other});
    Step step(trace, 1000);
    step.execute(*step.next_operation());
    EXPECT_TRUE(step.memory().copy(a, CopyFormat::fp16).resident);
    EXPECT_TRUE(step.memory().stored(a));
    step.execute(*step.next_operation());
    EXPECT_FALSE(step.memory().copy(a, CopyFormat::fp16).resident) << "no use is near any more";
}

TEST(TensorMemory, KeepsAnInputForTheNextReaderOfTheSameCopy) {
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 4);
    const TensorId w = trace.tensor(weight, 4);
    const TensorId y = trace.tensor(activation, 4);
    trace.add(Phase::forward, "a", Matmul{1, 2, 2, 2}, {x, w}, {y});
    trace.add(Phase::forward, "b", Matmul{1, 2, 2, 2}, {x, w}, {y});
    trace.add(Phase::forward, "c", Matmul{1, 2, 2, 2}, {x, w}, {y}, Position::last);  // 16 bits
    Step step(trace, 1000, "int4-fp4");
    const Operation a = *step.next_operation();
    EXPECT_TRUE(step.memory().keep_input(x, CopyFormat::int4, 0));
    EXPECT_TRUE(step.memory().copy(x, CopyFormat::int4).resident);
    step.execute(a);
    const Operation b = *step.next_operation();
    EXPECT_FALSE(step.memory().keep_input(w, CopyFormat::int4, 4)) << "the next reader wants 16 bits";
    step.execute(b);
}

TEST(TensorMemory, RowsOfTheReleaseWaitForWhatWasIssued) {
    test::StepTrace trace;
    chain(trace, 0);
    Step step(trace, 1000);
    const Operation first = *step.next_operation();
    step.execute(first);
    EXPECT_EQ(step.memory().resident_release(), Dependencies{});
    static_cast<void>(step.next_operation());
    const Dependencies issued{1, 2, 3, 4, 5};
    step.memory().accessed(0, step.accesses(), issued);
    EXPECT_EQ(step.memory().resident_release(), issued);
}

// Whatever the step: what is on chip fits, a copy that is neither on chip nor stored is never read, and a tensor that
// fits and whose uses are all near is never stored.
TEST(TensorMemory, NeverHoldsMoreThanFits) {
    test::RandomCase random(72);
    std::uint64_t kept = 0;
    for (int n = 0; n < 100; ++n) {
        test::StepTrace trace;
        std::vector<TensorId> tensors;
        for (std::uint64_t i = random.number(2, 8); i-- > 0;) {
            tensors.push_back(trace.tensor(random.coin() ? activation : state, random.number(1, 400)));
        }
        for (int i = 0; i < 60; ++i) {
            // Few tensors for long stretches, so that gaps of all lengths occur.
            const std::uint64_t last = i < 30 ? tensors.size() - 1 : (tensors.size() - 1) / 2;
            const TensorId in = tensors[random.number(0, last)];
            const TensorId out = tensors[random.number(0, last)];
            trace.vector(1, {in}, {out});
        }
        const std::uint64_t capacity = random.number(0, 3000);
        Step step(trace, capacity);
        std::map<TensorId, bool> in_dram;
        for (const TensorId id : tensors) {
            in_dram[id] = true;  // data of the step's inputs are there to begin with
        }
        while (const auto operation = step.next_operation()) {
            TensorMemory& memory = step.memory();
            const TensorId in = operation->inputs[0];
            const TensorId out = operation->outputs[0];
            const CopyFormat in_copy = vector_copy(memory.tensor(in).role);
            const CopyFormat out_copy = vector_copy(memory.tensor(out).role);
            EXPECT_TRUE(memory.copy(in, in_copy).resident || in_dram[in]) << "nowhere to be read from";
            const bool on_chip_before = memory.copy(out, out_copy).resident;
            const auto next = step.plan().next_use(step.accesses() + 1);
            memory.place_output(out, step.accesses() + 1);
            const bool resident = memory.copy(out, out_copy).resident;
            in_dram[out] = memory.stored(out);
            if (resident && next.distance > 0 && step.plan().longest_gap(out) <= TensorMemory::window) {
                EXPECT_FALSE(memory.stored(out));
            }
            kept += resident && !on_chip_before ? 1 : 0;
            step.execute(*operation);
            std::uint64_t used = 0;
            for (const TensorId id : tensors) {
                try {
                    for (std::size_t f = 0; f < copy_format_count; ++f) {
                        const TensorMemory::Copy& copy = memory.copy(id, static_cast<CopyFormat>(f));
                        used += copy.resident ? copy.bytes : 0;
                    }
                } catch (const ModelError&) {
                    continue;  // used for the last time, or never
                }
            }
            EXPECT_LE(used, capacity);
        }
    }
    EXPECT_GT(kept, 200U);
}

}  // namespace
}  // namespace nibble
