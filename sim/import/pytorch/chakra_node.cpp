// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/chakra_node.h"

#include <bit>
#include <charconv>
#include <vector>

#include "sim/import/pytorch/python_literal.h"
#include "sim/import/wire_reader.h"

namespace nibble {

namespace {

/// An AttributeProto: a name, and one of many kinds of values, of which these are used.
struct Attribute {
    std::string_view name;
    std::uint64_t number = 0;  // bool, or any kind of whole number
    std::string_view text;
};

Attribute read_attribute(WireReader reader) {
    Attribute attribute;
    while (reader.next()) {
        switch (reader.field()) {
            case 1:
                attribute.name = reader.text();
                break;
            case 7:   // int32_val
            case 9:   // int64_val
            case 11:  // uint32_val
            case 13:  // uint64_val
            case 27:  // bool_val
                attribute.number = reader.number();
                break;
            case 29:  // string_val
                attribute.text = reader.text();
                break;
            default:
                break;
        }
    }
    return attribute;
}

ChakraNode::Lists read_lists(WireReader reader) {
    ChakraNode::Lists lists;
    while (reader.next()) {
        switch (reader.field()) {
            case 1:
                lists.values = reader.text();
                break;
            case 2:
                lists.shapes = reader.text();
                break;
            case 3:
                lists.types = reader.text();
                break;
            case 4:
                lists.strides = reader.text();
                break;
            default:
                break;
        }
    }
    return lists;
}

/// Cuts "(3)" off the name.
void cut_number(ChakraNode& node) {
    const std::size_t open = node.name.rfind('(');
    if (open == std::string_view::npos || !node.name.ends_with(')')) {
        return;
    }
    const char* end = node.name.data() + node.name.size() - 1;
    const auto [stop, error] = std::from_chars(node.name.data() + open + 1, end, node.number);
    if (error == std::errc() && stop == end) {
        node.numbered = true;
        node.name = node.name.substr(0, open);
    }
}

RecordedValue::List read_list(std::string_view text, const CallPlace& place) {
    if (text.empty()) {
        return {};
    }
    RecordedValue value = read_python_literal(text, place);
    auto* list = std::get_if<RecordedValue::List>(&value.value);
    if (list == nullptr) {
        place.fail("expected a list");
    }
    return std::move(*list);
}

/// The lists with their values, and a view of them.
struct Values {
    Values(const ChakraNode::Lists& lists, const char* what, const CallPlace& place)
        : values(read_list(lists.values, place)),
          shapes(read_list(lists.shapes, place)),
          types(read_list(lists.types, place)),
          strides(read_list(lists.strides, place)),
          view{&values, &shapes, &types, lists.strides.empty() ? nullptr : &strides, what} {}

    RecordedValue::List values, shapes, types, strides;
    ArgumentLists view;
};

}  // namespace

ChakraNode read_chakra_node(const DelimitedMessages& messages, const std::string& file) {
    WireReader reader(messages.message(), file, messages.position());
    ChakraNode node;
    std::vector<std::int64_t> callers;
    while (reader.next()) {
        switch (reader.field()) {
            case 1:
                node.id = reader.number();
                break;
            case 2:
                node.name = reader.text();
                break;
            case 4:
                reader.append_to(callers);
                break;
            case 8:
                node.inputs = read_lists(reader.message());
                break;
            case 9:
                node.outputs = read_lists(reader.message());
                break;
            case 10: {
                const Attribute attribute = read_attribute(reader.message());
                if (attribute.name == "is_cpu_op") {
                    node.on_cpu = attribute.number != 0;
                } else if (attribute.name == "tid") {
                    node.thread = attribute.number;
                } else if (attribute.name == "seq_id") {
                    node.sequence = std::bit_cast<std::int64_t>(attribute.number);
                }
                break;
            }
            default:
                break;
        }
    }
    node.parent = callers.empty() ? 0 : std::bit_cast<std::uint64_t>(callers.front());
    cut_number(node);
    node.name = without_overload(node.name);
    return node;
}

std::string read_chakra_schema(const DelimitedMessages& messages, const std::string& file) {
    WireReader reader(messages.message(), file, messages.position());
    std::string schema;
    while (reader.next()) {
        if (reader.field() == 2) {
            const Attribute attribute = read_attribute(reader.message());
            if (attribute.name == "schema") {
                schema = attribute.text;
            }
        }
    }
    return schema;
}

void read_tensors(const ChakraNode& node, const CallPlace& place, RecordedCall& call) {
    call.inputs = read_arguments(Values(node.inputs, "input", place).view, place);
    call.outputs = read_results(Values(node.outputs, "output", place).view, place);
}

}  // namespace nibble
