// SPDX-License-Identifier: MIT
#include "sim/app/explain_command.h"

#include <algorithm>
#include <cstddef>
#include <fnmatch.h>
#include <iostream>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "sim/app/explain_report.h"
#include "sim/app/ideal_unit.h"
#include "sim/app/mapping_choice.h"
#include "sim/app/progress.h"
#include "sim/app/recorded_run.h"
#include "sim/app/show_json.h"
#include "sim/app/simulation.h"
#include "sim/app/subject.h"
#include "sim/app/terminal.h"
#include "sim/base/content_hash.h"
#include "sim/base/error.h"
#include "sim/config/machine_config.h"
#include "sim/input/trace_reader.h"

namespace nibble {

namespace {

bool fits(const std::string& pattern, const std::string& layer) {
    return fnmatch(pattern.c_str(), layer.c_str(), 0) == 0;
}

/// Throws InputError, with a suggestion, if the pattern fits no layer that the run simulated.
void require_layer(const std::string& pattern, const std::string& trace, const Selection& selection) {
    constexpr std::size_t most_names = 10'000;  // to suggest from
    std::vector<std::string> names;
    TraceReader reader(trace);
    while (const std::optional<TraceItem> item = reader.next()) {
        const auto* operation = std::get_if<Operation>(&*item);
        if (operation == nullptr || !selection.contains(*operation)) {
            continue;
        }
        if (fits(pattern, operation->layer)) {
            return;
        }
        if (names.size() < most_names && (names.empty() || names.back() != operation->layer)) {
            names.push_back(operation->layer);
        }
    }
    throw InputError(
        fmt::format("--layer: no layer of the run fits '{}'{}", printable(pattern), suggestion(pattern, names)));
}

/// Adds up what the runs tell: the first is the one as it was, the others have an ideal unit each.
class Explainer {
public:
    Explainer(const ExplainRequest& request, const Subject& subject, const TraceHeader& header)
        : pattern_(request.layer), units_(units_that_take_time(subject.machine)) {
        found_.network = header.name;
        found_.batch = header.batch;
        found_.pattern = request.layer;
        for (const IdealUnit unit : units_) {
            found_.freed.push_back({unit, {}, 0});
        }
    }

    /// The first machine as it was, then one for each unit.
    [[nodiscard]] std::vector<Job> jobs(const Job& as_it_was) const {
        std::vector<Job> jobs{as_it_was};
        for (const IdealUnit unit : units_) {
            jobs.push_back(as_it_was);
            jobs.back().machine = with_ideal(as_it_was.machine, unit);
        }
        return jobs;
    }

    void add(std::span<const OpRecord> records) {
        const OpRecord& own = records.front();
        const bool explained = fits(pattern_, own.layer);
        found_.step_cycles += own.counters[index_of(Counter::cycles)];
        for (std::size_t i = 0; i < units_.size(); ++i) {
            const OpRecord& record = records[i + 1];
            found_.freed[i].step_cycles += record.counters[index_of(Counter::cycles)];
            if (explained) {
                found_.freed[i].layer += record;
            }
        }
        if (explained) {
            found_.layer += own;
            keep(own);
            const auto waited = [](const OpRecord& record) {
                return record.causes[static_cast<std::size_t>(Cause::memory)];
            };
            if (waited(own) > (found_.most_waiting ? waited(*found_.most_waiting) : 0)) {
                found_.most_waiting = own;
            }
        }
    }

    [[nodiscard]] Explanation finish() && { return std::move(found_); }

private:
    /// Of a step of any length only the operations that take longest are remembered.
    void keep(const OpRecord& record) {
        const auto longer = [](const OpRecord& a, const OpRecord& b) {
            return a.counters[index_of(Counter::cycles)] > b.counters[index_of(Counter::cycles)];
        };
        auto& kept = found_.operations;
        if (kept.size() == Explanation::most_operations && !longer(record, kept.back())) {
            return;
        }
        kept.insert(std::ranges::upper_bound(kept, record, longer), record);
        if (kept.size() > Explanation::most_operations) {
            kept.pop_back();
        }
    }

    std::string pattern_;
    std::vector<IdealUnit> units_;
    Explanation found_;
};

}  // namespace

void explain_command(const ExplainRequest& request) {
    const RecordedRun run = read_recorded_run(request.result);
    const MachineParameters machine = load_machine(run.machine.string());
    const Subject subject = make_subject(machine, load_technology(machine.technology), load_dram_energy(), run.recipe);
    const TraceSource trace(run.trace);
    if (hash_of_file(trace.path()) != run.trace_hash) {
        throw InputError(fmt::format("{}: '{}' is not the trace that was run then: run it anew", printable(run.file),
                                     printable(run.trace.name)));
    }
    const Selection selection{parse_phases(run.phases), run.layers};
    require_layer(request.layer, trace.path(), selection);
    Job job;
    job.machine = machine;
    job.lowering.recipe = &recipe_named(run.recipe);
    job.lowering.selection = selection;
    const TensorPlan plan(trace.path(), machine, *job.lowering.recipe, selection);
    job.plan = &plan;
    MappingOptions options;
    options.choice = run.mappings.string();
    options.quiet = request.quiet;
    const MappingTable mappings = table_of(MappingChoice(options).plan(trace.path(), plan, subject, job.lowering));
    job.lowering.mappings = &mappings;

    Explainer explainer(request, subject, plan.header());
    const std::vector<Job> jobs = explainer.jobs(job);
    {
        Progress progress(fmt::format("{} runs", jobs.size()), "operations", plan.operations() * jobs.size(),
                          !request.quiet && progress_possible());
        static_cast<void>(simulate(
            trace.path(), jobs, [&](std::span<const OpRecord> records) { explainer.add(records); }, progress));
    }
    const Explanation explanation = std::move(explainer).finish();
    if (explanation.step_cycles != run.cycles) {
        throw InputError(fmt::format("{}: the run took {} cycles then, and takes {} now: run it anew",
                                     printable(run.file), run.cycles, explanation.step_cycles));
    }
    if (request.json) {
        show_json("nibblesim-explanation-1", explanation_json(explanation, subject));
    } else {
        std::cout << explanation_text(explanation, subject, terminal_style());
    }
}

}  // namespace nibble
