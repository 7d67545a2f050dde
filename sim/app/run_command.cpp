// SPDX-License-Identifier: MIT
#include "sim/app/run_command.h"

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/app/import_report.h"
#include "sim/app/interrupt.h"
#include "sim/app/pending_file.h"
#include "sim/app/progress.h"
#include "sim/app/report_command.h"
#include "sim/app/simulation.h"
#include "sim/app/subject.h"
#include "sim/app/terminal.h"
#include "sim/app/trace_source.h"
#include "sim/base/content_hash.h"
#include "sim/base/error.h"
#include "sim/config/machine_config.h"
#include "sim/lowering/recorded_values.h"
#include "sim/page/page_bundle.h"
#include "sim/page/run_data.h"
#include "sim/report/ops_csv.h"
#include "sim/report/output_directory.h"
#include "sim/report/result_collector.h"
#include "sim/report/result_json.h"
#include "sim/report/text_report.h"

namespace nibble {

namespace {

/// Both machines' plans for one trace: whatever is wrong with the trace is found here.
struct Plans {
    std::unique_ptr<TensorPlan> machine;
    std::unique_ptr<TensorPlan> baseline;
    std::uint64_t recorded_operands = 0;  ///< of GEMMs on the array, in values mode
};

Plans make_plans(const TraceSource& trace, const Setup& setup, const Selection& selection) {
    Plans plans;
    const auto plan = [&](const Subject& subject) {
        return std::make_unique<TensorPlan>(trace.path(), subject.machine, recipe_named(subject.recipe), selection);
    };
    trace.checked([&] {
        plans.machine = plan(setup.machine);
        if (setup.baseline) {
            plans.baseline = plan(*setup.baseline);
        }
        if (setup.values) {
            std::vector<const Recipe*> recipes{&recipe_named(setup.machine.recipe)};
            if (setup.baseline) {
                recipes.push_back(&recipe_named(setup.baseline->recipe));
            }
            plans.recorded_operands = check_recorded_values(trace.path(), selection, recipes);
        }
    });
    if (plans.machine->operations() == 0) {
        throw InputError("no operation of the trace is left to simulate (--phases, --layers)");
    }
    return plans;
}

/// Throws InputError if codes are asked for and there are none.
void require_codes(const RunRequest& request, const Plans& plans) {
    if (!request.dump_codes.empty() && plans.recorded_operands == 0) {
        throw InputError(
            "--dump-codes: the trace names no values of operands of the selected GEMMs (\"values\", .npy)");
    }
}

/// Where the result goes as it arrives.
class Outputs {
public:
    Outputs(const RunRequest& request, const Setup& setup) : request_(request) {
        if (!request.dump_codes.empty()) {
            codes_ = std::make_unique<PendingFile>(request.dump_codes);
        }
        if (!request.report.empty()) {
            static_cast<void>(load_page_bundle());  // what is missing is missed before the run
            report_ = std::make_unique<PendingFile>(request.report);
        }
        if (!request.out.empty()) {
            directory_ = std::make_unique<OutputDirectory>(request.out);
            csv_ = std::make_unique<OpsCsv>(directory_->create("ops.csv"), setup);
        }
        if (wants_json()) {
            ops_file_ = std::make_unique<TemporaryFile>();
            ops_.open(ops_file_->path(), std::ios::in | std::ios::out | std::ios::binary);
        }
    }

    /// Where the machine's process is to write codes; empty: nowhere.
    [[nodiscard]] std::string codes_path() const { return codes_ != nullptr ? codes_->temporary() : std::string(); }

    void add(const OpRecord& machine, const OpRecord* baseline, const Setup& setup) {
        if (csv_) {
            csv_->add(machine, baseline);
        }
        if (wants_json()) {
            ops_ << op_json(machine, baseline, setup) << '\n';
        }
    }

    void finish(const Result& result, const std::string& mappings) {
        if (wants_json() && !ops_.flush()) {
            throw InputError("temporary file for the result cannot be written");
        }
        if (directory_) {
            write_json(directory_->create("result.json"), result);
            directory_->create("report.txt") << text_report(result, TextStyle{});
            directory_->create("mappings.yaml") << mappings;
            directory_->create("machine.yaml") << effective_yaml(result.setup.machine.machine);
            if (result.setup.baseline) {
                directory_->create("baseline.yaml") << effective_yaml(result.setup.baseline->machine);
            }
            throw_if_interrupted();
            directory_->commit();
        }
        if (report_) {
            write_report(result);
            report_->commit();
        }
        if (codes_) {
            codes_->commit();
        }
        if (request_.json) {
            write_json(std::cout, result);
        } else if (!request_.quiet) {
            const TextStyle style = terminal_style();
            std::cout << fitted(text_report(result, style), style);
        }
    }

private:
    [[nodiscard]] bool wants_json() const { return request_.json || directory_ != nullptr || report_ != nullptr; }

    void write_report(const Result& result) {
        const TemporaryFile file;
        std::ofstream json(file.path(), std::ios::binary);
        write_json(json, result);
        json.flush();
        const auto& baseline = result.setup.baseline;
        std::ofstream page(report_->temporary(), std::ios::binary);
        write_run_page(page, request_.program,
                       {{file.path(), request_.out, effective_yaml(result.setup.machine.machine),
                         baseline ? effective_yaml(baseline->machine) : std::string()}});
        if (!json || !page.flush()) {
            throw InputError(fmt::format("{}: the report cannot be written", printable(request_.report)));
        }
    }

    void write_json(std::ostream& out, const Result& result) {
        ops_.clear();
        ops_.seekg(0);
        write_result_json(out, result, ops_);
    }

    const RunRequest& request_;
    std::unique_ptr<PendingFile> codes_;
    std::unique_ptr<PendingFile> report_;
    std::unique_ptr<OutputDirectory> directory_;
    std::unique_ptr<OpsCsv> csv_;
    std::unique_ptr<TemporaryFile> ops_file_;  // op_json() of every operation, one a line
    std::fstream ops_;
};

Job job_of(const Subject& subject, const TensorPlan& plan, const RunRequest& request, const Selection& selection) {
    Job job;
    job.machine = subject.machine;
    job.plan = &plan;
    job.lowering.recipe = &recipe_named(subject.recipe);
    job.lowering.selection = selection;
    job.lowering.values = request.values;
    job.skipping = request.skipping;
    return job;
}

/// The mappings that both machines use.
struct Mappings {
    MappingTable machine;
    MappingTable baseline;
    std::string file;  ///< all of them, as a mapping file has them
};

std::string mapping_file(const Setup& setup, std::vector<PlannedGemm> machine, std::vector<PlannedGemm> baseline) {
    // A machine that is compared with itself has one section.
    if (setup.baseline && setup.baseline->machine.name == setup.machine.machine.name) {
        machine.insert(machine.end(), std::make_move_iterator(baseline.begin()),
                       std::make_move_iterator(baseline.end()));
        baseline.clear();
    }
    std::ostringstream text;
    write_mappings(text, setup.machine.machine.name, machine);
    if (!baseline.empty()) {
        write_mappings(text, setup.baseline->machine.name, baseline);
    }
    return text.str();
}

Mappings map_gemms(const RunRequest& request, const MappingChoice& choice, const TraceSource& trace, const Setup& setup,
                   const Plans& plans, const Selection& selection) {
    std::optional<DeferInterrupts> until_file_is_tidy;
    std::unique_ptr<PendingFile> file;
    if (!request.mapping_out.empty()) {
        until_file_is_tidy.emplace();
        file = std::make_unique<PendingFile>(request.mapping_out);
    }
    const auto plan = [&](const Subject& subject, const TensorPlan& tensors) {
        const Job job = job_of(subject, tensors, request, selection);
        return choice.plan(trace.path(), tensors, subject, job.lowering);
    };
    std::vector<PlannedGemm> machine;
    std::vector<PlannedGemm> baseline;
    trace.checked([&] {
        machine = plan(setup.machine, *plans.machine);
        if (setup.baseline) {
            baseline = plan(*setup.baseline, *plans.baseline);
        }
    });
    Mappings mappings{table_of(machine), table_of(baseline), {}};
    mappings.file = mapping_file(setup, std::move(machine), std::move(baseline));
    if (file) {
        std::ofstream out(file->temporary(), std::ios::binary);
        if (!(out << mappings.file).flush()) {
            throw InputError(fmt::format("{}: the mappings cannot be written", printable(request.mapping_out)));
        }
        file->commit();
    }
    return mappings;
}

SourceOptions source_of(const TraceRequest& trace) {
    return {.from = trace.from,
            .batch = trace.options.batch,
            .iteration = trace.options.iteration,
            .training = std::string(training_names[static_cast<std::size_t>(trace.options.training)]),
            .fusion = trace.fuse};
}

}  // namespace

void run_command(const RunRequest& request) {
    if (!request.dump_codes.empty() && !request.values) {
        throw InputError("--dump-codes needs --values");
    }
    const Selection selection{parse_phases(request.phases), request.layers};
    const MachineParameters machine = load_machine(request.machine);
    const Technology technology = load_technology(machine.technology);
    if (!request.quiet) {
        for (const Problem& warning : technology.warnings) {
            std::cerr << "nibblesim: warning: " << to_string(warning) << '\n';
        }
    }
    const DramEnergyTable dram = load_dram_energy();
    Subject subject = make_subject(machine, technology, dram, request.recipe);
    std::optional<Subject> baseline_subject = make_baseline_subject(request.baseline, machine, technology, dram);
    check(request.watch, baseline_subject.has_value());
    Setup setup{
        .program = request.program,
        .program_hash = program_hash(),
        .trace = request.trace.name,
        .source = source_of(request.trace),
        .trace_hash = {},
        .network = {},
        .phases = request.phases,
        .layers = request.layers,
        .skipping = request.skipping,
        .values = request.values,
        .energy_sources = sources_of(technology, dram, subject, baseline_subject ? &*baseline_subject : nullptr),
        .machine = std::move(subject),
        .baseline = std::move(baseline_subject)};
    const TraceSource trace(request.trace);
    if (trace.imported() && !request.quiet) {
        std::cerr << import_line(request.trace.name, *trace.imported()) << '\n' << import_text(*trace.imported(), {});
    }
    const MappingChoice mapping(request.mapping);
    const Plans plans = make_plans(trace, setup, selection);
    require_codes(request, plans);
    setup.network = plans.machine->header().name;
    setup.batch = plans.machine->header().batch;
    setup.trace_hash = hash_of_file(trace.path());

    const Mappings mappings = map_gemms(request, mapping, trace, setup, plans, selection);

    const DeferInterrupts until_outputs_are_tidy;
    ResultCollector collector(std::move(setup));
    Outputs outputs(request, collector.setup());
    RunWatch watch(request.watch);
    std::vector<Job> jobs{job_of(collector.setup().machine, *plans.machine, request, selection)};
    jobs.front().lowering.mappings = &mappings.machine;
    jobs.front().lowering.dump_codes = outputs.codes_path();
    jobs.front().lowering.results = request.values;
    if (collector.setup().baseline) {
        jobs.push_back(job_of(*collector.setup().baseline, *plans.baseline, request, selection));
        jobs.back().lowering.mappings = &mappings.baseline;
    }
    const auto second = [](auto& of_jobs) { return of_jobs.size() > 1 ? &of_jobs[1] : nullptr; };
    watch.prepare(jobs.front(), second(jobs));
    std::vector<RunSummary> summaries;
    {
        Progress progress(collector.setup().network, "operations", plans.machine->operations() * jobs.size(),
                          !request.quiet && progress_possible());
        const auto sink = [&](std::span<const OpRecord> records) {
            collector.add(records.front(), second(records));
            outputs.add(records.front(), second(records), collector.setup());
        };
        summaries = simulate(trace.path(), jobs, sink, progress);
    }
    const Result result = collector.finish(std::move(summaries.front()), second(summaries));
    watch.write(result, request.quiet);
    outputs.finish(result, mappings.file);
    watch.commit();
}

}  // namespace nibble
