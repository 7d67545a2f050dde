// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_emission.h"

#include <utility>

#include "models/mac_array/tile_values.h"
#include "sim/base/units.h"
#include "sim/lowering/gemm_values.h"

namespace nibble {

namespace {

/// Buffers take turns.
std::size_t next_buffer(std::size_t buffer, const std::vector<Dependencies>& buffers) {
    return (buffer + 1) % buffers.size();
}

}  // namespace

GemmEmission::GemmEmission(const GemmTask& task, const Tiling& tiling, GemmPlaces places, Emitter& emitter,
                           GemmPayload payload)
    : task_(task),
      tiling_(tiling),
      places_(std::move(places)),
      emitter_(emitter),
      payload_(std::move(payload)),
      walk_(task.problem, tiling),
      out_free_(tiling.out_buffers) {
    left_.free.resize(tiling.left_buffers);
    right_.free.resize(tiling.right_buffers);
}

void GemmEmission::step() {
    const GemmProblem& problem = task_.problem;
    const auto [tile, first, last] = walk_.next();
    fetch(task_.left, places_.left, left_, problem.left(tile, task_.left.bits));
    fetch(task_.right, places_.right, right_, problem.right(tile, task_.right.bits));

    MatmulCommand command;
    command.mode = task_.mode;
    command.dataflow = tiling_.dataflow;
    command.left_bits = task_.left.bits;
    command.right_bits = task_.right.bits;
    command.left_transposed = problem.left_transposed();
    command.right_transposed = problem.right_transposed();
    command.accumulate = !first;
    command.finish = last;
    command.passes = problem.passes(tile);
    std::shared_ptr<const std::vector<float>> sums;
    if (payload_.values != nullptr) {
        command.values = payload_.values->tile(tile, first, last);
        sums = command.values->sums;
    }
    Dependencies needs = later(places_.start, later(left_.loaded, right_.loaded));
    needs = later(needs, task_.left.on_chip ? places_.left.ready : Dependencies{});
    needs = later(needs, task_.right.on_chip ? places_.right.ready : Dependencies{});
    if (last) {
        out_buffer_ = next_buffer(out_buffer_, out_free_);
        needs = later(needs, out_free_[out_buffer_]);
    }
    if (!command.passes.empty()) {  // input pixels that no output reaches have nothing to add up: zero as they are
        emitter_.matmul(std::move(command), needs);
    }
    left_.free[left_.buffer] = emitter_.issued(Unit::mac_array);
    right_.free[right_.buffer] = emitter_.issued(Unit::mac_array);
    if (last) {
        finish_tile(tile, sums);
    }
}

void GemmEmission::fetch(const GemmTask::Operand& operand, const GemmPlaces::Operand& place, Fetched& fetched,
                         Slice slice) {
    if (operand.on_chip) {
        return;
    }
    slice.address += place.address;
    if (fetched.held == slice) {
        return;
    }
    fetched.held = slice;
    fetched.buffer = next_buffer(fetched.buffer, fetched.free);
    emitter_.load(slice, later(later(places_.start, place.ready), fetched.free[fetched.buffer]));
    fetched.loaded = emitter_.issued(Unit::load);
}

void GemmEmission::finish_tile(const TileRange& tile, const std::shared_ptr<const std::vector<float>>& sums) {
    const GemmProblem& problem = task_.problem;
    const std::uint64_t elements = problem.out_elements(tile);
    const auto bytes = [&](std::uint64_t bits) { return bytes_for(Bits(elements * bits)).count(); };
    Dependencies made = later(emitter_.issued(Unit::mac_array), places_.small_inputs);
    for (std::size_t side = 0; side < task_.side_inputs.size(); ++side) {
        const GemmPlaces::Operand& place = places_.side_inputs[side];
        if (task_.side_inputs[side].on_chip) {
            made = later(made, place.ready);
            continue;
        }
        Slice slice = problem.out(tile, task_.side_inputs[side].bits);
        slice.address += place.address;
        emitter_.load(slice, later(later(places_.start, place.ready), out_free_[out_buffer_]));
        made = later(made, emitter_.issued(Unit::load));
    }
    if (task_.lane_ops > 0) {
        emitter_.vector({.lane_ops = task_.lane_ops * elements,
                         .read_bytes = bytes(task_.vector_read_bits),
                         .write_bytes = bytes(task_.vector_write_bits)},
                        made);
        made = emitter_.issued(Unit::vector_unit);
    }
    if (task_.code_bits > 0) {
        ConvertCommand conversion{.elements = elements, .code_bits = task_.code_bits, .values = nullptr};
        if (sums != nullptr && payload_.gradients) {
            conversion.values = payload_.gradients(sums);
        }
        emitter_.convert(conversion, made);
        made = later(made, emitter_.issued(Unit::log_gradient));
    }
    for (std::size_t copy = 0; copy < task_.stored_bits.size(); ++copy) {
        Slice slice = problem.out(tile, task_.stored_bits[copy]);
        slice.address += places_.stored[copy];
        emitter_.store(slice, made);
    }
    out_free_[out_buffer_] = later(made, emitter_.issued(Unit::store));
}

}  // namespace nibble
