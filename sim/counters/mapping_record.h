// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace nibble {

/// How one dimension of a GEMM was cut.
struct CutRecord {
    std::uint64_t tile = 0;    ///< units in a tile; those at borders may have fewer
    std::uint64_t extent = 0;  ///< units in all
    std::uint64_t tiles = 0;
    friend bool operator==(const CutRecord&, const CutRecord&) = default;
};

/// How a GEMM was cut into tiles and walked. Units: products of a batch; rows of the result (i), columns (j), and terms
/// of the reduction (l); of a convolution rows of images and channels (GemmProblem says which).
struct MappingRecord {
    CutRecord batch, i, j, l;
    std::string order;  ///< of the loops over tiles, the outermost first: "ijl"; empty: no GEMM on the array
    std::uint32_t left_buffers = 0, right_buffers = 0, output_buffers = 0;  ///< tiles that have room at once

    [[nodiscard]] bool mapped() const { return !order.empty(); }
    friend bool operator==(const MappingRecord&, const MappingRecord&) = default;
};

/// "i 1568 of 50176, j 64 of 64, l 576 of 576, order jil, buffers 2 2 2"; empty if nothing was mapped.
[[nodiscard]] std::string to_string(const MappingRecord& mapping);

}  // namespace nibble
