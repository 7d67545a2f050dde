// SPDX-License-Identifier: MIT
#include "sim/lowering/tensor_plan.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sim/input/operation_size.h"
#include "sim/input/trace_reader.h"

namespace nibble {

namespace {

constexpr std::array<const char*, 3> operand_names{"left operand", "right operand", "result"};

// Inputs 0 and 1 and output 0 of a GEMM are its operands; further inputs and outputs belong to its epilogue.
constexpr std::size_t gemm_inputs = 2;

std::string elements_text(const OperandElements& expected) {
    return expected.own == expected.shared ? fmt::format("{} elements", expected.own)
                                           : fmt::format("{} or {} elements", expected.own, expected.shared);
}

}  // namespace

CopyFormat input_copy(const Operation& operation, std::size_t input, TensorRole role, const Recipe& recipe,
                      GradientStorage storage) {
    if (std::holds_alternative<VectorWork>(operation.work) || input >= gemm_inputs) {
        return vector_copy(role);
    }
    return gemm_copy(role, operation.phase, recipe.precision_of(operation), storage);
}

TensorPlan::TensorPlan(const std::string& trace_path, const MachineParameters& machine, const Recipe& recipe,
                       const Selection& selection) {
    TraceReader reader(trace_path);
    header_ = reader.header();
    ProblemList problems(trace_path);
    while (const auto item = reader.next()) {
        if (const auto* tensor = std::get_if<Tensor>(&*item)) {
            Use use;
            use.elements = tensor->elements;
            use.role = tensor->role;
            uses_.push_back(use);
        } else {
            add(std::get<Operation>(*item), machine, recipe, selection, problems);
        }
    }
    problems.throw_if_any();
}

void TensorPlan::add(const Operation& operation, const MachineParameters& machine, const Recipe& recipe,
                     const Selection& selection, ProblemList& problems) {
    const auto complain = [&](std::string what) {
        problems.add(operation.line, 1, fmt::format("{}: {}", printable(operation.layer), std::move(what)));
    };
    const bool gemm = !std::holds_alternative<VectorWork>(operation.work);
    if (gemm) {
        const std::vector<OperandElements> expected = expected_elements(operation);
        const std::array<TensorId, 3> operands{operation.inputs[0], operation.inputs[1], operation.outputs[0]};
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const Use& use = uses_[operands[i]];
            if (!expected[i].allows(use.elements)) {
                complain(fmt::format("the {} must have {}, tensor {} has {}", operand_names[i],
                                     elements_text(expected[i]), operands[i], use.elements));
            }
            const bool operand_role = use.role == TensorRole::activation || use.role == TensorRole::weight ||
                                      use.role == TensorRole::gradient;
            if (i < gemm_inputs && !operand_role) {
                complain(fmt::format("the {} must be an activation, a weight or a gradient, tensor {} is none",
                                     operand_names[i], operands[i]));
            }
        }
        const auto mode = static_cast<std::size_t>(recipe.precision_of(operation).mode);
        if (runs_on_array(operation) && selection.contains(operation) && !machine.mac_array.modes[mode]) {
            complain(fmt::format("recipe {} wants mode {}, which machine {} does not have", recipe.name(),
                                 array_mode_names[mode], machine.name));
        }
    }
    const bool selected = selection.contains(operation);
    for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
        Use& use = uses_[operation.inputs[i]];
        const bool must_be_made =
            use.role == TensorRole::gradient || use.role == TensorRole::weight_gradient || use.role == TensorRole::mask;
        if (must_be_made && !use.written) {
            complain(fmt::format("tensor {} is read before any operation has written it", operation.inputs[i]));
            use.written = true;  // once is enough
        }
        const CopyFormat copy = input_copy(operation, i, use.role, recipe, machine.gradient_storage);
        use.formats |= bit_of(copy);
        if (selected) {
            access(operation.inputs[i], copy, true);
        }
    }
    for (const TensorId output : operation.outputs) {
        uses_[output].written = true;
        if (selected) {
            access(output, CopyFormat::fp16, false);
        }
    }
    operations_ += selected ? 1 : 0;
}

void TensorPlan::access(TensorId tensor, CopyFormat copy, bool read) {
    Use& use = uses_[tensor];
    if (use.accessed) {
        const std::uint64_t operations = std::max<std::uint64_t>(1, operations_ - use.last_operation);
        const auto distance = static_cast<std::uint8_t>(std::min<std::uint64_t>(operations, far));
        const bool same_copy = read && use.last_read && copy == use.last_copy;
        next_use_[use.last_access] = static_cast<std::uint8_t>(distance | (same_copy ? same_copy_bit : 0));
        use.longest_gap = std::max(use.longest_gap, distance);
    }
    use.accessed = true;
    use.last_access = next_use_.size();
    use.last_operation = static_cast<std::uint32_t>(operations_);
    use.last_copy = copy;
    use.last_read = read;
    next_use_.push_back(0);
}

}  // namespace nibble
