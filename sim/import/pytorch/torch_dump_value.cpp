// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/torch_dump_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

namespace dom = simdjson::dom;
using Place = TorchDumpObject::Place;

std::string found(dom::element json) {
    switch (json.type()) {
        case dom::element_type::ARRAY:
            return "a list";
        case dom::element_type::OBJECT:
            return "an object";
        default:
            return printable(simdjson::minify(json));
    }
}

[[noreturn]] void fail_expected(const Place& place, std::string_view what, dom::element json) {
    place.fail(fmt::format("expected {}, found {}", what, found(json)));
}

/// Whole numbers up to `most`.
std::vector<std::uint64_t> numbers(dom::element json, const Place& place, std::uint64_t most) {
    if (!json.is_array()) {
        fail_expected(place, "a list of whole numbers", json);
    }
    const dom::array list = json.get_array();
    if (list.size() > TorchDumpValues::most_dimensions) {
        place.fail(
            fmt::format("expected at most {} dimensions, found {}", TorchDumpValues::most_dimensions, list.size()));
    }
    std::vector<std::uint64_t> all;
    for (const dom::element item : list) {
        std::uint64_t number = 0;
        if (item.get(number) != simdjson::SUCCESS || number > most) {
            fail_expected(place.at(all.size()), fmt::format("a whole number up to {}", most), item);
        }
        all.push_back(number);
    }
    return all;
}

void read_type(const Place& place, std::string_view name, RecordedTensor& tensor) {
    struct Family {
        std::string_view prefix;
        ElementKind kind;
    };
    if (name == "bool") {
        tensor.kind = ElementKind::boolean;
        tensor.bits = 8;
        return;
    }
    // All other names are a family and the bits of an element: float8_e4m3fn, bfloat16, quint8.
    constexpr std::array<Family, 8> families{{{"float", ElementKind::floating},
                                              {"bfloat", ElementKind::floating},
                                              {"int", ElementKind::integer},
                                              {"uint", ElementKind::integer},
                                              {"qint", ElementKind::integer},
                                              {"quint", ElementKind::integer},
                                              {"bits", ElementKind::other},
                                              {"complex", ElementKind::other}}};
    for (const Family& family : families) {
        if (!name.starts_with(family.prefix)) {
            continue;
        }
        tensor.kind = family.kind;
        const char* begin = name.data() + family.prefix.size();
        const char* end = name.data() + name.size();
        const auto [rest, error] = std::from_chars(begin, end, tensor.bits);
        if (error == std::errc() && tensor.bits >= 1 && tensor.bits <= 128 && (rest == end || *rest == '_')) {
            return;
        }
    }
    place.fail(fmt::format("expected a type of PyTorch's such as float32 or int64, found '{}'", printable(name)));
}

/// A path relative to the dump's directory, that does not lead out of it.
std::string values_file(const Place& place, std::string_view name) {
    const std::filesystem::path file(name);
    const bool outside =
        file.is_absolute() || std::find(file.begin(), file.end(), std::filesystem::path("..")) != file.end();
    if (file.empty() || outside) {
        place.fail(fmt::format("expected a file below the dump's directory, found '{}'", printable(name)));
    }
    return std::string(name);
}

}  // namespace

void TorchDumpObject::Place::fail(const std::string& what) const {
    throw InputError({file, line, 0}, path.empty() ? what : fmt::format("{}: {}", printable(path), what));
}

Place TorchDumpObject::Place::at(std::string_view name) const {
    return {file, line, path.empty() ? std::string(name) : fmt::format("{}.{}", path, name)};
}

Place TorchDumpObject::Place::at(std::size_t index) const {
    return {file, line, fmt::format("{}[{}]", path, index)};
}

TorchDumpObject::TorchDumpObject(dom::element object, Place place) : place_(std::move(place)) {
    if (object.get(object_) != simdjson::SUCCESS) {
        fail_expected(place_, "an object", object);
    }
}

bool TorchDumpObject::has(std::string_view key) const {
    return object_.at_key(key).error() == simdjson::SUCCESS;
}

dom::element TorchDumpObject::member(std::string_view key) {
    asked_.emplace_back(key);
    dom::element json;
    if (object_.at_key(key).get(json) != simdjson::SUCCESS) {
        for (const auto field : object_) {  // a misspelt key says more than a missing one
            const std::vector<std::string> wanted{std::string(key)};
            if (const std::string hint = suggestion(field.key, wanted); !hint.empty()) {
                place_.fail(fmt::format("unknown key '{}'{}", printable(field.key), hint));
            }
        }
        place_.fail(fmt::format("the key '{}' is missing", key));
    }
    return json;
}

std::uint64_t TorchDumpObject::number(std::string_view key) {
    const dom::element json = member(key);
    std::uint64_t number = 0;
    if (json.get(number) != simdjson::SUCCESS) {
        fail_expected(place(key), "a whole number", json);
    }
    return number;
}

std::string_view TorchDumpObject::text(std::string_view key) {
    const dom::element json = member(key);
    std::string_view text;
    if (json.get(text) != simdjson::SUCCESS) {
        fail_expected(place(key), "text in quotes", json);
    }
    return text;
}

dom::array TorchDumpObject::list(std::string_view key) {
    const dom::element json = member(key);
    dom::array list;
    if (json.get(list) != simdjson::SUCCESS) {
        fail_expected(place(key), "a list", json);
    }
    return list;
}

void TorchDumpObject::expect_no_more() const {
    for (const auto field : object_) {
        if (std::find(asked_.begin(), asked_.end(), field.key) == asked_.end()) {
            place_.fail(fmt::format("unknown key '{}'{}", printable(field.key), suggestion(field.key, asked_)));
        }
    }
    if (object_.size() != asked_.size()) {
        for (auto one = object_.begin(); one != object_.end(); ++one) {
            const auto same = [&one](const auto& other) { return other.key == one.key(); };
            if (std::count_if(object_.begin(), object_.end(), same) > 1) {
                place_.fail(fmt::format("duplicate key '{}'", printable(one.key())));
            }
        }
    }
}

RecordedValue TorchDumpValues::value(dom::element json, const Place& place, unsigned depth) {
    switch (json.type()) {
        case dom::element_type::NULL_VALUE:
            return {};
        case dom::element_type::BOOL:
            return {bool(json)};
        case dom::element_type::INT64:
            return {std::int64_t(json)};
        case dom::element_type::UINT64:
            place.fail(fmt::format("expected a number of 64 bits with sign, found {}", found(json)));
        case dom::element_type::DOUBLE:
            return {double(json)};
        case dom::element_type::STRING: {
            constexpr double infinity = std::numeric_limits<double>::infinity();
            const std::string_view text = json;
            if (text == "inf" || text == "-inf") {
                return {text == "inf" ? infinity : -infinity};
            }
            if (text == "nan") {
                return {std::numeric_limits<double>::quiet_NaN()};
            }
            return {std::string(text)};
        }
        case dom::element_type::OBJECT:
            return {tensor(json, place)};
        case dom::element_type::ARRAY:
            break;
    }
    if (depth == deepest) {
        place.fail(fmt::format("lists lie more than {} deep in one another", deepest));
    }
    RecordedValue::List list;
    for (const dom::element item : dom::array(json)) {
        list.push_back(value(item, place.at(list.size()), depth + 1));
    }
    return {std::move(list)};
}

RecordedTensor TorchDumpValues::tensor(dom::element json, const Place& place) {
    TorchDumpObject object(json, place);
    RecordedTensor tensor;
    tensor.storage = storage(object);
    tensor.offset = object.number("offset");
    tensor.shape = numbers(object.member("shape"), object.place("shape"), most_elements);
    std::optional<std::uint64_t> elements = 1;
    for (const std::uint64_t size : tensor.shape) {
        elements = bounded_product({*elements, size}, most_elements);
        if (!elements) {
            object.place("shape").fail(fmt::format("more than 2^48 elements: {}", found(object.member("shape"))));
        }
    }
    const dom::element strides = object.member("strides");
    if (!strides.is_null()) {
        tensor.strides = numbers(strides, object.place("strides"), most_elements);
        if (tensor.strides.size() != tensor.shape.size()) {
            object.place("strides").fail(fmt::format("expected {} numbers, one for each dimension, found {}",
                                                     tensor.shape.size(), tensor.strides.size()));
        }
    }
    std::uint64_t last = tensor.offset;  // element of the storage
    for (std::size_t i = 0; i < tensor.strides.size() && *elements != 0 && last < most_elements; ++i) {
        const auto reach = bounded_product({tensor.shape[i] - 1, tensor.strides[i]}, most_elements);
        last = reach ? last + *reach : most_elements;
    }
    if (last >= most_elements) {
        place.fail("lies more than 2^48 elements behind the beginning of its storage");
    }
    read_type(object.place("dtype"), object.text("dtype"), tensor);
    if (object.has("name")) {
        tensor.name = object.text("name");
    }
    if (object.has("values")) {
        tensor.values = values_file(object.place("values"), object.text("values"));
    }
    object.expect_no_more();
    return tensor;
}

std::uint64_t TorchDumpValues::storage(TorchDumpObject& object) {
    const std::uint64_t number = object.number("storage");
    if (number > storages_ + 1) {
        object.place("storage").fail(
            fmt::format("storages are numbered in the order in which they occur: expected at most {}, found {}",
                        storages_ + 1, number));
    }
    storages_ = std::max(storages_, number);
    return number;
}

}  // namespace nibble
