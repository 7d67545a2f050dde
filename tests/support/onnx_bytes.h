// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace nibble::test {

/// Writes protocol-buffer messages by hand. Source: protobuf.dev, "Encoding".
class Proto {
public:
    Proto& number(std::uint32_t field, std::int64_t value) {
        tag(field, 0);
        varint(static_cast<std::uint64_t>(value));
        return *this;
    }
    Proto& real(std::uint32_t field, float value) {
        tag(field, 5);
        raw(value);
        return *this;
    }
    Proto& text(std::uint32_t field, const std::string& value) {
        tag(field, 2);
        varint(value.size());
        bytes_ += value;
        return *this;
    }
    Proto& message(std::uint32_t field, const Proto& value) { return text(field, value.bytes_); }
    [[nodiscard]] const std::string& bytes() const { return bytes_; }

private:
    void tag(std::uint32_t field, std::uint32_t type) { varint(std::uint64_t{field} << 3U | type); }
    void varint(std::uint64_t value) {
        while (value >= 0x80U) {
            bytes_ += static_cast<char>((value & 0x7FU) | 0x80U);
            value >>= 7U;
        }
        bytes_ += static_cast<char>(value);
    }
    template <class T>
    void raw(T value) {
        char buffer[sizeof value];
        std::memcpy(buffer, &value, sizeof value);
        bytes_.append(buffer, sizeof value);
    }

    std::string bytes_;
};

/// Attributes of a node. Field numbers here and below: onnx/onnx.proto.
class OnnxAttributes {
public:
    OnnxAttributes& number(const std::string& name, std::int64_t value) {
        return add(Proto().text(1, name).number(3, value));
    }
    OnnxAttributes& real(const std::string& name, float value) { return add(Proto().text(1, name).real(2, value)); }
    OnnxAttributes& text(const std::string& name, const std::string& value) {
        return add(Proto().text(1, name).text(4, value));
    }
    OnnxAttributes& numbers(const std::string& name, const std::vector<std::int64_t>& values) {
        Proto attribute;
        attribute.text(1, name);
        for (const std::int64_t value : values) {
            attribute.number(8, value);
        }
        return add(attribute);
    }
    OnnxAttributes& tensor(const std::string& name, const Proto& value) {
        return add(Proto().text(1, name).message(5, value));
    }
    OnnxAttributes& graph(const std::string& name, const Proto& value) {
        return add(Proto().text(1, name).message(6, value));
    }
    [[nodiscard]] const std::vector<Proto>& all() const { return all_; }

private:
    OnnxAttributes& add(Proto attribute) {
        all_.push_back(std::move(attribute));
        return *this;
    }
    std::vector<Proto> all_;
};

using OnnxDims = std::vector<std::variant<std::int64_t, std::string>>;

constexpr std::int64_t onnx_float = 1, onnx_int64 = 7, onnx_bool = 9;

inline Proto onnx_tensor(const std::string& name, std::int64_t type, const std::vector<std::int64_t>& dims) {
    Proto tensor;
    for (const std::int64_t dim : dims) {
        tensor.number(1, dim);
    }
    return tensor.number(2, type).text(8, name);
}

inline Proto onnx_integers(const std::string& name, const std::vector<std::int64_t>& values) {
    Proto tensor = onnx_tensor(name, onnx_int64, {static_cast<std::int64_t>(values.size())});
    std::string raw(values.size() * sizeof(std::int64_t), '\0');
    std::memcpy(raw.data(), values.data(), raw.size());
    return tensor.text(9, raw);
}

inline Proto onnx_reals(const std::string& name, const std::vector<float>& values) {
    Proto tensor = onnx_tensor(name, onnx_float, {static_cast<std::int64_t>(values.size())});
    std::string raw(values.size() * sizeof(float), '\0');
    std::memcpy(raw.data(), values.data(), raw.size());
    return tensor.text(9, raw);
}

inline Proto onnx_value(const std::string& name, const OnnxDims& dims, std::int64_t type = onnx_float) {
    Proto shape;
    for (const auto& dim : dims) {
        Proto entry;
        if (const auto* size = std::get_if<std::int64_t>(&dim)) {
            entry.number(1, *size);
        } else {
            entry.text(2, std::get<std::string>(dim));
        }
        shape.message(1, entry);
    }
    return Proto().text(1, name).message(2, Proto().message(1, Proto().number(1, type).message(2, shape)));
}

inline Proto onnx_node(const std::string& op, const std::vector<std::string>& inputs,
                       const std::vector<std::string>& outputs, const OnnxAttributes& attributes = {},
                       const std::string& name = {}, const std::string& domain = {}) {
    Proto node;
    for (const std::string& input : inputs) {
        node.text(1, input);
    }
    for (const std::string& output : outputs) {
        node.text(2, output);
    }
    node.text(3, name).text(4, op).text(7, domain);
    for (const Proto& attribute : attributes.all()) {
        node.message(5, attribute);
    }
    return node;
}

/// A model, node by node.
class OnnxBytes {
public:
    explicit OnnxBytes(std::int64_t opset = 17) : opset_(opset) {}

    OnnxBytes& input(const std::string& name, const OnnxDims& dims, std::int64_t type = onnx_float) {
        graph_.message(11, onnx_value(name, dims, type));
        return *this;
    }
    OnnxBytes& output(const std::string& name, const OnnxDims& dims = {}) {
        graph_.message(12, onnx_value(name, dims));
        return *this;
    }
    OnnxBytes& value(const std::string& name, const OnnxDims& dims) {
        graph_.message(13, onnx_value(name, dims));
        return *this;
    }
    /// An initializer without data: a weight in a file of its own.
    OnnxBytes& weight(const std::string& name, const std::vector<std::int64_t>& dims, std::int64_t type = onnx_float) {
        return initializer(onnx_tensor(name, type, dims));
    }
    OnnxBytes& integers(const std::string& name, const std::vector<std::int64_t>& values) {
        return initializer(onnx_integers(name, values));
    }
    OnnxBytes& reals(const std::string& name, const std::vector<float>& values) {
        return initializer(onnx_reals(name, values));
    }
    OnnxBytes& initializer(const Proto& tensor) {
        graph_.message(5, tensor);
        return *this;
    }
    OnnxBytes& node(const std::string& op, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs, const OnnxAttributes& attributes = {},
                    const std::string& name = {}, const std::string& domain = {}) {
        graph_.message(1, onnx_node(op, inputs, outputs, attributes, name, domain));
        return *this;
    }
    OnnxBytes& function(const Proto& function) {
        functions_.push_back(function);
        return *this;
    }
    [[nodiscard]] const Proto& graph() const { return graph_; }
    [[nodiscard]] std::string bytes() const {
        Proto model;
        model.number(1, 8).text(2, "test").message(7, graph_).message(8, Proto().text(1, "").number(2, opset_));
        for (const Proto& function : functions_) {
            model.message(25, function);
        }
        return model.bytes();
    }

private:
    std::int64_t opset_;
    Proto graph_;
    std::vector<Proto> functions_;
};

}  // namespace nibble::test
