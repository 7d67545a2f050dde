// SPDX-License-Identifier: MIT
#include "sim/input/trace_meaning.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/vector_unit/vector_function.h"
#include "sim/input/operation_names.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

using Key = TraceKey;

/// Reads the values of a line, each in its range.
class Checker {
public:
    explicit Checker(TraceLine& line) : line_(line) {}

    std::uint64_t count(Key key, std::uint64_t most, std::uint64_t otherwise = 1) {
        if (!line_.readable(key)) {
            return otherwise;
        }
        require(key, line_.column(key), line_.number(key), 1, most);
        return line_.number(key);
    }

    /// A list of exactly `values.size()` numbers; `values` holds the default and keeps it if the key is absent.
    void fixed_list(Key key, std::span<std::uint64_t> values, std::uint64_t least, std::uint64_t most) {
        if (!line_.readable(key)) {
            return;
        }
        const TraceLine::Numbers& list = line_.list(key);
        if (list.values.size() != values.size()) {
            line_.problem(key, fmt::format("expected {} numbers, found {}", values.size(), list.values.size()));
            return;
        }
        for (std::size_t i = 0; i < values.size(); ++i) {
            require(key, list.columns[i], list.values[i], least, most);
            values[i] = list.values[i];
        }
    }

    template <class E>
    E word(Key key, std::optional<E> (*named)(std::string_view), std::vector<std::string> (*names)(), E otherwise) {
        if (!line_.readable(key)) {
            return otherwise;
        }
        const std::optional<E> value = named(line_.text(key));
        if (!value) {
            unknown_word(key, names());
        }
        return value.value_or(otherwise);
    }

    void unknown_word(Key key, const std::vector<std::string>& words) {
        line_.problem(key, fmt::format("expected one of {}, found '{}'{}", fmt::join(words, ", "),
                                       printable(line_.text(key)), suggestion(line_.text(key), words)));
    }

    std::vector<VectorStep> steps(Key key) {
        if (!line_.readable(key)) {
            return {};
        }
        const TraceLine::Steps& steps = line_.steps(key);
        for (std::size_t i = 0; i < steps.values.size(); ++i) {
            const VectorStep& step = steps.values[i];
            if (find_vector_function(step.function) == nullptr) {
                line_.problem(steps.columns[i],
                              fmt::format("{}: unknown function '{}'{}", name_of(key), printable(step.function),
                                          suggestion(step.function, vector_function_names())));
            }
            require(key, steps.columns[i], step.repeat, 1, most_work);
        }
        return steps.values;
    }

    std::vector<TensorId> tensors(Key key) {
        std::vector<TensorId> ids;
        if (!line_.readable(key)) {
            return ids;
        }
        const TraceLine::Numbers& list = line_.list(key);
        for (std::size_t i = 0; i < list.values.size(); ++i) {
            require(key, list.columns[i], list.values[i], 0, std::numeric_limits<TensorId>::max());
            ids.push_back(static_cast<TensorId>(list.values[i]));
        }
        return ids;
    }

    void require_product(Key key, std::string_view what, std::initializer_list<std::uint64_t> factors,
                         std::uint64_t most) {
        if (!bounded_product(factors, most)) {
            line_.problem(key, fmt::format("{} are more than {}", what, most));
        }
    }

private:
    void require(Key key, std::uint32_t column, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
        if (value < least || value > most) {
            line_.problem(column, fmt::format("{}: expected a whole number from {} to {}, found {}", name_of(key),
                                              least, most, value));
        }
    }

    TraceLine& line_;
};

constexpr std::uint64_t most_extent = std::uint64_t{1} << 32U;  // of a dimension of a convolution
constexpr std::uint64_t most_window = std::uint64_t{1} << 20U;  // of filters, strides, padding and dilation

Convolution read_convolution(const TraceLine& line, Checker& check) {
    Convolution conv;
    conv.n = check.count(Key::n, most_extent);
    conv.c = check.count(Key::c, most_extent);
    conv.h = check.count(Key::h, most_extent);
    conv.w = check.count(Key::w, most_extent);
    conv.k = check.count(Key::k, most_extent);
    conv.r = check.count(Key::r, most_window);
    conv.s = check.count(Key::s, most_window);
    conv.groups = check.count(Key::groups, most_extent);
    conv.transposed = line.truth(Key::transposed);
    std::array<std::uint64_t, 2> stride{1, 1};
    std::array<std::uint64_t, 2> dilation{1, 1};
    std::array<std::uint64_t, 4> pad{};
    check.fixed_list(Key::stride, stride, 1, most_window);
    check.fixed_list(Key::dilation, dilation, 1, most_window);
    check.fixed_list(Key::pad, pad, 0, most_window);
    conv.stride_h = stride[0];
    conv.stride_w = stride[1];
    conv.dilation_h = dilation[0];
    conv.dilation_w = dilation[1];
    conv.pad_top = pad[0];
    conv.pad_bottom = pad[1];
    conv.pad_left = pad[2];
    conv.pad_right = pad[3];
    return conv;
}

/// Rules between the numbers of a convolution, each of which is in range.
void check_convolution(const Convolution& conv, TraceLine& line, Checker& check) {
    const std::uint64_t rows = conv.h + conv.pad_top + conv.pad_bottom;
    const std::uint64_t columns = conv.w + conv.pad_left + conv.pad_right;
    const std::uint64_t window_rows = conv.dilation_h * (conv.r - 1) + 1;
    const std::uint64_t window_columns = conv.dilation_w * (conv.s - 1) + 1;
    if (window_rows > rows) {
        line.problem(Key::r, fmt::format("a window of {} rows does not fit a padded input of {}", window_rows, rows));
    }
    if (window_columns > columns) {
        line.problem(Key::s,
                     fmt::format("a window of {} columns does not fit a padded input of {}", window_columns, columns));
    }
    if (conv.c % conv.groups != 0 || conv.k % conv.groups != 0) {
        line.problem(Key::groups, fmt::format("{} groups do not divide {} input and {} output channels", conv.groups,
                                              conv.c, conv.k));
    }
    if (window_rows > rows || window_columns > columns) {
        return;
    }
    const std::uint64_t group_channels = conv.c / conv.groups;
    check.require_product(Key::n, "the input's elements", {conv.n, conv.c, conv.h, conv.w}, most_elements);
    check.require_product(Key::k, "the weight's elements", {conv.k, group_channels, conv.r, conv.s}, most_elements);
    check.require_product(Key::k, "the output's elements", {conv.n, conv.k, conv.p(), conv.q()}, most_elements);
    check.require_product(Key::op, "the multiply-accumulates",
                          {conv.n, conv.p(), conv.q(), conv.k, conv.r, conv.s, group_channels}, most_work);
}

Matmul read_matmul(TraceLine& line, Checker& check) {
    Matmul matmul;
    matmul.batch = check.count(Key::batch, most_elements);
    matmul.m = check.count(Key::m, most_elements);
    matmul.n = check.count(Key::n, most_elements);
    matmul.k = check.count(Key::k, most_elements);
    const auto transposed = [&](Key key, const std::string& plain, const std::string& other) {
        if (line.readable(key) && line.text(key) != plain && line.text(key) != other) {
            check.unknown_word(key, {plain, other});
        }
        return line.readable(key) && line.text(key) == other;
    };
    matmul.left_transposed = transposed(Key::left, "mk", "km");
    matmul.right_transposed = transposed(Key::right, "kn", "nk");
    return matmul;
}

std::optional<OperandBits> read_operand_bits(const TraceLine& line, Checker& check) {
    if (!line.readable(Key::operand_bits)) {
        return std::nullopt;
    }
    constexpr std::uint64_t most_bits = 32;
    std::array<std::uint64_t, 3> bits{1, 1, 1};
    check.fixed_list(Key::operand_bits, bits, 1, most_bits);
    return OperandBits{static_cast<std::uint32_t>(bits[0]), static_cast<std::uint32_t>(bits[1]),
                       static_cast<std::uint32_t>(bits[2])};
}

/// A power of two that brings any binary32 number into any format, and more.
constexpr std::int32_t most_scale_log2 = 300;

std::optional<std::int32_t> read_scale_log2(TraceLine& line, Key key) {
    if (!line.readable(key)) {
        return std::nullopt;
    }
    const double scale = line.real(key);
    if (scale != std::trunc(scale) || std::fabs(scale) > most_scale_log2) {
        line.problem(key, fmt::format("expected a whole number from {} to {}, found {}", -most_scale_log2,
                                      most_scale_log2, scale));
        return std::nullopt;
    }
    return static_cast<std::int32_t>(scale);
}

std::optional<GivenRange> read_given_range(TraceLine& line) {
    if (!line.readable(Key::quantized)) {
        return std::nullopt;
    }
    GivenRange given;
    if (line.readable(Key::clip)) {
        constexpr auto most = static_cast<double>(std::numeric_limits<float>::max());
        if (const double clip = line.real(Key::clip); clip > 0 && clip <= most) {
            given.clip = clip;
        } else {
            line.problem(Key::clip, fmt::format("expected a number above 0 in the range of binary32, found {}", clip));
        }
    }
    if (line.readable(Key::has_sign)) {
        given.has_sign = line.truth(Key::has_sign);
        if (!line.has(Key::clip)) {
            line.problem(Key::has_sign, "is said of a clip, and there is none");
        }
    }
    given.fp4_scale_log2 = read_scale_log2(line, Key::fp4_scale_log2);
    given.fp8_scale_log2 = read_scale_log2(line, Key::fp8_scale_log2);
    if (!line.has(Key::values)) {
        line.problem(Key::quantized, "says how values were quantised, but the tensor names none");
    }
    if (!line.has(Key::clip) && !line.has(Key::fp4_scale_log2) && !line.has(Key::fp8_scale_log2)) {
        line.problem(Key::quantized, "expected a clip, an fp4_scale_log2 or an fp8_scale_log2");
    }
    return given;
}

void check_matmul(const Matmul& matmul, Checker& check) {
    check.require_product(Key::m, "the left operand's elements", {matmul.batch, matmul.m, matmul.k}, most_elements);
    check.require_product(Key::n, "the right operand's elements", {matmul.batch, matmul.k, matmul.n}, most_elements);
    check.require_product(Key::m, "the result's elements", {matmul.batch, matmul.m, matmul.n}, most_elements);
    check.require_product(Key::op, "the multiply-accumulates", {matmul.batch, matmul.m, matmul.n, matmul.k}, most_work);
}

void check_vector(const VectorWork& work, TraceLine& line) {
    if (work.steps.empty() && line.readable(Key::steps)) {
        line.problem(Key::steps, "expected at least one step");
    }
    std::uint64_t lane_ops = 0;
    for (const VectorStep& step : work.steps) {
        const std::optional<std::uint64_t> ops =
            bounded_product({work.elements, step.repeat, find_vector_function(step.function)->lane_ops}, most_work);
        if (!ops || (lane_ops += *ops) > most_work) {
            line.problem(Key::steps, fmt::format("the lane-operations are more than {}", most_work));
            return;
        }
    }
}

void check_operands(const Operation& operation, TraceLine& line) {
    const auto* work = std::get_if<VectorWork>(&operation.work);
    const bool vector = work != nullptr;
    const bool reads_nothing = vector && !work->steps.empty() &&
                               (work->steps.front().function == "fill" || work->steps.front().function == "random");
    const std::size_t inputs = !vector ? 2 : reads_nothing ? 0 : 1;
    const bool exact = !vector && operation.epilogue.empty();
    const auto require = [&](Key key, std::size_t found, std::size_t least) {
        if (line.readable(key) && (found < least || (exact && found > least))) {
            line.problem(key,
                         fmt::format("expected {} {} tensor{}{}, found {}", exact ? "exactly" : "at least", least,
                                     least == 1 ? "" : "s", exact ? " (the operation has no epilogue)" : "", found));
        }
    };
    require(Key::in, operation.inputs.size(), inputs);
    require(Key::out, operation.outputs.size(), 1);
    const bool gemm_phase =
        operation.phase == Phase::forward || operation.phase == Phase::dx || operation.phase == Phase::dw;
    if (line.readable(Key::phase) && vector == gemm_phase) {
        line.problem(Key::phase, vector ? "expected vector or update for a vector operation"
                                        : "expected forward, dx or dw for a GEMM");
    }
}

}  // namespace

TraceHeader read_header(TraceLine& line) {
    Checker check(line);
    if (line.readable(Key::nibblesim_trace) && line.number(Key::nibblesim_trace) != 1) {
        line.problem(Key::nibblesim_trace, fmt::format("this program reads version 1 of the format, found version {}",
                                                       line.number(Key::nibblesim_trace)));
    }
    return {std::string(line.text(Key::name)), check.count(Key::batch, most_extent)};
}

Tensor read_tensor(TraceLine& line) {
    Checker check(line);
    Tensor tensor;
    tensor.name = line.text(Key::name);
    tensor.role = check.word(Key::role, role_named, role_names, TensorRole::activation);
    tensor.values = line.text(Key::values);
    tensor.quantized = read_given_range(line);
    tensor.shape = line.list(Key::shape).values;
    if (line.readable(Key::shape)) {
        constexpr std::size_t most_dimensions = 8;
        if (tensor.shape.empty() || tensor.shape.size() > most_dimensions) {
            line.problem(Key::shape,
                         fmt::format("expected 1 to {} dimensions, found {}", most_dimensions, tensor.shape.size()));
        }
        tensor.elements = 1;
        for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
            const std::optional<std::uint64_t> product =
                bounded_product({tensor.elements, tensor.shape[i]}, most_elements);
            if (tensor.shape[i] == 0 || !product) {
                line.problem(line.list(Key::shape).columns[i],
                             tensor.shape[i] == 0 ? "shape: expected dimensions of at least 1, found 0"
                                                  : fmt::format("shape: the elements are more than {}", most_elements));
                break;
            }
            tensor.elements = *product;
        }
    }
    const bool mask = tensor.role == TensorRole::mask;
    if (line.has(Key::bits)) {
        constexpr std::uint64_t most_bits = 8;
        tensor.bits = static_cast<std::uint32_t>(std::min(check.count(Key::bits, most_bits), most_bits));
        if (!mask && line.readable(Key::role)) {
            line.problem(Key::bits, "only masks say how wide they are; other formats follow from the precision recipe");
        }
    } else if (mask) {
        line.problem(Key::role, R"(a mask must say how wide it is, for example "bits":1)");
    }
    return tensor;
}

Operation read_operation(TraceLine& line, TraceLineKind kind) {
    Checker check(line);
    Operation operation;
    operation.line = line.line();
    operation.layer = line.text(Key::layer);
    operation.group = line.text(Key::group);
    operation.phase = check.word(Key::phase, phase_named, phase_names, Phase::forward);
    operation.position = check.word(Key::position, position_named, position_names, Position::middle);
    operation.epilogue = check.steps(Key::epilogue);
    operation.operand_bits = read_operand_bits(line, check);
    operation.result = line.text(Key::result);
    operation.inputs = check.tensors(Key::in);
    operation.outputs = check.tensors(Key::out);
    switch (kind) {
        case TraceLineKind::convolution:
            operation.work = read_convolution(line, check);
            break;
        case TraceLineKind::matmul:
            operation.work = read_matmul(line, check);
            break;
        default:
            operation.work = VectorWork{check.count(Key::elements, most_elements), check.steps(Key::steps)};
            break;
    }
    check_operands(operation, line);
    if (!line.sound()) {
        return operation;
    }
    if (const auto* conv = std::get_if<Convolution>(&operation.work)) {
        check_convolution(*conv, line, check);
    } else if (const auto* matmul = std::get_if<Matmul>(&operation.work)) {
        check_matmul(*matmul, check);
    } else {
        check_vector(std::get<VectorWork>(operation.work), line);
    }
    return operation;
}

}  // namespace nibble
