// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/kineto_reader.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "sim/base/error.h"
#include "sim/import/pytorch/call_arguments.h"
#include "sim/import/pytorch/call_tree.h"
#include "sim/import/pytorch/json_array_stream.h"
#include "sim/import/pytorch/kineto_event.h"

namespace nibble {

namespace {

constexpr const char* list_of_events = "traceEvents";
// So many calls may wait for one that began before them and comes behind them in the file.
constexpr std::size_t most_waiting = std::size_t{1} << 18U;

struct Survey {
    CallTree tree;
    std::vector<std::uint32_t> turns;  // of calls that are handed on: how many are handed on before
    bool concrete = false;             // values of what is no tensor are there
};

struct Interval {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::uint32_t thread = 0;
};

/// Numbers of the calls in the order in which they began, outer before inner.
std::vector<std::uint32_t> in_order_of_begin(const std::vector<Interval>& calls) {
    std::vector<std::uint32_t> order(calls.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return std::tuple(calls[a].begin, -calls[a].end) < std::tuple(calls[b].begin, -calls[b].end);
    });
    return order;
}

/// Makes the tree of the intervals. A call's id is its place in the order of begin, from 1.
void nest(const std::vector<Interval>& calls, const std::vector<std::uint32_t>& order, std::size_t threads,
          CallTree& tree) {
    struct Open {
        std::int64_t end;
        std::uint64_t id;
    };
    std::vector<std::vector<Open>> open(threads);  // calls that have not ended, outer before inner
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Interval& call = calls[order[i]];
        std::vector<Open>& around = open[call.thread];
        while (!around.empty() && around.back().end <= call.begin) {
            around.pop_back();
        }
        const std::uint64_t id = i + 1;
        tree.set_place(order[i], id, around.empty() ? 0 : around.back().id);
        around.push_back({call.end, id});
    }
}

std::shared_ptr<const Survey> survey(ByteSource source) {
    const std::string file = source.name();
    Survey result{CallTree(file), {}, false};
    JsonArrayStream stream(std::move(source), list_of_events);
    simdjson::dom::parser parser;
    std::vector<Interval> calls;
    std::unordered_map<std::string, std::uint32_t> threads;
    bool shapes = false;
    while (stream.next()) {
        const auto event = parse_kineto_event(parser, stream);
        if (!event) {
            continue;
        }
        CallFacts facts;
        facts.name = without_overload(event->name);
        facts.has_tensors = has_tensors(*event);
        facts.sequence = event->sequence;
        facts.backward = event->of_forward_thread;
        result.tree.add(facts);
        const auto thread = threads.try_emplace(event->thread, static_cast<std::uint32_t>(threads.size())).first;
        calls.push_back({event->begin_ns, event->end_ns, thread->second});
        shapes = shapes || event->dims;
        result.concrete = result.concrete || event->concrete;
    }
    if (calls.empty()) {
        throw InputError({file, 0, 0}, "none of its events is an operator; record with ProfilerActivity.CPU");
    }
    if (!shapes) {
        throw InputError({file, 0, 0}, "its operators have no \"Input Dims\"; record again with record_shapes=True");
    }
    const std::vector<std::uint32_t> order = in_order_of_begin(calls);
    nest(calls, order, threads.size(), result.tree);
    result.tree.decide();
    result.turns.resize(calls.size());
    std::uint32_t turn = 0;
    for (const std::uint32_t call : order) {
        result.turns[call] = turn;
        turn += result.tree.role(call).handed_on ? 1U : 0U;
    }
    return std::make_shared<const Survey>(std::move(result));
}

class KinetoReader : public CallSource {
public:
    KinetoReader(ByteSource source, std::shared_ptr<const Survey> survey)
        : file_(source.name()), stream_(std::move(source), list_of_events), survey_(std::move(survey)) {}

    const RecordedCall* next() override {
        while (waiting_.empty() || waiting_.begin()->first != turn_) {
            if (!stream_.next()) {
                return nullptr;
            }
            read_event();
        }
        call_ = std::move(waiting_.begin()->second);
        waiting_.erase(waiting_.begin());
        ++turn_;
        return &call_;
    }

    std::string description() const override { return "PyTorch profiler trace (Kineto)"; }

    std::vector<std::string> notes() const override {
        std::vector<std::string> notes{
            "the trace does not say which tensors are the same, nor what calls return: both are "
            "derived from shapes"};
        if (!survey_->concrete) {
            notes.emplace_back(
                "the trace has no \"Concrete Inputs\", which torch 2.1 and later write: strides, padding "
                "and other numbers are not known");
        }
        return notes;
    }

private:
    void read_event() {
        const auto event = parse_kineto_event(parser_, stream_);
        if (!event) {
            return;
        }
        if (events_ == survey_->tree.size()) {
            stream_.fail("the file has changed while it was read");
        }
        const std::size_t number = events_++;
        const CallRole role = survey_->tree.role(number);
        if (!role.handed_on) {
            return;
        }
        if (waiting_.size() == most_waiting) {
            stream_.fail(
                fmt::format("{} calls come before one that began before them; sort the events by time", most_waiting));
        }
        RecordedCall call;
        call.op = without_overload(event->name);
        call.where = fmt::format("{} at {:.3f} us", printable(call.op), event->time_us);
        call.backward = role.backward;
        call.optimizer = role.optimizer;
        call.iteration = role.iteration;
        call.sequence = role.sequence;
        call.inputs = read_arguments(*event, {file_, fmt::format("event at {:.3f} us", event->time_us), call.op});
        waiting_.emplace(survey_->turns[number], std::move(call));
    }

    std::string file_;
    JsonArrayStream stream_;
    std::shared_ptr<const Survey> survey_;
    simdjson::dom::parser parser_;
    std::map<std::uint32_t, RecordedCall> waiting_;  // by turn
    std::uint32_t turn_ = 0;
    std::size_t events_ = 0;
    RecordedCall call_;
};

}  // namespace

OpenCalls open_kineto(OpenBytes open) {
    auto surveyed = survey(open());
    return [open = std::move(open), surveyed = std::move(surveyed)]() -> std::unique_ptr<CallSource> {
        return std::make_unique<KinetoReader>(open(), surveyed);
    };
}

}  // namespace nibble
