// SPDX-License-Identifier: MIT
#include "sim/lowering/operation_task.h"

#include <fmt/format.h>

namespace nibble {

std::string content_key(const OperationTask& operation) {
    if (const auto* gemm = std::get_if<MappedGemm>(&operation)) {
        return fmt::format("{}; {}-stationary, {}", gemm->task.content_key(),
                           dataflow_names[static_cast<std::size_t>(gemm->tiling.dataflow)],
                           to_string(gemm->tiling, gemm->task.problem));
    }
    return std::get<VectorTask>(operation).key();
}

}  // namespace nibble
