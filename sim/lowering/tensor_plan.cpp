// SPDX-License-Identifier: MIT
#include "sim/lowering/tensor_plan.h"

#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/base/units.h"
#include "sim/input/operation_size.h"
#include "sim/input/trace_reader.h"
#include "sim/lowering/operand_access.h"

namespace nibble {

namespace {

constexpr std::array<const char*, 3> operand_names{"left operand", "right operand", "result"};

// Further inputs and outputs of a GEMM belong to its epilogue.
constexpr std::size_t gemm_inputs = 2;

std::string elements_text(const OperandElements& expected) {
    return expected.own == expected.shared ? fmt::format("{} elements", expected.own)
                                           : fmt::format("{} or {} elements", expected.own, expected.shared);
}

}  // namespace

TensorPlan::TensorPlan(const std::string& trace_path, const MachineParameters& machine, const Recipe& recipe,
                       const Selection& selection) {
    TraceReader reader(trace_path);
    header_ = reader.header();
    Reading reading{machine, recipe, selection, ResidencyPlanner(machine.scratchpad.resident_bytes),
                    ProblemList(trace_path)};
    while (const auto item = reader.next()) {
        if (const auto* tensor = std::get_if<Tensor>(&*item)) {
            Use use;
            use.elements = tensor->elements;
            use.role = tensor->role;
            use.bits = static_cast<std::uint8_t>(tensor->bits);
            uses_.push_back(use);
        } else {
            add(std::get<Operation>(*item), reading);
        }
    }
    reading.problems.throw_if_any();
    residency_ = reading.residency.plan(reading.accesses, operations_);
}

CopyFormats TensorPlan::formats(TensorId tensor) const {
    const Use& use = uses_[tensor];
    return use.formats != 0 ? use.formats : bit_of(vector_copy(use.role));
}

void TensorPlan::add(const Operation& operation, Reading& reading) {
    if (!std::holds_alternative<VectorWork>(operation.work)) {
        check_gemm(operation, reading);
    }
    const bool selected = reading.selection.contains(operation);
    for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
        read(operation, i, selected, reading);
    }
    for (const TensorId output : operation.outputs) {
        write(operation, output, selected, reading);
    }
    operations_ += selected ? 1 : 0;
}

void TensorPlan::check_gemm(const Operation& operation, Reading& reading) {
    const auto complain = [&](std::string what) {
        reading.problems.add(operation.line, 1, fmt::format("{}: {}", printable(operation.layer), std::move(what)));
    };
    const std::vector<OperandElements> expected = expected_elements(operation);
    const std::array<TensorId, 3> operands{operation.inputs[0], operation.inputs[1], operation.outputs[0]};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const Use& use = uses_[operands[i]];
        if (!expected[i].allows(use.elements)) {
            complain(fmt::format("the {} must have {}, tensor {} has {}", operand_names[i], elements_text(expected[i]),
                                 operands[i], use.elements));
        }
        const bool operand_role =
            use.role == TensorRole::activation || use.role == TensorRole::weight || use.role == TensorRole::gradient;
        if (i < gemm_inputs && !operand_role) {
            complain(fmt::format("the {} must be an activation, a weight or a gradient, tensor {} is none",
                                 operand_names[i], operands[i]));
        }
    }
    const auto mode = static_cast<std::size_t>(reading.recipe.precision_of(operation).mode);
    if (runs_on_array(operation) && reading.selection.contains(operation) && !reading.machine.mac_array.modes[mode]) {
        complain(fmt::format("recipe {} wants mode {}, which machine {} does not have", reading.recipe.name(),
                             array_mode_names[mode], reading.machine.name));
    }
}

void TensorPlan::read(const Operation& operation, std::size_t input, bool selected, Reading& reading) {
    const TensorId id = operation.inputs[input];
    Use& use = uses_[id];
    const bool must_be_made =
        use.role == TensorRole::gradient || use.role == TensorRole::weight_gradient || use.role == TensorRole::mask;
    if (must_be_made && !use.written) {
        reading.problems.add(
            operation.line, 1,
            fmt::format("{}: tensor {} is read before any operation has written it", printable(operation.layer), id));
        use.written = true;  // once is enough
    }
    const CopyFormat format = input_copy(operation, input, use.role, reading.recipe, reading.machine.gradient_storage);
    use.formats |= bit_of(format);
    if (!selected) {
        reading.residency.read_off_stage(id, format);
        return;
    }
    const auto bytes = [&](std::uint64_t elements) {
        return bytes_for(Bits(elements * bits_of(format, use.bits))).count();
    };
    use.accessed = true;
    use.last_access = static_cast<std::uint32_t>(reading.accesses++);
    reading.residency.read(id,
                           {.format = format,
                            .bytes = bytes(use.elements),
                            .moved_bytes = bytes(elements_read(operation, input, use.elements)),
                            .may_load_all = !touches_rows(operation, use.elements)},
                           use.last_access, static_cast<std::uint32_t>(operations_));
}

void TensorPlan::write(const Operation& operation, TensorId output, bool selected, Reading& reading) {
    Use& use = uses_[output];
    use.written = true;
    if (!selected) {
        reading.residency.write_off_stage(output);
        return;
    }
    use.accessed = true;
    use.last_access = static_cast<std::uint32_t>(reading.accesses++);
    const bool persists = use.role == TensorRole::weight || use.role == TensorRole::state;
    reading.residency.write(output, !touches_rows(operation, use.elements), persists, use.last_access,
                            static_cast<std::uint32_t>(operations_));
}

}  // namespace nibble
