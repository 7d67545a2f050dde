// SPDX-License-Identifier: MIT
#include "sim/lowering/lowering_context.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "models/vector_unit/vector_function.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

std::uint64_t lane_ops_of(std::string_view function) {
    const VectorFunction* found = find_vector_function(function);
    if (found == nullptr) {
        throw InputError(fmt::format("unknown vector function '{}'{}", printable(function),
                                     suggestion(function, vector_function_names())));
    }
    return found->lane_ops;
}

// Weights are quantised with the SAWB statistics gathered while the previous step's update went over them, as
// GradScale uses the previous step's maximum: no second pass.
std::uint64_t quantize_lane_ops(TensorRole role, CopyFormat format) {
    const bool weight = role == TensorRole::weight;
    switch (format) {
        case CopyFormat::int4:
            return weight ? lane_ops_of("sawb_stats") + lane_ops_of("sawb_quantize") : lane_ops_of("pact_quantize");
        case CopyFormat::fp8:
            return lane_ops_of("fp8_quantize");
        case CopyFormat::fp16:
            return weight ? lane_ops_of("fp16_cast") : 0;  // out of 32-bit master weights
        case CopyFormat::fp4_even:
        case CopyFormat::fp4_odd:
        case CopyFormat::fp4_pair:
        case CopyFormat::fp32:
        case CopyFormat::mask:
            break;
    }
    return 0;
}

OnChipKind& kind_of(LoweringContext& context, TensorId id) {
    return context.on_chip.kinds[static_cast<std::size_t>(context.memory.tensor(id).role)];
}

/// Bytes that the slice would move if it lay in DRAM; blocks start on whole bursts.
std::int64_t moved_bytes(const LoweringContext& context, const Slice& slice) {
    return context.machine.ideal_memory ? 0 : static_cast<std::int64_t>(context.emitter.bus_bytes(slice));
}

}  // namespace

void spare_load(LoweringContext& context, TensorId id, const Slice& slice) {
    kind_of(context, id).load_bytes += moved_bytes(context, slice);
}

void unspare_load(LoweringContext& context, TensorId id, const Slice& slice) {
    kind_of(context, id).load_bytes -= moved_bytes(context, slice);
}

void spare_store(LoweringContext& context, TensorId id, const Slice& slice) {
    kind_of(context, id).store_bytes += moved_bytes(context, slice);
}

std::uint64_t lane_ops_of(const std::vector<VectorStep>& steps) {
    std::uint64_t ops = 0;
    for (const VectorStep& step : steps) {
        ops += lane_ops_of(step.function) * step.repeat;
    }
    return ops;
}

bool OutputCopies::has(CopyFormat format) const {
    return std::ranges::find(formats, format) != formats.end();
}

OutputCopies output_copies(const TensorPlan& plan, const Tensor& tensor, std::uint64_t access) {
    const Placement& placement = plan.residency().at(access);
    OutputCopies output;
    output.id = tensor.id;
    output.elements = tensor.elements;
    output.stays = placement.stays;
    for (std::size_t f = 0; f < copy_format_count; ++f) {
        const auto format = static_cast<CopyFormat>(f);
        if ((plan.formats(tensor.id) & bit_of(format)) == 0) {
            continue;
        }
        const std::uint32_t bits = bits_of(format, tensor);
        output.formats.push_back(format);
        output.bits += bits;
        if (!placement.spares(format)) {
            output.stored |= bit_of(format);
            output.stored_bits += bits;
        }
        output.code_bits += is_fp4(format) ? bits : 0;
        output.quantize_lane_ops += quantize_lane_ops(tensor.role, format);
    }
    return output;
}

TensorMemory::Target begin_outputs(LoweringContext& context, const std::vector<TensorId>& outputs,
                                   std::uint64_t access) {
    TensorMemory::Target target;
    for (const TensorId output : outputs) {
        const TensorMemory::Target one = context.memory.begin_write(output, access++);
        target.on_chip = later(target.on_chip, one.on_chip);
        target.in_dram = later(target.in_dram, one.in_dram);
        target.room_bytes += one.room_bytes;
    }
    return target;
}

void mark_output_complete(LoweringContext& context, const OutputCopies& output) {
    const Emitter& emitter = context.emitter;
    Dependencies made = later(emitter.issued(Unit::mac_array), emitter.issued(Unit::vector_unit));
    made = later(made, emitter.issued(Unit::log_gradient));
    context.memory.written(output.id, made, later(made, emitter.issued(Unit::store)));
}

}  // namespace nibble
