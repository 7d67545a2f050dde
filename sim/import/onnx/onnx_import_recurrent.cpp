// SPDX-License-Identifier: MIT
// LSTM, GRU and RNN nodes: the input's share of the gates for all steps in one GEMM, then one GEMM and one cell a step,
// as in the built-in workloads (sim/input/step_lstm.cpp).
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/import/onnx/onnx_importer.h"

namespace nibble {

namespace {

enum class Cell { lstm, gru, rnn };

class Recurrent {
public:
    Recurrent(OnnxImporter& importer, const OnnxStep& step, Cell cell)
        : importer_(importer),
          step_(step),
          cell_(cell),
          gates_(cell == Cell::lstm  ? 4
                 : cell == Cell::gru ? 3
                                     : 1) {
        const Shape& x = importer.shape(step, step.input(0));
        const Shape& r = importer.shape(step, step.input(2));
        const bool batch_first = step.integer("layout", 0) != 0;
        steps_ = x[batch_first ? 1 : 0];
        batch_ = x[batch_first ? 0 : 1];
        width_ = x[2];
        directions_ = r[0];
        hidden_ = r[2];
        // GRU: whether the reset gate acts on the recurrent product, or on the state before it.
        reset_late_ = step.integer("linear_before_reset", 0) != 0;
        constexpr std::uint64_t most_steps = 100'000;
        if (steps_ > most_steps) {
            step.fail(fmt::format("a sequence of {} steps, at most {} are taken", steps_, most_steps));
        }
        if (step.has_input(4) && !importer.immediate(step.input(4))) {
            importer.note_once("sequence lengths are left out: every sequence is taken to be of full length");
        }
    }

    void run() {
        std::vector<std::vector<TensorId>> states;
        std::vector<TensorId> contents;
        for (std::uint64_t d = 0; d < directions_; ++d) {
            states.push_back(direction(d));
            contents.push_back(last_content_);
        }
        if (importer_.wanted(step_, 0)) {
            std::vector<TensorId> all;
            for (std::uint64_t t = 0; t < steps_; ++t) {
                for (const std::vector<TensorId>& of : states) {
                    all.push_back(of[t]);
                }
            }
            join(all, 0);
        }
        std::vector<TensorId> last;
        for (std::uint64_t d = 0; d < directions_; ++d) {
            last.push_back(reverse(d) ? states[d].front() : states[d].back());
        }
        if (importer_.wanted(step_, 1)) {
            join(last, 1);
        }
        if (cell_ == Cell::lstm && importer_.wanted(step_, 2)) {
            join(contents, 2);
        }
    }

private:
    [[nodiscard]] bool reverse(std::uint64_t d) const {
        return d == 1 || step_.text("direction", "forward") == "reverse";
    }
    [[nodiscard]] std::string label(const std::string& what, std::uint64_t d) const {
        return directions_ == 1 ? what : fmt::format("{}[{}]", what, d);
    }

    TensorId declare(const std::string& what, std::uint64_t t, Shape shape, TensorRole role = TensorRole::activation) {
        return importer_.declare(step_, role, fmt::format("{}.{}[{}]", importer_.layer_of(step_), what, t),
                                 std::move(shape));
    }

    void join(const std::vector<TensorId>& pieces, std::size_t output) {
        if (pieces.size() == 1) {
            return importer_.bind(step_, output, pieces.front());
        }
        importer_.pass(step_, importer_.elements(step_, step_.output(output)), {{"copy"}}, pieces,
                       {importer_.result(step_, output)});
    }

    /// The part of an input that belongs to one direction: trained parameters are a tensor of their own for each, parts
    /// of anything else are cut out.
    TensorId part(std::size_t input, std::uint64_t d, const Shape& shape, const std::string& what) {
        const OnnxValueId id = step_.input(input);
        if (directions_ == 1) {
            return importer_.tensor(step_, id);
        }
        const std::string name = label(importer_.name(id) + what, d);
        if (importer_.parameter(id)) {
            return importer_.declare(step_, TensorRole::state, name, shape);
        }
        const TensorId cut = importer_.declare(step_, TensorRole::activation, name, shape);
        importer_.pass(step_, elements_of(shape), {{"slice"}}, {importer_.tensor(step_, id)}, {cut});
        return cut;
    }

    TensorId weight(std::size_t input, std::uint64_t d, const Shape& shape) {
        const TensorId tensor = part(input, d, shape, "");
        importer_.use_as_weight(step_.input(input), tensor);
        return tensor;
    }

    /// What the sequence before left: zeros and other constants exist before the step.
    TensorId initial(std::size_t input, std::uint64_t d, const std::string& what) {
        const Shape shape{batch_, hidden_};
        if (!step_.has_input(input) || importer_.value(step_.input(input)).origin == OnnxOrigin::constant) {
            return declare(label(what, d), 0, shape);
        }
        if (importer_.elements(step_, step_.input(input)) != directions_ * batch_ * hidden_) {
            step_.fail("the initial state does not fit the batch and the layer's width");
        }
        return part(input, d, shape, "");
    }

    /// Both biases of a direction, as tensors of their own.
    std::vector<TensorId> biases(std::uint64_t d) {
        std::vector<TensorId> list;
        if (step_.has_input(3)) {
            const OnnxValueId id = step_.input(3);
            const bool trained = importer_.parameter(id);
            for (const char* which : {"input", "recurrent"}) {
                const std::string name = label(fmt::format("{}.{}", importer_.name(id), which), d);
                list.push_back(importer_.declare(step_, trained ? TensorRole::state : TensorRole::activation, name,
                                                 {gates_ * hidden_}));
                if (!trained && importer_.value(id).origin == OnnxOrigin::data) {
                    importer_.pass(step_, gates_ * hidden_, {{"slice"}}, {importer_.tensor(step_, id)}, {list.back()});
                }
            }
        }
        return list;
    }

    /// States after each step, in the order of time.
    std::vector<TensorId> direction(std::uint64_t d) {
        const std::uint64_t all_gates = gates_ * hidden_;
        const TensorId x = importer_.tensor(step_, step_.input(0));
        const TensorId w = weight(1, d, {all_gates, width_});
        const std::vector<TensorId> bias = biases(d);
        const bool recurrent_bias = cell_ == Cell::gru && reset_late_;  // inside what the reset gate acts on
        std::vector<TensorId> input_bias = bias;
        if (recurrent_bias && !bias.empty()) {
            input_bias.pop_back();
        }
        const TensorId projected =
            importer_.declare(step_, TensorRole::activation, label(importer_.layer_of(step_) + ".input_gates", d),
                              {steps_, batch_, all_gates});
        importer_.gemm(step_, Phase::forward, Matmul{1, steps_ * batch_, all_gates, width_, false, true}, x, w,
                       projected, std::vector<VectorStep>(input_bias.size(), {"bias"}), input_bias);
        std::vector<TensorId> input_gates{projected};
        if (steps_ > 1) {
            input_gates.clear();
            for (std::uint64_t t = 0; t < steps_; ++t) {
                input_gates.push_back(declare(label("input_gates", d), t, {batch_, all_gates}));
            }
            importer_.pass(step_, steps_ * batch_ * all_gates, {{"copy"}}, {projected}, input_gates);
        }
        const bool reset_early = cell_ == Cell::gru && !reset_late_;
        const TensorId r = reset_early ? gate_weights(d) : weight(2, d, {all_gates, hidden_});
        TensorId h = initial(5, d, "h");
        TensorId c = cell_ == Cell::lstm ? initial(6, d, "c") : h;
        std::vector<TensorId> states(steps_);
        for (std::uint64_t i = 0; i < steps_; ++i) {
            const std::uint64_t t = reverse(d) ? steps_ - 1 - i : i;
            const TensorId next = declare(label("h", d), t + 1, {batch_, hidden_});
            if (reset_early) {
                early_reset_step(d, t, input_gates[t], r, h, next);
            } else {
                const TensorId sum = declare(label("recurrent_gates", d), t, {batch_, all_gates});
                const bool biased = recurrent_bias && !bias.empty();
                importer_.gemm(step_, Phase::forward, Matmul{1, batch_, all_gates, hidden_, false, true}, h, r, sum,
                               biased ? std::vector<VectorStep>{{"bias"}} : std::vector<VectorStep>{},
                               biased ? std::vector<TensorId>{bias.back()} : std::vector<TensorId>{});
                c = cell(d, t, sum, input_gates[t], cell_ == Cell::lstm ? c : h, next);
            }
            h = next;
            states[t] = next;
        }
        last_content_ = c;
        return states;
    }

    /// From the gates' sums and the state to the next state; returns an LSTM's next content.
    TensorId cell(std::uint64_t d, std::uint64_t t, TensorId sum, TensorId input_gates, TensorId state, TensorId next) {
        const std::uint64_t elements = batch_ * hidden_;
        if (cell_ == Cell::rnn) {
            const std::string function = rnn_function();
            importer_.pass(step_, elements, {{"add"}, {function}}, {sum, input_gates}, {next});
            return state;
        }
        const TensorId gates = declare(label("gates", d), t, {batch_, gates_ * hidden_});
        if (cell_ == Cell::gru) {
            importer_.pass(step_, elements, {{"gru_cell"}}, {sum, input_gates, state}, {next, gates});
            return state;
        }
        const TensorId content = declare(label("c", d), t + 1, {batch_, hidden_});
        importer_.pass(step_, elements, {{"lstm_cell"}}, {sum, input_gates, state}, {next, content, gates});
        return content;
    }

    [[nodiscard]] std::string rnn_function() const {
        const OnnxAttribute* given = step_.attribute("activations");
        const std::string name = given == nullptr || given->texts.empty() ? "Tanh" : given->texts.front();
        if (name == "Relu") {
            return "relu";
        }
        return name == "Sigmoid" ? "sigmoid" : "tanh";
    }

    /// A GRU whose reset gate acts on the state has two recurrent products a step: of the gates, and of the candidate.
    TensorId gate_weights(std::uint64_t d) {
        const OnnxValueId id = step_.input(2);
        const std::string& name = importer_.name(id);
        const TensorRole role = importer_.parameter(id) ? TensorRole::state : TensorRole::activation;
        const Shape gates{2 * hidden_, hidden_};
        const Shape candidate{hidden_, hidden_};
        const TensorId first = importer_.declare(step_, role, label(name + ".gates", d), gates);
        candidate_weight_ = importer_.declare(step_, role, label(name + ".candidate", d), candidate);
        if (role == TensorRole::activation && importer_.value(id).origin == OnnxOrigin::data) {
            const TensorId whole = importer_.tensor(step_, id);
            importer_.pass(step_, elements_of(gates), {{"slice"}}, {whole}, {first});
            importer_.pass(step_, elements_of(candidate), {{"slice"}}, {whole}, {candidate_weight_});
        }
        importer_.use_as_weight(id, first);
        importer_.use_as_weight(id, candidate_weight_);
        return first;
    }

    void early_reset_step(std::uint64_t d, std::uint64_t t, TensorId input_gates, TensorId weight, TensorId h,
                          TensorId next) {
        const Shape state{batch_, hidden_};
        const std::uint64_t elements = batch_ * hidden_;
        const TensorId sum = declare(label("recurrent_gates", d), t, {batch_, 2 * hidden_});
        importer_.gemm(step_, Phase::forward, Matmul{1, batch_, 2 * hidden_, hidden_, false, true}, h, weight, sum);
        const TensorId reset_gate = declare(label("reset_gate", d), t, state);
        importer_.pass(step_, elements, {{"slice"}, {"slice"}, {"add"}, {"sigmoid"}}, {sum, input_gates}, {reset_gate});
        const TensorId reset = declare(label("reset_state", d), t, state);
        importer_.pass(step_, elements, {{"mul"}}, {reset_gate, h}, {reset});
        const TensorId candidate = declare(label("recurrent_candidate", d), t, state);
        importer_.gemm(step_, Phase::forward, Matmul{1, batch_, hidden_, hidden_, false, true}, reset,
                       candidate_weight_, candidate);
        const TensorId sums = declare(label("sums", d), t, {batch_, 3 * hidden_});
        importer_.pass(step_, 3 * elements, {{"copy"}}, {sum, candidate}, {sums});
        static_cast<void>(cell(d, t, sums, input_gates, h, next));
    }

    OnnxImporter& importer_;
    const OnnxStep& step_;
    Cell cell_;
    std::uint64_t gates_;
    std::uint64_t steps_ = 0, batch_ = 0, width_ = 0, directions_ = 1, hidden_ = 0;
    bool reset_late_ = false;
    TensorId candidate_weight_ = 0;
    TensorId last_content_ = 0;
};

}  // namespace

OnnxImportRule onnx_recurrent_import(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxImportRule> rules{
        {"LSTM", [](OnnxImporter& importer, const OnnxStep& step) { Recurrent(importer, step, Cell::lstm).run(); }},
        {"GRU", [](OnnxImporter& importer, const OnnxStep& step) { Recurrent(importer, step, Cell::gru).run(); }},
        {"RNN", [](OnnxImporter& importer, const OnnxStep& step) { Recurrent(importer, step, Cell::rnn).run(); }},
    };
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
