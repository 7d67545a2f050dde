// SPDX-License-Identifier: MIT
// In whatever order units work, as long as commands wait for what they have to, there is room for what they take:
// random steps and their operations alone, executed in the orders that fill the scratchpad most.
#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/lowering/lowering.h"
#include "sim/lowering/operation_alone.h"
#include "sim/lowering/recipe.h"
#include "tests/support/random_case.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

/// Executes a program without time: issues whatever may be issued, and when nothing may, completes one command, the
/// oldest of a unit that is drawn. So the scratchpad is as full as it can be before anything is freed.
class FullestOrder {
public:
    FullestOrder(ProgramSource& program, test::RandomCase& random) : random_(random) {
        for (ProgramItem item = program.next(); !std::holds_alternative<ProgramEnd>(item); item = program.next()) {
            if (std::holds_alternative<OperationBegin>(item)) {
                operations_.emplace_back();
            } else if (auto* command = std::get_if<Command>(&item)) {
                command->operation = operations_.size() - 1;
                ++operations_.back().outstanding;
                waiting_[static_cast<std::size_t>(command->unit)].push_back(std::move(*command));
            } else {
                operations_.back().frees_bytes = std::get<OperationEnd>(item).frees_of_stay_bytes;
            }
        }
    }

    struct Most {
        std::uint64_t tiles = 0, resident = 0;            // bytes
        std::uint64_t tiles_left = 0, resident_left = 0;  // at the end
        std::uint64_t not_executed = 0;                   // commands
    };
    Most run() {
        do {
            issue();
        } while (complete_one());
        most_.tiles_left = tiles_;
        most_.resident_left = resident_;
        for (const std::deque<Command>& queue : waiting_) {
            most_.not_executed += queue.size();
        }
        return most_;
    }

private:
    struct OpenOperation {
        std::uint64_t outstanding = 0;
        std::uint64_t frees_bytes = 0;  // of tensors that stayed
    };

    void issue() {
        for (std::size_t unit = 0; unit < unit_count; ++unit) {
            std::deque<Command>& queue = waiting_[unit];
            while (!queue.empty() && std::ranges::equal(queue.front().needs, completed_, std::less_equal{})) {
                tiles_ += queue.front().room.takes_bytes;
                resident_ += queue.front().room.takes_to_stay_bytes;
                most_.tiles = std::max(most_.tiles, tiles_);
                most_.resident = std::max(most_.resident, resident_);
                issued_[unit].push_back(std::move(queue.front()));
                queue.pop_front();
            }
        }
    }

    bool complete_one() {
        std::vector<std::size_t> units;
        for (std::size_t unit = 0; unit < unit_count; ++unit) {
            if (!issued_[unit].empty()) {
                units.push_back(unit);
            }
        }
        if (units.empty()) {
            return false;
        }
        const std::size_t unit = random_.one_of(units);
        const Command& command = issued_[unit].front();
        tiles_ -= command.room.frees_bytes;
        --operations_[command.operation].outstanding;
        ++completed_[unit];
        issued_[unit].pop_front();
        for (; oldest_ < operations_.size() && operations_[oldest_].outstanding == 0; ++oldest_) {
            resident_ -= operations_[oldest_].frees_bytes;
        }
        return true;
    }

    test::RandomCase& random_;
    std::vector<OpenOperation> operations_;
    std::size_t oldest_ = 0;  // that is not complete
    std::array<std::deque<Command>, unit_count> waiting_, issued_;
    Dependencies completed_{};
    std::uint64_t tiles_ = 0, resident_ = 0;
    Most most_;
};

std::uint64_t room_set_aside(const OperationTask& operation) {
    if (const auto* gemm = std::get_if<MappedGemm>(&operation)) {
        return total(tile_space(gemm->task, gemm->tiling));
    }
    return total(std::get<VectorTask>(operation).space());
}

/// Any tiles, any order of loops, any number of buffers.
Tiling some_tiling(const GemmProblem& problem, test::RandomCase& random) {
    const auto size = [&](const TiledDimension& dimension) {
        const std::uint64_t images = dimension.extent / dimension.period;
        return random.coin() ? random.number(1, dimension.period) : dimension.period * random.number(1, images);
    };
    const auto buffers = [&] { return static_cast<std::uint32_t>(random.number(1, 3)); };
    return {.batch = 1,
            .i = size(problem.i()),
            .j = size(problem.j()),
            .l = size(problem.l()),
            .order = static_cast<LoopOrder>(random.number(0, loop_order_count - 1)),
            .left_buffers = buffers(),
            .right_buffers = buffers(),
            .out_buffers = buffers()};
}

class RoomInAnyOrder : public testing::TestWithParam<std::uint64_t> {
protected:
    static constexpr std::uint64_t cases_per_test = 500;
};

TEST_P(RoomInAnyOrder, IsEnough) {
    std::uint64_t tight = 0;
    for (std::uint64_t seed = GetParam(); seed < GetParam() + cases_per_test; ++seed) {
        SCOPED_TRACE(seed);
        test::RandomCase random(seed);
        MachineParameters machine = random.machine();
        const test::TraceFile trace(random.trace());
        LoweringOptions options;
        options.recipe = find_recipe(random.one_of(recipe_names()));
        const auto whole_step = [&] {
            const TensorPlan plan(trace.path(), machine, *options.recipe, options.selection);
            Lowering step(trace.path(), plan, machine, options);
            return FullestOrder(step, random).run();
        };
        // The smallest scratchpad that is large enough, so that operations wait for each other.
        std::optional<FullestOrder::Most> found;
        for (std::uint64_t tiles = 1024; !found; tiles += tiles / 2) {
            machine.scratchpad.buffers.reset();
            machine.scratchpad.capacity_bytes = machine.scratchpad.resident_bytes + tiles;
            try {
                found = whole_step();
            } catch (const InputError&) {
            }
        }
        const FullestOrder::Most whole = *found;
        EXPECT_LE(whole.tiles, machine.scratchpad.capacity_bytes - machine.scratchpad.resident_bytes);
        EXPECT_LE(whole.resident, machine.scratchpad.resident_bytes);
        EXPECT_EQ(whole.tiles_left, 0U);
        EXPECT_EQ(whole.resident_left, 0U);
        EXPECT_EQ(whole.not_executed, 0U);
        const auto check_alone = [&](const OperationTask& operation) {
            OperationAlone program(operation, machine);
            const FullestOrder::Most alone = FullestOrder(program, random).run();
            EXPECT_LE(alone.tiles, room_set_aside(operation)) << content_key(operation);
            EXPECT_EQ(alone.tiles_left, 0U) << content_key(operation);
            tight += alone.tiles > 0 && alone.tiles == room_set_aside(operation) ? 1U : 0U;
        };
        const TensorPlan plan(trace.path(), machine, *options.recipe, options.selection);
        Lowering::list_operations(trace.path(), plan, machine, options, [&](const OperationTask& operation) {
            check_alone(operation);
            if (const auto* gemm = std::get_if<MappedGemm>(&operation)) {
                check_alone(MappedGemm{gemm->task, some_tiling(gemm->task.problem, random)});
            }
        });
    }
    EXPECT_GT(tight, 0U);
}

INSTANTIATE_TEST_SUITE_P(From, RoomInAnyOrder, testing::Range<std::uint64_t>(50000, 56000, 500));

}  // namespace
}  // namespace nibble
