// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/json_value.h"

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace nibble {

namespace json = simdjson::dom;

json::object parse_object(json::parser& parser, const JsonArrayStream& stream, const char* what) {
    const std::string_view text = stream.element();
    json::element element;
    if (const auto error = parser.parse(text.data(), text.size(), false).get(element)) {
        stream.fail(fmt::format("the {} that begins here is not JSON: {}", what, simdjson::error_message(error)));
    }
    json::object object;
    if (element.get(object) != simdjson::SUCCESS) {
        stream.fail(fmt::format("expected an object: the next {}", what));
    }
    return object;
}

RecordedValue to_recorded_value(json::element element, const CallPlace& place) {
    switch (element.type()) {
        case json::element_type::NULL_VALUE:
            return {};
        case json::element_type::BOOL:
            return {bool(element)};
        case json::element_type::INT64:
            return {std::int64_t(element)};
        case json::element_type::UINT64:
            return {double(std::uint64_t(element))};
        case json::element_type::DOUBLE:
            return {double(element)};
        case json::element_type::STRING:
            return {std::string(std::string_view(element))};
        case json::element_type::ARRAY:
            return {to_recorded_values(json::array(element), place)};
        case json::element_type::OBJECT:
            break;
    }
    place.fail("expected a value, found an object");
}

RecordedValue::List to_recorded_values(json::array array, const CallPlace& place) {
    RecordedValue::List list;
    for (const json::element item : array) {
        list.push_back(to_recorded_value(item, place));
    }
    return list;
}

}  // namespace nibble
