// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_program.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

class Orderer {
public:
    Orderer(const OnnxGraph& graph, const std::string& file) : graph_(graph), file_(file) {}

    OnnxProgram order() {
        for (const OnnxTensor& tensor : graph_.initializers) {
            program_.initializers[number(tensor.name)] = &tensor;
        }
        for (const OnnxValueInfo& info : graph_.inputs) {
            const OnnxValueId value = number(info.name);
            if (program_.initializers[value] == nullptr && !exists_[value]) {
                program_.inputs.push_back(value);
                program_.input_infos.push_back(&info);
            }
            exists_[value] = true;
        }
        for (const OnnxTensor& tensor : graph_.initializers) {
            exists_[number(tensor.name)] = true;
        }
        number_nodes();
        sort();
        for (const OnnxValueInfo& info : graph_.values) {
            note(info);
        }
        for (const OnnxValueInfo& info : graph_.outputs) {
            note(info);
            if (const auto found = program_.numbers.find(info.name); found != program_.numbers.end()) {
                program_.outputs.push_back(found->second);
            }
        }
        for (const OnnxStep& step : program_.steps) {
            for (const OnnxValueId value : step.outputs) {
                if (value != onnx_absent) {
                    program_.producers[value] = &step;
                }
            }
        }
        return std::move(program_);
    }

private:
    OnnxValueId number(const std::string& name) {
        const auto [found, added] = program_.numbers.try_emplace(name, static_cast<OnnxValueId>(program_.names.size()));
        if (added) {
            program_.names.push_back(name);
            program_.initializers.push_back(nullptr);
            program_.producers.push_back(nullptr);
            program_.infos.push_back(nullptr);
            exists_.push_back(false);
            maker_.push_back(none);
        }
        return found->second;
    }

    void note(const OnnxValueInfo& info) {
        if (const auto found = program_.numbers.find(info.name); found != program_.numbers.end()) {
            program_.infos[found->second] = &info;
        }
    }

    void number_nodes() {
        steps_.reserve(graph_.nodes.size());
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            OnnxStep step(graph_.nodes[i], i, file_);
            for (const std::string& name : graph_.nodes[i].inputs) {
                step.inputs.push_back(name.empty() ? onnx_absent : number(name));
            }
            for (const std::string& name : graph_.nodes[i].outputs) {
                step.outputs.push_back(name.empty() ? onnx_absent : number(name));
                if (name.empty()) {
                    continue;
                }
                const OnnxValueId value = step.outputs.back();
                if (exists_[value]) {
                    step.fail(fmt::format("makes '{}', which an input, an initializer or another node makes already",
                                          printable(name, 100)));
                }
                exists_[value] = true;
                maker_[value] = i;
            }
            steps_.push_back(std::move(step));
        }
        for (const OnnxStep& step : steps_) {
            for (const OnnxValueId value : step.inputs) {
                if (value != onnx_absent && !exists_[value]) {
                    step.fail(
                        fmt::format("reads '{}', which is neither an input nor an initializer, and no node makes "
                                    "it",
                                    printable(program_.names[value], 100)));
                }
            }
        }
    }

    /// The order of the file where it can be kept.
    void sort() {
        std::vector<std::size_t> waits(steps_.size(), 0);
        std::vector<std::vector<std::size_t>> readers(steps_.size());
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            for (const OnnxValueId value : steps_[i].inputs) {
                if (value != onnx_absent && maker_[value] != none) {
                    ++waits[i];
                    readers[maker_[value]].push_back(i);
                }
            }
        }
        std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if (waits[i] == 0) {
                ready.push(i);
            }
        }
        program_.steps.reserve(steps_.size());
        while (!ready.empty()) {
            const std::size_t i = ready.top();
            ready.pop();
            for (const std::size_t reader : readers[i]) {
                if (--waits[reader] == 0) {
                    ready.push(reader);
                }
            }
            program_.steps.push_back(steps_[i]);
        }
        if (program_.steps.size() < steps_.size()) {
            report_circle(waits);
        }
    }

    /// Whoever still waits, waits for somebody who waits: going from one to the next ends in a circle.
    [[noreturn]] void report_circle(const std::vector<std::size_t>& waits) const {
        const auto waited_for = [&](std::size_t i) {
            for (const OnnxValueId value : steps_[i].inputs) {
                if (value != onnx_absent && maker_[value] != none && waits[maker_[value]] > 0) {
                    return maker_[value];
                }
            }
            return i;
        };
        auto at = static_cast<std::size_t>(
            std::find_if(waits.begin(), waits.end(), [](std::size_t count) { return count > 0; }) - waits.begin());
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            at = waited_for(at);
        }
        constexpr std::size_t most_named = 5;
        std::vector<std::string> titles;
        const std::size_t first = at;
        do {
            titles.push_back(steps_[at].title());
            at = waited_for(at);
        } while (at != first && titles.size() < most_named);
        std::reverse(titles.begin(), titles.end());
        throw InputError({file_, 0, 0}, fmt::format("the graph runs in a circle: {}{}", fmt::join(titles, " -> "),
                                                    at == first ? " -> " + titles.front() : " -> ..."));
    }

    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    const OnnxGraph& graph_;
    const std::string& file_;
    OnnxProgram program_;
    std::vector<bool> exists_;        // by value
    std::vector<std::size_t> maker_;  // by value: place of the node
    std::vector<OnnxStep> steps_;     // in the order of the file
};

}  // namespace

OnnxProgram order_onnx_graph(const OnnxGraph& graph, const std::string& file) {
    return Orderer(graph, file).order();
}

}  // namespace nibble
