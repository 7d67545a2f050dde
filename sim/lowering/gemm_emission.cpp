// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_emission.h"

#include <algorithm>
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

/// One past the last byte of a slice.
std::uint64_t end_of(const Slice& slice) {
    std::uint64_t end = slice.address + slice.run_bytes;
    for (const Slice::Dimension& dimension : slice.outer) {
        end += (dimension.count - 1) * dimension.stride_bytes;
    }
    return end;
}

Slice moved_by(Slice slice, std::uint64_t address) {
    slice.address += address;
    return slice;
}

}  // namespace

GemmEmission::GemmEmission(const GemmTask& task, const Tiling& tiling, GemmPlaces places, Emitter& emitter,
                           GemmHooks hooks)
    : task_(task),
      tiling_(tiling),
      places_(std::move(places)),
      emitter_(emitter),
      hooks_(std::move(hooks)),
      walk_(task.problem, tiling),
      fetched_(first_side + task.side_inputs.size()),
      out_free_(tiling.out_buffers) {
    fetched_[left].free.resize(tiling.left_buffers);
    fetched_[right].free.resize(tiling.right_buffers);
}

const GemmTask::Operand& GemmEmission::operand(std::size_t input) const {
    return input == left ? task_.left : input == right ? task_.right : task_.side_inputs[input - first_side];
}

ScratchpadPart GemmEmission::tile_part(std::size_t input) const {
    return operand(input).tile_bits() > 0 || input >= first_side ? part_of(input == left    ? TileBuffer::left
                                                                           : input == right ? TileBuffer::right
                                                                                            : TileBuffer::output)
                                                                 : ScratchpadPart::resident;
}

ScratchpadPart GemmEmission::source_part(std::size_t input) const {
    return operand(input).resident() ? ScratchpadPart::resident : tile_part(input);
}

// Biases and the like are needed by every tile: loaded once.
Dependencies GemmEmission::load_whole(std::size_t input) {
    const GemmTask::WholeCopy& copy = task_.whole_inputs[input];
    const GemmPlaces::Operand& place = places_.whole_inputs[input];
    emitter_.load({.address = place.address, .run_bytes = copy.bytes}, copy.part,
                  later(place.ready, copy.part == ScratchpadPart::resident ? place.room : places_.start));
    const Dependencies loaded = emitter_.issued(Unit::load);
    places_.small_inputs = later(places_.small_inputs, loaded);
    return loaded;
}

void GemmEmission::store_whole() {
    for (std::size_t n = 0; n < task_.whole_outputs.size(); ++n) {
        const GemmTask::WholeCopy& copy = task_.whole_outputs[n];
        emitter_.store({.address = places_.whole_outputs[n], .run_bytes = copy.bytes}, copy.part,
                       later(emitter_.issued(Unit::vector_unit), places_.out_in_dram));
    }
}

void GemmEmission::step() {
    const GemmProblem& problem = task_.problem;
    const auto [tile, first, last] = walk_.next();
    fetch(left, problem.left(tile, task_.left.bits));
    fetch(right, problem.right(tile, task_.right.bits));

    MatmulCommand command;
    command.mode = task_.mode;
    command.dataflow = tiling_.dataflow;
    command.left_bits = task_.left.array_bits();
    command.right_bits = task_.right.array_bits();
    command.left_part = tile_part(left);
    command.right_part = tile_part(right);
    command.result_part = task_.result_part;
    command.left_transposed = problem.left_transposed();
    command.right_transposed = problem.right_transposed();
    command.accumulate = !first;
    command.finish = last;
    command.passes = problem.passes(tile);
    std::shared_ptr<const std::vector<float>> sums;
    if (hooks_.values != nullptr) {
        command.values = hooks_.values->tile(tile, first, last);
        sums = command.values->sums;
    }
    Dependencies needs = later(places_.start, later(there(left), there(right)));
    if (last) {
        out_buffer_ = next_buffer(out_buffer_, out_free_);
        needs = later(needs, later(places_.out_on_chip, out_free_[out_buffer_]));
    }
    if (!command.passes.empty()) {  // input pixels that no output reaches have nothing to add up: zero as they are
        emitter_.matmul(std::move(command), needs);
    }
    for (const std::size_t input : {left, right}) {
        fetched_[input].free[fetched_[input].buffer] = emitter_.issued(Unit::mac_array);
    }
    if (last) {
        finish_tile(tile, sums);
    }
}

/// What must be complete before the array or the vector unit may read the input's present tile.
Dependencies GemmEmission::there(std::size_t input) const {
    return later(fetched_[input].loaded, operand(input).on_chip ? places_.inputs[input].ready : Dependencies{});
}

void GemmEmission::fetch(std::size_t input, const Slice& tile) {
    const GemmTask::Operand& operand = this->operand(input);
    const GemmPlaces::Operand& place = places_.inputs[input];
    Fetched& fetched = fetched_[input];
    if (fetched.held == tile) {
        return;
    }
    fetched.held = tile;
    if (operand.tile_bits() > 0) {
        fetched.buffer = next_buffer(fetched.buffer, fetched.free);
    }
    if (operand.resident()) {
        if (hooks_.spared) {
            hooks_.spared(input, tile);
        }
        load_up_to(input, end_of(tile));
    } else {
        emitter_.load(moved_by(tile, place.address), source_part(input),
                      later(later(places_.start, place.ready), fetched.free[fetched.buffer]));
        fetched.loaded = emitter_.issued(Unit::load);
    }
    if (operand.rounded_bits > 0) {
        round_tile(input, tile);
    }
}

// An input that is to stay is loaded in the order of its bytes, each once, as far as the next tile needs it: tiles come
// in about that order.
void GemmEmission::load_up_to(std::size_t input, std::uint64_t end) {
    constexpr std::uint64_t step_bytes = 4096;  // whole bursts
    const GemmPlaces::Operand& place = places_.inputs[input];
    Fetched& fetched = fetched_[input];
    const std::uint64_t stop = std::min(operand(input).stay_bytes, round_up(end, step_bytes));
    if (stop <= fetched.begun) {
        return;
    }
    const Slice part{.address = place.address + fetched.begun, .run_bytes = stop - fetched.begun};
    emitter_.load(part, source_part(input), later(place.ready, place.room));
    if (hooks_.loaded_to_stay) {
        hooks_.loaded_to_stay(input, part);
    }
    fetched.begun = stop;
    fetched.loaded = emitter_.issued(Unit::load);
}

Dependencies GemmEmission::load_rest(std::size_t input) {
    load_up_to(input, operand(input).stay_bytes);
    return fetched_[input].loaded;
}

// Of an input that stays, into a buffer of its own; of a loaded tile in its place, as codes are shorter and are written
// after what they are made of was read.
void GemmEmission::round_tile(std::size_t input, const Slice& tile) {
    Fetched& fetched = fetched_[input];
    const GemmTask::Operand& operand = this->operand(input);
    emitter_.convert({.elements = tile.bytes() * 8 / operand.bits,
                      .code_bits = operand.rounded_bits,
                      .gradient_part = source_part(input),
                      .code_part = tile_part(input),
                      .values = nullptr},
                     later(there(input), later(places_.start, fetched.free[fetched.buffer])));
    fetched.loaded = later(fetched.loaded, emitter_.issued(Unit::log_gradient));
}

void GemmEmission::fetch_side(std::size_t input, const TileRange& tile) {
    const GemmTask::Operand& operand = this->operand(input);
    const GemmPlaces::Operand& place = places_.inputs[input];
    const Slice slice = task_.problem.out(tile, operand.bits);
    if (operand.resident()) {
        if (hooks_.spared) {
            hooks_.spared(input, slice);
        }
        load_up_to(input, end_of(slice));
        return;
    }
    emitter_.load(moved_by(slice, place.address), source_part(input),
                  later(later(places_.start, place.ready), out_free_[out_buffer_]));
    fetched_[input].loaded = emitter_.issued(Unit::load);
}

void GemmEmission::finish_tile(const TileRange& tile, const std::shared_ptr<const std::vector<float>>& sums) {
    const GemmProblem& problem = task_.problem;
    const std::uint64_t elements = problem.out_elements(tile);
    const auto bytes = [&](std::uint64_t bits) { return bytes_for(Bits(elements * bits)).count(); };
    Dependencies made = later(emitter_.issued(Unit::mac_array), places_.small_inputs);
    for (std::size_t input = first_side; input < fetched_.size(); ++input) {
        fetch_side(input, tile);
        made = later(made, there(input));
    }
    if (task_.lane_ops > 0) {
        VectorCommand vector{.lane_ops = task_.lane_ops * elements};
        std::ranges::transform(task_.vector_read_bits, vector.read_bytes.begin(), bytes);
        std::ranges::transform(task_.vector_write_bits, vector.write_bytes.begin(), bytes);
        emitter_.vector(vector, made);
        made = emitter_.issued(Unit::vector_unit);
    }
    if (task_.code_bits > 0) {
        ConvertCommand conversion{.elements = elements,
                                  .code_bits = task_.code_bits,
                                  .gradient_part = task_.result_part,
                                  .code_part = task_.code_part,
                                  .values = nullptr};
        if (sums != nullptr && hooks_.gradients) {
            conversion.values = hooks_.gradients(sums);
        }
        emitter_.convert(conversion, made);
        made = later(made, emitter_.issued(Unit::log_gradient));
    }
    for (std::size_t n = 0; n < task_.stored.size(); ++n) {
        const GemmTask::StoredCopy& copy = task_.stored[n];
        emitter_.store(moved_by(problem.out(tile, copy.bits), places_.stored[n]), copy.part,
                       later(made, places_.out_in_dram));
    }
    if (hooks_.finished) {
        hooks_.finished(tile);
    }
    out_free_[out_buffer_] = later(made, emitter_.issued(Unit::store));
}

}  // namespace nibble
