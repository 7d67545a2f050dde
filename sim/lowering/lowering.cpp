// SPDX-License-Identifier: MIT
#include "sim/lowering/lowering.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/input/trace_reader.h"
#include "sim/lowering/emitter.h"
#include "sim/lowering/gemm_lowering.h"
#include "sim/lowering/gemm_values.h"
#include "sim/lowering/operand_access.h"
#include "sim/lowering/operation_lowering.h"
#include "sim/lowering/tensor_memory.h"
#include "sim/lowering/vector_job.h"

namespace nibble {

namespace {

constexpr std::uint64_t values_seed = 1;

std::unique_ptr<CodeDump> dump_of(const LoweringOptions& options) {
    return options.values && !options.dump_codes.empty() ? std::make_unique<CodeDump>(options.dump_codes) : nullptr;
}

}  // namespace

class Lowering::Impl {
public:
    Impl(const std::string& trace_path, const TensorPlan& plan, const MachineParameters& machine,
         const LoweringOptions& options)
        : trace_path_(trace_path),
          reader_(trace_path),
          selection_(options.selection),
          emitter_(machine),
          memory_(machine, plan),
          tiles_(machine.scratchpad),
          context_{machine, *options.recipe, emitter_, memory_, tiles_, on_chip_},
          values_(trace_path, machine, values_seed, dump_of(options), options.results),
          gemms_(context_, options.mappings, options.values ? &values_ : nullptr) {}

    ProgramItem next() {
        while (emitter_.empty()) {
            if (lowering_) {
                step();
                continue;
            }
            const auto item = reader_.next();
            if (!item) {
                values_.finish();
                return ProgramEnd{};
            }
            if (const auto* tensor = std::get_if<Tensor>(&*item)) {
                memory_.declare(*tensor);
            } else if (const auto& operation = std::get<Operation>(*item); selection_.contains(operation)) {
                begin(operation);
            }
        }
        return emitter_.pop();
    }

    void list(const std::function<void(const Operation&, const OperationTask&)>& sink) {
        while (const auto item = reader_.next()) {
            if (const auto* tensor = std::get_if<Tensor>(&*item)) {
                memory_.declare(*tensor);
                continue;
            }
            operation_ = std::get<Operation>(*item);
            if (!selection_.contains(operation_)) {
                continue;
            }
            try {
                sink(operation_, task());
            } catch (const InputError& error) {
                complain(error);
            }
            while (!emitter_.empty()) {
                static_cast<void>(emitter_.pop());
            }
            end_operation();
        }
    }

    [[nodiscard]] OnChipRecord on_chip() const {
        OnChipRecord record = on_chip_;
        for (std::size_t kind = 0; kind < record.kinds.size(); ++kind) {
            record.kinds[kind].tensors = memory_.kept_tensors()[kind];
        }
        return record;
    }
    [[nodiscard]] std::uint64_t values_checked() const { return values_.checked() + gemms_.gradients_checked(); }

private:
    OperationTask task() {
        if (runs_on_array(operation_)) {
            return gemms_.task_of(operation_, accesses_);
        }
        return VectorJob(context_, operation_, OpRecord{}, accesses_).task();
    }

    void begin(const Operation& operation) {
        OpRecord record;
        record.index = operations_++;
        record.layer = operation.layer;
        record.group = operation.group;
        record.phase = phase_name(operation.phase);
        operation_ = operation;
        try {
            if (runs_on_array(operation)) {
                lowering_ = gemms_.lower(operation, std::move(record), accesses_);
            } else {
                lowering_ = std::make_unique<VectorJob>(context_, operation, std::move(record), accesses_);
            }
        } catch (const InputError& error) {
            complain(error);
        }
    }

    void step() {
        try {
            if (lowering_->step()) {
                return;
            }
        } catch (const InputError& error) {
            complain(error);
        }
        lowering_.reset();
        emitter_.end(end_operation());
    }

    /// Returns the bytes on chip that are no longer needed.
    std::uint64_t end_operation() {
        std::uint64_t freed = 0;
        for (std::size_t i = 0; i < operation_.inputs.size(); ++i) {
            const TensorId id = operation_.inputs[i];
            const CopyFormat format =
                input_copy(operation_, i, memory_.tensor(id).role, context_.recipe, context_.machine.gradient_storage);
            freed += memory_.end_read(id, format, accesses_++, emitter_.issued());
        }
        for (const TensorId id : operation_.outputs) {
            memory_.end_write(id, accesses_++, emitter_.issued());
        }
        return freed;
    }

    /// The same error, with its place in the trace.
    [[noreturn]] void complain(const InputError& error) const {
        throw InputError({trace_path_, operation_.line, 0},
                         fmt::format("{}: {}", printable(operation_.layer), error.what()));
    }

    std::string trace_path_;
    TraceReader reader_;
    Selection selection_;
    Emitter emitter_;
    TensorMemory memory_;
    TileSpace tiles_;
    OnChipRecord on_chip_;
    LoweringContext context_;
    GemmValues values_;
    GemmLowering gemms_;
    std::unique_ptr<OperationLowering> lowering_;  // in progress, of operation_
    Operation operation_;
    std::uint64_t operations_ = 0;
    std::uint64_t accesses_ = 0;
};

std::vector<Lowering::ListedGemm> Lowering::list_gemms(const std::string& trace_path, const TensorPlan& plan,
                                                       const MachineParameters& machine,
                                                       const LoweringOptions& options) {
    std::vector<ListedGemm> listed;
    std::unordered_map<std::string, std::size_t> places;  // in the list, by key
    Impl(trace_path, plan, machine, options).list([&](const Operation& operation, const OperationTask& task) {
        if (const auto* gemm = std::get_if<MappedGemm>(&task)) {
            const auto [place, added] = places.try_emplace(gemm->task.key(), listed.size());
            if (added) {
                listed.push_back({gemm->task, operation.layer, phase_name(operation.phase), 0});
            }
            ++listed[place->second].count;
        }
    });
    return listed;
}

void Lowering::list_operations(const std::string& trace_path, const TensorPlan& plan, const MachineParameters& machine,
                               const LoweringOptions& options, const std::function<void(const OperationTask&)>& sink) {
    Impl(trace_path, plan, machine, options).list([&](const Operation&, const OperationTask& task) { sink(task); });
}

Lowering::Lowering(const std::string& trace_path, const TensorPlan& plan, const MachineParameters& machine,
                   const LoweringOptions& options)
    : impl_(std::make_unique<Impl>(trace_path, plan, machine, options)) {}

Lowering::~Lowering() = default;

ProgramItem Lowering::next() {
    return impl_->next();
}

OnChipRecord Lowering::on_chip() const {
    return impl_->on_chip();
}

std::uint64_t Lowering::values_checked() const {
    return impl_->values_checked();
}

}  // namespace nibble
