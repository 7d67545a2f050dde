// SPDX-License-Identifier: MIT
#include "sim/import/source_format.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "sim/import/byte_source.h"

namespace nibble {

namespace {

constexpr std::size_t head_bytes = 64 * 1024;

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

std::string_view without_blank(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) {
        text.remove_prefix(byte_order_mark.size());
    }
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

std::optional<SourceFormat> recognise_json(std::string_view head) {
    if (contains(head.substr(0, head.find('\n')), "\"nibblesim_torch\"")) {
        return SourceFormat::torch_dump;
    }
    if (contains(head, "\"nodes\"") && contains(head, "\"schema\"")) {
        return SourceFormat::pytorch_et;
    }
    if (contains(head, "\"traceEvents\"") || (head.front() == '[' && contains(head, "\"ph\""))) {
        return SourceFormat::kineto;
    }
    return std::nullopt;
}

std::optional<SourceFormat> recognise_yaml(std::string_view head) {
    const std::string text = "\n" + std::string(head);
    if (contains(text, "\nproblem:") || contains(text, "{{include")) {
        return SourceFormat::timeloop;
    }
    if (contains(text, "operator_type:") || contains(text, "loop_sizes:") || contains(text, "loop_dim_size:")) {
        return SourceFormat::zigzag;
    }
    return std::nullopt;
}

/// A Chakra file starts with the length of a message whose first field is a version in digits; an ONNX model with the
/// number of its IR's version, and another field behind it.
std::optional<SourceFormat> recognise_binary(std::string_view head, std::string_view file_name) {
    constexpr char text_of_field_1 = 0x0A;
    constexpr char number_of_field_1 = 0x08;
    if (head.size() > 3 && head[1] == text_of_field_1 && std::isdigit(static_cast<unsigned char>(head[3])) != 0) {
        return SourceFormat::chakra;
    }
    if (head.size() > 2 && head[0] == number_of_field_1 && head[1] > 0 && head[1] < 64) {
        return SourceFormat::onnx;
    }
    if (contains(file_name, ".onnx")) {
        return SourceFormat::onnx;
    }
    return file_name.ends_with(".et") || contains(file_name, ".et.") ? std::optional(SourceFormat::chakra)
                                                                     : std::nullopt;
}

bool is_binary(std::string_view head) {
    return std::ranges::any_of(head.substr(0, 512), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t';
    });
}

}  // namespace

bool may_be_source(std::string_view file_name) {
    const std::size_t dot = file_name.rfind('.');
    const std::string_view extension = dot == std::string_view::npos ? "" : file_name.substr(dot);
    return extension == ".json" || extension == ".et" || extension == ".onnx" || extension == ".csv" ||
           extension == ".yaml" || extension == ".yml" || extension == ".trace";
}

std::optional<SourceFormat> recognise_source(const std::filesystem::path& path) {
    if (std::filesystem::is_directory(path)) {
        return SourceFormat::timeloop;  // the only one that is spread over files
    }
    ByteSource source(path, may_be_source);
    std::string bytes(head_bytes, '\0');
    bytes.resize(source.read(bytes));
    const std::string file_name = source.member().empty() ? path.filename().string() : source.member();
    const std::string_view head = without_blank(bytes);
    if (head.empty()) {
        return std::nullopt;
    }
    if (is_binary(bytes)) {
        return recognise_binary(bytes, file_name);
    }
    if (head.front() == '{' || head.front() == '[') {
        return recognise_json(head);
    }
    if (const std::optional<SourceFormat> yaml = recognise_yaml(head)) {
        return yaml;
    }
    const std::string_view line = head.substr(0, head.find('\n'));
    const bool table = line.find(',') != std::string_view::npos || line.find('\t') != std::string_view::npos;
    return table && contains(file_name, ".csv") ? std::optional(SourceFormat::scale_sim) : std::nullopt;
}

}  // namespace nibble
