// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <ostream>

namespace nibble {

/// How much element-wise work fusion found a place for.
struct FusionCount {
    std::uint64_t passes = 0;  ///< element-wise operations of the trace
    std::uint64_t fused = 0;   ///< of these, the ones that are part of another operation now
};

/// Rewrites a trace so that element-wise work joins the operation that makes what it works on, as it does in the
/// built-in networks (traces/FORMAT.md, Fusion): functions of single elements and sums over channels become the
/// epilogue of a GEMM; those, normalisations and softmax one pass with the vector work before them. A tensor that
/// nobody else reads is then neither written nor read. What a sum makes is complete only when its operation is, so work
/// that needs it stays a pass of its own. Reads the trace twice, in memory of some bytes a tensor. Throws InputError if
/// it is wrong.
FusionCount fuse_trace(const std::filesystem::path& trace, std::ostream& out);

}  // namespace nibble
