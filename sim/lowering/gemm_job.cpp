// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_job.h"

#include <algorithm>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "models/mac_array/tile_values.h"
#include "sim/base/units.h"
#include "sim/input/gemm_direction.h"
#include "sim/lowering/gradient_check.h"
#include "sim/lowering/selection.h"

namespace nibble {

namespace {

constexpr std::uint32_t result_bits = 16;
constexpr std::size_t gemm_operands = 2;

// Epilogue steps that only gather sums while the results pass.
bool only_reduces(const VectorStep& step) {
    return step.function == "batch_stats" || step.function == "bias_grad" || step.function == "sawb_stats";
}

GemmProblem problem_of(const Operation& operation, const TensorMemory& memory) {
    const std::size_t left = left_input(operation);
    return {operation, memory.tensor(operation.inputs[left]).elements,
            memory.tensor(operation.inputs[1 - left]).elements};
}

/// Buffers of one operand take turns.
std::size_t next_buffer(std::size_t buffer, const std::vector<Dependencies>& buffers) {
    return (buffer + 1) % buffers.size();
}

bool has(const OutputCopies& output, CopyFormat format) {
    return std::find(output.formats.begin(), output.formats.end(), format) != output.formats.end();
}

}  // namespace

GemmJob::GemmJob(GemmResources& resources, const Operation& operation, OpRecord record, std::uint64_t first_access)
    : resources_(resources),
      context_(resources.context),
      operation_(operation),
      problem_(problem_of(operation, context_.memory)),
      precision_(context_.recipe.precision_of(operation)),
      out_free_(context_.machine.scratchpad.buffering) {
    const std::uint64_t out_access = first_access + operation.inputs.size();
    out_ = place_output(context_, operation.outputs[0], out_access);
    for (std::size_t i = 1; i < operation.outputs.size(); ++i) {
        side_outputs_.push_back(place_output(context_, operation.outputs[i], out_access + i));
    }
    epilogue_lane_ops_ = lane_ops_of(operation.epilogue);
    transforms_ = !std::all_of(operation.epilogue.begin(), operation.epilogue.end(), only_reduces);
    const std::size_t left = left_input(operation);
    left_ = operand(left, TileBuffer::left, first_access + left);
    right_ = operand(1 - left, TileBuffer::right, first_access + 1 - left);
    for (std::size_t i = gemm_operands; i < operation.inputs.size(); ++i) {
        side_inputs_.push_back(side_input(i));
    }

    const TilingInput input = tiling_input();
    tiling_ = resources_.tilings.tiling(operation, problem_, input);
    walk_.emplace(problem_, tiling_);
    start_ = later(context_.tiles.take(tile_space(problem_, tiling_, input)), context_.memory.resident_release());

    const auto mode = static_cast<std::size_t>(precision_.mode);
    record.kind = std::holds_alternative<Matmul>(operation.work) ? "matmul" : "conv";
    record.mode = array_mode_names[mode];
    record.dataflow = dataflow_names[static_cast<std::size_t>(tiling_.dataflow)];
    record.tiling = to_string(tiling_, problem_);
    record.batch = problem_.batch();
    record.m = problem_.m();
    record.n = problem_.n();
    record.k = problem_.k();
    record.peak_macs_per_cycle = peak_macs_per_cycle(*context_.machine.mac_array.modes[mode]);
    spdlog::debug("{} {}: {}-stationary, {}", operation.layer, record.phase, record.dataflow, record.tiling);
    if (resources_.values != nullptr) {
        record.values = resources_.values->begin(operation, problem_, tiling_, precision_,
                                                 context_.memory.tensor(left_.id), context_.memory.tensor(right_.id));
    }
    context_.emitter.begin(std::move(record));

    preload(left_);
    preload(right_);
    load_small_side_inputs();
}

GemmJob::Operand GemmJob::operand(std::size_t input, TileBuffer buffer, std::uint64_t access) {
    TensorMemory& memory = context_.memory;
    Operand operand;
    operand.id = operation_.inputs[input];
    const Tensor& tensor = memory.tensor(operand.id);
    operand.format = input_copy(operation_, input, tensor.role, context_.recipe, context_.machine.gradient_storage);
    operand.bits = bits_of(operand.format, tensor);
    operand.buffer_free.resize(context_.machine.scratchpad.buffering);
    const TensorMemory::Copy& copy = memory.copy(operand.id, operand.format);
    operand.ready = copy.ready();
    operand.resident = copy.resident || context_.machine.ideal_memory;
    if (!operand.resident) {
        operand.address = memory.address(operand.id, operand.format);
        operand.preload = memory.keep_input(operand.id, operand.format, access);
        operand.resident = operand.preload;
    }
    operand.part = copy.resident ? ScratchpadPart::resident : part_of(buffer);
    return operand;
}

GemmJob::Operand GemmJob::side_input(std::size_t input) {
    TensorMemory& memory = context_.memory;
    Operand side;
    side.id = operation_.inputs[input];
    const Tensor& tensor = memory.tensor(side.id);
    side.format = vector_copy(tensor.role);
    side.bits = bits_of(side.format, tensor);
    const TensorMemory::Copy& copy = memory.copy(side.id, side.format);
    side.ready = copy.ready();
    side.resident = copy.resident || context_.machine.ideal_memory;
    side.part = copy.resident ? ScratchpadPart::resident : ScratchpadPart::output;
    side.address = side.resident ? 0 : memory.address(side.id, side.format);
    return side;
}

bool GemmJob::as_large_as_the_output(TensorId tensor) const {
    return context_.memory.tensor(tensor).elements == out_.elements;
}

TilingInput GemmJob::tiling_input() const {
    TilingInput input;
    input.mode = precision_.mode;
    input.left_bits = left_.bits;
    input.right_bits = right_.bits;
    input.left_resident = left_.resident;
    input.right_resident = right_.resident;
    input.memory_free = context_.machine.ideal_memory;
    input.tiles = context_.tiles.capacity();
    input.buffering = context_.machine.scratchpad.buffering;
    input.dram_bytes_per_cycle = resources_.dram_bytes_per_cycle;
    input.out_bits = out_.bits + (has(out_, CopyFormat::fp16) ? 0 : result_bits);
    input.code_bits = out_.code_bits;
    input.stored_bits = out_.stored ? out_.bits : 0;
    for (const OutputCopies& side : side_outputs_) {
        const std::uint32_t bits = side.elements == out_.elements ? side.bits : 0;
        input.out_bits += bits;
        input.stored_bits += side.stored ? bits : 0;
    }
    for (const Operand& side : side_inputs_) {
        input.out_bits += as_large_as_the_output(side.id) ? side.bits : 0;
    }
    return input;
}

void GemmJob::preload(Operand& operand) {
    if (!operand.preload) {
        return;
    }
    TensorMemory::Copy& copy = context_.memory.copy(operand.id, operand.format);
    const Slice whole{.address = operand.address, .run_bytes = copy.bytes};
    context_.emitter.load(whole, operand.part, later(copy.stored, context_.memory.resident_release()));
    copy.written = context_.emitter.issued(Unit::load);
    operand.ready = copy.written;
}

// Biases and the like are needed by every tile: loaded once.
void GemmJob::load_small_side_inputs() {
    for (Operand& side : side_inputs_) {
        if (!side.resident && !as_large_as_the_output(side.id)) {
            const std::uint64_t bytes = context_.memory.copy(side.id, side.format).bytes;
            context_.emitter.load({.address = side.address, .run_bytes = bytes}, side.part, later(start_, side.ready));
            side.loaded = context_.emitter.issued(Unit::load);
        }
    }
}

bool GemmJob::step() {
    if (walk_->done()) {
        complete();
        return false;
    }
    const auto [tile, first, last] = walk_->next();
    fetch(left_, problem_.left(tile, left_.bits));
    fetch(right_, problem_.right(tile, right_.bits));

    MatmulCommand command;
    command.mode = precision_.mode;
    command.dataflow = tiling_.dataflow;
    command.left_bits = left_.bits;
    command.right_bits = right_.bits;
    command.left_part = left_.part;
    command.right_part = right_.part;
    command.result_part = out_.part(TileBuffer::output);
    command.left_transposed = problem_.left_transposed();
    command.right_transposed = problem_.right_transposed();
    command.accumulate = !first;
    command.finish = last;
    command.passes = problem_.passes(tile);
    if (resources_.values != nullptr) {
        command.values = resources_.values->tile(tile, first, last);
        sums_ = command.values->sums;
    }
    Dependencies needs = later(start_, later(left_.loaded, right_.loaded));
    needs = later(needs, left_.resident ? left_.ready : Dependencies{});
    needs = later(needs, right_.resident ? right_.ready : Dependencies{});
    if (last) {
        out_buffer_ = next_buffer(out_buffer_, out_free_);
        needs = later(needs, out_free_[out_buffer_]);
    }
    Emitter& emitter = context_.emitter;
    if (!command.passes.empty()) {  // input pixels that no output reaches have nothing to add up: zero as they are
        emitter.matmul(std::move(command), needs);
    }
    left_.buffer_free[left_.buffer] = emitter.issued(Unit::mac_array);
    right_.buffer_free[right_.buffer] = emitter.issued(Unit::mac_array);
    if (last) {
        finish_tile(tile);
    }
    return true;
}

void GemmJob::fetch(Operand& operand, Slice slice) {
    if (operand.resident) {
        return;
    }
    slice.address += operand.address;
    if (operand.held == slice) {
        return;
    }
    operand.held = slice;
    operand.buffer = next_buffer(operand.buffer, operand.buffer_free);
    context_.emitter.load(slice, operand.part,
                          later(later(start_, operand.ready), operand.buffer_free[operand.buffer]));
    operand.loaded = context_.emitter.issued(Unit::load);
}

void GemmJob::finish_tile(const TileRange& tile) {
    Emitter& emitter = context_.emitter;
    const std::uint64_t elements = problem_.out_elements(tile);
    const auto bytes = [&](std::uint64_t bits) { return bytes_for(Bits(elements * bits)).count(); };
    Dependencies made = emitter.issued(Unit::mac_array);

    PartBytes side_bits_read{};
    for (const Operand& side : side_inputs_) {
        made = later(made, side.resident ? side.ready : side.loaded);
        if (!as_large_as_the_output(side.id)) {
            continue;
        }
        of(side_bits_read, side.part) += side.bits;
        if (!side.resident) {
            Slice slice = problem_.out(tile, side.bits);
            slice.address += side.address;
            emitter.load(slice, side.part, later(later(start_, side.ready), out_free_[out_buffer_]));
            made = later(made, emitter.issued(Unit::load));
        }
    }
    PartBytes side_bits_written{};
    for (const OutputCopies& side : side_outputs_) {
        of(side_bits_written, side.part(TileBuffer::output)) += side.elements == out_.elements ? side.bits : 0;
    }

    const std::uint64_t lane_ops = (epilogue_lane_ops_ + out_.quantize_lane_ops) * elements;
    if (lane_ops > 0) {
        // Results that the epilogue changes go back as 16 bits where somebody, or the log-gradient unit, reads them so.
        const bool keeps_result = has(out_, CopyFormat::fp16);
        const bool rewrites = transforms_ && (keeps_result || out_.code_bits > 0);
        const std::uint64_t quantized_bits = out_.bits - out_.code_bits - (keeps_result ? result_bits : 0);
        const ScratchpadPart results = out_.part(TileBuffer::output);
        VectorCommand vector{.lane_ops = lane_ops};
        for (std::size_t part = 0; part < scratchpad_part_count; ++part) {
            const bool here = part == static_cast<std::size_t>(results);
            vector.read_bytes[part] = bytes(side_bits_read[part] + (here ? result_bits : 0));
            vector.write_bytes[part] =
                bytes(side_bits_written[part] + (here ? quantized_bits + (rewrites ? result_bits : 0) : 0));
        }
        emitter.vector(vector, made);
        made = emitter.issued(Unit::vector_unit);
    }
    if (out_.code_bits > 0) {
        ConvertCommand conversion{.elements = elements,
                                  .code_bits = out_.code_bits,
                                  .gradient_part = out_.part(TileBuffer::output),
                                  .code_part = out_.part(TileBuffer::gradient),
                                  .values = nullptr};
        if (sums_ != nullptr) {
            conversion.values =
                gradients_to_convert(sums_, problem_.k(), operation_.layer, resources_.gradients_checked);
        }
        emitter.convert(conversion, made);
        made = later(made, emitter.issued(Unit::log_gradient));
    }
    store_tile(out_, tile, made);
    for (const OutputCopies& side : side_outputs_) {
        if (side.elements == out_.elements) {
            store_tile(side, tile, made);
        }
    }
    out_free_[out_buffer_] = later(made, emitter.issued(Unit::store));
}

void GemmJob::store_tile(const OutputCopies& output, const TileRange& tile, const Dependencies& made) {
    if (!output.stored || context_.machine.ideal_memory) {
        return;
    }
    TensorMemory& memory = context_.memory;
    for (const CopyFormat format : output.formats) {
        Slice slice = problem_.out(tile, bits_of(format, memory.tensor(output.id)));
        slice.address += memory.address(output.id, format);
        context_.emitter.store(slice, output.part(is_fp4(format) ? TileBuffer::gradient : TileBuffer::output), made);
    }
}

// Statistics are whole only now.
void GemmJob::complete() {
    Emitter& emitter = context_.emitter;
    TensorMemory& memory = context_.memory;
    for (const OutputCopies& side : side_outputs_) {
        if (side.elements != out_.elements && side.stored) {
            for (const CopyFormat format : side.formats) {
                const std::uint64_t address = memory.address(side.id, format);
                emitter.store({.address = address, .run_bytes = memory.copy(side.id, format).bytes},
                              side.part(TileBuffer::output), emitter.issued(Unit::vector_unit));
            }
        }
    }
    context_.tiles.release_last(emitter.issued());
    mark_output_complete(context_, out_);
    for (const OutputCopies& side : side_outputs_) {
        mark_output_complete(context_, side);
    }
    emitter.end();
}

}  // namespace nibble
