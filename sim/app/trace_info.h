// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sim/input/operation.h"
#include "sim/report/text_table.h"

namespace nibble {

/// What is in a trace, gathered in one pass. Memory does not grow with the number of operations.
struct TraceInfo {
    static constexpr std::size_t phase_count = 5;
    static constexpr std::size_t role_count = 8;
    static constexpr std::size_t most_gemms = 12;

    struct Gemm {
        std::string layer;
        Phase phase = Phase::forward;
        std::uint64_t batch = 1, m = 0, n = 0, k = 0, macs = 0;
    };
    struct Tensors {
        std::uint64_t count = 0, elements = 0, bytes = 0;
    };

    TraceHeader header;
    std::uint64_t operations = 0;
    std::array<std::uint64_t, phase_count> macs{};            ///< by Phase
    std::array<std::uint64_t, phase_count> operations_of{};   ///< by Phase
    std::map<std::string, std::uint64_t> operations_by_kind;  ///< conv, depthwise, matmul, vector
    std::map<std::string, std::uint64_t> macs_by_kind;
    std::array<Tensors, role_count> tensors{};  ///< by TensorRole
    std::vector<Gemm> gemms;                    ///< the largest, by MACs

    [[nodiscard]] std::uint64_t parameters() const {
        return tensors[static_cast<std::size_t>(TensorRole::weight)].elements;
    }
    [[nodiscard]] std::uint64_t total_macs() const;
};

/// Reads the trace once. Throws InputError.
[[nodiscard]] TraceInfo read_trace_info(const std::string& path);

[[nodiscard]] nlohmann::ordered_json trace_info_json(const TraceInfo& info);
[[nodiscard]] std::string trace_info_text(const TraceInfo& info, const TextStyle& style);

}  // namespace nibble
