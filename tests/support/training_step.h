// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "sim/input/training_step.h"
#include "sim/input/workload_reader.h"

namespace nibble {

/// A whole training step in memory.
struct TrainingStep {
    std::vector<Tensor> tensors;
    std::vector<Operation> operations;
};

inline TrainingStep training_step(const Workload& workload, std::uint64_t batch) {
    TrainingStep step;
    expand_training_step(workload, batch, [&](const TraceItem& item) {
        if (const auto* tensor = std::get_if<Tensor>(&item)) {
            step.tensors.push_back(*tensor);
        } else {
            step.operations.push_back(std::get<Operation>(item));
        }
    });
    return step;
}

/// A network of the repository.
inline Workload built_in(const std::string& name) {
    return read_workload(std::filesystem::path(NIBBLE_SOURCE_DIR) / "workloads" / (name + ".yaml"));
}

inline const std::vector<std::string>& built_in_names() {
    static const std::vector<std::string> names{"alexnet",      "vgg16",    "resnet18",         "resnet50",
                                                "mobilenet_v2", "lstm-ptb", "transformer-base", "bert-base",
                                                "gpt2-small",   "tiny"};
    return names;
}

}  // namespace nibble
