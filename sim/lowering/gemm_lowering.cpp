// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_lowering.h"

#include <utility>

#include "sim/lowering/gemm_job.h"

namespace nibble {

std::unique_ptr<OperationLowering> GemmLowering::lower(const Operation& operation, OpRecord record,
                                                       std::uint64_t first_access) {
    return std::make_unique<GemmJob>(resources_, operation, std::move(record), first_access);
}

MappedGemm GemmLowering::task_of(const Operation& operation, std::uint64_t first_access) {
    const GemmJob job(resources_, operation, OpRecord{}, first_access);
    return {job.task(), job.tiling()};
}

}  // namespace nibble
