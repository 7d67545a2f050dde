// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/import_calls.h"

#include <filesystem>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/derive/derive_training.h"
#include "sim/import/pytorch/call_replay.h"
#include "sim/import/pytorch/call_survey.h"
#include "sim/import/step_graph.h"
#include "sim/input/trace_writer.h"

namespace nibble {

namespace {

TraceHeader header_of(const CallSource& calls, const CallSurvey& survey, const std::string& file,
                      const std::string& name, const ImportOptions& options) {
    const std::uint64_t batch = options.batch.value_or(calls.batch().value_or(survey.batch));
    if (batch == 0) {
        throw InputError({file, 0, 0}, "no call tells how many samples a step has; say it with --batch");
    }
    const std::uint64_t samples = batch * (options.iteration ? 1 : survey.iterations);
    return {calls.network().empty() ? name : calls.network(), samples};
}

void check_iteration(const CallSurvey& survey, const std::string& file, const ImportOptions& options) {
    if (survey.iterations == 0) {
        throw InputError({file, 0, 0}, "it holds no call that is an operation of a training step");
    }
    if (options.iteration && *options.iteration > survey.iterations) {
        throw InputError({file, 0, 0}, fmt::format("--iteration {}: it holds {} training step{}", *options.iteration,
                                                   survey.iterations, survey.iterations == 1 ? "" : "s"));
    }
}

/// Path of a file of values, which the recording names relative to itself, for the trace.
std::string values_path(const std::string& values, const std::string& file, const ImportOptions& options) {
    namespace fs = std::filesystem;
    const fs::path full = fs::absolute(fs::path(file).parent_path() / values).lexically_normal();
    return options.directory.empty() ? full.string() : fs::relative(full, options.directory).string();
}

}  // namespace

void import_calls(const OpenCalls& open, const std::string& file, const std::string& name, const ImportOptions& options,
                  std::ostream& out, ImportSummary& summary) {
    const CallSurvey survey = survey_calls(*open(), file);
    check_iteration(survey, file, options);
    const std::unique_ptr<CallSource> calls = open();
    summary.description = calls->description();
    summary.iterations = options.iteration ? 1 : survey.iterations;
    const TraceHeader header = header_of(*calls, survey, file, name, options);
    TraceWriter writer(out, header);
    const auto translate = [&](const TraceSink& to) {
        const auto sink = [&](const TraceItem& item) {
            const auto* tensor = std::get_if<Tensor>(&item);
            if (tensor == nullptr || tensor->values.empty()) {
                to(item);
                return;
            }
            Tensor placed = *tensor;
            placed.values = values_path(tensor->values, file, options);
            to(TraceItem(std::move(placed)));
        };
        CallReplay replay(survey, options, file, sink, summary);
        while (const RecordedCall* call = calls->next()) {
            replay.add(*call);
        }
        replay.finish();
        const std::vector<std::string> notes = calls->notes();
        summary.notes.insert(summary.notes.end(), notes.begin(), notes.end());
    };
    if (survey.backward || options.training != Training::derive) {
        translate([&](const TraceItem& item) { writer.write(item); });
    } else {
        StepGraph graph;
        graph.header = header;
        translate([&](const TraceItem& item) {
            if (const auto* tensor = std::get_if<Tensor>(&item)) {
                graph.tensors.push_back(*tensor);
            } else {
                graph.operations.push_back(std::get<Operation>(item));
            }
        });
        derive_training(
            std::move(graph), options, [&](const TraceItem& item) { writer.write(item); }, summary);
    }
    writer.finish();
}

}  // namespace nibble
