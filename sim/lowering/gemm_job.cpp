// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_job.h"

#include <algorithm>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "sim/input/gemm_direction.h"
#include "sim/lowering/gradient_check.h"
#include "sim/lowering/greedy_tiling.h"
#include "sim/lowering/operand_access.h"

namespace nibble {

namespace {

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

}  // namespace

GemmJob::GemmJob(GemmResources& resources, const Operation& operation, OpRecord record, std::uint64_t first_access)
    : resources_(resources),
      context_(resources.context),
      operation_(operation),
      task_{.problem = problem_of(operation, context_.memory), .mode = context_.recipe.precision_of(operation).mode} {
    const TensorPlan& plan = context_.memory.plan();
    const std::uint64_t out_access = first_access + operation.inputs.size();
    out_ = output_copies(plan, context_.memory.tensor(operation.outputs[0]), out_access);
    for (std::size_t i = 1; i < operation.outputs.size(); ++i) {
        side_outputs_.push_back(output_copies(plan, context_.memory.tensor(operation.outputs[i]), out_access + i));
    }
    for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
        Input each = input(i, first_access + i);
        const bool small = i >= gemm_operands && context_.memory.tensor(each.id).elements != out_.elements;
        (small ? small_inputs_ : inputs_).push_back(std::move(each));
    }
    if (left_input(operation) == 1) {
        std::swap(inputs_[0], inputs_[1]);
    }
    target_ = begin_outputs(context_, operation.outputs, out_access);
    task_.left = inputs_[0].operand;
    task_.right = inputs_[1].operand;
    describe_small_inputs();
    describe_outputs();
    describe_whole_outputs();

    const MappingTable::Entry* const mapped =
        resources_.mappings != nullptr ? resources_.mappings->find(task_.key()) : nullptr;
    tiling_ = mapped != nullptr ? mapped->tiling : greedy_tiling(task_, context_.machine);
    record.predicted_cycles = mapped != nullptr ? mapped->expected_cycles : 0;
    places_.start = context_.tiles.take(tile_space(task_, tiling_));
    places_.out_on_chip = target_.on_chip;
    places_.out_in_dram = target_.in_dram;
    places_.out_room_bytes = target_.room_bytes;

    count_fused();
    const auto mode = static_cast<std::size_t>(task_.mode);
    record.kind = std::holds_alternative<Matmul>(operation.work) ? "matmul" : "conv";
    record.mode = array_mode_names[mode];
    record.dataflow = dataflow_names[static_cast<std::size_t>(tiling_.dataflow)];
    record.mapping = record_of(tiling_, task_.problem);
    record.batch = task_.problem.batch();
    record.m = task_.problem.m();
    record.n = task_.problem.n();
    record.k = task_.problem.k();
    record.peak_macs_per_cycle = peak_macs_per_cycle(*context_.machine.mac_array.modes[mode]);
    spdlog::debug("{} {}: {}-stationary, {}", operation.layer, record.phase, record.dataflow,
                  to_string(record.mapping));
    if (resources_.values != nullptr) {
        record.values =
            resources_.values->begin(operation, task_.problem, tiling_, context_.recipe.precision_of(operation),
                                     context_.memory.tensor(inputs_[0].id), context_.memory.tensor(inputs_[1].id));
    }
    context_.emitter.begin(std::move(record));

    for (const Input& each : inputs_) {
        places_.inputs.push_back(each.place);
    }
    emission_.emplace(task_, tiling_, places_, context_.emitter, hooks());
    load_small_inputs();
    load_for_others();
}

GemmJob::Input GemmJob::input(std::size_t index, std::uint64_t access) {
    TensorMemory& memory = context_.memory;
    Input input;
    input.id = operation_.inputs[index];
    const Tensor& tensor = memory.tensor(input.id);
    const GradientStorage storage = context_.machine.gradient_storage;
    input.format = input_copy(operation_, index, tensor.role, context_.recipe, storage);
    input.source = memory.begin_read(input.id, input.format, access);
    input.operand.bits = bits_of(input.format, tensor);
    input.operand.on_chip = input.source.on_chip;
    input.operand.stay_bytes = input.source.stays ? memory.copy(input.id, input.format).bytes : 0;
    if (index < gemm_operands && rounded_on_load(tensor.role, context_.recipe.precision_of(operation_), storage)) {
        input.operand.rounded_bits = rounded_code_bits;
    }
    input.place = {.address = input.source.on_chip ? 0 : memory.address(input.id, input.format),
                   .ready = input.source.ready,
                   .room = input.source.room,
                   .room_bytes = input.source.room_bytes};
    return input;
}

/// What the scratchpad, the vector unit and DRAM take of an output and of what goes with it.
void GemmJob::describe_outputs() {
    const bool keeps_result = out_.has(CopyFormat::fp16);
    task_.code_bits = out_.code_bits;
    task_.result_bits = out_.bits - out_.code_bits + (keeps_result ? 0 : array_result_bits);
    task_.lane_ops = lane_ops_of(operation_.epilogue) + out_.quantize_lane_ops;
    // Results that the epilogue changes go back as 16 bits where somebody, or the log-gradient unit, reads them so.
    const bool transforms = !std::ranges::all_of(operation_.epilogue, only_reduces);
    const bool rewrites = transforms && (keeps_result || out_.code_bits > 0);
    task_.result_part = out_.result_part();
    of(task_.vector_read_bits, task_.result_part) = array_result_bits;
    of(task_.vector_write_bits, task_.result_part) = rewrites ? array_result_bits : 0;
    for (std::size_t side = gemm_operands; side < inputs_.size(); ++side) {
        const GemmTask::Operand& operand = inputs_[side].operand;
        task_.side_inputs.push_back(operand);
        task_.result_bits += operand.bits;
        of(task_.vector_read_bits, operand.resident() ? ScratchpadPart::resident : ScratchpadPart::output) +=
            operand.bits;
    }
    describe_copies(out_);
    for (const OutputCopies& side : side_outputs_) {
        if (side.elements == out_.elements) {
            task_.result_bits += side.bits;
            describe_copies(side);
        }
    }
}

/// Copies of an output that the vector unit writes, and those that are stored.
void GemmJob::describe_copies(const OutputCopies& output) {
    TensorMemory& memory = context_.memory;
    const Tensor& tensor = memory.tensor(output.id);
    for (const CopyFormat format : output.formats) {
        const bool result = output.id == out_.id && format == CopyFormat::fp16;
        if (output.keeps(format)) {
            (is_fp4(format) ? task_.kept_code_bits : task_.kept_result_bits) += bits_of(format, tensor);
        }
        if (is_fp4(format)) {
            task_.code_part = output.part(format);
        } else if (!result) {
            of(task_.vector_write_bits, output.part(format)) += bits_of(format, tensor);
        }
        if (output.stores(format) && !context_.machine.ideal_memory) {
            task_.stored.push_back({bits_of(format, tensor), output.part(format)});
            places_.stored.push_back(memory.address(output.id, format));
        }
    }
}

/// Of those that come from DRAM; what is on chip is waited for.
void GemmJob::describe_small_inputs() {
    for (const Input& small : small_inputs_) {
        if (small.source.on_chip) {
            places_.small_inputs = later(places_.small_inputs, small.source.ready);
        } else {
            task_.whole_inputs.push_back({context_.memory.copy(small.id, small.format).bytes,
                                          small.source.stays ? ScratchpadPart::resident : ScratchpadPart::output});
            places_.whole_inputs.push_back(small.place);
        }
    }
}

void GemmJob::describe_whole_outputs() {
    TensorMemory& memory = context_.memory;
    for (const OutputCopies& side : side_outputs_) {
        if (side.elements == out_.elements || context_.machine.ideal_memory) {
            continue;
        }
        for (const CopyFormat format : side.formats) {
            const std::uint64_t bytes = memory.copy(side.id, format).bytes;
            if (side.stores(format)) {
                task_.whole_outputs.push_back({bytes, side.part(format)});
                places_.whole_outputs.push_back(memory.address(side.id, format));
            } else {
                spare_store(context_, side.id, {.address = 0, .run_bytes = bytes});
            }
        }
    }
}

GemmHooks GemmJob::hooks() {
    GemmHooks hooks;
    hooks.values = resources_.values;
    hooks.gradients = [this](const std::shared_ptr<const std::vector<float>>& sums) {
        return gradients_to_convert(sums, task_.problem.k(), operation_.layer, resources_.gradients_checked);
    };
    hooks.spared = [this](std::size_t input, const Slice& tile) { spare_load(context_, inputs_[input].id, tile); };
    hooks.loaded_to_stay = [this](std::size_t input, const Slice& part) {
        unspare_load(context_, inputs_[input].id, part);
    };
    hooks.finished = [this](const TileRange& tile) { spare_stores(tile); };
    return hooks;
}

void GemmJob::count_fused() {
    OnChipRecord& on_chip = context_.on_chip;
    on_chip.fused_gemms += operation_.epilogue.empty() ? 0U : 1U;
    on_chip.fused_steps += operation_.epilogue.size();
    on_chip.fused_quantizations += static_cast<std::uint64_t>(std::ranges::count_if(
        out_.formats, [](CopyFormat format) { return format != CopyFormat::fp16 && format != CopyFormat::fp32; }));
}

void GemmJob::load_small_inputs() {
    std::size_t loaded = 0;
    for (const Input& small : small_inputs_) {
        const Slice whole{.address = small.place.address,
                          .run_bytes = context_.memory.copy(small.id, small.format).bytes};
        if (small.operand.resident()) {
            spare_load(context_, small.id, {.address = 0, .run_bytes = whole.run_bytes});
        }
        if (small.source.on_chip) {
            continue;
        }
        const Dependencies there = emission_->load_whole(loaded++);
        if (small.source.stays) {
            unspare_load(context_, small.id, whole);
            context_.memory.loaded(small.id, small.format, there);
        }
    }
}

// An operation that reads a copy twice loads it once, before it begins.
void GemmJob::load_for_others() {
    for (std::size_t one = 0; one < inputs_.size(); ++one) {
        for (std::size_t other = 0; other < inputs_.size(); ++other) {
            if (inputs_[one].source.stays && inputs_[other].source.on_chip && inputs_[other].id == inputs_[one].id &&
                inputs_[other].format == inputs_[one].format) {
                emission_->set_ready(other, emission_->load_rest(one));
            }
        }
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

void GemmJob::spare_stores(const TileRange& tile) {
    const auto spare = [&](const OutputCopies& output) {
        for (const CopyFormat format : output.formats) {
            if (!output.stores(format) && !context_.machine.ideal_memory) {
                const std::uint32_t bits = bits_of(format, context_.memory.tensor(output.id));
                spare_store(context_, output.id, task_.problem.out(tile, bits));
            }
        }
    };
    spare(out_);
    for (const OutputCopies& side : side_outputs_) {
        if (side.elements == out_.elements) {
            spare(side);
        }
    }
}

// Statistics are whole only now.
void GemmJob::complete() {
    Emitter& emitter = context_.emitter;
    emission_->store_whole();
    for (std::size_t each = 0; each < inputs_.size(); ++each) {
        if (inputs_[each].source.stays) {
            context_.memory.loaded(inputs_[each].id, inputs_[each].format, emission_->load_rest(each));
        }
    }
    if (emission_->left_results_unwritten()) {
        std::ranges::for_each(operation_.outputs, [&](TensorId output) { context_.memory.never_written(output); });
    }
    context_.tiles.release_last(emitter.issued());
    mark_output_complete(context_, out_);
    for (const OutputCopies& side : side_outputs_) {
        mark_output_complete(context_, side);
    }
}

}  // namespace nibble
