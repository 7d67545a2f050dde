// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/kineto_event.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/pytorch/element_type.h"
#include "sim/import/pytorch/json_value.h"
#include "sim/import/pytorch/python_literal.h"

namespace nibble {

namespace {

namespace json = simdjson::dom;

constexpr std::string_view list_of_tensors = "TensorList";

/// Parsing is the most expensive part, and most events of a trace are kernels, Python functions and arrows.
bool may_be_call(std::string_view text) {
    const auto has = [text](std::string_view category) { return text.find(category) != std::string_view::npos; };
    return has("\"cpu_op\"") || has("\"user_annotation\"") || has("\"Operator\"");
}

bool is_call(const json::object& event) {
    std::string_view phase;
    std::string_view category;
    return event.at_key("ph").get(phase) == simdjson::SUCCESS && phase == "X" &&
           event.at_key("cat").get(category) == simdjson::SUCCESS &&
           (category == "cpu_op" || category == "user_annotation" || category == "Operator");
}

/// Microseconds, of which three decimals count.
double time_of(const json::object& event, const char* key, const JsonArrayStream& stream) {
    constexpr double latest = 9e15;  // beyond, a double does not hold every microsecond
    double time = 0;
    if (event.at_key(key).get(time) != simdjson::SUCCESS || !(std::abs(time) <= latest)) {
        stream.fail(fmt::format("event: {}: expected a number of microseconds of at most {}", key, latest));
    }
    return time;
}

std::int64_t nanoseconds(double microseconds) {
    return std::llround(microseconds * 1000);
}

/// Numbers, for threads; text, for what Kineto makes look like one.
std::string thread_part(const json::object& event, const char* key) {
    json::element value;
    if (event.at_key(key).get(value) != simdjson::SUCCESS) {
        return {};
    }
    return simdjson::minify(value);
}

std::int64_t number_of(const json::object& arguments, const char* key, std::int64_t otherwise) {
    json::element value;
    if (arguments.at_key(key).get(value) != simdjson::SUCCESS) {
        return otherwise;
    }
    std::int64_t number = 0;
    if (value.get(number) == simdjson::SUCCESS) {
        return number;
    }
    std::uint64_t large = 0;
    return value.get(large) == simdjson::SUCCESS ? std::bit_cast<std::int64_t>(large) : otherwise;
}

std::optional<json::array> list_of(const json::object& arguments, const char* key, const JsonArrayStream& stream) {
    json::element value;
    if (arguments.at_key(key).get(value) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    json::array list;
    if (value.get(list) != simdjson::SUCCESS) {
        stream.fail(fmt::format("event: {}: expected a list", key));
    }
    return list;
}

RecordedTensor read_tensor(const RecordedValue& dims, const RecordedValue* strides, ElementType type,
                           const CallPlace& place) {
    RecordedTensor tensor;
    tensor.shape = read_shape(dims, place);
    if (strides != nullptr) {
        tensor.strides = read_strides(*strides, place);
        if (!tensor.strides.empty() && tensor.strides.size() != tensor.shape.size()) {
            place.fail(
                fmt::format("a tensor of {} dimensions has {} strides", tensor.shape.size(), tensor.strides.size()));
        }
    }
    tensor.kind = type.kind;
    tensor.bits = type.bits;
    return tensor;
}

const RecordedValue* item_of(const RecordedValue::List* list, std::size_t i) {
    return list != nullptr && i < list->size() ? &(*list)[i] : nullptr;
}

RecordedValue read_tensors(const RecordedValue& dims, const RecordedValue* strides, const CallPlace& place) {
    const RecordedValue::List* shapes = dims.list();
    if (shapes == nullptr) {
        place.fail("expected a list of shapes");
    }
    RecordedValue::List tensors;
    for (std::size_t i = 0; i < shapes->size(); ++i) {
        tensors.push_back({read_tensor((*shapes)[i], item_of(strides == nullptr ? nullptr : strides->list(), i),
                                       {ElementKind::floating, 32}, place)});
    }
    return {std::move(tensors)};
}

RecordedValue read_argument(const RecordedValue& dims, const RecordedValue* strides, const RecordedValue& type,
                            const RecordedValue* concrete, const CallPlace& place) {
    const auto* type_name = std::get_if<std::string>(&type.value);
    if (type_name == nullptr) {
        place.fail("expected the name of a type");
    }
    if (*type_name == list_of_tensors) {
        return read_tensors(dims, strides, place);
    }
    if (const auto element = element_type(*type_name)) {
        return {read_tensor(dims, strides, *element, place)};
    }
    const auto* text = concrete == nullptr ? nullptr : std::get_if<std::string>(&concrete->value);
    if (text == nullptr || text->empty()) {
        return {};
    }
    const bool scalar = *type_name == "Scalar" || *type_name == "ScalarList";
    return scalar ? read_python_literal(*text, place) : RecordedValue{*text};
}

RecordedValue::List to_values(const std::optional<json::array>& array, const CallPlace& place) {
    return array ? to_recorded_values(*array, place) : RecordedValue::List{};
}

}  // namespace

std::optional<KinetoEvent> parse_kineto_event(json::parser& parser, const JsonArrayStream& stream) {
    if (!may_be_call(stream.element())) {
        return std::nullopt;
    }
    const json::object object = parse_object(parser, stream, "event");
    if (!is_call(object)) {
        return std::nullopt;
    }
    KinetoEvent event;
    if (object.at_key("name").get(event.name) != simdjson::SUCCESS) {
        stream.fail("event: name: expected text");
    }
    event.thread = thread_part(object, "pid") + "/" + thread_part(object, "tid");
    event.time_us = time_of(object, "ts", stream);
    const double duration_us = time_of(object, "dur", stream);
    if (duration_us < 0) {
        stream.fail("event: dur: expected a number of at least 0");
    }
    event.begin_ns = nanoseconds(event.time_us);
    event.end_ns = event.begin_ns + nanoseconds(duration_us);
    json::object arguments;
    if (object.at_key("args").get(arguments) == simdjson::SUCCESS) {
        event.sequence = number_of(arguments, "Sequence number", -1);
        event.of_forward_thread = number_of(arguments, "Fwd thread id", 0) > 0;
        event.dims = list_of(arguments, "Input Dims", stream);
        event.types = list_of(arguments, "Input type", stream);
        event.strides = list_of(arguments, "Input Strides", stream);
        event.concrete = list_of(arguments, "Concrete Inputs", stream);
    }
    return event;
}

bool has_tensors(const KinetoEvent& event) {
    if (event.types) {
        for (const json::element type : *event.types) {
            std::string_view name;
            if (type.get(name) == simdjson::SUCCESS && (name == list_of_tensors || element_type(name))) {
                return true;
            }
        }
    }
    return false;
}

std::vector<RecordedValue> read_arguments(const KinetoEvent& event, const CallPlace& place) {
    const RecordedValue::List dims = to_values(event.dims, place);
    const RecordedValue::List types = to_values(event.types, place);
    const RecordedValue::List strides = to_values(event.strides, place);
    const RecordedValue::List concrete = to_values(event.concrete, place);
    if (dims.size() != types.size()) {
        place.fail(fmt::format("{} shapes with {} types", dims.size(), types.size()));
    }
    std::vector<RecordedValue> values;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        const CallPlace here{place.file, place.where, fmt::format("{}: input {}", place.op, i)};
        values.push_back(read_argument(dims[i], item_of(&strides, i), types[i], item_of(&concrete, i), here));
    }
    return values;
}

}  // namespace nibble
