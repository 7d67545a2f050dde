// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "sim/import/pytorch/call_arguments.h"
#include "sim/import/pytorch/json_array_stream.h"
#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// A node of a PyTorch execution trace, in any of its layouts: flat, with "parent" and "input_shapes" beside "inputs"
/// (up to schema 1.0.1), or nested, with "ctrl_deps", "inputs": {"values", "shapes", "types"} and "attrs"
/// (from 1.0.2-chakra; from 1.1.1-chakra with "strides"). Valid as long as the element that it was read from. Source:
/// pytorch/pytorch, torch/csrc/profiler/standalone/execution_trace_observer.cpp.
struct ExecutionTraceNode {
    struct Lists {
        std::optional<simdjson::dom::array> values, shapes, types, strides;
    };
    std::uint64_t id = 0;
    std::uint64_t parent = 0;
    std::string_view name;
    std::int64_t sequence = -1;
    Lists inputs, outputs;
};

/// Parses the element that the stream stands at. Throws InputError if it is no such node.
[[nodiscard]] ExecutionTraceNode parse_execution_trace_node(simdjson::dom::parser& parser,
                                                            const JsonArrayStream& stream);

/// Whether the node has a tensor that is defined among its inputs or outputs.
[[nodiscard]] bool has_tensors(const ExecutionTraceNode& node);

/// The node's inputs and outputs, into `call`. Throws InputError if they contradict each other.
void read_tensors(const ExecutionTraceNode& node, const CallPlace& place, RecordedCall& call);

}  // namespace nibble
