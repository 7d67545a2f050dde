// SPDX-License-Identifier: MIT
#include "sim/input/fusion.h"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/input/trace_reader.h"
#include "sim/input/trace_writer.h"

namespace nibble {

namespace {

// Operations that may still take up work of those that follow. More would only delay what is written.
constexpr std::size_t most_open = 4;
// Tensors besides its operands that an epilogue reads tile by tile while the array drains.
constexpr std::size_t most_epilogue_inputs = 4;

/// How a function can join the operation that makes its operand.
enum class Joins : std::uint8_t {
    anything,  ///< one element at a time
    passes,    ///< a whole row or channel at once: other passes, but not the tiles of a GEMM
    nothing,   ///< moves elements, or needs several
};

constexpr std::array anywhere{"add",
                              "mul",
                              "div",
                              "fma",
                              "negate",
                              "abs",
                              "min",
                              "max",
                              "clamp",
                              "compare",
                              "select",
                              "exp",
                              "log",
                              "sqrt",
                              "rsqrt",
                              "reciprocal",
                              "power",
                              "sine",
                              "erf",
                              "bias",
                              "bias_grad",
                              "dropout",
                              "dropout_grad",
                              "relu",
                              "relu_grad",
                              "relu6",
                              "relu6_grad",
                              "leaky_relu",
                              "leaky_relu_grad",
                              "elu",
                              "elu_grad",
                              "softplus",
                              "softplus_grad",
                              "silu",
                              "silu_grad",
                              "hard_sigmoid",
                              "hard_sigmoid_grad",
                              "hard_swish",
                              "hard_swish_grad",
                              "sigmoid",
                              "sigmoid_grad",
                              "tanh",
                              "tanh_grad",
                              "gelu",
                              "gelu_grad",
                              "batch_stats",
                              "bn_grad_reduce"};
constexpr std::array passes_only{"batch_norm",        "bn_grad_apply",   "layer_norm",  "layer_norm_grad",
                                 "group_norm",        "group_norm_grad", "rms_norm",    "rms_norm_grad",
                                 "softmax",           "softmax_grad",    "log_softmax", "log_softmax_grad",
                                 "cross_entropy_grad"};
/// These leave what they read as it is, and make sums of it.
constexpr std::array taps{"batch_stats", "bias_grad", "bn_grad_reduce", "sum"};

template <std::size_t N>
bool contains(const std::array<const char*, N>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

Joins joins(const VectorStep& step) {
    if (contains(anywhere, step.function) || step.function == "sum") {
        return Joins::anything;
    }
    return contains(passes_only, step.function) ? Joins::passes : Joins::nothing;
}

bool is_tap(const VectorStep& step) {
    return contains(taps, step.function);
}

bool contains(const std::vector<TensorId>& tensors, TensorId tensor) {
    return std::ranges::find(tensors, tensor) != tensors.end();
}

/// What the first reading finds out; kept for every tensor.
struct Uses {
    std::uint64_t elements = 0;
    std::uint16_t readers = 0;  // saturates
    bool small = false;         // a sum: statistics and gradients of parameters
};

class Fusion {
public:
    Fusion(std::vector<Uses> uses, TraceWriter& writer) : uses_(std::move(uses)), writer_(writer) {}

    void add(Tensor tensor) { declared_.emplace(tensor.id, std::move(tensor)); }

    void add(Operation operation) {
        const auto* work = std::get_if<VectorWork>(&operation.work);
        const bool pass = work != nullptr && operation.phase == Phase::vector;
        count_.passes += pass ? 1 : 0;
        if (pass) {
            if (const auto host = host_of(operation)) {
                Open merged = std::move(open_[*host]);
                open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(*host));
                write_makers_of(operation);
                merge(merged, operation);
                open_.push_back(std::move(merged));
                ++count_.fused;
                return;
            }
        }
        write_makers_of(operation);
        if (open_.size() == most_open) {
            write_first();
        }
        const TensorId value = operation.outputs.front();
        open_.push_back({std::move(operation), value});
    }

    FusionCount finish() {
        while (!open_.empty()) {
            write_first();
        }
        return count_;
    }

private:
    /// An operation that is not written yet, and the tensor that further steps would work on.
    struct Open {
        Operation operation;
        TensorId value = 0;
    };

    /// The open operation whose value the pass works on, if the pass may join it.
    [[nodiscard]] std::optional<std::size_t> host_of(const Operation& pass) const {
        for (std::size_t i = open_.size(); i-- > 0;) {
            if (contains(pass.inputs, open_[i].value) && may_join(open_[i], pass)) {
                return i;
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] bool may_join(const Open& open, const Operation& pass) const {
        const auto& work = std::get<VectorWork>(pass.work);
        const auto* host = std::get_if<VectorWork>(&open.operation.work);
        const bool gemm = host == nullptr;
        if (open.operation.phase == Phase::update || work.elements != uses_[open.value].elements ||
            (host != nullptr && host->elements != work.elements)) {
            return false;
        }
        for (const VectorStep& step : work.steps) {
            const Joins how = joins(step);
            if (how == Joins::nothing || (gemm && how == Joins::passes)) {
                return false;
            }
        }
        // Work of both directions in one operation: a sum or a function can stand at the end, not in between.
        const bool sums = is_tap(work.steps.front());
        for (const TensorId output : pass.outputs) {
            if (sums != uses_[output].small) {
                return false;
            }
        }
        std::size_t more = 0;
        for (const TensorId input : pass.inputs) {
            if (input == open.value) {
                continue;
            }
            ++more;
            if (contains(open.operation.outputs, input) || uses_[input].elements > work.elements) {
                return false;
            }
        }
        const bool place = host == nullptr || std::ranges::none_of(host->steps, [](const VectorStep& step) {
                               return step.function == "place" || step.function == "scatter_add";
                           });
        return place && (!gemm || open.operation.inputs.size() - 2 + more <= most_epilogue_inputs);
    }

    void merge(Open& open, const Operation& pass) {
        const auto& work = std::get<VectorWork>(pass.work);
        Operation& into = open.operation;
        auto* host = std::get_if<VectorWork>(&into.work);
        std::vector<VectorStep>& steps = host != nullptr ? host->steps : into.epilogue;
        steps.insert(steps.end(), work.steps.begin(), work.steps.end());
        for (const TensorId input : pass.inputs) {
            if (input != open.value && !contains(into.inputs, input)) {
                into.inputs.push_back(input);
            }
        }
        if (is_tap(work.steps.front())) {
            into.outputs.insert(into.outputs.end(), pass.outputs.begin(), pass.outputs.end());
            --uses_[open.value].readers;
            return;
        }
        const auto value = std::ranges::find(into.outputs, open.value);
        if (uses_[open.value].readers == 1) {
            *value = pass.outputs.front();
            into.outputs.insert(into.outputs.end(), pass.outputs.begin() + 1, pass.outputs.end());
        } else {
            into.outputs.insert(into.outputs.end(), pass.outputs.begin(), pass.outputs.end());
            --uses_[open.value].readers;
        }
        open.value = pass.outputs.front();
    }

    /// Writes the open operations that make what this one reads or writes, and those before them.
    void write_makers_of(const Operation& operation) {
        std::size_t last = 0;
        for (std::size_t i = 0; i < open_.size(); ++i) {
            const Operation& other = open_[i].operation;
            const auto touches = [&](TensorId tensor) {
                return contains(other.outputs, tensor) ||
                       (contains(other.inputs, tensor) && contains(operation.outputs, tensor));
            };
            if (std::ranges::any_of(operation.inputs, touches) || std::ranges::any_of(operation.outputs, touches)) {
                last = i + 1;
            }
        }
        for (; last > 0; --last) {
            write_first();
        }
    }

    void write_first() {
        Operation operation = std::move(open_.front().operation);
        open_.pop_front();
        for (std::vector<TensorId>* tensors : {&operation.inputs, &operation.outputs}) {
            for (TensorId& tensor : *tensors) {
                tensor = written(tensor);
            }
        }
        writer_.write(operation);
    }

    /// Number in the new trace of a tensor, declared when it is first used.
    TensorId written(TensorId tensor) {
        const auto [number, added] = numbers_.emplace(tensor, static_cast<TensorId>(numbers_.size()));
        if (added) {
            Tensor moved = std::move(declared_.at(tensor));
            declared_.erase(tensor);
            moved.id = number->second;
            writer_.write(moved);
        }
        return number->second;
    }

    std::vector<Uses> uses_;
    TraceWriter& writer_;
    std::deque<Open> open_;  // none reads what another one makes
    std::map<TensorId, Tensor> declared_;
    std::unordered_map<TensorId, TensorId> numbers_;
    FusionCount count_;
};

std::vector<Uses> uses_in(const std::filesystem::path& trace) {
    TraceReader reader(trace);
    std::vector<Uses> uses;
    while (const auto item = reader.next()) {
        if (const auto* tensor = std::get_if<Tensor>(&*item)) {
            uses.push_back({tensor->elements, 0, tensor->role == TensorRole::statistic});
            continue;
        }
        for (const TensorId input : std::get<Operation>(*item).inputs) {
            std::uint16_t& readers = uses[input].readers;
            readers = readers == std::numeric_limits<std::uint16_t>::max() ? readers
                                                                           : static_cast<std::uint16_t>(readers + 1);
        }
    }
    return uses;
}

}  // namespace

FusionCount fuse_trace(const std::filesystem::path& trace, std::ostream& out) {
    std::vector<Uses> uses = uses_in(trace);
    TraceReader reader(trace);
    TraceWriter writer(out, reader.header());
    Fusion fusion(std::move(uses), writer);
    while (auto item = reader.next()) {
        std::visit([&](auto& any) { fusion.add(std::move(any)); }, *item);
    }
    const FusionCount count = fusion.finish();
    writer.finish();
    return count;
}

}  // namespace nibble
