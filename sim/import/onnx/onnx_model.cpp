// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_model.h"

#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/onnx/onnx_tensor_reader.h"
#include "sim/import/wire_reader.h"

namespace nibble {

namespace {

/// Numbers in one attribute; large lists are kept as tensors.
constexpr std::size_t most_numbers = 65'536;
/// Nodes, values, attributes and names of a whole model: a file of two-byte nodes must not fill the memory.
constexpr std::uint64_t most_entries = 8'000'000;

class ModelReader {
public:
    ModelReader(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file), numbers_(bytes) {}

    OnnxModel model() {
        OnnxModel model;
        WireReader reader(bytes_, file_);
        std::string version;
        bool has_graph = false;
        while (reader.next()) {
            switch (reader.field()) {
                case 1:
                    model.ir_version = reader.signed_number();
                    break;
                case 2:
                    model.producer = reader.text();
                    break;
                case 3:
                    version = reader.text();
                    break;
                case 7:
                    model.graph = graph(reader.message());
                    has_graph = true;
                    break;
                case 8:
                    opset(reader.message(), model.opsets);
                    break;
                case 25:
                    count(reader);
                    model.functions.push_back(function(reader.message()));
                    break;
                default:
                    break;
            }
        }
        if (!has_graph) {
            throw InputError({file_, 0, 0}, "expected an ONNX model, found no graph in it");
        }
        if (!version.empty()) {
            model.producer += " " + version;
        }
        return model;
    }

private:
    /// Every entry of a list counts.
    void count(const WireReader& reader) {
        if (++entries_ > most_entries) {
            reader.fail(fmt::format("more than {} nodes, values and attributes", most_entries));
        }
    }

    void add_text(const WireReader& reader, std::vector<std::string>& list) {
        count(reader);
        list.emplace_back(reader.text());
    }

    static void opset(WireReader reader, std::map<std::string, std::int64_t>& opsets) {
        std::string domain;
        std::int64_t version = 0;
        while (reader.next()) {
            if (reader.field() == 1) {
                domain = reader.text();
            } else if (reader.field() == 2) {
                version = reader.signed_number();
            }
        }
        opsets[domain == "ai.onnx" ? "" : domain] = version;
    }

    OnnxGraph graph(WireReader reader) {
        OnnxGraph graph;
        while (reader.next()) {
            switch (reader.field()) {
                case 1:
                    count(reader);
                    graph.nodes.push_back(node(reader.message()));
                    break;
                case 5:
                    count(reader);
                    graph.initializers.push_back(read_onnx_tensor(reader.message(), numbers_));
                    break;
                case 11:
                    count(reader);
                    graph.inputs.push_back(value_info(reader.message()));
                    break;
                case 12:
                    count(reader);
                    graph.outputs.push_back(value_info(reader.message()));
                    break;
                case 13:
                    count(reader);
                    graph.values.push_back(value_info(reader.message()));
                    break;
                case 15:
                    reader.fail("sparse initializers are not read: store the weights as ordinary tensors");
                default:
                    break;
            }
        }
        return graph;
    }

    OnnxNode node(WireReader reader) {
        OnnxNode node;
        while (reader.next()) {
            switch (reader.field()) {
                case 1:
                    add_text(reader, node.inputs);
                    break;
                case 2:
                    add_text(reader, node.outputs);
                    break;
                case 3:
                    node.name = reader.text();
                    break;
                case 4:
                    node.op = reader.text();
                    break;
                case 5:
                    count(reader);
                    node.attributes.push_back(attribute(reader.message()));
                    break;
                case 6:
                    node.comment = reader.text();
                    break;
                case 7:
                    node.domain = reader.text() == "ai.onnx" ? "" : reader.text();
                    break;
                default:
                    break;
            }
        }
        return node;
    }

    OnnxAttribute attribute(WireReader reader) {
        OnnxAttribute attribute;
        while (reader.next()) {
            switch (reader.field()) {
                case 1:
                    attribute.name = reader.text();
                    break;
                case 2:
                    attribute.real = reader.number32();
                    break;
                case 3:
                    attribute.number = reader.signed_number();
                    break;
                case 4:
                    attribute.text = reader.text();
                    break;
                case 5:
                    attribute.tensor = read_onnx_tensor(reader.message(), numbers_);
                    break;
                case 6:
                    attribute.graph.assign(1, graph(reader.message()));
                    break;
                case 7:
                    numbers_.append(reader, attribute.reals, most_numbers);
                    break;
                case 8:
                    numbers_.append(reader, attribute.numbers, most_numbers);
                    break;
                case 9:
                    add_text(reader, attribute.texts);
                    break;
                case 21:
                    attribute.reference = reader.text();
                    break;
                default:
                    break;
            }
        }
        return attribute;
    }

    OnnxFunction function(WireReader reader) {
        OnnxFunction function;
        while (reader.next()) {
            switch (reader.field()) {
                case 1:
                    function.name = reader.text();
                    break;
                case 4:
                    add_text(reader, function.inputs);
                    break;
                case 5:
                    add_text(reader, function.outputs);
                    break;
                case 7:
                    count(reader);
                    function.nodes.push_back(node(reader.message()));
                    break;
                case 10:
                    function.domain = reader.text();
                    break;
                case 11:
                    count(reader);
                    function.defaults.push_back(attribute(reader.message()));
                    break;
                default:
                    break;
            }
        }
        return function;
    }

    OnnxValueInfo value_info(WireReader reader) {
        OnnxValueInfo info;
        while (reader.next()) {
            if (reader.field() == 1) {
                info.name = reader.text();
            } else if (reader.field() == 2) {
                for (WireReader type = reader.message(); type.next();) {
                    if (type.field() == 1) {
                        tensor_type(type.message(), info);
                    }
                }
            }
        }
        return info;
    }

    void tensor_type(WireReader reader, OnnxValueInfo& info) {
        info.tensor = true;
        while (reader.next()) {
            if (reader.field() == 1) {
                info.type.number = reader.signed_number();
            } else if (reader.field() == 2) {
                info.shape.emplace();
                for (WireReader dims = reader.message(); dims.next();) {
                    if (dims.field() == 1) {
                        count(dims);
                        info.shape->push_back(dimension(dims.message()));
                    }
                }
            }
        }
    }

    static OnnxDimension dimension(WireReader reader) {
        OnnxDimension dimension;
        while (reader.next()) {
            if (reader.field() == 1) {
                dimension.value = reader.signed_number();
            } else if (reader.field() == 2) {
                dimension.symbol = reader.text();
            }
        }
        return dimension;
    }

    std::string_view bytes_;
    const std::string& file_;
    OnnxNumberReader numbers_;
    std::uint64_t entries_ = 0;
};

}  // namespace

OnnxModel read_onnx_model(std::string_view bytes, const std::string& file) {
    return ModelReader(bytes, file).model();
}

}  // namespace nibble
