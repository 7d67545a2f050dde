// SPDX-License-Identifier: MIT
#include "sim/lowering/vector_task.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

// Chunks are long enough for DRAM to stream, short enough for loading, work and storing to overlap.
constexpr std::uint64_t longest_chunk_bytes = 128 * 1024;

std::string_view name_of(ScratchpadPart part) {
    return scratchpad_part_names[static_cast<std::size_t>(part)];
}

std::string text_of(std::string_view name, const VectorTask::Stream& stream) {
    std::string text = fmt::format("; {} {} {}{}{}", name, stream.bytes, name_of(stream.part),
                                   stream.moves ? " moves" : "", stream.stays ? " stays" : "");
    if (stream.table()) {
        text += fmt::format(" rows {}", stream.rows.run_bytes);
        for (const Slice::Dimension& dimension : stream.rows.outer) {
            text += fmt::format(" {} by {}", dimension.count, dimension.stride_bytes);
        }
    }
    return text;
}

}  // namespace

void VectorTask::cut(const TileCapacity& capacity) {
    std::uint64_t bytes = 0;
    for (const auto* streams : {&inputs, &results, &codes}) {
        for (const Stream& stream : *streams) {
            bytes += stream.small() ? 0 : stream.bytes;
        }
    }
    bytes += gradients * gradient_bytes;  // on their way to the log-gradient unit
    chunks = std::max<std::uint64_t>(1, ceil_div(bytes, longest_chunk_bytes));
    while (!capacity.holds(space())) {
        if (bytes / chunks < chunk_alignment_bytes) {
            throw InputError(
                fmt::format("a chunk of element-wise work does not fit: {} of scratchpad for tiles", capacity.text()));
        }
        chunks *= 2;
    }
}

TileBytes VectorTask::space() const {
    TileBytes bytes{};
    for (const auto* streams : {&inputs, &results, &codes}) {
        for (const Stream& stream : *streams) {
            if (stream.moves && !stream.stays) {
                const std::uint64_t chunk = stream.table()
                                                ? ceil_div(stream.rows.outer[2].count, chunks) * stream.rows.run_bytes
                                                : ceil_div(stream.bytes, chunks) + chunk_alignment_bytes;
                bytes[static_cast<std::size_t>(stream.part)] += stream.small() ? stream.bytes : buffering * chunk;
            }
        }
    }
    of(bytes, TileBuffer::output) += buffering * gradient_bytes * ceil_div(gradients, chunks);
    return bytes;
}

std::string VectorTask::key() const {
    std::string text = fmt::format("vector chunks {} buffers {}; lanes {} macs {}", chunks, buffering, lane_ops, macs);
    for (const Stream& stream : inputs) {
        text += text_of("in", stream);
    }
    for (const Stream& stream : results) {
        text += text_of("out", stream);
    }
    for (const Stream& stream : codes) {
        text += text_of("codes", stream);
    }
    return gradients == 0 ? text
                          : text + fmt::format("; gradients {} passing {} {} bits {}", gradients, passing,
                                               name_of(gradient_part), code_bits);
}

}  // namespace nibble
