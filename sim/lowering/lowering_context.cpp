// SPDX-License-Identifier: MIT
#include "sim/lowering/lowering_context.h"

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

}  // namespace

std::uint64_t lane_ops_of(const std::vector<VectorStep>& steps) {
    std::uint64_t ops = 0;
    for (const VectorStep& step : steps) {
        ops += lane_ops_of(step.function) * step.repeat;
    }
    return ops;
}

OutputCopies place_output(LoweringContext& context, TensorId id, std::uint64_t access) {
    TensorMemory& memory = context.memory;
    memory.place_output(id, access);
    const Tensor& tensor = memory.tensor(id);
    OutputCopies output;
    output.id = id;
    output.elements = tensor.elements;
    output.stored = memory.stored(id);
    for (std::size_t f = 0; f < copy_format_count; ++f) {
        const auto format = static_cast<CopyFormat>(f);
        if ((memory.formats(id) & bit_of(format)) == 0) {
            continue;
        }
        output.formats.push_back(format);
        output.resident = memory.copy(id, format).resident;  // all copies or none
        output.bits += bits_of(format, tensor);
        output.code_bits += is_fp4(format) ? bits_of(format, tensor) : 0;
        output.quantize_lane_ops += quantize_lane_ops(tensor.role, format);
    }
    return output;
}

void mark_output_complete(LoweringContext& context, const OutputCopies& output) {
    const Emitter& emitter = context.emitter;
    Dependencies made = later(emitter.issued(Unit::mac_array), emitter.issued(Unit::vector_unit));
    made = later(made, emitter.issued(Unit::log_gradient));
    for (const CopyFormat format : output.formats) {
        TensorMemory::Copy& copy = context.memory.copy(output.id, format);
        copy.written = made;
        copy.stored = later(made, emitter.issued(Unit::store));
    }
}

}  // namespace nibble
