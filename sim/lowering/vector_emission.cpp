// SPDX-License-Identifier: MIT
#include "sim/lowering/vector_emission.h"

#include <utility>

#include "sim/base/units.h"
#include "sim/lowering/gemm_problem.h"

namespace nibble {

namespace {

/// The index-th of `parts` parts of an amount; the parts add up to it.
std::uint64_t part_of(std::uint64_t amount, std::uint64_t index, std::uint64_t parts) {
    return scaled(amount, index + 1, parts) - scaled(amount, index, parts);
}

Range bytes_of_chunk(const VectorTask::Stream& stream, std::uint64_t chunk, std::uint64_t chunks) {
    const auto at = [&](std::uint64_t index) {
        return index == chunks ? stream.bytes
                               : scaled(stream.bytes, index, chunks) / chunk_alignment_bytes * chunk_alignment_bytes;
    };
    return {at(chunk), at(chunk + 1)};
}

/// Bytes that a slice of the stream holds among the tiles.
std::uint64_t tile_room(const VectorTask::Stream& stream, const Slice& slice) {
    return stream.moves && !stream.stays ? slice.bytes() : 0;
}

/// The part of a stream that one chunk moves; all of it if it is small.
Slice slice_of_chunk(const VectorTask::Stream& stream, std::uint64_t address, std::uint64_t chunk,
                     std::uint64_t chunks) {
    if (stream.small()) {
        chunk = 0;
        chunks = 1;
    }
    if (stream.table()) {
        Slice rows = stream.rows;
        const std::uint64_t first = scaled(rows.outer[2].count, chunk, chunks);
        rows.address = address + first * rows.outer[2].stride_bytes;
        rows.outer[2].count = part_of(rows.outer[2].count, chunk, chunks);
        return rows;
    }
    const Range bytes = bytes_of_chunk(stream, chunk, chunks);
    return {.address = address + bytes.begin, .run_bytes = bytes.size()};
}

}  // namespace

VectorEmission::VectorEmission(const VectorTask& task, VectorPlaces places, Emitter& emitter, VectorHooks hooks)
    : task_(task),
      places_(std::move(places)),
      emitter_(emitter),
      hooks_(std::move(hooks)),
      input_free_(task.buffering),
      output_free_(task.buffering) {}

void VectorEmission::step() {
    const std::size_t slot = chunk_ % task_.buffering;
    const Dependencies loaded = load(slot);
    work(later(loaded, later(places_.out_on_chip, output_free_[slot])));
    input_free_[slot] = emitter_.issued(Unit::vector_unit);
    const Dependencies worked = emitter_.issued(Unit::vector_unit);
    store(task_.results, places_.results, hooks_.spared_result, worked);
    if (task_.gradients > 0) {
        emitter_.convert({.elements = part_of(task_.gradients, chunk_, task_.chunks),
                          .code_bits = task_.code_bits,
                          .gradient_part = task_.gradient_part,
                          .code_part = task_.codes.front().part,
                          .values = nullptr},
                         worked,
                         {.takes_bytes = room_for(task_.codes),
                          .frees_bytes = gradient_bytes * part_of(task_.passing, chunk_, task_.chunks)});
        store(task_.codes, places_.codes, hooks_.spared_code, emitter_.issued(Unit::log_gradient));
    }
    output_free_[slot] = later(emitter_.issued(Unit::store), emitter_.issued(Unit::log_gradient));
    ++chunk_;
}

Dependencies VectorEmission::load(std::size_t slot) {
    Dependencies ready = places_.start;
    for (std::size_t i = 0; i < task_.inputs.size(); ++i) {
        const VectorTask::Stream& stream = task_.inputs[i];
        VectorPlaces::Input& place = places_.inputs[i];
        ready = later(ready, stream.moves ? Dependencies{} : place.ready);
        if (stream.small() && chunk_ > 0) {
            continue;
        }
        const Slice slice = slice_of_chunk(stream, place.address, chunk_, task_.chunks);
        if (stream.moves) {
            const std::uint64_t room = tile_room(stream, slice);
            (stream.small() ? small_room_ : chunk_room_) += room;
            emitter_.load(slice, stream.part,
                          later(place.ready, stream.stays ? place.room : later(places_.start, input_free_[slot])),
                          {.takes_bytes = room,
                           .takes_to_stay_bytes = slice.bytes() > 0 ? std::exchange(place.room_bytes, 0) : 0});
        } else if (hooks_.spared_load) {
            hooks_.spared_load(i, slice);
        }
    }
    return later(ready, emitter_.issued(Unit::load));
}

void VectorEmission::work(const Dependencies& needs) {
    VectorCommand command{.lane_ops = part_of(task_.lane_ops, chunk_, task_.chunks),
                          .macs = part_of(task_.macs, chunk_, task_.chunks)};
    for (const VectorTask::Stream& stream : task_.inputs) {
        of(command.read_bytes, stream.part) += part_of(stream.bytes, chunk_, task_.chunks);
    }
    const std::uint64_t passing = gradient_bytes * part_of(task_.passing, chunk_, task_.chunks);
    of(command.write_bytes, ScratchpadPart::output) = passing;
    for (const VectorTask::Stream& stream : task_.results) {
        of(command.write_bytes, stream.part) += part_of(stream.bytes, chunk_, task_.chunks);
    }
    emitter_.vector(command, needs,
                    {.takes_bytes = room_for(task_.results) + passing,
                     .frees_bytes = std::exchange(chunk_room_, 0) + (last_chunk() ? std::exchange(small_room_, 0) : 0),
                     .takes_to_stay_bytes = std::exchange(places_.out_room_bytes, 0)});
}

std::uint64_t VectorEmission::room_for(const std::vector<VectorTask::Stream>& streams) const {
    std::uint64_t bytes = 0;
    for (const VectorTask::Stream& stream : streams) {
        if (!stream.small() || chunk_ == 0) {
            bytes += tile_room(stream, slice_of_chunk(stream, 0, chunk_, task_.chunks));
        }
    }
    return bytes;
}

void VectorEmission::store(const std::vector<VectorTask::Stream>& streams, const std::vector<std::uint64_t>& addresses,
                           const std::function<void(std::size_t, const Slice&)>& spared, const Dependencies& made) {
    for (std::size_t i = 0; i < streams.size(); ++i) {
        const VectorTask::Stream& stream = streams[i];
        if (stream.small() && !last_chunk()) {
            continue;
        }
        const Slice slice = slice_of_chunk(stream, addresses[i], chunk_, task_.chunks);
        if (stream.moves) {
            emitter_.store(slice, stream.part, later(made, places_.out_in_dram),
                           {.frees_bytes = tile_room(stream, slice)});
        } else if (spared) {
            spared(i, slice);
        }
    }
}

}  // namespace nibble
