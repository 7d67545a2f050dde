// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_inputs.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

bool called_batch(std::string_view symbol) {
    std::string name;
    std::transform(symbol.begin(), symbol.end(), std::back_inserter(name),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name.find("batch") != std::string::npos || name == "n" || name == "b" || name == "bs";
}

bool open(const OnnxDimension& dimension) {
    return !dimension.value || *dimension.value <= 0;  // exporters also write 0 and -1
}

/// Recurrent layers take [time, batch, width], unless the model swaps the first two dimensions of its input on the way.
std::size_t batch_dimension(const OnnxProgram& program) {
    const auto recurrent = std::find_if(program.steps.begin(), program.steps.end(), [](const OnnxStep& step) {
        const std::string op = step.op();
        return op == "LSTM" || op == "GRU" || op == "RNN";
    });
    if (recurrent == program.steps.end() || !recurrent->has_input(0)) {
        return 0;
    }
    bool time_first = recurrent->integer("layout", 0) == 0;
    OnnxValueId id = recurrent->inputs[0];
    while (program.producers[id] != nullptr) {
        const OnnxStep& step = *program.producers[id];
        const auto order = step.integers("perm");
        if (step.op() == "Transpose" && order && order->size() > 1 && (*order)[0] == 1 && (*order)[1] == 0) {
            time_first = !time_first;
        }
        const auto data = std::find_if(step.inputs.begin(), step.inputs.end(), [&](OnnxValueId input) {
            return input != onnx_absent && program.initializers[input] == nullptr &&
                   (program.producers[input] == nullptr || !program.producers[input]->inputs.empty());
        });
        if (data == step.inputs.end()) {
            return 0;
        }
        id = *data;
    }
    return time_first ? 1 : 0;
}

class Settler {
public:
    Settler(const OnnxProgram& program, std::optional<std::uint64_t> batch, const std::string& file)
        : program_(program), batch_(batch), batch_at_(batch_dimension(program)), file_(file), problems_(file) {}

    OnnxInputs settle() {
        if (batch_ == 0) {
            throw InputError("--batch: expected 1 or more, found 0");
        }
        OnnxInputs& inputs = result_;
        inputs.sizes.file = file_;
        for (std::size_t i = 0; i < program_.inputs.size(); ++i) {
            const OnnxValueInfo& info = *program_.input_infos[i];
            inputs.sizes.trained.push_back(trained(info));
            if (info.tensor && !info.shape) {
                problems_.add(0, 0,
                              fmt::format("input '{}': the model does not say its shape; export it with shapes",
                                          printable(info.name)));
            }
            inputs.sizes.shapes.push_back(info.tensor && info.shape ? std::optional(shape_of(info)) : std::nullopt);
        }
        problems_.throw_if_any();
        inputs.batch = batch_.value_or(1);
        if (!open_) {
            take_fixed_batch();
        }
        return result_;
    }

private:
    /// ONNX Runtime's training graphs take their parameters as inputs.
    [[nodiscard]] bool trained(const OnnxValueInfo& info) const {
        return info.type.kind() == OnnxKind::floating &&
               (program_.numbers.count(info.name + "_grad") > 0 ||
                program_.numbers.count(info.name + "_grad.accumulation.buffer") > 0);
    }

    /// Neither a parameter nor what holds its gradient.
    [[nodiscard]] bool data(std::size_t i) const {
        return result_.sizes.shapes[i] && result_.sizes.shapes[i]->size() > batch_at_ && !result_.sizes.trained[i] &&
               program_.input_infos[i]->name.find("_grad") == std::string::npos;
    }

    Shape shape_of(const OnnxValueInfo& info) {
        const std::vector<OnnxDimension>& dimensions = *info.shape;
        const bool named = std::any_of(dimensions.begin(), dimensions.end(),
                                       [](const auto& d) { return open(d) && called_batch(d.symbol); });
        Shape shape;
        std::uint64_t elements = 1;
        for (std::size_t d = 0; d < dimensions.size(); ++d) {
            std::uint64_t size = 1;
            if (!open(dimensions[d])) {
                size = static_cast<std::uint64_t>(*dimensions[d].value);
            } else {
                const std::string symbol =
                    dimensions[d].symbol.empty() ? "" : fmt::format(" ('{}')", printable(dimensions[d].symbol));
                if (named ? !called_batch(dimensions[d].symbol) : d != batch_at_) {
                    problems_.add(0, 0,
                                  fmt::format("input '{}': dimension {}{} is open; export the model with a fixed size "
                                              "(only the batch can be given, by --batch)",
                                              printable(info.name), d, symbol));
                } else if (!batch_) {
                    problems_.add(0, 0,
                                  fmt::format("input '{}': the batch, dimension {}{}, is open: give it by --batch",
                                              printable(info.name), d, symbol));
                } else {
                    size = *batch_;
                    open_ = true;
                    if (!dimensions[d].symbol.empty()) {
                        result_.sizes.symbols[dimensions[d].symbol] = size;
                    }
                }
            }
            const auto product = bounded_product({elements, size}, most_elements);
            if (!product) {
                problems_.add(0, 0, fmt::format("input '{}': more than 2^48 elements", printable(info.name)));
                return {};
            }
            elements = *product;
            shape.push_back(size);
        }
        return shape;
    }

    void take_fixed_batch() {
        std::optional<std::size_t> first;
        for (std::size_t i = 0; i < program_.inputs.size(); ++i) {
            if (!data(i)) {
                continue;
            }
            const std::uint64_t size = (*result_.sizes.shapes[i])[batch_at_];
            if (!first) {
                first = i;
                result_.batch = size;
            } else if (batch_ && size != result_.batch && *batch_ != result_.batch) {
                throw InputError(
                    {file_, 0, 0},
                    fmt::format("the batch is not {}: the model has fixed sizes, and dimension {} is {} in "
                                "input '{}', {} in '{}'; export it with an open batch",
                                *batch_, batch_at_, result_.batch, printable(program_.input_infos[*first]->name), size,
                                printable(program_.input_infos[i]->name)));
            }
        }
        if (!first || !batch_ || *batch_ == result_.batch) {
            return;
        }
        result_.fixed = result_.batch;
        result_.batch = *batch_;
        result_.sizes.replaced = true;
        for (std::size_t i = 0; i < program_.inputs.size(); ++i) {
            if (!data(i)) {
                continue;
            }
            Shape& shape = *result_.sizes.shapes[i];
            if (!bounded_product({elements_of(shape) / shape[batch_at_], *batch_}, most_elements)) {
                throw InputError({file_, 0, 0}, fmt::format("a batch of {} is too large for input '{}'", *batch_,
                                                            printable(program_.input_infos[i]->name)));
            }
            shape[batch_at_] = *batch_;
        }
    }

    const OnnxProgram& program_;
    std::optional<std::uint64_t> batch_;
    std::size_t batch_at_;  // dimension
    const std::string& file_;
    ProblemList problems_;
    OnnxInputs result_;
    bool open_ = false;  // the model leaves the batch to the user
};

}  // namespace

OnnxInputs settle_onnx_inputs(const OnnxProgram& program, std::optional<std::uint64_t> batch, const std::string& file) {
    return Settler(program, batch, file).settle();
}

}  // namespace nibble
