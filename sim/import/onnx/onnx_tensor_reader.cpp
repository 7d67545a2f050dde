// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_tensor_reader.h"

#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sim/input/operation_size.h"

namespace nibble {

namespace {

constexpr std::size_t most_dimensions = 64;

static_assert(std::endian::native == std::endian::little, "raw data of ONNX are little-endian");

template <class Stored, class Number>
void append_raw(std::string_view bytes, std::vector<Number>& all) {
    for (std::size_t at = 0; at + sizeof(Stored) <= bytes.size(); at += sizeof(Stored)) {
        Stored value{};
        std::memcpy(&value, bytes.data() + at, sizeof value);
        all.push_back(static_cast<Number>(value));
    }
}

/// The numbers of a tensor: which list is used follows from its type.
struct Lists {
    std::vector<std::int64_t> whole;
    std::vector<double> real;

    /// Nothing is added for types whose numbers nobody asks for.
    void append_raw_data(OnnxType type, std::string_view bytes) {
        switch (type.number) {
            case 1:
                return append_raw<float>(bytes, real);
            case 11:
                return append_raw<double>(bytes, real);
            case 2:
            case 9:
                return append_raw<std::uint8_t>(bytes, whole);
            case 3:
                return append_raw<std::int8_t>(bytes, whole);
            case 4:
                return append_raw<std::uint16_t>(bytes, whole);
            case 5:
                return append_raw<std::int16_t>(bytes, whole);
            case 6:
                return append_raw<std::int32_t>(bytes, whole);
            case 7:
                return append_raw<std::int64_t>(bytes, whole);
            case 12:
                return append_raw<std::uint32_t>(bytes, whole);
            default:
                return;
        }
    }
};

/// The elements, if they are so few that their numbers are read.
std::optional<std::uint64_t> few_elements(const OnnxTensor& tensor) {
    std::uint64_t elements = 1;
    for (const std::int64_t dim : tensor.dims) {
        const auto product = bounded_product({elements, std::bit_cast<std::uint64_t>(dim)}, OnnxTensor::most_numbers);
        if (dim < 0 || !product) {
            return std::nullopt;
        }
        elements = *product;
    }
    return elements;
}

}  // namespace

bool OnnxNumberReader::packed(const WireReader& field) const {
    constexpr unsigned wire_type = 7;  // the low bits of a field's first byte
    return (static_cast<unsigned char>(file_[field.position()]) & wire_type) == 2;
}

void OnnxNumberReader::append(const WireReader& field, std::vector<std::int64_t>& all, std::size_t most) const {
    constexpr std::size_t longest_number = 10;
    if (!packed(field) || field.text().size() <= most * longest_number) {
        field.append_to(all);
    }
    if (all.size() > most || (packed(field) && field.text().size() > most * longest_number)) {
        field.fail(fmt::format("field {}: more than {} numbers", field.field(), most));
    }
}

void OnnxNumberReader::append(const WireReader& field, std::vector<double>& all, std::size_t most) const {
    if (!packed(field)) {
        all.push_back(static_cast<double>(field.number32()));
    } else if (field.text().size() / sizeof(float) <= most) {
        append_raw<float>(field.text(), all);
    }
    if (all.size() > most || (packed(field) && field.text().size() / sizeof(float) > most)) {
        field.fail(fmt::format("field {}: more than {} numbers", field.field(), most));
    }
}

OnnxTensor read_onnx_tensor(WireReader reader, const OnnxNumberReader& numbers) {
    OnnxTensor tensor;
    for (WireReader field = reader; field.next();) {
        switch (field.field()) {
            case 1:
                numbers.append(field, tensor.dims, most_dimensions);
                break;
            case 2:
                tensor.type.number = field.signed_number();
                break;
            case 8:
                tensor.name = field.text();
                break;
            default:
                break;
        }
    }
    const std::optional<std::uint64_t> elements = few_elements(tensor);
    if (!elements) {
        return tensor;
    }
    Lists lists;
    const bool floating = tensor.type.kind() == OnnxKind::floating;
    while (reader.next()) {
        switch (reader.field()) {
            case 4:  // float_data
                numbers.append(reader, lists.real, *elements);
                break;
            case 5:               // int32_data, which also holds narrower types
            case 7:               // int64_data
                if (!floating) {  // else patterns of 16-bit reals
                    numbers.append(reader, lists.whole, *elements);
                }
                break;
            case 9:  // raw_data
                if (reader.text().size() <= *elements * sizeof(double)) {
                    lists.append_raw_data(tensor.type, reader.text());
                }
                break;
            default:
                break;
        }
    }
    // Otherwise they are in a file of their own, or of a type that nobody asks for.
    if (floating && lists.real.size() == *elements) {
        tensor.numbers = std::move(lists.real);
    } else if (!floating && lists.whole.size() == *elements) {
        tensor.numbers = std::move(lists.whole);
    }
    return tensor;
}

}  // namespace nibble
