// SPDX-License-Identifier: MIT
#include "sim/mapping/tiling_estimate.h"

#include <algorithm>

#include "models/mac_array/tile_timing.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

// What a contiguous run costs DRAM and the DMA engines beside its bytes, in bytes: bursts used in part at its two ends.
// An assumption for the quick look only; the closer one tries every shape on the DRAM core.
constexpr double run_overhead_bytes = 64;

// From the completion of a load to the start of the tile that waited for it, if nothing hides it.
constexpr double command_overhead_cycles = 6;

}  // namespace

TilingEstimate::Cut TilingEstimate::cut(const TiledDimension& dimension, std::uint64_t size) {
    Cut made;
    const std::uint64_t tiles = tile_count(dimension, size);
    // The full size occurs first; the last tile of an image (or of all images) may be smaller.
    made.parts[0] = {tile_at(dimension, size, 0), tiles};
    const Range last = tile_at(dimension, size, tiles - 1);
    if (last.size() != made.parts[0].example.size()) {
        const std::uint64_t images = size < dimension.period ? dimension.extent / dimension.period : 1;
        made.parts[0].count -= images;
        made.parts[1] = {last, images};
    }
    // A tile in the middle of an image stands for all: at the borders part of a patch is padding.
    const std::uint64_t middle = tiles / 2;
    const Range example = tile_at(dimension, size, middle);
    if (example.size() == made.parts[0].example.size()) {
        made.parts[0].example = example;
    }
    return made;
}

double TilingEstimate::moved(const Slice& slice) const {
    return static_cast<double>(slice.bytes()) + run_overhead_bytes * static_cast<double>(slice.runs());
}

TilingEstimate::TilingEstimate(const GemmTask& task, const MachineParameters& machine, double dram_bytes_per_cycle,
                               const Tiling& sizes)
    : task_(task),
      machine_(machine),
      dram_bytes_per_cycle_(dram_bytes_per_cycle),
      sizes_(sizes),
      counts_(tile_counts(task.problem, sizes)),
      i_(cut(task.problem.i(), sizes.i)),
      j_(cut(task.problem.j(), sizes.j)),
      l_(cut(task.problem.l(), sizes.l)) {
    const GemmProblem& problem = task.problem;
    const Range batch{0, sizes.batch};
    const auto count = [](const Cut::Part& a, const Cut::Part& b) { return static_cast<double>(a.count * b.count); };
    for (const Cut::Part& l : l_.parts) {
        for (const Cut::Part& i : i_.parts) {
            if (!task.left.resident() && i.count * l.count > 0) {
                left_bytes_ += count(i, l) * moved(problem.left({batch, i.example, {}, l.example}, task.left.bits));
            }
        }
        for (const Cut::Part& j : j_.parts) {
            if (!task.right.resident() && j.count * l.count > 0) {
                right_bytes_ += count(j, l) * moved(problem.right({batch, {}, j.example, l.example}, task.right.bits));
            }
        }
    }
    const auto batches = static_cast<double>(counts_.batch);
    left_bytes_ *= batches;
    right_bytes_ *= batches;
    const TileRange first{batch, i_.parts[0].example, j_.parts[0].example, l_.parts[0].example};
    first_left_ = task.left.resident() ? 0 : moved(problem.left(first, task.left.bits));
    first_right_ = task.right.resident() ? 0 : moved(problem.right(first, task.right.bits));
    for (const GemmTask::StoredCopy& copy : task.stored) {
        out_bytes_of_tile_ += moved(problem.out(first, copy.bits));
    }
    for (const GemmTask::Operand& side : task.side_inputs) {
        out_bytes_of_tile_ += side.resident() ? 0 : moved(problem.out(first, side.bits));
    }
    const auto outputs = static_cast<double>(problem.batch() * problem.i().extent * problem.j().extent) *
                         static_cast<double>(problem.out_elements(first)) /
                         static_cast<double>(sizes.batch * first.i.size() * first.j.size());
    if (!machine.vector_unit.ideal) {
        lane_cycles_ = outputs * static_cast<double>(task.lane_ops) / static_cast<double>(machine.vector_unit.lanes);
    }
    if (task.code_bits > 0 && !machine.log_gradient.ideal) {
        lane_cycles_ = std::max(lane_cycles_, outputs / static_cast<double>(machine.log_gradient.lanes));
    }
}

double TilingEstimate::compute_cycles(Dataflow dataflow) const {
    if (machine_.mac_array.ideal) {
        return 0;
    }
    const ArrayGeometry& geometry = *machine_.mac_array.modes[static_cast<std::size_t>(task_.mode)];
    const FoldRule rule{.overlap = machine_.mac_array.overlap};
    double cycles = 0;
    for (const Cut::Part& i : i_.parts) {
        for (const Cut::Part& j : j_.parts) {
            for (const Cut::Part& l : l_.parts) {
                const std::uint64_t count = i.count * j.count * l.count;
                if (count == 0) {
                    continue;
                }
                const auto passes = task_.problem.passes({{0, sizes_.batch}, i.example, j.example, l.example});
                const TileTiming timing = tile_timing(geometry, dataflow, rule, passes, counts_.l > 1);
                cycles += static_cast<double>(count * timing.total());
            }
        }
    }
    return cycles * static_cast<double>(counts_.batch);
}

TilingEstimate::Cost TilingEstimate::cost(const Tiling& tiling, double compute_cycles) const {
    const auto out_tiles = static_cast<double>(counts_.batch * counts_.i * counts_.j);
    const double rate = dram_bytes_per_cycle_;
    if (machine_.ideal_memory) {
        return {std::max(compute_cycles, lane_cycles_) + lane_cycles_ / out_tiles, 0};
    }
    const TileLoads loads = tile_loads(counts_, tiling.order);
    const auto times = [&](std::uint64_t loaded, std::uint64_t others) {
        return static_cast<double>(loaded) / static_cast<double>(counts_.batch * others * counts_.l);
    };
    const double left = left_bytes_ * times(loads.left, counts_.i);
    const double right = right_bytes_ * times(loads.right, counts_.j);
    const double dram = left + right + out_bytes_of_tile_ * out_tiles;
    double cycles = std::max({compute_cycles, dram / rate, lane_cycles_}) +
                    (first_left_ + first_right_ + out_bytes_of_tile_) / rate + lane_cycles_ / out_tiles;
    const auto exposed = [&](std::uint32_t buffers, std::uint64_t loaded, double bytes) {
        return buffers == 1 && loaded > 1 ? bytes / rate + command_overhead_cycles * static_cast<double>(loaded) : 0;
    };
    cycles += exposed(tiling.left_buffers, loads.left, left) + exposed(tiling.right_buffers, loads.right, right);
    if (tiling.out_buffers == 1 && out_tiles > 1) {
        cycles += out_bytes_of_tile_ * out_tiles / rate + lane_cycles_;
    }
    return {cycles, dram};
}

}  // namespace nibble
