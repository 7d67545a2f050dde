// SPDX-License-Identifier: MIT
#include "sim/app/sweep_command.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/app/interrupt.h"
#include "sim/app/job_pool.h"
#include "sim/app/progress.h"
#include "sim/app/show_json.h"
#include "sim/app/slurm_launcher.h"
#include "sim/app/step_job.h"
#include "sim/app/sweep.h"
#include "sim/app/terminal.h"
#include "sim/base/error.h"
#include "sim/report/output_directory.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds between_looks{200};
constexpr std::size_t most_errors_shown = 5;

/// The part of all jobs that a key falls into; the same whoever asks.
bool belongs(const std::string& key, const Shard& shard) {
    std::uint64_t number = 0;
    std::from_chars(key.data(), key.data() + std::min<std::size_t>(key.size(), 16), number, 16);
    return number % shard.count == shard.index - 1;
}

std::string writer_name(const SweepRequest& request, const Shard& shard) {
    return request.shard.empty() ? "local" : fmt::format("shard-{}-of-{}", shard.index, shard.count);
}

std::string counted(std::size_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// Runs jobs, each in a process, and keeps their results.
class Runner {
public:
    Runner(const SweepRequest& request, const Study& study, Sweep& sweep, ResultStore& results)
        : request_(request), study_(study), sweep_(sweep), results_(results) {}

    void run(const std::vector<StepJob>& jobs) {
        const DeferInterrupts until_processes_are_gone;
        JobPool pool(processes(), {study_.seconds_of_point, study_.memory_mib_of_point});
        Progress progress(study_.name, "runs", jobs.size(), !request_.quiet && progress_possible());
        std::size_t next = 0;
        std::size_t done = 0;
        while (next < jobs.size() || !pool.idle()) {
            while (next < jobs.size() && !pool.full()) {
                if (results_.find(jobs[next].key) == nullptr) {
                    pool.start(next,
                               [&, next] { return encode(run_step_job(jobs[next], results_, request_.sharing)); });
                } else {
                    ++done;  // another sweep on this folder was quicker
                }
                ++next;
            }
            if (const std::optional<JobPool::Finished> finished = pool.wait(between_looks)) {
                ++done;
                keep(jobs[finished->job], *finished);
            }
            progress.update(done, 0, note());
        }
    }

    [[nodiscard]] std::size_t failed() const { return failed_; }

private:
    [[nodiscard]] std::size_t processes() const {
        return request_.jobs > 0 ? static_cast<std::size_t>(request_.jobs)
                                 : std::max<std::size_t>(1, std::thread::hardware_concurrency());
    }

    [[nodiscard]] std::string note() const {
        const std::string failures = failed_ > 0 ? fmt::format("{} failed", failed_) : std::string();
        return failures.empty() || best_.empty() ? failures + best_ : failures + ", " + best_;
    }

    void keep(const StepJob& job, const JobPool::Finished& finished) {
        OperationResults all;
        if (finished.error.empty()) {
            JobReport report = decode_job_report(finished.result);
            all = std::move(report.operations);
            all.emplace_back(job.key, std::move(report.result));
        } else {
            StepResult result;
            result.error = finished.error;
            result.impossible = finished.wrong_input;
            failed_ += finished.wrong_input ? 0 : 1;
            all.emplace_back(job.key, to_json(result));
        }
        results_.put(all);
        if (results_.find(job.key) != nullptr) {
            best_ = sweep_.news_of(job.key).value_or(best_);
        }
    }

    const SweepRequest& request_;
    const Study& study_;
    Sweep& sweep_;
    ResultStore& results_;
    std::size_t failed_ = 0;
    std::string best_;
};

void forget_failures(Sweep& sweep, ResultStore& results) {
    for (const std::string& key : sweep.jobs_so_far()) {
        const std::string* text = results.find(key);
        if (text != nullptr && !step_result_of(*text).error.empty()) {
            results.remove(key);
        }
    }
}

/// What another study has found becomes this one's, which can be read without the other from then on.
void keep_reused(Sweep& sweep, ResultStore& results) {
    static_cast<void>(sweep.pending());
    OperationResults found;
    for (const std::string& key : sweep.jobs_so_far()) {
        if (const std::string* value = results.find(key)) {
            found.emplace_back(key, *value);
        }
    }
    results.put(found);
}

struct Counts {
    std::map<PointStatus, std::size_t> by_status;
    std::map<std::string, std::size_t> reasons;  // of failed and invalid points
};

Counts count(const PointTable& table) {
    Counts counts;
    for (const PointRow& row : table.rows) {
        ++counts.by_status[row.status];
        if (row.status == PointStatus::failed || row.status == PointStatus::invalid) {
            ++counts.reasons[row.reason];
        }
    }
    return counts;
}

std::string counts_text(const PointTable& table) {
    const Counts counts = count(table);
    std::string text = counted(table.rows.size(), "point");
    for (const auto& [status, number] : counts.by_status) {
        text += fmt::format(", {} {}", number, point_status_names[static_cast<std::size_t>(status)]);
    }
    text += '\n';
    std::size_t shown = 0;
    for (const auto& [reason, number] : counts.reasons) {
        if (shown++ == most_errors_shown) {
            text += fmt::format("  ... and {} more reasons\n", counts.reasons.size() - most_errors_shown);
            break;
        }
        text += fmt::format("  {} x {}\n", number, for_terminal(reason, 200));
    }
    return text;
}

std::string confirmation_text(const Confirmation& confirmation) {
    return fmt::format(
        "{} confirmed; predictions were off by {:.1f}% in cycles in the mean ({:+.1f}% at worst), by {:.1f}% "
        "in energy ({:+.1f}%)\n",
        counted(confirmation.points, "design"), 100 * confirmation.mean_cycles, 100 * confirmation.worst_cycles,
        100 * confirmation.mean_energy, 100 * confirmation.worst_energy);
}

void write_tables(const SweepRequest& request, const PointTable& table) {
    OutputDirectory out(request.out);
    write_points_json(out.create("points.json"), table);
    write_points_csv(out.create("points.csv"), table);
    out.commit();
}

void say(const SweepRequest& request, Sweep& sweep, const PointTable& table, std::size_t left) {
    const std::optional<Confirmation> confirmation = sweep.confirmation();
    if (request.json) {
        nlohmann::ordered_json json{{"study", table.study}, {"complete", left == 0}, {"jobs_left", left}};
        for (const auto& [status, number] : count(table).by_status) {
            json["points"][std::string(point_status_names[static_cast<std::size_t>(status)])] = number;
        }
        if (confirmation && confirmation->points > 0) {
            json["confirmation"] = {{"designs", confirmation->points},
                                    {"mean_cycles_deviation", confirmation->mean_cycles},
                                    {"worst_cycles_deviation", confirmation->worst_cycles},
                                    {"mean_energy_deviation", confirmation->mean_energy},
                                    {"worst_energy_deviation", confirmation->worst_energy}};
        }
        show_json("nibblesim-sweep-1", json);
    } else if (!request.quiet) {
        std::string text = for_terminal(table.study, 60) + ": " + counts_text(table);
        if (confirmation && confirmation->points > 0) {
            text += confirmation_text(*confirmation);
        }
        if (left > 0) {
            text += counted(left, "run") + " left in this stage\n";
        }
        std::cout << fitted(text, terminal_style());
    }
}

SlurmArray array_of(const SweepRequest& request, const Study& study) {
    SlurmArray array;
    array.folder = fs::absolute(request.out) / "slurm";
    array.name = study.name;
    array.tasks = request.slurm_tasks;
    array.options = request.slurm_options;
    array.command = {fs::read_symlink("/proc/self/exe").string(), "sweep",
                     fs::absolute(request.study).string(),        "--out",
                     fs::absolute(request.out).string(),          "--quiet"};
    for (const std::string& folder : request.reuse) {
        array.command.insert(array.command.end(), {"--reuse", fs::absolute(folder).string()});
    }
    return array;
}

/// Runs everything that is left, stage by stage.
void run_locally(const SweepRequest& request, const Study& study, Sweep& sweep, ResultStore& results) {
    const Shard shard = request.shard.empty() ? Shard{} : parse_shard(request.shard);
    Runner runner(request, study, sweep, results);
    for (std::vector<StepJob> jobs = sweep.pending(); !jobs.empty(); jobs = sweep.pending()) {
        std::erase_if(jobs, [&](const StepJob& job) { return !belongs(job.key, shard); });
        runner.run(jobs);
        results.refresh();
        if (shard.count > 1) {
            break;  // the next stage begins when all shards are through with this one
        }
    }
}

void run_on_slurm(const SweepRequest& request, const Study& study, Sweep& sweep, ResultStore& results) {
    const DeferInterrupts until_the_array_is_cancelled;
    std::size_t left = sweep.pending().size();
    while (left > 0) {
        run_slurm_array(array_of(request, study));
        results.refresh();
        const std::vector<StepJob> jobs = sweep.pending();
        if (jobs.size() == left) {
            throw InputError(
                fmt::format("{}: {} left as before: the array's tasks have made nothing; their output is in {}",
                            printable(study.name), counted(left, "run"), (fs::path(request.out) / "slurm").string()));
        }
        left = jobs.size();
    }
}

}  // namespace

Shard parse_shard(const std::string& text) {
    Shard shard;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, shard.index);
    const bool slash = first.ec == std::errc{} && first.ptr != end && *first.ptr == '/';
    const auto second = slash ? std::from_chars(first.ptr + 1, end, shard.count) : first;
    if (!slash || second.ec != std::errc{} || second.ptr != end || shard.index < 1 || shard.index > shard.count) {
        throw InputError(fmt::format("--shard: expected I/N with I from 1 to N, found '{}'", printable(text)));
    }
    return shard;
}

void sweep_command(const SweepRequest& request) {
    const Shard shard = request.shard.empty() ? Shard{} : parse_shard(request.shard);
    const Study study = load_study(request.study);
    const fs::path folder = fs::path(request.out) / "results";
    const bool only_looks = request.status || request.collect;
    ResultStore results(folder);
    for (const std::string& other : request.reuse) {
        results.also_read(fs::path(other) / "results");
    }
    Sweep sweep(study, results);
    if (!only_looks) {
        results.begin_writing(writer_name(request, shard));  // what is wrong with a study is said before this
        if (!request.reuse.empty()) {
            keep_reused(sweep, results);
        }
        if (request.retry_failed) {
            static_cast<void>(sweep.pending());
            forget_failures(sweep, results);
        }
        request.launcher == "slurm" ? run_on_slurm(request, study, sweep, results)
                                    : run_locally(request, study, sweep, results);
    }
    const std::size_t left = sweep.pending().size();
    const PointTable table = sweep.table();
    if (request.collect || (!only_looks && shard.count == 1)) {
        write_tables(request, table);
    }
    say(request, sweep, table, left);
}

}  // namespace nibble
