// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/chakra_reader.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/pytorch/call_arguments.h"
#include "sim/import/pytorch/call_tree.h"
#include "sim/import/pytorch/chakra_node.h"
#include "sim/import/pytorch/delimited_messages.h"

namespace nibble {

namespace {

/// Where an operator comes several times, which is not known before the first of them.
enum class Layout : std::uint8_t { tree, numbered };

struct Survey {
    CallTree tree;
    std::string schema;
    Layout layout;
};

/// Is this node one of the tree's? Of the others, nothing is used.
bool is_call(const ChakraNode& node) {
    return node.on_cpu && node.number == 0;
}

bool is_optimizer(std::string_view op) {
    return op.starts_with("aten::_foreach_") || op.starts_with("aten::_fused_adam") ||
           op.starts_with("aten::_fused_sgd");
}

/// What the threads of a file without callers tell.
struct Thread {
    std::vector<std::size_t> calls;
    bool backward = false;
};

/// Nothing if the file turns out to be of the other layout.
std::optional<Survey> survey(ByteSource source, Layout layout) {
    const std::string file = source.name();
    Survey result{CallTree(file), {}, layout};
    DelimitedMessages messages(std::move(source));
    if (!messages.next()) {
        throw InputError({file, 0, 0}, "expected a Chakra execution trace, found an empty file");
    }
    result.schema = read_chakra_schema(messages, file);
    std::map<std::uint64_t, Thread> threads;
    std::optional<std::uint64_t> first_thread;
    bool any_tensors = false;
    while (messages.next()) {
        const ChakraNode node = read_chakra_node(messages, file);
        if (node.numbered && node.on_cpu && layout == Layout::tree) {
            return std::nullopt;
        }
        if (!is_call(node)) {
            continue;
        }
        CallFacts facts;
        facts.id = node.id;
        // What is no caller that began before is some other dependency.
        facts.parent = layout == Layout::tree && node.parent < node.id ? node.parent : 0;
        facts.name = node.name;
        facts.has_tensors = mentions_tensor(node.inputs.types) || mentions_tensor(node.outputs.types);
        facts.sequence = node.sequence;
        any_tensors = any_tensors || facts.has_tensors;
        if (layout == Layout::numbered) {
            first_thread = first_thread.value_or(node.thread);
            Thread& thread = threads[node.thread];
            thread.calls.push_back(result.tree.size());
            thread.backward = thread.backward || node.name.find("_backward") != std::string_view::npos;
        }
        result.tree.add(facts);
        if (layout == Layout::numbered && is_optimizer(node.name)) {
            result.tree.set_optimizer(result.tree.size() - 1);
        }
    }
    if (!any_tensors) {
        throw InputError({file, 0, 0}, fmt::format("none of the trace's {} calls has tensors; synthetic traces, which "
                                                   "hold sizes and durations only, cannot be imported",
                                                   result.tree.size()));
    }
    for (const auto& [number, thread] : threads) {
        if (thread.backward && number != first_thread) {
            for (const std::size_t call : thread.calls) {
                result.tree.set_backward(call);
            }
        }
    }
    result.tree.decide();
    return result;
}

class ChakraReader : public CallSource {
public:
    ChakraReader(ByteSource source, std::shared_ptr<const Survey> survey)
        : file_(source.name()), messages_(std::move(source)), survey_(std::move(survey)) {
        metadata_read_ = messages_.next();
    }

    const RecordedCall* next() override {
        while (metadata_read_ && messages_.next()) {
            const ChakraNode node = read_chakra_node(messages_, file_);
            if (!is_call(node)) {
                continue;
            }
            if (calls_ == survey_->tree.size()) {
                throw InputError({file_, 0, 0}, "the file has changed while it was read");
            }
            const CallRole role = survey_->tree.role(calls_++);
            if (role.handed_on) {
                call_.op = node.name;
                call_.where = fmt::format("node {}", node.id);
                call_.backward = role.backward;
                call_.optimizer = role.optimizer;
                call_.iteration = role.iteration;
                call_.sequence = role.sequence;
                read_tensors(node, {file_, call_.where, call_.op}, call_);
                return &call_;
            }
        }
        return nullptr;
    }

    std::string description() const override {
        return survey_->schema.empty()
                   ? "Chakra execution trace"
                   : fmt::format("Chakra execution trace, PyTorch schema {}", printable(survey_->schema));
    }

    std::vector<std::string> notes() const override {
        if (survey_->layout == Layout::tree) {
            return {};
        }
        return {
            "the trace does not say which calls are autograd's: those on the thread that runs \"_backward\" operators "
            "are taken for the backward pass, and \"_foreach\" operators for the optimiser"};
    }

private:
    std::string file_;
    DelimitedMessages messages_;
    std::shared_ptr<const Survey> survey_;
    std::size_t calls_ = 0;
    RecordedCall call_;
    bool metadata_read_ = false;
};

}  // namespace

OpenCalls open_chakra(OpenBytes open) {
    std::optional<Survey> surveyed = survey(open(), Layout::tree);
    if (!surveyed) {
        surveyed = survey(open(), Layout::numbered);
    }
    return [open = std::move(open),
            surveyed = std::make_shared<const Survey>(*std::move(surveyed))]() -> std::unique_ptr<CallSource> {
        return std::make_unique<ChakraReader>(open(), surveyed);
    };
}

}  // namespace nibble
