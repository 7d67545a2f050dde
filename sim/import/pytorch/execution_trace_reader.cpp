// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/execution_trace_reader.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "sim/base/error.h"
#include "sim/import/pytorch/call_arguments.h"
#include "sim/import/pytorch/call_tree.h"
#include "sim/import/pytorch/execution_trace_node.h"
#include "sim/import/pytorch/json_array_stream.h"

namespace nibble {

namespace {

constexpr const char* list_of_nodes = "nodes";
constexpr std::array<std::string_view, 5> known_schemas{"1.0.1", "1.0.2-chakra.0.0.4", "1.0.3-chakra.0.0.4",
                                                        "1.1.0-chakra.0.0.4", "1.1.1-chakra.0.0.4"};
// PyTorch writes no more items of a list than this and one more.
constexpr std::size_t longest_list = 4096;

struct Survey {
    CallTree tree;
    std::string schema;
};

std::shared_ptr<const Survey> survey(ByteSource source) {
    Survey result{CallTree(source.name()), {}};
    JsonArrayStream stream(std::move(source), list_of_nodes);
    simdjson::dom::parser parser;
    while (stream.next()) {
        const ExecutionTraceNode node = parse_execution_trace_node(parser, stream);
        CallFacts facts;
        facts.id = node.id;
        facts.parent = node.parent;
        facts.name = without_overload(node.name);
        facts.has_tensors = has_tensors(node);
        facts.sequence = node.sequence;
        result.tree.add(facts);
    }
    result.tree.decide();
    const auto schema = stream.members().find("schema");
    result.schema = schema == stream.members().end() ? "" : schema->second;
    return std::make_shared<const Survey>(std::move(result));
}

class ExecutionTraceReader : public CallSource {
public:
    ExecutionTraceReader(ByteSource source, std::shared_ptr<const Survey> survey)
        : file_(source.name()), stream_(std::move(source), list_of_nodes), survey_(std::move(survey)) {}

    const RecordedCall* next() override {
        while (stream_.next()) {
            if (stream_.index() >= survey_->tree.size()) {
                stream_.fail("the file has changed while it was read");
            }
            const CallRole role = survey_->tree.role(stream_.index());
            if (role.handed_on) {
                read_call(role);
                return &call_;
            }
        }
        return nullptr;
    }

    std::string description() const override {
        return survey_->schema.empty() ? "PyTorch execution trace"
                                       : fmt::format("PyTorch execution trace, schema {}", printable(survey_->schema));
    }

    std::vector<std::string> notes() const override {
        std::vector<std::string> notes;
        if (std::find(known_schemas.begin(), known_schemas.end(), survey_->schema) == known_schemas.end()) {
            notes.push_back(
                fmt::format("schema '{}' is not one of those that this reader was made for; it is read like {}",
                            printable(survey_->schema), known_schemas.back()));
        }
        if (lists_cut_) {
            notes.push_back(
                fmt::format("PyTorch cut lists of more than {} items: what they held beyond is missing", longest_list));
        }
        return notes;
    }

private:
    void read_call(const CallRole& role) {
        const ExecutionTraceNode node = parse_execution_trace_node(parser_, stream_);
        call_.op = without_overload(node.name);
        call_.where = fmt::format("node {}", node.id);
        call_.backward = role.backward;
        call_.optimizer = role.optimizer;
        call_.iteration = role.iteration;
        call_.sequence = role.sequence;
        read_tensors(node, {file_, call_.where, call_.op}, call_);
        lists_cut_ =
            lists_cut_ || std::any_of(call_.inputs.begin(), call_.inputs.end(), [](const RecordedValue& value) {
                return value.list() != nullptr && value.list()->size() > longest_list;
            });
    }

    std::string file_;
    JsonArrayStream stream_;
    std::shared_ptr<const Survey> survey_;
    simdjson::dom::parser parser_;
    RecordedCall call_;
    bool lists_cut_ = false;
};

}  // namespace

OpenCalls open_execution_trace(OpenBytes open) {
    auto surveyed = survey(open());
    return [open = std::move(open), surveyed = std::move(surveyed)]() -> std::unique_ptr<CallSource> {
        return std::make_unique<ExecutionTraceReader>(open(), surveyed);
    };
}

}  // namespace nibble
