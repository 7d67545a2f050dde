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
#include "sim/lowering/operand_access.h"
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

/// One past the last byte of a slice.
std::uint64_t end_of(const Slice& slice) {
    std::uint64_t end = slice.address + slice.run_bytes;
    for (const Slice::Dimension& dimension : slice.outer) {
        end += (dimension.count - 1) * dimension.stride_bytes;
    }
    return end;
}

}  // namespace

GemmJob::GemmJob(GemmResources& resources, const Operation& operation, OpRecord record, std::uint64_t first_access)
    : resources_(resources),
      context_(resources.context),
      operation_(operation),
      problem_(problem_of(operation, context_.memory)),
      precision_(context_.recipe.precision_of(operation)),
      out_free_(context_.machine.scratchpad.buffering) {
    const TensorPlan& plan = context_.memory.plan();
    const std::uint64_t out_access = first_access + operation.inputs.size();
    out_ = output_copies(plan, context_.memory.tensor(operation.outputs[0]), out_access);
    for (std::size_t i = 1; i < operation.outputs.size(); ++i) {
        side_outputs_.push_back(output_copies(plan, context_.memory.tensor(operation.outputs[i]), out_access + i));
    }
    epilogue_lane_ops_ = lane_ops_of(operation.epilogue);
    transforms_ = !std::all_of(operation.epilogue.begin(), operation.epilogue.end(), only_reduces);
    const std::size_t left = left_input(operation);
    for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
        Operand each = operand(i, first_access + i);
        if (i >= gemm_operands) {
            side_inputs_.push_back(std::move(each));
        } else {
            (i == left ? left_ : right_) = std::move(each);
        }
    }
    target_ = begin_outputs(context_, operation.outputs, out_access);

    const TilingInput input = tiling_input();
    tiling_ = resources_.tilings.tiling(operation, problem_, input);
    walk_.emplace(problem_, tiling_);
    start_ = context_.tiles.take(tile_space(problem_, tiling_, input));

    count_fused();
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

    load_for_others();
    load_small_side_inputs();
}

GemmJob::Operand GemmJob::operand(std::size_t input, std::uint64_t access) {
    TensorMemory& memory = context_.memory;
    Operand operand;
    operand.id = operation_.inputs[input];
    const Tensor& tensor = memory.tensor(operand.id);
    operand.format = input_copy(operation_, input, tensor.role, context_.recipe, context_.machine.gradient_storage);
    operand.bits = bits_of(operand.format, tensor);
    operand.rounded =
        input < gemm_operands && rounded_on_load(tensor.role, precision_, context_.machine.gradient_storage);
    operand.buffer_free.resize(context_.machine.scratchpad.buffering);
    operand.bytes = memory.copy(operand.id, operand.format).bytes;
    operand.source = memory.begin_read(operand.id, operand.format, access);
    operand.address = operand.source.on_chip ? 0 : memory.address(operand.id, operand.format);
    return operand;
}

void GemmJob::count_fused() {
    OnChipRecord& on_chip = context_.on_chip;
    on_chip.fused_gemms += operation_.epilogue.empty() ? 0U : 1U;
    on_chip.fused_steps += operation_.epilogue.size();
    on_chip.fused_quantizations += static_cast<std::uint64_t>(std::ranges::count_if(
        out_.formats, [](CopyFormat format) { return format != CopyFormat::fp16 && format != CopyFormat::fp32; }));
}

bool GemmJob::as_large_as_the_output(TensorId tensor) const {
    return context_.memory.tensor(tensor).elements == out_.elements;
}

TilingInput GemmJob::tiling_input() const {
    TilingInput input;
    input.mode = precision_.mode;
    input.left_bits = left_.bits;
    input.right_bits = right_.bits;
    input.left_resident = left_.resident();
    input.right_resident = right_.resident();
    input.left_rounded_bits = left_.rounded ? left_.array_bits() : 0;
    input.right_rounded_bits = right_.rounded ? right_.array_bits() : 0;
    input.memory_free = context_.machine.ideal_memory;
    input.tiles = context_.tiles.capacity();
    input.buffering = context_.machine.scratchpad.buffering;
    input.dram_bytes_per_cycle = resources_.dram_bytes_per_cycle;
    input.out_bits = out_.bits + (out_.has(CopyFormat::fp16) ? 0 : result_bits);
    input.code_bits = out_.code_bits;
    input.stored_bits = out_.stored_bits;
    for (const OutputCopies& side : side_outputs_) {
        const bool as_large = side.elements == out_.elements;
        input.out_bits += as_large ? side.bits : 0;
        input.stored_bits += as_large ? side.stored_bits : 0;
    }
    for (const Operand& side : side_inputs_) {
        input.out_bits += as_large_as_the_output(side.id) ? side.bits : 0;
    }
    return input;
}

std::vector<GemmJob::Operand*> GemmJob::operands() {
    std::vector<Operand*> all{&left_, &right_};
    for (Operand& side : side_inputs_) {
        all.push_back(&side);
    }
    return all;
}

// An operand that is to stay is loaded in the order of its bytes, each once, as far as the next tile needs it: tiles
// come in about that order.
void GemmJob::load_up_to(Operand& operand, std::uint64_t end) {
    constexpr std::uint64_t step_bytes = 4096;  // whole bursts
    const std::uint64_t stop = std::min(operand.bytes, round_up(end, step_bytes));
    if (stop > operand.begun) {
        const Slice part{.address = operand.address + operand.begun, .run_bytes = stop - operand.begun};
        context_.emitter.load(part, later(operand.source.ready, operand.source.room));
        unspare_load(context_, operand.id, part);
        operand.begun = stop;
        operand.loaded = context_.emitter.issued(Unit::load);
    }
}

// An operation that reads a copy twice loads it once, before it begins.
void GemmJob::load_for_others() {
    for (Operand* one : operands()) {
        for (Operand* other : operands()) {
            if (one->source.stays && other->source.on_chip && other->id == one->id && other->format == one->format) {
                load_up_to(*one, one->bytes);
                other->source.ready = one->loaded;
            }
        }
    }
}

// Biases and the like are needed by every tile: loaded once.
void GemmJob::load_small_side_inputs() {
    for (Operand& side : side_inputs_) {
        if (as_large_as_the_output(side.id)) {
            continue;
        }
        if (side.resident()) {
            spare_load(context_, side.id, {.address = 0, .run_bytes = side.bytes});
        }
        if (side.source.stays) {
            load_up_to(side, side.bytes);
        } else if (!side.source.on_chip) {
            context_.emitter.load({.address = side.address, .run_bytes = side.bytes}, later(start_, side.source.ready));
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
    command.left_bits = left_.array_bits();
    command.right_bits = right_.array_bits();
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
    needs = later(needs, left_.source.on_chip ? left_.source.ready : Dependencies{});
    needs = later(needs, right_.source.on_chip ? right_.source.ready : Dependencies{});
    if (last) {
        out_buffer_ = next_buffer(out_buffer_, out_free_);
        needs = later(needs, later(target_.on_chip, out_free_[out_buffer_]));
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
    if (operand.held == slice) {
        return;
    }
    operand.held = slice;
    if (operand.resident()) {
        spare_load(context_, operand.id, slice);
        if (operand.source.stays) {
            load_up_to(operand, end_of(slice));
        }
        if (operand.rounded) {
            operand.buffer = next_buffer(operand.buffer, operand.buffer_free);
            round_tile(operand, slice);
        }
        return;
    }
    slice.address += operand.address;
    operand.buffer = next_buffer(operand.buffer, operand.buffer_free);
    context_.emitter.load(slice, later(later(start_, operand.source.ready), operand.buffer_free[operand.buffer]));
    operand.loaded = context_.emitter.issued(Unit::load);
    if (operand.rounded) {
        round_tile(operand, slice);
    }
}

// Of an operand that stays, into a buffer of its own; of a loaded tile in its place, as codes are shorter and are
// written after what they are made of was read.
void GemmJob::round_tile(Operand& operand, const Slice& slice) {
    const Dependencies there = later(operand.loaded, operand.source.on_chip ? operand.source.ready : Dependencies{});
    context_.emitter.convert(
        {.elements = slice.bytes() * 8 / operand.bits, .code_bits = operand.array_bits(), .values = nullptr},
        later(there, later(start_, operand.buffer_free[operand.buffer])));
    operand.loaded = later(operand.loaded, context_.emitter.issued(Unit::log_gradient));
}

void GemmJob::finish_tile(const TileRange& tile) {
    Emitter& emitter = context_.emitter;
    const std::uint64_t elements = problem_.out_elements(tile);
    const auto bytes = [&](std::uint64_t bits) { return bytes_for(Bits(elements * bits)).count(); };
    Dependencies made = emitter.issued(Unit::mac_array);

    std::uint64_t side_bits_read = 0;
    for (Operand& side : side_inputs_) {
        if (as_large_as_the_output(side.id)) {
            side_bits_read += side.bits;
            load_side_tile(side, tile);
        }
        made = later(made, side.source.on_chip ? side.source.ready : side.loaded);
    }
    std::uint64_t side_bits_written = 0;
    for (const OutputCopies& side : side_outputs_) {
        side_bits_written += side.elements == out_.elements ? side.bits : 0;
    }

    const std::uint64_t lane_ops = (epilogue_lane_ops_ + out_.quantize_lane_ops) * elements;
    if (lane_ops > 0) {
        // Results that the epilogue changes go back as 16 bits where somebody, or the log-gradient unit, reads them so.
        const bool keeps_result = out_.has(CopyFormat::fp16);
        const bool rewrites = transforms_ && (keeps_result || out_.code_bits > 0);
        const std::uint64_t quantized_bits = out_.bits - out_.code_bits - (keeps_result ? result_bits : 0);
        emitter.vector({.lane_ops = lane_ops,
                        .read_bytes = bytes(result_bits + side_bits_read),
                        .write_bytes = bytes(quantized_bits + side_bits_written + (rewrites ? result_bits : 0))},
                       made);
        made = emitter.issued(Unit::vector_unit);
    }
    if (out_.code_bits > 0) {
        ConvertCommand conversion{.elements = elements, .code_bits = out_.code_bits, .values = nullptr};
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

void GemmJob::load_side_tile(Operand& side, const TileRange& tile) {
    Slice slice = problem_.out(tile, side.bits);
    if (side.resident()) {
        spare_load(context_, side.id, slice);
    }
    if (side.source.stays) {
        load_up_to(side, end_of(slice));
    } else if (!side.source.on_chip) {
        slice.address += side.address;
        context_.emitter.load(slice, later(later(start_, side.source.ready), out_free_[out_buffer_]));
        side.loaded = context_.emitter.issued(Unit::load);
    }
}

void GemmJob::store_tile(const OutputCopies& output, const TileRange& tile, const Dependencies& made) {
    if (context_.machine.ideal_memory) {
        return;
    }
    TensorMemory& memory = context_.memory;
    for (const CopyFormat format : output.formats) {
        Slice slice = problem_.out(tile, bits_of(format, memory.tensor(output.id)));
        if (!output.stores(format)) {
            spare_store(context_, output.id, slice);
        } else {
            slice.address += memory.address(output.id, format);
            context_.emitter.store(slice, later(made, target_.in_dram));
        }
    }
}

void GemmJob::store_whole(const OutputCopies& output) {
    if (context_.machine.ideal_memory) {
        return;
    }
    TensorMemory& memory = context_.memory;
    for (const CopyFormat format : output.formats) {
        Slice slice{.address = 0, .run_bytes = memory.copy(output.id, format).bytes};
        if (!output.stores(format)) {
            spare_store(context_, output.id, slice);
        } else {
            slice.address = memory.address(output.id, format);
            context_.emitter.store(slice, later(context_.emitter.issued(Unit::vector_unit), target_.in_dram));
        }
    }
}

// Statistics are whole only now.
void GemmJob::complete() {
    Emitter& emitter = context_.emitter;
    TensorMemory& memory = context_.memory;
    for (const OutputCopies& side : side_outputs_) {
        if (side.elements != out_.elements) {
            store_whole(side);
        }
    }
    for (Operand* operand : operands()) {
        if (operand->source.stays) {
            load_up_to(*operand, operand->bytes);
            memory.loaded(operand->id, operand->format, operand->loaded);
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
