// SPDX-License-Identifier: MIT
#include "sim/input/trace_writer.h"

#include <iterator>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/ranges.h>

#include "sim/base/error.h"
#include "sim/config/text_file.h"
#include "sim/input/line_source.h"
#include "sim/input/operation_names.h"

namespace nibble {

namespace {

using Line = fmt::memory_buffer;

template <class... Args>
void print(Line& line, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(line), format, std::forward<Args>(args)...);
}

void append(Line& line, std::string_view text) {
    line.append(text.data(), text.data() + text.size());
}

/// Bytes that are part of no character, which a name from elsewhere may have, become U+FFFD.
void print_text(Line& line, std::string_view text) {
    line.push_back('"');
    while (!text.empty()) {
        const char c = text.front();
        const std::size_t length = utf8_length(text);
        if (c == '"' || c == '\\') {
            line.push_back('\\');
            line.push_back(c);
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            print(line, "\\u{:04x}", static_cast<unsigned>(c));
        } else {
            append(line, length == 0 ? "\\ufffd" : text.substr(0, length));
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    line.push_back('"');
}

void print_text_key(Line& line, std::string_view key, std::string_view text) {
    if (!text.empty()) {
        print(line, R"(,"{}":)", key);
        print_text(line, text);
    }
}

void print_steps(Line& line, std::string_view key, const std::vector<VectorStep>& steps) {
    print(line, R"(,"{}":[)", key);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        append(line, i == 0 ? "" : ",");
        append(line, steps[i].repeat == 1 ? "" : "[");
        print_text(line, steps[i].function);
        if (steps[i].repeat != 1) {
            print(line, ",{}]", steps[i].repeat);
        }
    }
    line.push_back(']');
}

/// Doubles are written so that they are read back as they were.
void print_given_range(Line& line, const GivenRange& given) {
    std::string_view separator = R"(,"quantized":{)";
    const auto field = [&](std::string_view key, const auto& value) {
        if (value) {
            print(line, R"({}"{}":{})", separator, key, *value);
            separator = ",";
        }
    };
    field("clip", given.clip);
    field("signed", given.has_sign);
    field("fp4_scale_log2", given.fp4_scale_log2);
    field("fp8_scale_log2", given.fp8_scale_log2);
    line.push_back('}');
}

void print_work(Line& line, const Convolution& conv) {
    print(line, R"(,"n":{},"c":{},"h":{},"w":{},"k":{},"r":{},"s":{})", conv.n, conv.c, conv.h, conv.w, conv.k, conv.r,
          conv.s);
    print(line, R"(,"stride":[{},{}],"pad":[{},{},{},{}],"dilation":[{},{}],"groups":{})", conv.stride_h, conv.stride_w,
          conv.pad_top, conv.pad_bottom, conv.pad_left, conv.pad_right, conv.dilation_h, conv.dilation_w, conv.groups);
    append(line, conv.transposed ? R"(,"transposed":true)" : "");
}

void print_work(Line& line, const Matmul& matmul) {
    print(line, R"(,"batch":{},"m":{},"n":{},"k":{},"left":"{}","right":"{}")", matmul.batch, matmul.m, matmul.n,
          matmul.k, matmul.left_transposed ? "km" : "mk", matmul.right_transposed ? "nk" : "kn");
}

void print_work(Line& line, const VectorWork& work) {
    print_steps(line, "steps", work.steps);
    print(line, R"(,"elements":{})", work.elements);
}

constexpr std::string_view op_names[] = {"conv", "matmul", "vector"};  // in the order of Operation::work

}  // namespace

TraceWriter::TraceWriter(std::ostream& stream, const TraceHeader& header) : stream_(stream) {
    append(line_, R"({"nibblesim_trace":1,"name":)");
    print_text(line_, header.name);
    print(line_, R"(,"batch":{}}})", header.batch);
    flush_line();
}

void TraceWriter::write(const Tensor& tensor) {
    print(line_, R"({{"tensor":{})", tensor.id);
    print_text_key(line_, "name", tensor.name);
    print(line_, R"(,"role":"{}","shape":[{}])", name_of(tensor.role), fmt::join(tensor.shape, ","));
    if (tensor.bits != 0) {
        print(line_, R"(,"bits":{})", tensor.bits);
    }
    print_text_key(line_, "values", tensor.values);
    if (tensor.quantized) {
        print_given_range(line_, *tensor.quantized);
    }
    line_.push_back('}');
    flush_line();
    ++tensors_;
}

void TraceWriter::write(const Operation& operation) {
    print(line_, R"({{"op":"{}","phase":"{}","layer":)", op_names[operation.work.index()], name_of(operation.phase));
    print_text(line_, operation.layer);
    print_text_key(line_, "group", operation.group);
    if (operation.position != Position::middle) {
        print(line_, R"(,"position":"{}")", name_of(operation.position));
    }
    std::visit([this](const auto& work) { print_work(line_, work); }, operation.work);
    if (!operation.epilogue.empty()) {
        print_steps(line_, "epilogue", operation.epilogue);
    }
    if (const std::optional<OperandBits>& bits = operation.operand_bits) {
        print(line_, R"(,"operand_bits":[{},{},{}])", bits->left, bits->right, bits->out);
    }
    print_text_key(line_, "result", operation.result);
    print(line_, R"(,"in":[{}],"out":[{}]}})", fmt::join(operation.inputs, ","), fmt::join(operation.outputs, ","));
    flush_line();
    ++operations_;
}

void TraceWriter::write(const TraceItem& item) {
    std::visit([this](const auto& what) { write(what); }, item);
}

void TraceWriter::finish() {
    print(line_, R"({{"end":{{"tensors":{},"operations":{}}}}})", tensors_, operations_);
    flush_line();
}

void TraceWriter::flush_line() {
    if (line_.size() > LineSource::longest_line) {
        throw InputError(
            fmt::format("a line of the trace may have at most {} KiB; names or lists of tensors are too long in {}",
                        LineSource::longest_line / 1024, printable({line_.data(), line_.size()})));
    }
    line_.push_back('\n');
    stream_.write(line_.data(), static_cast<std::streamsize>(line_.size()));
    line_.clear();
}

}  // namespace nibble
