// SPDX-License-Identifier: MIT
#include "sim/input/trace_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "sim/input/trace_meaning.h"

namespace nibble {

namespace {

using Key = TraceKey;

std::unique_ptr<std::istream> open(const std::filesystem::path& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        throw InputError({path.string()}, "expected a file, found a directory");
    }
    errno = 0;
    auto stream = std::make_unique<std::ifstream>(path, std::ios::binary);
    if (!*stream) {
        throw InputError({path.string()}, fmt::format("cannot be opened: {}", std::strerror(errno)));
    }
    return stream;
}

bool blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

TraceReader::TraceReader(const std::filesystem::path& path)
    : file_(open(path)), problems_(path.string()), lines_(*file_), line_(problems_) {
    read_first_line();
}

TraceReader::TraceReader(std::istream& stream, std::string name)
    : problems_(std::move(name)), lines_(stream), line_(problems_) {
    read_first_line();
}

TraceReader::~TraceReader() = default;

void TraceReader::read_first_line() {
    const std::optional<std::string_view> line = lines_.next();
    if (!line) {
        throw InputError({problems_.file()}, "the file is empty");
    }
    if (line->empty() || line->front() != '{' || line->size() > LineSource::longest_line) {
        const std::string found = line->empty() ? "an empty line" : fmt::format("'{}'", printable(*line, 20));
        throw InputError({problems_.file(), 1, 1},
                         R"(expected a trace, whose first line begins with {"nibblesim_trace":1, found )" + found);
    }
    if (line_.parse(*line, 1)) {
        check_keys(line_, TraceLineKind::header);
        header_ = read_header(line_);
    }
    problems_.throw_if_any();
}

std::optional<TraceItem> TraceReader::next() {
    while (!ended_) {
        if (!advance()) {
            problems_.add(lines_.number(), 0,
                          fmt::format("the trace is cut short: {} tensors and {} operations, but no last line "
                                      R"({{"end":...}})",
                                      tensors_, operations_));
            break;
        }
        std::optional<TraceItem> item = interpret();
        if (item && problems_.empty()) {
            return item;
        }
        if (problems_.full()) {
            break;
        }
    }
    problems_.throw_if_any();
    return std::nullopt;
}

bool TraceReader::advance() {
    const std::optional<std::string_view> text = lines_.next();
    if (!text) {
        return false;
    }
    bool usable = false;
    if (text->size() > LineSource::longest_line) {
        problems_.add(lines_.number(), 0,
                      fmt::format("the line is longer than {} KiB", LineSource::longest_line / 1024));
    } else if (blank(*text)) {
        problems_.add(lines_.number(), 1, "expected a JSON object, found an empty line");
    } else {
        usable = line_.parse(*text, lines_.number());
    }
    if (!usable) {
        problems_.throw_if_any();
    }
    return true;
}

std::optional<TraceItem> TraceReader::interpret() {
    const std::optional<TraceLineKind> kind = kind_of(line_);
    if (!kind) {
        operations_ += line_.has(Key::op) ? 1U : 0U;
        return std::nullopt;
    }
    if (*kind == TraceLineKind::header) {
        line_.problem(Key::nibblesim_trace, "belongs on the first line only");
        return std::nullopt;
    }
    check_keys(line_, *kind);
    if (*kind == TraceLineKind::tensor) {
        Tensor tensor = read_tensor(line_);
        tensor.id = next_tensor_id();
        return tensor;
    }
    if (*kind == TraceLineKind::end) {
        finish();
        return std::nullopt;
    }
    Operation operation = read_operation(line_, *kind);
    check_tensors(operation.inputs, Key::in);
    check_tensors(operation.outputs, Key::out);
    ++operations_;
    return operation;
}

TensorId TraceReader::next_tensor_id() {
    if (!line_.readable(Key::tensor)) {
        return static_cast<TensorId>(tensors_++);
    }
    const std::uint64_t id = line_.number(Key::tensor);
    if (id != tensors_ || id > std::numeric_limits<TensorId>::max()) {
        line_.problem(Key::tensor, fmt::format("tensors are numbered in order: expected {}, found {}", tensors_, id));
    }
    // A gap is one problem, not one for every line that follows.
    tensors_ = std::max(tensors_, std::min<std::uint64_t>(id, std::numeric_limits<TensorId>::max())) + 1;
    return static_cast<TensorId>(id);
}

void TraceReader::finish() {
    ended_ = true;
    const auto require = [this](Key key, std::uint64_t counted) {
        if (line_.readable(key) && line_.number(key) != counted) {
            line_.problem(key,
                          fmt::format("expected {}, as many as the trace holds, found {}", counted, line_.number(key)));
        }
    };
    require(Key::tensors, tensors_);
    require(Key::operations, operations_);
    if (lines_.next()) {
        problems_.add(lines_.number(), 1, "nothing may follow the line with 'end'");
    }
}

void TraceReader::check_tensors(const std::vector<TensorId>& ids, Key key) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] >= tensors_) {
            line_.problem(line_.list(key).columns[i],
                          fmt::format("{}: tensor {} is not declared before this line", name_of(key), ids[i]));
        }
    }
}

}  // namespace nibble
