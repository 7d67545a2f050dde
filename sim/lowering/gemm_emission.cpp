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

/// What moves whole takes among the tiles.
std::uint64_t tile_room(const GemmTask::WholeCopy& copy) {
    return copy.part == ScratchpadPart::resident ? 0 : copy.bytes;
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
      next_(look_at_next()),
      fetched_(first_side + task.side_inputs.size()),
      out_free_(tiling.out_buffers) {
    fetched_[left].free.resize(tiling.left_buffers);
    fetched_[right].free.resize(tiling.right_buffers);
    for (const GemmTask::WholeCopy& copy : task.whole_outputs) {
        unmade_room_bytes_ += tile_room(copy);
    }
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

// Biases and the like are needed by every tile: loaded once, and there until the last tile is finished.
Dependencies GemmEmission::load_whole(std::size_t input) {
    const GemmTask::WholeCopy& copy = task_.whole_inputs[input];
    GemmPlaces::Operand& place = places_.whole_inputs[input];
    const bool is_read = has_finishing_commands();
    emitter_.load({.address = place.address, .run_bytes = copy.bytes}, copy.part,
                  later(place.ready, copy.part == ScratchpadPart::resident ? place.room : places_.start),
                  {.takes_bytes = tile_room(copy),
                   .frees_bytes = is_read ? 0 : tile_room(copy),
                   .takes_to_stay_bytes = std::exchange(place.room_bytes, 0)});
    whole_room_bytes_ += is_read ? tile_room(copy) : 0;
    const Dependencies loaded = emitter_.issued(Unit::load);
    places_.small_inputs = later(places_.small_inputs, loaded);
    return loaded;
}

void GemmEmission::store_whole() {
    for (std::size_t n = 0; n < task_.whole_outputs.size(); ++n) {
        const GemmTask::WholeCopy& copy = task_.whole_outputs[n];
        emitter_.store({.address = places_.whole_outputs[n], .run_bytes = copy.bytes}, copy.part,
                       later(emitter_.issued(Unit::vector_unit), places_.out_in_dram),
                       {.takes_bytes = std::exchange(unmade_room_bytes_, 0), .frees_bytes = tile_room(copy)});
    }
}

std::optional<GemmEmission::Tile> GemmEmission::look_at_next() {
    if (walk_.done()) {
        return std::nullopt;
    }
    Tile next{.at = walk_.next()};
    next.slices = {task_.problem.left(next.at.tile, task_.left.bits),
                   task_.problem.right(next.at.tile, task_.right.bits)};
    next.passes = task_.problem.passes(next.at.tile);
    return next;
}

bool GemmEmission::used_later(std::size_t input) const {
    const Slice& held = *fetched_[input].held;
    if (!next_ || next_->slices[input] != held) {
        return false;
    }
    if (!next_->passes.empty()) {
        return true;
    }
    const GemmProblem& problem = task_.problem;
    for (TileWalk ahead = walk_; !ahead.done();) {
        const TileRange tile = ahead.next().tile;
        if ((input == left ? problem.left(tile, task_.left.bits) : problem.right(tile, task_.right.bits)) != held) {
            return false;
        }
        if (!problem.passes(tile).empty()) {
            return true;
        }
    }
    return false;
}

bool GemmEmission::has_finishing_commands() const {
    return task_.lane_ops > 0 || task_.code_bits > 0 || !task_.stored.empty();
}

void GemmEmission::step() {
    const GemmProblem& problem = task_.problem;
    Tile present = *std::exchange(next_, std::nullopt);
    next_ = look_at_next();
    const auto [tile, first, last] = present.at;
    fetch(left, present);
    fetch(right, present);

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
    command.passes = std::move(present.passes);
    std::shared_ptr<const std::vector<float>> sums;
    if (hooks_.values != nullptr) {
        command.values = hooks_.values->tile(tile, first, last);
        sums = command.values->sums;
    }
    Dependencies writable = places_.start;
    OutputRoom output(last ? problem.out_elements(tile) : 0, next_ ? 0 : std::exchange(whole_room_bytes_, 0));
    if (last) {
        out_buffer_ = next_buffer(out_buffer_, out_free_);
        writable = later(writable, later(places_.out_on_chip, out_free_[out_buffer_]));
        output.results(task_.result_part == ScratchpadPart::resident ? 0 : array_result_bits);
    }
    if (!command.passes.empty()) {
        ScratchpadRoom room;
        if (last) {
            room = of_result(output, !has_finishing_commands());
        }
        for (const std::size_t input : {left, right}) {
            room.frees_bytes += used_later(input) ? 0 : fetched_[input].room_bytes;
        }
        emitter_.matmul(std::move(command), later(writable, later(there(left), there(right))), room);
    }
    for (const std::size_t input : {left, right}) {  // a tile that no product uses has to have come
        fetched_[input].free[fetched_[input].buffer] = later(emitter_.issued(Unit::mac_array), fetched_[input].loaded);
    }
    if (last) {
        finish_tile(tile, sums, later(writable, emitter_.issued(Unit::mac_array)), output);
    }
}

/// What must be complete before the array or the vector unit may read the input's present tile.
Dependencies GemmEmission::there(std::size_t input) const {
    return later(fetched_[input].loaded, operand(input).on_chip ? places_.inputs[input].ready : Dependencies{});
}

void GemmEmission::fetch(std::size_t input, const Tile& tile) {
    const GemmTask::Operand& operand = this->operand(input);
    const GemmPlaces::Operand& place = places_.inputs[input];
    const Slice& slice = tile.slices[input];
    Fetched& fetched = fetched_[input];
    if (fetched.held == slice) {
        return;
    }
    fetched.held = slice;
    if (operand.tile_bits() > 0) {
        fetched.buffer = next_buffer(fetched.buffer, fetched.free);
        fetched.room_bytes = (input == left ? task_.problem.left(tile.at.tile, operand.tile_bits())
                                            : task_.problem.right(tile.at.tile, operand.tile_bits()))
                                 .bytes();
    }
    // A tile without a product that uses it is gone when it has come.
    const std::uint64_t unused = tile.passes.empty() && !used_later(input) ? fetched.room_bytes : 0;
    const bool rounds = operand.rounded_bits > 0;
    if (operand.resident()) {
        if (hooks_.spared) {
            hooks_.spared(input, slice);
        }
        load_up_to(input, end_of(slice));
    } else {
        emitter_.load(moved_by(slice, place.address), source_part(input),
                      later(later(places_.start, place.ready), fetched.free[fetched.buffer]),
                      {.takes_bytes = fetched.room_bytes, .frees_bytes = rounds ? 0 : unused});
        fetched.loaded = emitter_.issued(Unit::load);
    }
    if (rounds) {
        round_tile(input, {.takes_bytes = operand.resident() ? fetched.room_bytes : 0, .frees_bytes = unused});
    }
}

// An input that is to stay is loaded in the order of its bytes, each once, as far as the next tile needs it: tiles come
// in about that order.
void GemmEmission::load_up_to(std::size_t input, std::uint64_t end) {
    constexpr std::uint64_t step_bytes = 4096;  // whole bursts
    GemmPlaces::Operand& place = places_.inputs[input];
    Fetched& fetched = fetched_[input];
    const std::uint64_t stop = std::min(operand(input).stay_bytes, round_up(end, step_bytes));
    if (stop <= fetched.begun) {
        return;
    }
    const Slice part{.address = place.address + fetched.begun, .run_bytes = stop - fetched.begun};
    emitter_.load(part, source_part(input), later(place.ready, place.room),
                  {.takes_to_stay_bytes = std::exchange(place.room_bytes, 0)});
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
void GemmEmission::round_tile(std::size_t input, const ScratchpadRoom& room) {
    Fetched& fetched = fetched_[input];
    const GemmTask::Operand& operand = this->operand(input);
    emitter_.convert({.elements = fetched.held->bytes() * 8 / operand.bits,
                      .code_bits = operand.rounded_bits,
                      .gradient_part = source_part(input),
                      .code_part = tile_part(input),
                      .values = nullptr},
                     later(there(input), later(places_.start, fetched.free[fetched.buffer])), room);
    fetched.loaded = later(fetched.loaded, emitter_.issued(Unit::log_gradient));
}

void GemmEmission::fetch_side(std::size_t input, const TileRange& tile, OutputRoom& room) {
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
    room.results(operand.bits);
    emitter_.load(moved_by(slice, place.address), source_part(input),
                  later(later(places_.start, place.ready), out_free_[out_buffer_]),
                  room.of_command(!has_finishing_commands()));
    fetched_[input].loaded = emitter_.issued(Unit::load);
}

/// Room of a command that writes results: the first of all takes that of results that stay.
ScratchpadRoom GemmEmission::of_result(OutputRoom& tile, bool last) {
    ScratchpadRoom room = tile.of_command(last);
    room.takes_to_stay_bytes = std::exchange(places_.out_room_bytes, 0);
    return room;
}

/// Bits that the vector unit adds to those of a result that the buffer for results has: copies that do not stay.
std::uint64_t GemmEmission::bits_of_copies(std::uint64_t present_bits) const {
    std::uint64_t bits = task_.kept_result_bits + present_bits;
    for (const GemmTask::Operand& side : task_.side_inputs) {
        bits += side.resident() ? side.bits : 0;
    }
    return task_.result_bits > bits ? task_.result_bits - bits : 0;
}

void GemmEmission::finish_tile(const TileRange& tile, const std::shared_ptr<const std::vector<float>>& sums,
                               Dependencies made, OutputRoom& room) {
    const GemmProblem& problem = task_.problem;
    const std::uint64_t elements = problem.out_elements(tile);
    const auto bytes = [&](std::uint64_t bits) { return bytes_for(Bits(elements * bits)).count(); };
    made = later(made, places_.small_inputs);
    for (std::size_t input = first_side; input < fetched_.size(); ++input) {
        fetch_side(input, tile, room);
        made = later(made, there(input));
    }
    if (task_.lane_ops > 0) {
        VectorCommand vector{.lane_ops = task_.lane_ops * elements};
        std::ranges::transform(task_.vector_read_bits, vector.read_bytes.begin(), bytes);
        std::ranges::transform(task_.vector_write_bits, vector.write_bytes.begin(), bytes);
        room.results(bits_of_copies(room.result_bits()));
        ScratchpadRoom taken = of_result(room, task_.code_bits == 0 && task_.stored.empty());
        taken.takes_bytes += std::exchange(unmade_room_bytes_, 0);
        emitter_.vector(vector, made, taken);
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
        room.codes(task_.code_bits - task_.kept_code_bits);
        emitter_.convert(conversion, made, of_result(room, task_.stored.empty()));
        made = later(made, emitter_.issued(Unit::log_gradient));
    }
    for (std::size_t n = 0; n < task_.stored.size(); ++n) {
        const GemmTask::StoredCopy& copy = task_.stored[n];
        emitter_.store(moved_by(problem.out(tile, copy.bits), places_.stored[n]), copy.part,
                       later(made, places_.out_in_dram), of_result(room, n + 1 == task_.stored.size()));
    }
    if (hooks_.finished) {
        hooks_.finished(tile);
    }
    out_free_[out_buffer_] = later(made, emitter_.issued(Unit::store));
}

}  // namespace nibble
