// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sim/app/step_evaluation.h"
#include "sim/app/subject.h"
#include "sim/app/trace_source.h"
#include "sim/config/machine_config.h"
#include "sim/energy/technology.h"

namespace nibble::test {

/// Results of operations in memory.
class MemoryStore final : public OperationStore {
public:
    std::optional<std::string> find(const std::string& key) override {
        const auto found = values.find(key);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    }
    void put(const std::string& key, const std::string& value) override { values[key] = value; }

    std::map<std::string, std::string> values;
};

/// One training step on one machine, with greedy mappings.
class StepOnMachine {
public:
    StepOnMachine(const std::string& trace_path, const MachineParameters& machine,
                  const std::string& recipe = "int4-fp4")
        : trace_path_(trace_path),
          subject_(make_subject(machine, load_technology(machine.technology), load_dram_energy(), recipe)),
          options_(options_with(recipe)),
          tensors_(trace_path, subject_.machine, *options_.recipe, options_.selection) {}

    [[nodiscard]] StepEvaluation evaluate(Fidelity fidelity, OperationStore* store = nullptr,
                                          bool sharing = true) const {
        return evaluate_step(trace_path_, tensors_, subject_, options_, fidelity, store, sharing);
    }
    [[nodiscard]] const MachineParameters& machine() const { return subject_.machine; }
    [[nodiscard]] const TensorPlan& tensors() const { return tensors_; }
    [[nodiscard]] const LoweringOptions& options() const { return options_; }

private:
    static LoweringOptions options_with(const std::string& recipe) {
        LoweringOptions options;
        options.recipe = &recipe_named(recipe);
        return options;
    }

    std::string trace_path_;
    Subject subject_;
    LoweringOptions options_;
    TensorPlan tensors_;
};

/// The training step of a built-in network.
inline TraceSource step_of(const std::string& network, std::uint64_t batch) {
    TraceRequest request;
    request.name = network;
    request.options.batch = batch;
    return TraceSource(request);
}

}  // namespace nibble::test
