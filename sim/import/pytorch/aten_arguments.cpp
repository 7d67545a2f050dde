// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/aten_arguments.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/error.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

void collect(const RecordedValue& value, std::vector<const RecordedTensor*>& all) {
    if (const RecordedTensor* tensor = value.tensor()) {
        all.push_back(tensor);
    } else if (const RecordedValue::List* list = value.list()) {
        for (const RecordedValue& element : *list) {
            collect(element, all);
        }
    }
}

bool is_undefined(const RecordedTensor& tensor) {
    return tensor.bits == 0;
}

}  // namespace

const RecordedValue* AtenArguments::find(std::size_t at) const {
    return at < call_.inputs.size() ? &call_.inputs[at] : nullptr;
}

const RecordedTensor* AtenArguments::find_tensor(std::size_t at) const {
    const RecordedValue* value = find(at);
    const RecordedTensor* tensor = value == nullptr ? nullptr : value->tensor();
    return tensor == nullptr || is_undefined(*tensor) ? nullptr : tensor;
}

const RecordedTensor& AtenArguments::tensor(std::size_t at) const {
    const RecordedTensor* found = find_tensor(at);
    if (found == nullptr) {
        fail(fmt::format("expected a tensor as argument {}, found none", at + 1));
    }
    return *found;
}

std::vector<const RecordedTensor*> AtenArguments::tensors() const {
    std::vector<const RecordedTensor*> all;
    for (const RecordedValue& value : call_.inputs) {
        collect(value, all);
    }
    std::erase_if(all, [&](const RecordedTensor* tensor) {
        const auto is_result = [&](const RecordedTensor& result) {
            return tensor->storage != 0 && result.storage == tensor->storage && result.offset == tensor->offset &&
                   result.shape == tensor->shape;
        };
        return is_undefined(*tensor) || (!in_place() && std::ranges::any_of(call_.outputs, is_result));
    });
    return all;
}

const RecordedTensor* AtenArguments::find_result(std::size_t at) const {
    return at < call_.outputs.size() && !is_undefined(call_.outputs[at]) ? &call_.outputs[at] : nullptr;
}

std::vector<std::uint64_t> AtenArguments::sizes(std::size_t at, std::size_t count, std::uint64_t otherwise) const {
    const RecordedValue* value = find(at);
    std::vector<std::uint64_t> numbers;
    if (value != nullptr && std::holds_alternative<std::int64_t>(value->value)) {
        numbers = {number(at, 0)};
    } else if (const RecordedValue::List* list = value == nullptr ? nullptr : value->list()) {
        for (const RecordedValue& element : *list) {
            const auto* size = std::get_if<std::int64_t>(&element.value);
            if (size == nullptr || *size < 0) {
                fail(fmt::format("argument {}: expected numbers from 0", at + 1));
            }
            numbers.push_back(static_cast<std::uint64_t>(*size));
        }
    }
    if (numbers.empty()) {
        numbers = {otherwise};
    }
    if (numbers.size() == 1) {
        numbers.resize(count, numbers.front());
    }
    if (numbers.size() != count) {
        fail(fmt::format("argument {}: expected {} numbers, found {}", at + 1, count, numbers.size()));
    }
    return numbers;
}

std::uint64_t AtenArguments::number(std::size_t at, std::uint64_t otherwise) const {
    const RecordedValue* value = find(at);
    const auto* number = value == nullptr ? nullptr : std::get_if<std::int64_t>(&value->value);
    if (number == nullptr) {
        return otherwise;
    }
    if (*number < 0) {
        fail(fmt::format("argument {}: expected a number from 0, found {}", at + 1, *number));
    }
    return static_cast<std::uint64_t>(*number);
}

bool AtenArguments::flag(std::size_t at, bool otherwise) const {
    const RecordedValue* value = find(at);
    const auto* flag = value == nullptr ? nullptr : std::get_if<bool>(&value->value);
    return flag == nullptr ? otherwise : *flag;
}

std::vector<bool> AtenArguments::flags(std::size_t at) const {
    std::vector<bool> all;
    const RecordedValue* value = find(at);
    if (const RecordedValue::List* list = value == nullptr ? nullptr : value->list()) {
        for (const RecordedValue& element : *list) {
            const auto* flag = std::get_if<bool>(&element.value);
            all.push_back(flag != nullptr && *flag);
        }
    }
    return all;
}

void AtenArguments::fail(const std::string& what) const {
    throw InputError({file_, 0, 0}, fmt::format("{} ({}): {}", printable(call_.where), printable(call_.op), what));
}

std::uint64_t elements_of(const RecordedTensor& tensor, const AtenArguments& arguments) {
    std::uint64_t elements = 1;
    for (const std::uint64_t extent : tensor.shape) {
        const auto product = bounded_product({elements, extent}, most_elements);
        if (!product) {
            arguments.fail(
                fmt::format("a tensor of shape [{}] has more than 2^48 elements", fmt::join(tensor.shape, ",")));
        }
        elements = *product;
    }
    return elements;
}

}  // namespace nibble
