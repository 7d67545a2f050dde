// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_job.h"

#include <algorithm>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "sim/input/gemm_direction.h"
#include "sim/lowering/gradient_check.h"
#include "sim/lowering/greedy_tiling.h"

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

bool has(const OutputCopies& output, CopyFormat format) {
    return std::ranges::find(output.formats, format) != output.formats.end();
}

}  // namespace

GemmJob::GemmJob(GemmResources& resources, const Operation& operation, OpRecord record, std::uint64_t first_access)
    : resources_(resources),
      context_(resources.context),
      operation_(operation),
      task_{.problem = problem_of(operation, context_.memory), .mode = context_.recipe.precision_of(operation).mode} {
    const std::uint64_t out_access = first_access + operation.inputs.size();
    out_ = place_output(context_, operation.outputs[0], out_access);
    for (std::size_t i = 1; i < operation.outputs.size(); ++i) {
        side_outputs_.push_back(place_output(context_, operation.outputs[i], out_access + i));
    }
    const std::size_t left = left_input(operation);
    left_ = operand(left, first_access + left);
    right_ = operand(1 - left, first_access + 1 - left);
    task_.left = {left_.bits, left_.on_chip};
    task_.right = {right_.bits, right_.on_chip};
    for (std::size_t i = gemm_operands; i < operation.inputs.size(); ++i) {
        const Input side = side_input(i);
        const bool small = context_.memory.tensor(side.id).elements != out_.elements;
        (small ? small_inputs_ : side_inputs_).push_back(side);
    }
    describe_outputs();

    const MappingTable::Entry* const mapped =
        resources_.mappings != nullptr ? resources_.mappings->find(task_.key()) : nullptr;
    const Tiling tiling = mapped != nullptr ? mapped->tiling : greedy_tiling(task_, context_.machine);
    record.predicted_cycles = mapped != nullptr ? mapped->expected_cycles : 0;
    places_.start = later(context_.tiles.take(tile_space(task_, tiling)), context_.memory.resident_release());

    const auto mode = static_cast<std::size_t>(task_.mode);
    record.kind = std::holds_alternative<Matmul>(operation.work) ? "matmul" : "conv";
    record.mode = array_mode_names[mode];
    record.dataflow = dataflow_names[static_cast<std::size_t>(tiling.dataflow)];
    record.tiling = to_string(tiling, task_.problem);
    record.batch = task_.problem.batch();
    record.m = task_.problem.m();
    record.n = task_.problem.n();
    record.k = task_.problem.k();
    record.peak_macs_per_cycle = peak_macs_per_cycle(*context_.machine.mac_array.modes[mode]);
    spdlog::debug("{} {}: {}-stationary, {}", operation.layer, record.phase, record.dataflow, record.tiling);
    GemmPayload payload;
    if (resources_.values != nullptr) {
        record.values =
            resources_.values->begin(operation, task_.problem, tiling, context_.recipe.precision_of(operation),
                                     context_.memory.tensor(left_.id), context_.memory.tensor(right_.id));
        payload.values = resources_.values;
        payload.gradients = [this](const std::shared_ptr<const std::vector<float>>& sums) {
            return gradients_to_convert(sums, task_.problem.k(), operation_.layer, resources_.gradients_checked);
        };
    }
    context_.emitter.begin(std::move(record));

    preload(left_);
    preload(right_);
    load_small_inputs();
    places_.left = left_.place;
    places_.right = right_.place;
    for (const Input& side : side_inputs_) {
        places_.side_inputs.push_back(side.place);
    }
    emission_.emplace(task_, tiling, places_, context_.emitter, std::move(payload));
}

GemmJob::Input GemmJob::operand(std::size_t input, std::uint64_t access) {
    TensorMemory& memory = context_.memory;
    Input operand;
    operand.id = operation_.inputs[input];
    const Tensor& tensor = memory.tensor(operand.id);
    operand.format = input_copy(operation_, input, tensor.role, context_.recipe, context_.machine.gradient_storage);
    operand.bits = bits_of(operand.format, tensor);
    const TensorMemory::Copy& copy = memory.copy(operand.id, operand.format);
    operand.place.ready = copy.ready();
    operand.on_chip = copy.resident || context_.machine.ideal_memory;
    if (!operand.on_chip) {
        operand.place.address = memory.address(operand.id, operand.format);
        operand.preload = memory.keep_input(operand.id, operand.format, access);
        operand.on_chip = operand.preload;
    }
    return operand;
}

GemmJob::Input GemmJob::side_input(std::size_t input) {
    TensorMemory& memory = context_.memory;
    Input side;
    side.id = operation_.inputs[input];
    const Tensor& tensor = memory.tensor(side.id);
    side.format = vector_copy(tensor.role);
    side.bits = bits_of(side.format, tensor);
    const TensorMemory::Copy& copy = memory.copy(side.id, side.format);
    side.place.ready = copy.ready();
    side.on_chip = copy.resident || context_.machine.ideal_memory;
    side.place.address = side.on_chip ? 0 : memory.address(side.id, side.format);
    return side;
}

/// What the scratchpad, the vector unit and DRAM take of an output and of what goes with it.
void GemmJob::describe_outputs() {
    const bool keeps_result = has(out_, CopyFormat::fp16);
    task_.code_bits = out_.code_bits;
    task_.result_bits = out_.bits - out_.code_bits + (keeps_result ? 0 : result_bits);
    task_.lane_ops = lane_ops_of(operation_.epilogue) + out_.quantize_lane_ops;
    // Results that the epilogue changes go back as 16 bits where somebody, or the log-gradient unit, reads them so.
    const bool transforms = !std::ranges::all_of(operation_.epilogue, only_reduces);
    const bool rewrites = transforms && (keeps_result || out_.code_bits > 0);
    task_.vector_read_bits = result_bits;
    task_.vector_write_bits =
        out_.bits - out_.code_bits - (keeps_result ? result_bits : 0) + (rewrites ? result_bits : 0);
    for (const Input& side : side_inputs_) {
        task_.side_inputs.push_back({side.bits, side.on_chip});
        task_.result_bits += side.bits;
        task_.vector_read_bits += side.bits;
    }
    TensorMemory& memory = context_.memory;
    const auto store = [&](const OutputCopies& output) {
        for (const CopyFormat format : output.formats) {
            if (output.stored && !context_.machine.ideal_memory) {
                task_.stored_bits.push_back(bits_of(format, memory.tensor(output.id)));
                places_.stored.push_back(memory.address(output.id, format));
            }
        }
    };
    store(out_);
    for (const OutputCopies& side : side_outputs_) {
        if (side.elements == out_.elements) {
            task_.result_bits += side.bits;
            task_.vector_write_bits += side.bits;
            store(side);
        }
    }
}

void GemmJob::preload(Input& operand) {
    if (!operand.preload) {
        return;
    }
    TensorMemory::Copy& copy = context_.memory.copy(operand.id, operand.format);
    const Slice whole{.address = operand.place.address, .run_bytes = copy.bytes};
    context_.emitter.load(whole, later(copy.stored, context_.memory.resident_release()));
    copy.written = context_.emitter.issued(Unit::load);
    operand.place.ready = copy.written;
}

// Biases and the like are needed by every tile: loaded once.
void GemmJob::load_small_inputs() {
    for (const Input& small : small_inputs_) {
        if (small.on_chip) {
            places_.small_inputs = later(places_.small_inputs, small.place.ready);
            continue;
        }
        const std::uint64_t bytes = context_.memory.copy(small.id, small.format).bytes;
        context_.emitter.load({.address = small.place.address, .run_bytes = bytes},
                              later(places_.start, small.place.ready));
        places_.small_inputs = later(places_.small_inputs, context_.emitter.issued(Unit::load));
    }
}

bool GemmJob::step() {
    if (emission_->done()) {
        complete();
        return false;
    }
    emission_->step();
    return true;
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
                              emitter.issued(Unit::vector_unit));
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
