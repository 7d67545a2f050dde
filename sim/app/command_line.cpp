// SPDX-License-Identifier: MIT
#include "sim/app/command_line.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "models/dram/dram_standard.h"
#include "sim/app/completion_command.h"
#include "sim/app/diff_command.h"
#include "sim/app/explain_command.h"
#include "sim/app/import_command.h"
#include "sim/app/info_command.h"
#include "sim/app/interrupt.h"
#include "sim/app/man_page.h"
#include "sim/app/memtest_command.h"
#include "sim/app/pareto_command.h"
#include "sim/app/report_command.h"
#include "sim/app/run_command.h"
#include "sim/app/schema_command.h"
#include "sim/app/sweep_command.h"
#include "sim/app/timeline_command.h"
#include "sim/app/trace_source.h"
#include "sim/app/workload_command.h"
#include "sim/base/error.h"
#include "sim/base/log.h"
#include "sim/energy/baseline.h"

namespace nibble {

namespace {

constexpr int input_error_exit_code = 2;
constexpr int internal_error_exit_code = 70;
constexpr std::uint64_t largest_batch = 1'000'000;
constexpr const char* version = "nibblesim " NIBBLE_VERSION;

/// The program's flags and what they set. Parsing chooses the action; nothing is done before act().
class CommandLine {
public:
    CommandLine() : app_("Simulates, cycle by cycle, hardware that trains neural networks in four bits.", "nibblesim") {
        app_.set_version_flag("--version", version);
        app_.require_subcommand(1);
        app_.footer("Exit codes: 0 ok, 2 wrong input or usage, 70 internal error, 130 interrupted.");
        add_run();
        add_timeline();
        add_import();
        add_info();
        add_workload();
        add_memtest();
        add_sweep();
        add_pareto();
        add_diff();
        add_explain();
        add_report();
        add_list();
        add_schema();
        add_completion();
        add_man();
    }

    /// Returns true if there is nothing left to do (help or version was shown). Throws InputError.
    bool parse(int argc, const char* const* argv) {
        require_known_subcommand(argc, argv);
        try {
            app_.parse(argc, argv);
        } catch (const CLI::Success& help) {
            app_.exit(help);
            return true;
        } catch (const CLI::ParseError& error) {
            // A misspelt flag is the likelier cause of whatever else is missing.
            throw InputError(app_.remaining(true).empty() ? error.what() : unexpected_argument());
        }
        return false;
    }

    void act() const { action_(); }

private:
    void add_batch(CLI::App& command) {
        command
            .add_option("--batch", batch_,
                        fmt::format("Samples in the step, for workloads (default {}) and files that leave it open",
                                    default_batch))
            ->check(CLI::Range(std::uint64_t{1}, largest_batch));
    }

    /// What says how a file of another program is to be understood.
    void add_source_options(CLI::App& command) {
        add_batch(command);
        command.add_option("--from", trace_.from, "What the file is")
            ->type_name(fmt::format("auto|{}", fmt::join(source_format_names, "|")))
            ->capture_default_str();
        command.add_option("--iteration", trace_.options.iteration, "Take only this training step of a recording")
            ->check(CLI::Range(std::uint64_t{1}, largest_batch));
        command
            .add_option("--training", training_,
                        "What the file does not have: derive (the default), as-recorded (nothing is added), or "
                        "forward-only")
            ->check(CLI::IsMember(std::vector<std::string>(training_names.begin(), training_names.end())));
        command.add_flag("--no-fusion", no_fusion_, "Keep every pass over memory that the file says, one an operation");
    }

    [[nodiscard]] TraceRequest trace_request() const {
        TraceRequest request = trace_;
        request.fuse = !no_fusion_;
        request.quiet = quiet_ || run_.quiet;
        request.options.batch = batch_;
        request.options.training =
            static_cast<Training>(std::ranges::find(training_names, training_) - training_names.begin());
        return request;
    }

    void add_import() {
        CLI::App& command = *app_.add_subcommand("import", "Translate another program's file to a trace");
        command
            .add_option("FILE", trace_.name,
                        "PyTorch execution trace or dump, Kineto trace, Chakra, ONNX, SCALE-Sim, ZigZag, or Timeloop "
                        "file or directory")
            ->type_name("FILE")
            ->required();
        command.add_option("-o,--output", output_, "Trace to write")->type_name("FILE")->required();
        add_source_options(command);
        command.add_flag("--json", json_, "Print JSON");
        command.add_flag("--quiet", quiet_, "Print nothing");
        command.callback([this] { action_ = [this] { import_command(trace_request(), output_, json_, quiet_); }; });
    }

    /// What is to be seen of a run as it goes on.
    void add_watch_options(CLI::App& run) {
        WatchRequest& watch = run_.watch;
        run.add_option("--timeline", watch.timeline,
                       "File for what every unit did when, for Perfetto: compressed JSON, plain (.json), or native "
                       "(.pftrace)")
            ->type_name("FILE");
        run.add_flag("--series", watch.series, "Put the run over time into result.json");
        run.add_option("--wave", watch.wave, "VCD file for the waveform of a window")->type_name("FILE");
        run.add_option("--wave-from", watch.wave_from, "First cycle of the waveform")->capture_default_str();
        run.add_option("--wave-to", watch.wave_to, "First cycle after the waveform");
        run.add_option("--wave-units", watch.wave_units, "Units in the waveform, by a shell pattern")
            ->type_name("GLOB")
            ->capture_default_str();
        run.add_option("--wave-machine", watch.wave_machine, "Whose waveform")
            ->check(CLI::IsMember({"machine", "baseline"}))
            ->capture_default_str();
    }

    void add_timeline() {
        CLI::App& timeline = *app_.add_subcommand("timeline", "Show a timeline on the terminal");
        timeline.add_option("FILE", timeline_.file, "Made by run --timeline, in JSON, plain or compressed")
            ->type_name("FILE")
            ->required();
        timeline.add_option("--from", timeline_.from, "First cycle to show")->capture_default_str();
        timeline.add_option("--to", timeline_.to, "First cycle not to show (default: the end of the run)");
        timeline.add_option("--width", timeline_.width, "Characters of a line")
            ->check(CLI::Range(std::size_t{50}, std::size_t{1000}));
        timeline.add_flag("--json", timeline_.json, "Print JSON");
        timeline.callback([this] { action_ = [this] { timeline_command(timeline_); }; });
    }

    void add_run() {
        CLI::App& run = *app_.add_subcommand("run", "Run a training step on a machine and on its 16-bit baseline");
        run.add_option("TRACE", trace_.name, "Trace, built-in workload, or file of another program (see import)")
            ->type_name("WORKLOAD|FILE")
            ->required();
        run.add_option("--machine", run_.machine, "Preset, or machine file")->type_name("PRESET|FILE")->required();
        run.add_option("--baseline", run_.baseline, "What to compare with: a rule that makes it, nothing, or a machine")
            ->type_name(fmt::format("{}|none|PRESET|FILE", fmt::join(baseline_rule_names, "|")))
            ->capture_default_str();
        add_source_options(run);
        run.add_option("--phases", run_.phases, "Simulate only these phases")
            ->type_name("PHASE,...")
            ->capture_default_str();
        run.add_option("--layers", run_.layers, "Simulate only layers whose name fits this shell pattern")
            ->type_name("GLOB")
            ->capture_default_str();
        run.add_option("--clock", clock_, "skipping, or every-edge: the same results, slower")
            ->check(CLI::IsMember({"skipping", "every-edge"}))
            ->capture_default_str();
        run.add_flag("--values", run_.values, "Carry operand values and check every GEMM against a plain reference");
        run.add_option("--dump-codes", run_.dump_codes,
                       "With --values, .npz file for the codes of recorded operands on the machine")
            ->type_name("FILE");
        run.add_option("--recipe", run_.recipe, "Precision of each GEMM")->type_name("RECIPE")->capture_default_str();
        run.add_option("--mapping", run_.mapping.choice,
                       "How GEMMs are cut, ordered and buffered: search, greedy, or a mapping file (what it does not "
                       "have is searched)")
            ->type_name("search|greedy|FILE")
            ->capture_default_str();
        run.add_option("--mapping-objective", objective_, "What mappings are searched for")
            ->check(
                CLI::IsMember(std::vector<std::string>(mapping_objective_names.begin(), mapping_objective_names.end())))
            ->capture_default_str();
        run.add_option("--mapping-out", run_.mapping_out, "File for the mappings used, to be edited and read back")
            ->type_name("FILE");
        run.add_flag("--no-mapping-cache", no_mapping_cache_,
                     "Search every mapping anew, and keep none for later runs");
        add_watch_options(run);
        run.add_option("--out", run_.out, "Directory for result.json, ops.csv, report.txt and the machines used")
            ->type_name("DIR");
        run.add_option("--report", run_.report, "HTML file for a page to look at (see report)")->type_name("FILE");
        run.add_flag("--json", run_.json, "Print result.json instead of the report");
        run.add_flag("--quiet", run_.quiet, "Print neither progress nor report");
        run.add_option("--log", log_, "Messages on standard error")
            ->type_name(fmt::format("{}", fmt::join(log_levels(), "|")))
            ->capture_default_str();
        run.callback([this] {
            action_ = [this] {
                set_up_logging(log_);
                RunRequest request = run_;
                request.program = version;
                request.trace = trace_request();
                request.skipping = clock_ == "skipping";
                request.watch.series = request.watch.series || !request.report.empty();  // which it draws
                request.mapping.objective = static_cast<MappingObjective>(
                    std::ranges::find(mapping_objective_names, objective_) - mapping_objective_names.begin());
                request.mapping.cache = !no_mapping_cache_;
                request.mapping.quiet = request.quiet;
                run_command(request);
            };
        });
    }

    void add_info() {
        CLI::App& info = *app_.add_subcommand("info", "Show what is in a trace, a workload or a machine");
        info.add_option("SUBJECT", trace_.name, "Trace, workload, file of another program, preset or machine file")
            ->type_name("WORKLOAD|PRESET|FILE")
            ->required();
        add_source_options(info);
        info.add_flag("--json", json_, "Print JSON");
        info.callback([this] { action_ = [this] { info_command(trace_request(), json_); }; });
    }

    void add_workload() {
        CLI::App& workload = *app_.add_subcommand("workload", "Write the training step of a network as a trace");
        workload.add_option("NAME", subject_, "Built-in workload, or workload file")
            ->type_name("WORKLOAD|FILE")
            ->required();
        add_batch(workload);
        workload.add_option("-o,--output", output_, "Trace to write")->type_name("FILE")->required();
        workload.add_flag("--json", json_, "Print JSON");
        workload.callback([this] {
            action_ = [this] { workload_command(subject_, batch_.value_or(default_batch), output_, json_); };
        });
    }

    void add_memtest() {
        CLI::App& memtest = *app_.add_subcommand("memtest", "Run a file of memory requests through a memory alone");
        memtest
            .add_option("FILE", memtest_.file,
                        "Requests, plain or compressed, one a line: CYCLE R|W 0xADDRESS, 64 bytes each")
            ->type_name("FILE")
            ->required();
        memtest.add_option("--standard", memtest_.standard, "DRAM standard")
            ->type_name(fmt::format("{}", fmt::join(dram_standard_names(), "|")))
            ->required();
        memtest.add_option("--channels", memtest_.channels,
                           "Channels (this and what follows: if not given, as in a typical system of the standard)");
        memtest.add_option("--ranks", memtest_.ranks, "Ranks of a channel");
        memtest
            .add_option("--address-mapping", memtest_.address_mapping,
                        "permuted, or the fields of an address from the most significant down, such as "
                        "ro-ch-ra-ba-bg-co: row, channel, rank, bank, bank group, column")
            ->type_name("permuted|ORDER");
        memtest.add_option("--page", memtest_.page, "When rows are closed (N in cycles)")
            ->type_name("open|closed|timeout:N");
        memtest.add_option("--refresh", memtest_.refresh, "What a refresh holds up")->type_name("all-bank|per-bank");
        memtest.add_option("--read-queue", memtest_.read_queue, "Reads that a channel's scheduler holds");
        memtest.add_option("--write-queue", memtest_.write_queue, "Writes that a channel's scheduler holds");
        memtest
            .add_option("--write-watermarks", memtest_.write_watermarks,
                        "So many queued writes end the reads, so few the writes")
            ->type_name("HIGH:LOW");
        memtest.add_flag("--power-down", memtest_.power_down, "Ranks without work go to power-down");
        memtest.add_flag("--json", memtest_.json, "Print JSON");
        memtest.callback([this] { action_ = [this] { memtest_command(memtest_); }; });
    }

    void add_sweep() {
        CLI::App& sweep = *app_.add_subcommand("sweep", "Run a study: many machines, to find the best");
        sweep.add_option("STUDY", sweep_.study, "Study file (docs/exploring.md)")->type_name("FILE")->required();
        sweep.add_option("--out", sweep_.out, "Folder for results, points.json and points.csv")
            ->type_name("DIR")
            ->required();
        sweep.add_option("--jobs", sweep_.jobs, "Runs at the same time (default: one a core)")
            ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1024}));
        sweep.add_option("--shard", sweep_.shard, "Only the I-th of N parts of the runs of this stage")
            ->type_name("I/N");
        sweep.add_option("--launcher", sweep_.launcher, "Where runs are started: local, or slurm, as a job array")
            ->check(CLI::IsMember({"local", "slurm"}))
            ->capture_default_str();
        sweep.add_option("--slurm-tasks", sweep_.slurm_tasks, "Tasks of the job array")
            ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000}))
            ->capture_default_str();
        sweep.add_option("--slurm-option", sweep_.slurm_options, "An option for sbatch, such as --partition=long")
            ->type_name("OPTION");
        sweep.add_option("--reuse", sweep_.reuse, "Folder of another study, whose results count")->type_name("DIR");
        sweep.add_flag("--status", sweep_.status, "Say what is done and what is left, and run nothing");
        sweep.add_flag("--collect", sweep_.collect, "Write the tables of what is done, and run nothing");
        sweep.add_flag("--retry-failed", sweep_.retry_failed, "Run again what has failed");
        sweep.add_flag("!--no-sharing", sweep_.sharing,
                       "Evaluate every operation by itself, to see what sharing saves");
        sweep.add_flag("--json", sweep_.json, "Print JSON");
        sweep.add_flag("--quiet", sweep_.quiet, "Print neither progress nor summary");
        sweep.callback([this] { action_ = [this] { sweep_command(sweep_); }; });
    }

    void add_pareto() {
        CLI::App& pareto = *app_.add_subcommand("pareto", "Show the best points of a study");
        pareto.add_option("DIR", pareto_.points, "Directory of a study, or its points.json")
            ->type_name("DIR|FILE")
            ->required();
        pareto
            .add_option("--x", pareto_.x,
                        "Metric, with :min or :max if the study does not say which is better (default: the study's "
                        "first objective)")
            ->type_name("METRIC");
        pareto.add_option("--y", pareto_.y, "Metric against it (default: the study's second objective)")
            ->type_name("METRIC");
        pareto.add_option("--group", group_, "A front for each workload, or one over all points (none)")
            ->check(CLI::IsMember({"workload", "none"}))
            ->capture_default_str();
        pareto.add_flag("--sensitivity", pareto_.sensitivity, "Show besides how much each axis moves both metrics");
        pareto.add_option("--csv", pareto_.csv, "File for the points of the fronts")->type_name("FILE");
        pareto.add_option("--plot", pareto_.plot, "SVG file for a picture of all points and the fronts")
            ->type_name("FILE");
        pareto.add_flag("--json", pareto_.json, "Print JSON");
        pareto.callback([this] {
            action_ = [this] {
                ParetoRequest request = pareto_;
                request.by_workload = group_ == "workload";
                pareto_command(request);
            };
        });
    }

    void add_diff() {
        CLI::App& diff = *app_.add_subcommand("diff", "Show what moved from one result to another, and why");
        diff.add_option("A", diff_.a, "Directory made by run --out, or its result.json")
            ->type_name("DIR|FILE")
            ->required();
        diff.add_option("B", diff_.b, "The same of another run")->type_name("DIR|FILE")->required();
        diff.add_option("--top", diff_.top, "Operations to show")
            ->check(CLI::Range(std::size_t{0}, std::size_t{largest_batch}))
            ->capture_default_str();
        diff.add_flag("--json", diff_.json, "Print JSON, with all operations");
        diff.callback([this] { action_ = [this] { diff_command(diff_); }; });
    }

    void add_explain() {
        CLI::App& explain = *app_.add_subcommand("explain", "Say why a layer takes its time, and what would help most");
        explain.add_option("RESULT", explain_.result, "Directory made by run --out, or its result.json")
            ->type_name("DIR|FILE")
            ->required();
        explain.add_option("--layer", explain_.layer, "Layers to explain together, by a shell pattern")
            ->type_name("GLOB")
            ->capture_default_str();
        explain.add_flag("--json", explain_.json, "Print JSON");
        explain.add_flag("--quiet", explain_.quiet, "Show no progress");
        explain.callback([this] { action_ = [this] { explain_command(explain_); }; });
    }

    void add_report() {
        CLI::App& report = *app_.add_subcommand("report", "Write a page to look at: results of runs, or of a study");
        report
            .add_option("DIR", report_.results,
                        "Directories made by run --out, or their result.json, to see and to compare; or one directory "
                        "made by sweep --out, or its points.json")
            ->type_name("DIR|FILE")
            ->required();
        report.add_option("-o,--output", report_.output, "HTML file to write; it needs no other file and no network")
            ->type_name("FILE")
            ->required();
        report.add_flag("--json", report_.json, "Print JSON: what was written");
        report.callback([this] {
            action_ = [this] {
                ReportRequest request = report_;
                request.program = version;
                report_command(request);
            };
        });
    }

    void add_list() {
        CLI::App& list = *app_.add_subcommand("list", "List presets, recipes and workloads");
        list.add_flag("--json", json_, "Print JSON");
        list.callback([this] { action_ = [this] { list_command(json_); }; });
    }

    void add_schema() {
        CLI::App& schema = *app_.add_subcommand("schema", "Print what a kind of file may say");
        schema.add_option("KIND", kind_, "machine")->required()->check(CLI::IsMember({"machine"}));
        schema.add_flag("--json", json_, "Print JSON Schema, for editors, instead of Markdown");
        schema.callback([this] { action_ = [this] { schema_command(json_); }; });
    }

    void add_completion() {
        CLI::App& completion = *app_.add_subcommand("completion", "Print the script by which a shell completes words");
        completion.add_option("SHELL", subject_, "Whose script")
            ->check(CLI::IsMember(std::vector<std::string>(completion_shells.begin(), completion_shells.end())))
            ->required();
        completion.callback([this] { action_ = [this] { completion_command(subject_); }; });
        // What the script asks for. Of no use to users, and so not in the help.
        CLI::App& complete = *app_.add_subcommand("complete", "Say what may come next")->group("");
        complete.add_option("WORDS", words_, "What is written so far, after --");
        complete.callback([this] { action_ = [this] { next_words_command(app_, words_); }; });
    }

    void add_man() {
        CLI::App& man = *app_.add_subcommand("man", "Print the manual page, for man -l -");
        man.callback([this] { action_ = [this] { man_command(app_); }; });
    }

    /// CLI11 says of a misspelt subcommand only that one is required.
    void require_known_subcommand(int argc, const char* const* argv) {
        if (argc < 2 || std::string_view(argv[1]).starts_with('-')) {
            return;
        }
        std::vector<std::string> names;
        for (const CLI::App* command : app_.get_subcommands({})) {
            names.push_back(command->get_name());
        }
        if (std::ranges::find(names, argv[1]) == names.end()) {
            throw InputError(fmt::format("there is no command '{}'{}; nibblesim --help shows all", printable(argv[1]),
                                         suggestion(argv[1], names)));
        }
    }

    [[nodiscard]] std::string unexpected_argument() const {
        const std::vector<CLI::App*> chosen = app_.get_subcommands();
        const CLI::App& command = chosen.empty() ? app_ : *chosen.front();
        const std::vector<std::string> extras = app_.remaining(true);
        const std::string extra = extras.empty() ? std::string{} : extras.front();
        std::vector<std::string> flags;
        for (const CLI::Option* option : command.get_options()) {
            for (const std::string& name : option->get_lnames()) {
                flags.push_back("--" + name);
            }
        }
        const std::string flag = extra.substr(0, extra.find('='));
        return fmt::format("{}: unexpected argument '{}'{}", command.get_name(), printable(extra),
                           suggestion(flag, flags));
    }

    CLI::App app_;
    std::function<void()> action_;
    RunRequest run_;
    MemtestRequest memtest_;
    SweepRequest sweep_;
    ParetoRequest pareto_;
    std::string group_ = "workload";
    DiffRequest diff_;
    ExplainRequest explain_;
    ReportRequest report_;
    TimelineRequest timeline_;
    std::optional<std::uint64_t> batch_;
    std::string clock_ = "skipping";
    std::string objective_ = "energy-delay";
    bool no_mapping_cache_ = false;
    std::string log_ = "warn";
    std::string subject_;
    std::vector<std::string> words_;
    std::string kind_;
    TraceRequest trace_;
    std::string training_ = "derive";
    bool quiet_ = false;
    bool no_fusion_ = false;
    std::string output_;
    bool json_ = false;
};  // namespace nibble

void say_error(std::string_view text) {
    std::cerr << "nibblesim: error: " << text << '\n';
}

int act_and_flush(int argc, const char* const* argv) {
    CommandLine command_line;
    if (!command_line.parse(argc, argv)) {
        command_line.act();
    }
    if (!std::cout.flush()) {
        throw InputError("standard output cannot be written");
    }
    return 0;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
    try {
        return act_and_flush(argc, argv);
    } catch (const InputError& error) {
        for (const Problem& problem : error.problems()) {
            say_error(to_string(problem));
        }
        return input_error_exit_code;
    } catch (const Interrupted&) {
        say_error("interrupted");
        return interrupted_exit_code;
    } catch (const ModelError& error) {
        say_error(fmt::format("internal error, please report it: {}", error.what()));
    } catch (const std::exception& error) {
        say_error(fmt::format("unexpected: {}", error.what()));
    }
    return internal_error_exit_code;
}

}  // namespace nibble
