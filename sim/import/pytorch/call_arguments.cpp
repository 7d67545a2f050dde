// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/call_arguments.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/pytorch/element_type.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

/// Walks through the text of a type while the values that it describes are walked through: "GenericList[Tensor(float),
/// Int]" may describe thousands of them.
class TypeText {
public:
    explicit TypeText(std::string_view text) : left_(text) {}

    /// "GenericList[" and its like: enters it.
    bool enter_list() {
        const std::size_t word = left_.find_first_of("[(,]");
        if (word == std::string_view::npos || left_[word] != '[') {
            return false;
        }
        left_.remove_prefix(word + 1);
        return true;
    }
    /// The element type of "Tensor(...)", or nothing if this is no tensor; steps over either.
    std::optional<std::string_view> take_tensor() {
        constexpr std::string_view prefix = "Tensor(";
        if (!left_.starts_with(prefix)) {
            left_.remove_prefix(std::min(left_.find_first_of(",]"), left_.size()));
            return std::nullopt;
        }
        left_.remove_prefix(prefix.size());
        std::size_t open = 1;
        std::size_t end = 0;
        for (; end < left_.size(); ++end) {
            open += left_[end] == '(' ? 1U : 0U;
            open -= left_[end] == ')' ? 1U : 0U;
            if (open == 0) {
                break;
            }
        }
        const std::string_view name = left_.substr(0, end);
        left_.remove_prefix(std::min(end + 1, left_.size()));
        return name;
    }
    [[nodiscard]] bool take(char c) {
        if (!left_.starts_with(c)) {
            return false;
        }
        left_.remove_prefix(1);
        return true;
    }
    [[nodiscard]] bool empty() const { return left_.empty(); }

private:
    std::string_view left_;
};

std::uint64_t read_unsigned(const RecordedValue& value, const CallPlace& place, const char* what) {
    const auto* number = std::get_if<std::int64_t>(&value.value);
    if (number == nullptr || *number < 0) {
        place.fail(fmt::format("expected {}, a whole number of at least 0", what));
    }
    return static_cast<std::uint64_t>(*number);
}

std::vector<std::uint64_t> read_numbers(const RecordedValue& value, const CallPlace& place, const char* what) {
    const RecordedValue::List* list = value.list();
    if (list == nullptr) {
        place.fail(fmt::format("expected {}, a list of whole numbers", what));
    }
    std::vector<std::uint64_t> numbers;
    numbers.reserve(list->size());
    for (const RecordedValue& item : *list) {
        numbers.push_back(read_unsigned(item, place, what));
    }
    return numbers;
}

const RecordedValue* item_of(const RecordedValue* lists, std::size_t i) {
    const RecordedValue::List* list = lists == nullptr ? nullptr : lists->list();
    return list == nullptr || i >= list->size() ? nullptr : &(*list)[i];
}

RecordedTensor read_tensor(const RecordedValue& value, const RecordedValue& shape, const RecordedValue* strides,
                           std::string_view type, const CallPlace& place) {
    constexpr std::size_t parts = 6;
    const RecordedValue::List* list = value.list();
    if (list == nullptr || list->size() != parts) {
        place.fail("expected a tensor: [tensor, storage, offset, elements, bytes of an element, device]");
    }
    RecordedTensor tensor;
    if (type.starts_with("nullptr")) {
        tensor.bits = 0;
        return tensor;
    }
    tensor.storage = read_unsigned((*list)[1], place, "the number of a storage");
    tensor.offset = read_unsigned((*list)[2], place, "an offset");
    tensor.shape = read_shape(shape, place);
    if (strides != nullptr) {
        tensor.strides = read_strides(*strides, place);
        if (!tensor.strides.empty() && tensor.strides.size() != tensor.shape.size()) {
            place.fail(
                fmt::format("a tensor of {} dimensions has {} strides", tensor.shape.size(), tensor.strides.size()));
        }
    }
    if (const auto known = element_type(type)) {
        tensor.kind = known->kind;
        tensor.bits = known->bits;
        return tensor;
    }
    constexpr std::uint64_t most_bytes = 64;  // complex numbers of doubles have 16
    const std::uint64_t bytes = read_unsigned((*list)[4], place, "the bytes of an element");
    if (bytes == 0 || bytes > most_bytes) {
        place.fail(fmt::format("an element of type '{}' has {} bytes", printable(type), bytes));
    }
    tensor.kind = ElementKind::other;
    tensor.bits = static_cast<std::uint32_t>(bytes * 8);
    return tensor;
}

RecordedValue read_scalar(const RecordedValue& value) {
    const auto* text = std::get_if<std::string>(&value.value);
    if (text == nullptr) {
        return value;
    }
    // JSON has no words for these numbers.
    if (*text == "inf" || *text == "-inf") {
        const double infinity = std::numeric_limits<double>::infinity();
        return {*text == "inf" ? infinity : -infinity};
    }
    if (*text == "nan" || *text == "-nan") {
        return {std::numeric_limits<double>::quiet_NaN()};
    }
    return *text == "<None>" ? RecordedValue{} : value;
}

/// Recursive, as deep as the value: those who read it have bounded that.
RecordedValue read_value(const RecordedValue& value, const RecordedValue* shape, const RecordedValue* strides,
                         TypeText& type, const CallPlace& place) {
    if (type.enter_list()) {
        const RecordedValue::List* items = value.list();
        if (items == nullptr) {
            place.fail("the type is that of a list, the value is none");
        }
        RecordedValue::List list;
        list.reserve(items->size());
        for (std::size_t i = 0; i < items->size(); ++i) {
            if (i != 0 && !type.take(',')) {
                place.fail(fmt::format("a list of {} values whose type names {}", items->size(), i));
            }
            list.push_back(read_value((*items)[i], item_of(shape, i), item_of(strides, i), type, place));
        }
        if (!type.take(']')) {
            place.fail(fmt::format("a list of {} values whose type names more", items->size()));
        }
        return {std::move(list)};
    }
    if (const auto element = type.take_tensor()) {
        if (shape == nullptr) {
            place.fail("a tensor without a shape");
        }
        return {read_tensor(value, *shape, strides, *element, place)};
    }
    return read_scalar(value);
}

void flatten(const RecordedValue& value, std::vector<RecordedTensor>& tensors) {
    if (const RecordedTensor* tensor = value.tensor()) {
        tensors.push_back(*tensor);
    } else if (const RecordedValue::List* list = value.list()) {
        for (const RecordedValue& item : *list) {
            flatten(item, tensors);
        }
    }
}

/// Tensors that are not defined have no bits yet.
std::vector<RecordedValue> read_lists(const ArgumentLists& lists, const CallPlace& place) {
    const std::size_t count = lists.values->size();
    if (lists.shapes->size() != count || lists.types->size() != count) {
        place.fail(fmt::format("{} {}s with {} shapes and {} types", count, lists.what, lists.shapes->size(),
                               lists.types->size()));
    }
    std::vector<RecordedValue> values;
    values.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const CallPlace here{place.file, place.where, fmt::format("{}: {} {}", place.op, lists.what, i)};
        const auto* text = std::get_if<std::string>(&(*lists.types)[i].value);
        if (text == nullptr) {
            here.fail("expected the name of a type");
        }
        TypeText type(*text);
        const bool strides = lists.strides != nullptr && i < lists.strides->size();
        values.push_back(
            read_value((*lists.values)[i], &(*lists.shapes)[i], strides ? &(*lists.strides)[i] : nullptr, type, here));
        if (!type.empty()) {
            here.fail(fmt::format("a type that cannot be read: '{}'", printable(*text)));
        }
    }
    return values;
}

void drop_undefined(std::vector<RecordedValue>& values) {
    for (RecordedValue& value : values) {
        if (const RecordedTensor* tensor = value.tensor(); tensor != nullptr && tensor->bits == 0) {
            value = {};
        } else if (auto* list = std::get_if<RecordedValue::List>(&value.value)) {
            drop_undefined(*list);
        }
    }
}

}  // namespace

void CallPlace::fail(const std::string& what) const {
    throw InputError({file, 0, 0}, fmt::format("{}: {}: {}", where, printable(op), what));
}

std::vector<RecordedValue> read_arguments(const ArgumentLists& lists, const CallPlace& place) {
    std::vector<RecordedValue> values = read_lists(lists, place);
    drop_undefined(values);
    return values;
}

std::vector<RecordedTensor> read_results(const ArgumentLists& lists, const CallPlace& place) {
    std::vector<RecordedTensor> tensors;
    for (const RecordedValue& value : read_lists(lists, place)) {
        flatten(value, tensors);
    }
    return tensors;
}

std::vector<std::uint64_t> read_shape(const RecordedValue& list, const CallPlace& place) {
    std::vector<std::uint64_t> shape = read_numbers(list, place, "a shape");
    std::uint64_t elements = 1;
    for (const std::uint64_t size : shape) {
        // A size of 0 makes the tensor empty, but does not excuse the others.
        const auto product = bounded_product({elements, std::max<std::uint64_t>(size, 1)}, most_elements);
        if (!product) {
            place.fail(fmt::format("a tensor of more than {} elements", most_elements));
        }
        elements = *product;
    }
    return shape;
}

std::vector<std::uint64_t> read_strides(const RecordedValue& list, const CallPlace& place) {
    return read_numbers(list, place, "strides");
}

bool mentions_tensor(std::string_view type) {
    constexpr std::string_view prefix = "Tensor(";
    for (std::size_t at = type.find(prefix); at != std::string_view::npos; at = type.find(prefix, at)) {
        at += prefix.size();
        if (!type.substr(at).starts_with("nullptr")) {
            return true;
        }
    }
    return false;
}

std::string_view without_overload(std::string_view name) {
    const std::size_t space = name.rfind("::");
    return space == std::string_view::npos ? name : name.substr(0, name.find('.', space));
}

}  // namespace nibble
