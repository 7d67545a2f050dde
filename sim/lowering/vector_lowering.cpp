// SPDX-License-Identifier: MIT
#include "sim/lowering/vector_lowering.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/base/units.h"
#include "sim/input/operation_size.h"
#include "sim/lowering/gemm_problem.h"
#include "sim/lowering/operand_access.h"

namespace nibble {

namespace {

// Chunks are long enough for DRAM to stream, short enough for loading, work and storing to overlap.
constexpr std::uint64_t longest_chunk_bytes = 128 * 1024;
// Operands of up to this size are moved whole.
constexpr std::uint64_t small_operand_bytes = 8 * 1024;
constexpr std::uint64_t chunk_alignment_bytes = 64;

/// One copy of an operand, as this operation moves it.
struct Stream {
    TensorId id = 0;
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
    std::uint64_t elements = 0;
    Slice rows{};           // of a table that is only read or written in part; empty otherwise
    bool moves = true;      // to or from DRAM; otherwise it is and stays on chip
    bool stays = false;     // moves, and stays on chip as well: takes no room among the tiles
    ScratchpadPart part{};  // that holds it, or its chunks
    Dependencies ready{};   // inputs, where they are
    Dependencies room{};    // inputs that stay: their place is free

    [[nodiscard]] bool small() const { return bytes <= small_operand_bytes; }
    [[nodiscard]] bool table() const { return rows.run_bytes > 0; }
};

/// The index-th of `parts` parts of an amount; the parts add up to it.
std::uint64_t part_of(std::uint64_t amount, std::uint64_t index, std::uint64_t parts) {
    return scaled(amount, index + 1, parts) - scaled(amount, index, parts);
}

Range bytes_of_chunk(const Stream& stream, std::uint64_t chunk, std::uint64_t chunks) {
    const auto at = [&](std::uint64_t index) {
        return index == chunks ? stream.bytes
                               : scaled(stream.bytes, index, chunks) / chunk_alignment_bytes * chunk_alignment_bytes;
    };
    return {at(chunk), at(chunk + 1)};
}

/// What the operation asks of the vector unit in all.
struct LaneWork {
    std::uint64_t lane_ops = 0;
    std::uint64_t macs = 0;
};

LaneWork lane_work(const Operation& operation, std::uint64_t result_elements) {
    if (const auto* vector = std::get_if<VectorWork>(&operation.work)) {
        return {lane_ops_of(vector->steps) * vector->elements, 0};
    }
    const std::uint64_t macs = macs_of(operation);
    return {macs + lane_ops_of(operation.epilogue) * result_elements, macs};
}

/// Rows of a table that a gather or a scatter touches: as many as it moves, spread evenly over the table.
Slice table_rows(const Tensor& table, std::uint64_t touched_elements, std::uint32_t bits) {
    const std::uint64_t row_elements = table.shape.back();
    const std::uint64_t rows = std::max<std::uint64_t>(1, table.elements / row_elements);
    const std::uint64_t touched = std::max<std::uint64_t>(1, touched_elements / row_elements);
    const std::uint64_t row_bytes = bytes_for(Bits(row_elements * bits)).count();
    return {.address = 0,
            .run_bytes = row_bytes,
            .outer = {{{}, {}, {touched, std::max<std::uint64_t>(1, rows / touched) * row_bytes}}}};
}

/// A gather's table is read, and a scatter's written, only where the indices point.
void restrict_to_rows(Stream& stream, const Operation& operation, const Tensor& tensor, std::uint32_t bits) {
    if (touches_rows(operation, tensor.elements) && !tensor.shape.empty()) {
        stream.elements = std::get<VectorWork>(operation.work).elements;
        stream.rows = table_rows(tensor, stream.elements, bits);
        stream.bytes = stream.rows.bytes();
    }
}

/// The part of a stream that one chunk moves.
Slice slice_of_chunk(const Stream& stream, std::uint64_t chunk, std::uint64_t chunks) {
    if (stream.table()) {
        Slice rows = stream.rows;
        const std::uint64_t first = scaled(rows.outer[2].count, chunk, chunks);
        rows.address = stream.address + first * rows.outer[2].stride_bytes;
        rows.outer[2].count = part_of(rows.outer[2].count, chunk, chunks);
        return rows;
    }
    const Range bytes = bytes_of_chunk(stream, chunk, chunks);
    return {.address = stream.address + bytes.begin, .run_bytes = bytes.size()};
}

/// One vector operation being lowered, a chunk a step.
class VectorJob final : public OperationLowering {
public:
    VectorJob(LoweringContext& context, const Operation& operation, OpRecord record, std::uint64_t first_access)
        : context_(context), operation_(operation) {
        gather_inputs(first_access);
        gather_outputs(first_access + operation_.inputs.size());
        work_ = lane_work(operation_, outputs_.empty() ? 0 : outputs_.front().elements);
        for (const OutputCopies& output : outputs_) {
            work_.lane_ops += output.quantize_lane_ops * output.elements;
        }
        chunks_ = chunk_count();
        input_free_.resize(buffering());
        output_free_.resize(buffering());
        start_ = context_.tiles.take(space(chunks_));
        context_.emitter.begin(std::move(record));
    }

    bool step() override {
        if (chunk_ < chunks_) {
            emit(chunk_++, chunks_);
            return true;
        }
        context_.tiles.release_last(context_.emitter.issued());
        for (const Loaded& copy : loaded_) {
            context_.memory.loaded(copy.id, copy.format, context_.emitter.issued(Unit::load));
        }
        for (const OutputCopies& output : outputs_) {
            mark_output_complete(context_, output);
        }
        context_.emitter.end();
        return false;
    }

private:
    void gather_inputs(std::uint64_t first_access) {
        TensorMemory& memory = context_.memory;
        for (std::size_t i = 0; i < operation_.inputs.size(); ++i) {
            const TensorId id = operation_.inputs[i];
            const Tensor& tensor = memory.tensor(id);
            const CopyFormat format =
                input_copy(operation_, i, tensor.role, context_.recipe, context_.machine.gradient_storage);
            const TensorMemory::Source source = memory.begin_read(id, format, first_access + i);
            Stream stream;
            stream.id = id;
            stream.bytes = memory.copy(id, format).bytes;
            stream.elements = tensor.elements;
            stream.moves = !source.on_chip;
            stream.stays = source.stays;
            stream.ready = source.ready;
            stream.room = source.room;
            stream.part = source.on_chip || source.stays ? ScratchpadPart::resident : part_of(input_buffer(i));
            stream.address = stream.moves ? memory.address(id, format) : 0;
            restrict_to_rows(stream, operation_, tensor, bits_of(format, tensor));
            inputs_.push_back(stream);
            if (source.stays) {
                loaded_.push_back({id, format});
            }
        }
    }

    void gather_outputs(std::uint64_t first_access) {
        TensorMemory& memory = context_.memory;
        target_ = begin_outputs(context_, operation_.outputs, first_access);
        for (std::size_t i = 0; i < operation_.outputs.size(); ++i) {
            const Tensor& tensor = memory.tensor(operation_.outputs[i]);
            const OutputCopies output = output_copies(memory.plan(), tensor, first_access + i);
            for (const CopyFormat format : output.formats) {
                Stream stream;
                stream.id = output.id;
                stream.bytes = memory.copy(output.id, format).bytes;
                stream.elements = output.elements;
                stream.moves = output.stores(format) && !context_.machine.ideal_memory;
                stream.stays = output.keeps(format);
                stream.part = output.part(format);
                stream.address = stream.moves ? memory.address(output.id, format) : 0;
                restrict_to_rows(stream, operation_, tensor, bits_of(format, tensor));
                (is_fp4(format) ? codes_ : results_).push_back(stream);
            }
            const bool kept = output.has(CopyFormat::fp16);
            gradients_ += output.code_bits > 0 ? output.elements : 0;
            passing_ += output.code_bits > 0 && !kept ? output.elements : 0;
            if (output.code_bits > 0 && kept) {
                gradient_part_ = output.result_part();
            }
            code_bits_ = std::max(code_bits_, output.code_bits);
            outputs_.push_back(output);
        }
    }

    /// Inputs take turns in the buffers of the two operands.
    [[nodiscard]] static TileBuffer input_buffer(std::size_t input) {
        return input % 2 == 0 ? TileBuffer::left : TileBuffer::right;
    }

    [[nodiscard]] std::uint32_t buffering() const { return context_.machine.scratchpad.buffering; }

    /// As few chunks as overlap well and fit.
    [[nodiscard]] std::uint64_t chunk_count() const {
        std::uint64_t bytes = 0;
        for (const auto* streams : {&inputs_, &results_, &codes_}) {
            for (const Stream& stream : *streams) {
                bytes += stream.small() ? 0 : stream.bytes;
            }
        }
        bytes += gradients_ * 2;  // on their way to the log-gradient unit
        std::uint64_t chunks = std::max<std::uint64_t>(1, ceil_div(bytes, longest_chunk_bytes));
        while (!context_.tiles.capacity().holds(space(chunks))) {
            if (bytes / chunks < chunk_alignment_bytes) {
                throw InputError(fmt::format("a chunk of element-wise work does not fit: {} of scratchpad for tiles",
                                             context_.tiles.capacity().text()));
            }
            chunks *= 2;
        }
        return chunks;
    }

    /// `buffering` chunks of every stream that moves, and one of what is moved whole.
    [[nodiscard]] TileBytes space(std::uint64_t chunks) const {
        TileBytes bytes{};
        const auto add = [&](const Stream& stream, TileBuffer buffer) {
            if (stream.moves && !stream.stays) {
                of(bytes, buffer) += stream.small()
                                         ? stream.bytes
                                         : buffering() * (ceil_div(stream.bytes, chunks) + chunk_alignment_bytes);
            }
        };
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            add(inputs_[i], input_buffer(i));
        }
        for (const Stream& stream : results_) {
            add(stream, TileBuffer::output);
        }
        for (const Stream& stream : codes_) {
            add(stream, TileBuffer::gradient);
        }
        of(bytes, TileBuffer::output) += buffering() * ceil_div(gradients_ * 2, chunks);
        return bytes;
    }

    void emit(std::uint64_t chunk, std::uint64_t chunks) {
        Emitter& emitter = context_.emitter;
        const std::size_t slot = chunk % buffering();
        Dependencies ready = start_;
        PartBytes read_bytes{};
        for (const Stream& stream : inputs_) {
            ready = later(ready, stream.moves ? Dependencies{} : stream.ready);
            of(read_bytes, stream.part) += part_of(stream.bytes, chunk, chunks);
            if (stream.small() && chunk > 0) {
                continue;
            }
            const Slice slice = stream.small() ? slice_of_chunk(stream, 0, 1) : slice_of_chunk(stream, chunk, chunks);
            if (stream.moves) {
                emitter.load(slice, stream.part,
                             later(stream.ready, stream.stays ? stream.room : later(start_, input_free_[slot])));
            } else {
                spare_load(context_, stream.id, slice);
            }
        }
        ready = later(ready, emitter.issued(Unit::load));
        PartBytes write_bytes{};
        of(write_bytes, ScratchpadPart::output) = 2 * part_of(passing_, chunk, chunks);
        for (const Stream& stream : results_) {
            of(write_bytes, stream.part) += part_of(stream.bytes, chunk, chunks);
        }
        emitter.vector({.lane_ops = part_of(work_.lane_ops, chunk, chunks),
                        .read_bytes = read_bytes,
                        .write_bytes = write_bytes,
                        .macs = part_of(work_.macs, chunk, chunks)},
                       later(ready, later(target_.on_chip, output_free_[slot])));
        input_free_[slot] = emitter.issued(Unit::vector_unit);
        const Dependencies worked = emitter.issued(Unit::vector_unit);
        store(results_, chunk, chunks, worked);
        if (gradients_ > 0) {
            emitter.convert({.elements = part_of(gradients_, chunk, chunks),
                             .code_bits = code_bits_,
                             .gradient_part = gradient_part_,
                             .code_part = codes_.front().part,
                             .values = nullptr},
                            worked);
            store(codes_, chunk, chunks, emitter.issued(Unit::log_gradient));
        }
        output_free_[slot] = later(emitter.issued(Unit::store), emitter.issued(Unit::log_gradient));
    }

    void store(const std::vector<Stream>& streams, std::uint64_t chunk, std::uint64_t chunks,
               const Dependencies& made) {
        for (const Stream& stream : streams) {
            if (stream.small() && chunk + 1 < chunks) {
                continue;
            }
            const Slice slice = stream.small() ? slice_of_chunk(stream, 0, 1) : slice_of_chunk(stream, chunk, chunks);
            if (stream.moves) {
                context_.emitter.store(slice, stream.part, later(made, target_.in_dram));
            } else {
                spare_store(context_, stream.id, slice);
            }
        }
    }

    struct Loaded {
        TensorId id = 0;
        CopyFormat format = CopyFormat::fp16;
    };

    LoweringContext& context_;
    Operation operation_;
    std::uint64_t chunks_ = 0;
    std::uint64_t chunk_ = 0;  // the next one
    std::vector<Stream> inputs_;
    std::vector<Loaded> loaded_;  // those that stay on chip from now on
    std::vector<OutputCopies> outputs_;
    TensorMemory::Target target_;  // of all outputs
    std::vector<Stream> results_;  // written by the vector unit
    std::vector<Stream> codes_;    // written by the log-gradient unit
    std::uint64_t gradients_ = 0;  // elements that go through it
    std::uint64_t passing_ = 0;    // of these, the ones whose 16 bits are no copy that is kept
    ScratchpadPart gradient_part_ = ScratchpadPart::output;  // where they lie in 16 bits
    std::uint32_t code_bits_ = 0;
    LaneWork work_;
    Dependencies start_{};
    std::vector<Dependencies> input_free_;  // last users of each chunk's buffers
    std::vector<Dependencies> output_free_;
};

}  // namespace

std::unique_ptr<OperationLowering> lower_vector_work(LoweringContext& context, const Operation& operation,
                                                     OpRecord record, std::uint64_t first_access) {
    record.mode = "vector";
    if (const auto* c = std::get_if<Convolution>(&operation.work)) {
        record.kind = "depthwise";
        record.batch = c->groups;
        record.m = c->n * c->p() * c->q();
        record.n = c->k / c->groups * (c->c / c->groups);  // one of the two is 1
        record.k = c->r * c->s;
        record.peak_macs_per_cycle = context.machine.vector_unit.lanes;
    } else {
        record.kind = "vector";
    }
    return std::make_unique<VectorJob>(context, operation, std::move(record), first_access);
}

}  // namespace nibble
