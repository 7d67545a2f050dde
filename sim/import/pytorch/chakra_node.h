// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/import/pytorch/call_arguments.h"
#include "sim/import/pytorch/delimited_messages.h"
#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// A Node of a Chakra execution trace. Valid as long as its message.
/// Source: mlcommons/chakra, schema/protobuf/et_def.proto.
struct ChakraNode {
    /// Lists as Python writes them.
    struct Lists {
        std::string_view values, shapes, types, strides;
    };
    std::uint64_t id = 0;
    std::uint64_t parent = 0;  ///< first control dependency; 0: none
    std::string_view name;     ///< without overload and without number
    bool numbered = false;     ///< the name ended in a number: "aten::conv2d(1)"
    std::uint64_t number = 0;  ///< that number
    bool on_cpu = true;
    std::uint64_t thread = 0;
    std::int64_t sequence = -1;
    Lists inputs, outputs;
};

/// Reads the message; `file` is for errors, which are InputErrors.
[[nodiscard]] ChakraNode read_chakra_node(const DelimitedMessages& messages, const std::string& file);
/// The "schema" of the GlobalMetadata message; empty if it has none.
[[nodiscard]] std::string read_chakra_schema(const DelimitedMessages& messages, const std::string& file);
/// The node's inputs and outputs, into `call`. Throws InputError if they contradict each other.
void read_tensors(const ChakraNode& node, const CallPlace& place, RecordedCall& call);

}  // namespace nibble
