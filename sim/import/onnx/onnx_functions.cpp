// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_functions.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr std::size_t most_nodes = 1'000'000;
constexpr unsigned deepest = 32;

class Expander {
public:
    Expander(OnnxModel& model, const std::string& file) : model_(model), file_(file) {
        for (const OnnxFunction& function : model.functions) {
            functions_.emplace(function.domain + "/" + function.name, &function);
        }
    }

    void run() {
        std::vector<OnnxNode> nodes = std::move(model_.graph.nodes);
        for (OnnxNode& node : nodes) {
            add(std::move(node), 0);
        }
        model_.graph.nodes = std::move(expanded_);
    }

private:
    void add(OnnxNode node, unsigned depth) {
        const auto found = functions_.find(node.domain + "/" + node.op);
        if (found == functions_.end()) {
            if (expanded_.size() == most_nodes) {
                fail(fmt::format("its functions expand to more than {} nodes", most_nodes));
            }
            expanded_.push_back(std::move(node));
            return;
        }
        const OnnxFunction& function = *found->second;
        if (depth == deepest) {
            fail(fmt::format("function '{}' calls itself, or functions are nested more than {} deep",
                             printable(function.name), deepest));
        }
        const std::string prefix =
            fmt::format("{}/", node.name.empty() ? fmt::format("{}_{}", node.op, calls_) : node.name);
        ++calls_;
        std::unordered_map<std::string, std::string> values;
        for (std::size_t i = 0; i < function.inputs.size(); ++i) {
            values.emplace(function.inputs[i], i < node.inputs.size() ? node.inputs[i] : std::string());
        }
        for (std::size_t i = 0; i < function.outputs.size(); ++i) {
            const bool wanted = i < node.outputs.size() && !node.outputs[i].empty();
            values.insert_or_assign(function.outputs[i], wanted ? node.outputs[i] : prefix + function.outputs[i]);
        }
        for (const OnnxNode& inner : function.nodes) {
            OnnxNode copy = inner;
            copy.name = prefix + (inner.name.empty() ? inner.op : inner.name);
            for (std::vector<std::string>* names : {&copy.inputs, &copy.outputs}) {
                for (std::string& name : *names) {
                    if (!name.empty()) {
                        name = values.try_emplace(name, prefix + name).first->second;
                    }
                }
            }
            bind_attributes(copy, node, function);
            add(std::move(copy), depth + 1);
        }
    }

    /// Attributes that stand for those of the calling node are replaced by them; without one, they are absent.
    static void bind_attributes(OnnxNode& inner, const OnnxNode& call, const OnnxFunction& function) {
        std::vector<OnnxAttribute> bound;
        for (OnnxAttribute& attribute : inner.attributes) {
            if (attribute.reference.empty()) {
                bound.push_back(std::move(attribute));
                continue;
            }
            for (const std::vector<OnnxAttribute>* list : {&call.attributes, &function.defaults}) {
                const auto given = std::find_if(list->begin(), list->end(),
                                                [&](const auto& a) { return a.name == attribute.reference; });
                if (given != list->end()) {
                    bound.push_back(*given);
                    bound.back().name = attribute.name;
                    break;
                }
            }
        }
        inner.attributes = std::move(bound);
    }

    [[noreturn]] void fail(const std::string& what) const { throw InputError({file_, 0, 0}, what); }

    OnnxModel& model_;
    const std::string& file_;
    std::unordered_map<std::string, const OnnxFunction*> functions_;
    std::vector<OnnxNode> expanded_;
    std::size_t calls_ = 0;
};

}  // namespace

void expand_onnx_functions(OnnxModel& model, const std::string& file) {
    if (!model.functions.empty()) {
        Expander(model, file).run();
    }
}

void expand_onnx_branch(OnnxGraph& graph, std::size_t node, bool then) {
    const OnnxNode choice = std::move(graph.nodes[node]);
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(node));
    const std::string wanted = then ? "then_branch" : "else_branch";
    for (const OnnxAttribute& attribute : choice.attributes) {
        if (attribute.name != wanted || attribute.graph.empty()) {
            continue;
        }
        const OnnxGraph& body = attribute.graph.front();
        std::copy(body.nodes.begin(), body.nodes.end(), std::back_inserter(graph.nodes));
        std::copy(body.initializers.begin(), body.initializers.end(), std::back_inserter(graph.initializers));
        std::copy(body.values.begin(), body.values.end(), std::back_inserter(graph.values));
        for (std::size_t i = 0; i < choice.outputs.size() && i < body.outputs.size(); ++i) {
            OnnxNode result;
            result.op = "Identity";
            result.name = choice.name;
            result.inputs = {body.outputs[i].name};
            result.outputs = {choice.outputs[i]};
            graph.nodes.push_back(std::move(result));
        }
    }
}

}  // namespace nibble
