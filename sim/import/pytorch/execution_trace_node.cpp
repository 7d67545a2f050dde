// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/execution_trace_node.h"

#include <bit>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/pytorch/json_value.h"

namespace nibble {

namespace {

namespace json = simdjson::dom;

std::uint64_t to_unsigned(json::element value, std::string_view key, const JsonArrayStream& stream) {
    std::uint64_t number = 0;
    if (value.get(number) != simdjson::SUCCESS) {
        stream.fail(fmt::format("node: {}: expected a whole number", printable(key)));
    }
    return number;
}

/// PyTorch writes -1 for "none"; older versions write it as an unsigned number.
std::int64_t to_sequence(json::element value, const JsonArrayStream& stream) {
    std::int64_t number = 0;
    if (value.get(number) == simdjson::SUCCESS) {
        return number;
    }
    return std::bit_cast<std::int64_t>(to_unsigned(value, "seq_id", stream));
}

json::array to_list(json::element value, std::string_view key, const JsonArrayStream& stream) {
    json::array list;
    if (value.get(list) != simdjson::SUCCESS) {
        stream.fail(fmt::format("node: {}: expected a list", printable(key)));
    }
    return list;
}

/// "inputs" or "outputs": the values themselves, or an object of lists.
void read_lists(json::element value, std::string_view key, const JsonArrayStream& stream,
                ExecutionTraceNode::Lists& lists) {
    json::object object;
    if (value.get(object) != simdjson::SUCCESS) {
        lists.values = to_list(value, key, stream);
        return;
    }
    for (const json::key_value_pair member : object) {
        if (member.key == "values") {
            lists.values = to_list(member.value, member.key, stream);
        } else if (member.key == "shapes") {
            lists.shapes = to_list(member.value, member.key, stream);
        } else if (member.key == "types") {
            lists.types = to_list(member.value, member.key, stream);
        } else if (member.key == "strides") {
            lists.strides = to_list(member.value, member.key, stream);
        }
    }
}

/// "attrs": [{"name": "seq_id", "type": "int64", "value": 5}, ...]
void read_attributes(json::element value, const JsonArrayStream& stream, ExecutionTraceNode& node) {
    for (const json::element attribute : to_list(value, "attrs", stream)) {
        std::string_view name;
        json::element number;
        if (attribute["name"].get(name) == simdjson::SUCCESS && name == "seq_id" &&
            attribute["value"].get(number) == simdjson::SUCCESS) {
            node.sequence = to_sequence(number, stream);
        }
    }
}

bool any_tensor(const ExecutionTraceNode::Lists& lists) {
    if (lists.types) {
        for (const json::element type : *lists.types) {
            std::string_view text;
            if (type.get(text) == simdjson::SUCCESS && mentions_tensor(text)) {
                return true;
            }
        }
    }
    return false;
}

RecordedValue::List to_values(const std::optional<json::array>& array, const CallPlace& place) {
    return array ? to_recorded_values(*array, place) : RecordedValue::List{};
}

/// The lists with their values, and a view of them.
struct Values {
    Values(const ExecutionTraceNode::Lists& lists, const char* what, const CallPlace& place)
        : values(to_values(lists.values, place)),
          shapes(to_values(lists.shapes, place)),
          types(to_values(lists.types, place)),
          strides(to_values(lists.strides, place)),
          view{&values, &shapes, &types, lists.strides ? &strides : nullptr, what} {}

    RecordedValue::List values, shapes, types, strides;
    ArgumentLists view;
};

}  // namespace

ExecutionTraceNode parse_execution_trace_node(json::parser& parser, const JsonArrayStream& stream) {
    const json::object object = parse_object(parser, stream, "node");
    ExecutionTraceNode node;
    bool has_id = false;
    bool has_name = false;
    for (const auto [key, value] : object) {
        if (key == "id") {
            node.id = to_unsigned(value, key, stream);
            has_id = true;
        } else if (key == "name") {
            has_name = value.get(node.name) == simdjson::SUCCESS;
        } else if (key == "ctrl_deps" || key == "parent") {
            node.parent = to_unsigned(value, key, stream);
        } else if (key == "seq_id") {
            node.sequence = to_sequence(value, stream);
        } else if (key == "attrs") {
            read_attributes(value, stream, node);
        } else if (key == "inputs") {
            read_lists(value, key, stream, node.inputs);
        } else if (key == "outputs") {
            read_lists(value, key, stream, node.outputs);
        } else if (key == "input_shapes") {
            node.inputs.shapes = to_list(value, key, stream);
        } else if (key == "input_types") {
            node.inputs.types = to_list(value, key, stream);
        } else if (key == "output_shapes") {
            node.outputs.shapes = to_list(value, key, stream);
        } else if (key == "output_types") {
            node.outputs.types = to_list(value, key, stream);
        }
    }
    if (!has_id || !has_name) {
        stream.fail(
            "expected a node of an execution trace, with an \"id\" that is a number and a \"name\" that is text");
    }
    return node;
}

bool has_tensors(const ExecutionTraceNode& node) {
    return any_tensor(node.inputs) || any_tensor(node.outputs);
}

void read_tensors(const ExecutionTraceNode& node, const CallPlace& place, RecordedCall& call) {
    call.inputs = read_arguments(Values(node.inputs, "input", place).view, place);
    call.outputs = read_results(Values(node.outputs, "output", place).view, place);
}

}  // namespace nibble
