// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "sim/lowering/emitter.h"
#include "sim/lowering/vector_task.h"

namespace nibble {

/// Where the data of an operation of the vector unit are, and what must be complete before they may be read or written.
struct VectorPlaces {
    struct Input {
        std::uint64_t address = 0;     ///< in DRAM, unless on chip
        Dependencies ready{};          ///< before it may be read where it is
        Dependencies room{};           ///< before it may be written on chip, if it is to stay
        std::uint64_t room_bytes = 0;  ///< that it then takes
    };
    std::vector<Input> inputs{};           ///< in the order of VectorTask::inputs
    std::vector<std::uint64_t> results{};  ///< addresses of those that move
    std::vector<std::uint64_t> codes{};
    Dependencies start{};              ///< before anything may be written to the buffers
    Dependencies out_on_chip{};        ///< before results that stay may be written
    Dependencies out_in_dram{};        ///< before results may be stored
    std::uint64_t out_room_bytes = 0;  ///< that results that stay take
};

/// What a run wants to know while the operation is emitted: slices that do not move, of the stream of that index.
/// Everything may be empty.
struct VectorHooks {
    std::function<void(std::size_t input, const Slice& slice)> spared_load{};
    std::function<void(std::size_t result, const Slice& slice)> spared_result{};
    std::function<void(std::size_t code, const Slice& slice)> spared_code{};
};

/// Emits the commands of one operation of the vector unit, chunk by chunk: loads, work, conversion of gradients,
/// stores.
class VectorEmission {
public:
    /// `task` must outlive the emission.
    VectorEmission(const VectorTask& task, VectorPlaces places, Emitter& emitter, VectorHooks hooks = {});

    [[nodiscard]] bool done() const { return chunk_ == task_.chunks; }
    /// Emits the next chunk; must not be done.
    void step();

private:
    [[nodiscard]] bool last_chunk() const { return chunk_ + 1 == task_.chunks; }
    /// Bytes of results or codes that this chunk begins to hold among the tiles: what is small is held to the end.
    [[nodiscard]] std::uint64_t room_for(const std::vector<VectorTask::Stream>& streams) const;
    /// Loads the chunk; returns what must be complete before it may be worked on.
    Dependencies load(std::size_t slot);
    void work(const Dependencies& needs);
    void store(const std::vector<VectorTask::Stream>& streams, const std::vector<std::uint64_t>& addresses,
               const std::function<void(std::size_t, const Slice&)>& spared, const Dependencies& made);

    const VectorTask& task_;
    VectorPlaces places_;
    Emitter& emitter_;
    VectorHooks hooks_;
    std::uint64_t chunk_ = 0;               // the next one
    std::uint64_t chunk_room_ = 0;          // taken by loads of the present chunk
    std::uint64_t small_room_ = 0;          // taken by inputs that all chunks read
    std::vector<Dependencies> input_free_;  // last users of each chunk's buffers
    std::vector<Dependencies> output_free_;
};

}  // namespace nibble
