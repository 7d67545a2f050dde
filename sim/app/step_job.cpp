// SPDX-License-Identifier: MIT
#include "sim/app/step_job.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "sim/app/mapping_choice.h"
#include "sim/app/subject.h"
#include "sim/base/content_hash.h"
#include "sim/base/error.h"
#include "sim/config/machine_config.h"
#include "sim/config/text_file.h"
#include "sim/config/yaml_reader.h"
#include "sim/report/tally_json.h"

namespace nibble {

namespace {

using Json = nlohmann::json;

/// Operations that are known already, and those that this job finds.
class JobOperations final : public OperationStore {
public:
    explicit JobOperations(const ResultStore& known) : known_(known) {}

    std::optional<std::string> find(const std::string& key) override {
        const std::string* found = known_.find(key);
        return found != nullptr ? std::optional(*found) : std::nullopt;
    }
    void put(const std::string& key, const std::string& value) override { found_.emplace_back(key, value); }

    [[nodiscard]] OperationResults found() && { return std::move(found_); }

private:
    const ResultStore& known_;
    OperationResults found_;
};

/// What a mapping stands for: the content of its file, if it is one.
std::string mapping_content(const std::string& mapping) {
    return mapping == "search" || mapping == "greedy" ? mapping : read_text_file(mapping, YamlDocument::most_bytes);
}

void append(std::string& bytes, std::string_view field) {
    const std::uint64_t size = field.size();
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes += field;
}

std::string take(std::string_view& bytes) {
    std::uint64_t size = 0;
    if (bytes.size() < sizeof size) {
        throw ModelError("a job's report is cut off");
    }
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes.remove_prefix(sizeof size);
    if (bytes.size() < size) {
        throw ModelError("a job's report is cut off");
    }
    std::string field(bytes.substr(0, size));
    bytes.remove_prefix(size);
    return field;
}

}  // namespace

std::string job_key(const Subject& subject, const std::string& trace_hash, const std::string& mapping,
                    Fidelity fidelity) {
    MachineParameters nameless = subject.machine;
    nameless.name = "machine";
    nameless.description.clear();
    return ContentHash()
        .field(program_hash())
        .field(effective_yaml(nameless))
        .field(subject.recipe)
        .field(trace_hash)
        .field(mapping_content(mapping))
        .field(fidelity_names[static_cast<std::size_t>(fidelity)])
        .text();
}

std::string to_json(const StepResult& result) {
    if (!result.error.empty()) {
        return Json{{"error", result.error}, {"impossible", result.impossible}}.dump(-1, ' ', false,
                                                                                     Json::error_handler_t::replace);
    }
    return Json{{"totals", json_of(result.outcome.totals)}, {"has_causes", result.outcome.has_causes}}.dump();
}

StepResult step_result_of(const std::string& text) {
    StepResult result;
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_object() && json.contains("error") && json["error"].is_string()) {
        result.error = json["error"].get<std::string>();
        result.impossible = json.value("impossible", false);
        return result;
    }
    const std::optional<Tally> totals = json.is_object() ? tally_of(json.value("totals", Json())) : std::nullopt;
    if (totals) {
        result.outcome = {*totals, json.value("has_causes", true)};
    } else {
        result.error = "the store has something else under its key";
    }
    return result;
}

std::string encode(const JobReport& report) {
    std::string bytes;
    append(bytes, report.result);
    for (const auto& [key, value] : report.operations) {
        append(bytes, key);
        append(bytes, value);
    }
    return bytes;
}

JobReport decode_job_report(const std::string& bytes) {
    std::string_view rest = bytes;
    JobReport report;
    report.result = take(rest);
    while (!rest.empty()) {
        std::string key = take(rest);
        report.operations.emplace_back(std::move(key), take(rest));
    }
    return report;
}

namespace {

JobReport run(const StepJob& job, const ResultStore& known, bool sharing) {
    const std::string path = job.trace->path();
    LoweringOptions lowering;
    lowering.recipe = &recipe_named(job.subject->recipe);
    const TensorPlan tensors(path, job.subject->machine, *lowering.recipe, lowering.selection);
    MappingOptions options;
    options.choice = job.mapping;
    options.cache = false;
    options.quiet = true;
    options.threads = 1;
    const MappingTable mappings = table_of(MappingChoice(options).plan(path, tensors, *job.subject, lowering));
    lowering.mappings = &mappings;
    JobOperations operations(known);
    const StepEvaluation step =
        evaluate_step(path, tensors, *job.subject, lowering, job.fidelity, &operations, sharing);
    JobReport report;
    report.result = to_json({{step.totals, job.fidelity != Fidelity::predicted}, {}, false});
    report.operations = std::move(operations).found();
    return report;
}

}  // namespace

JobReport run_step_job(const StepJob& job, const ResultStore& known, bool sharing) {
    JobReport report;
    job.trace->checked([&] { report = run(job, known, sharing); });
    return report;
}

}  // namespace nibble
