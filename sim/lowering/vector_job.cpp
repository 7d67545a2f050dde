// SPDX-License-Identifier: MIT
#include "sim/lowering/vector_job.h"

#include <algorithm>
#include <utility>

#include "sim/base/units.h"
#include "sim/input/operation_size.h"
#include "sim/lowering/operand_access.h"

namespace nibble {

namespace {

/// What the operation asks of the vector unit, quantisation aside.
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

/// Inputs take turns in the buffers of the two operands.
ScratchpadPart input_part(std::size_t input) {
    return part_of(input % 2 == 0 ? TileBuffer::left : TileBuffer::right);
}

}  // namespace

VectorJob::VectorJob(LoweringContext& context, const Operation& operation, OpRecord record, std::uint64_t first_access)
    : context_(context), operation_(operation) {
    gather_inputs(first_access);
    gather_outputs(first_access + operation_.inputs.size());
    const LaneWork work = lane_work(operation_, outputs_.empty() ? 0 : outputs_.front().elements);
    task_.lane_ops += work.lane_ops;
    task_.macs = work.macs;
    task_.buffering = context_.machine.scratchpad.buffering;
    task_.cut(context_.tiles.capacity());
    places_.start = context_.tiles.take(task_.space());
    describe(record);
    context_.emitter.begin(std::move(record));
    emission_.emplace(task_, std::move(places_), context_.emitter, hooks());
}

void VectorJob::describe(OpRecord& record) const {
    record.mode = "vector";
    if (const auto* c = std::get_if<Convolution>(&operation_.work)) {
        record.kind = "depthwise";
        record.batch = c->groups;
        record.m = c->n * c->p() * c->q();
        record.n = c->k / c->groups * (c->c / c->groups);  // one of the two is 1
        record.k = c->r * c->s;
        record.peak_macs_per_cycle = context_.machine.vector_unit.lanes;
    } else {
        record.kind = "vector";
    }
}

void VectorJob::gather_inputs(std::uint64_t first_access) {
    TensorMemory& memory = context_.memory;
    for (std::size_t i = 0; i < operation_.inputs.size(); ++i) {
        const TensorId id = operation_.inputs[i];
        const Tensor& tensor = memory.tensor(id);
        const CopyFormat format =
            input_copy(operation_, i, tensor.role, context_.recipe, context_.machine.gradient_storage);
        const TensorMemory::Source source = memory.begin_read(id, format, first_access + i);
        VectorTask::Stream stream;
        stream.bytes = memory.copy(id, format).bytes;
        stream.moves = !source.on_chip;
        stream.stays = source.stays;
        stream.part = source.on_chip || source.stays ? ScratchpadPart::resident : input_part(i);
        restrict_to_rows(stream, tensor, bits_of(format, tensor));
        task_.inputs.push_back(stream);
        places_.inputs.push_back({.address = stream.moves ? memory.address(id, format) : 0,
                                  .ready = source.ready,
                                  .room = source.room,
                                  .room_bytes = source.room_bytes});
        if (source.stays) {
            loaded_.push_back({id, format});
        }
    }
}

void VectorJob::gather_outputs(std::uint64_t first_access) {
    TensorMemory& memory = context_.memory;
    const TensorMemory::Target target = begin_outputs(context_, operation_.outputs, first_access);
    places_.out_on_chip = target.on_chip;
    places_.out_in_dram = target.in_dram;
    places_.out_room_bytes = target.room_bytes;
    for (std::size_t i = 0; i < operation_.outputs.size(); ++i) {
        const OutputCopies output =
            output_copies(memory.plan(), memory.tensor(operation_.outputs[i]), first_access + i);
        gather_copies(output);
        const bool kept = output.has(CopyFormat::fp16);
        task_.lane_ops += output.quantize_lane_ops * output.elements;
        task_.gradients += output.code_bits > 0 ? output.elements : 0;
        task_.passing += output.code_bits > 0 && !kept ? output.elements : 0;
        if (output.code_bits > 0 && kept) {
            task_.gradient_part = output.result_part();
        }
        task_.code_bits = std::max(task_.code_bits, output.code_bits);
        outputs_.push_back(output);
    }
}

void VectorJob::gather_copies(const OutputCopies& output) {
    TensorMemory& memory = context_.memory;
    const Tensor& tensor = memory.tensor(output.id);
    for (const CopyFormat format : output.formats) {
        VectorTask::Stream stream;
        stream.bytes = memory.copy(output.id, format).bytes;
        stream.moves = output.stores(format) && !context_.machine.ideal_memory;
        stream.stays = output.keeps(format);
        stream.part = output.part(format);
        restrict_to_rows(stream, tensor, bits_of(format, tensor));
        const std::uint64_t address = stream.moves ? memory.address(output.id, format) : 0;
        (is_fp4(format) ? task_.codes : task_.results).push_back(stream);
        (is_fp4(format) ? places_.codes : places_.results).push_back(address);
        (is_fp4(format) ? code_ids_ : result_ids_).push_back(output.id);
    }
}

void VectorJob::restrict_to_rows(VectorTask::Stream& stream, const Tensor& tensor, std::uint32_t bits) const {
    if (touches_rows(operation_, tensor.elements) && !tensor.shape.empty()) {
        stream.rows = table_rows(tensor, std::get<VectorWork>(operation_.work).elements, bits);
        stream.bytes = stream.rows.bytes();
    }
}

VectorHooks VectorJob::hooks() {
    return {
        .spared_load = [this](std::size_t input,
                              const Slice& slice) { spare_load(context_, operation_.inputs[input], slice); },
        .spared_result = [this](std::size_t result,
                                const Slice& slice) { spare_store(context_, result_ids_[result], slice); },
        .spared_code = [this](std::size_t code, const Slice& slice) { spare_store(context_, code_ids_[code], slice); }};
}

bool VectorJob::step() {
    if (emission_->done()) {
        complete();
        return false;
    }
    emission_->step();
    return true;
}

void VectorJob::complete() {
    context_.tiles.release_last(context_.emitter.issued());
    for (const Loaded& copy : loaded_) {
        context_.memory.loaded(copy.id, copy.format, context_.emitter.issued(Unit::load));
    }
    for (const OutputCopies& output : outputs_) {
        mark_output_complete(context_, output);
    }
}

}  // namespace nibble
