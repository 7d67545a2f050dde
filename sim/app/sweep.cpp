// SPDX-License-Identifier: MIT
#include "sim/app/sweep.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "sim/app/subject.h"
#include "sim/base/content_hash.h"
#include "sim/base/error.h"
#include "sim/explore/nsga2.h"
#include "sim/explore/pareto_front.h"
#include "sim/explore/sampling.h"

namespace nibble {

namespace {

using Metrics = std::vector<std::optional<double>>;

std::size_t place_of(const std::string& metric) {
    const std::vector<std::string>& names = point_metric_names();
    return static_cast<std::size_t>(std::ranges::find(names, metric) - names.begin());
}

std::string workload_name(const StudyWorkload& workload) {
    return workload.batch ? fmt::format("{} b{}", workload.trace, *workload.batch) : workload.trace;
}

/// By how much a value leaves a constraint's limits, in parts of the limit; 0 if it does not.
double violation_of(const Constraint& constraint, double value) {
    const auto excess = [](double by, double limit) { return by / std::max(std::abs(limit), 1e-300); };
    if (constraint.max && value > *constraint.max) {
        return excess(value - *constraint.max, *constraint.max);
    }
    if (constraint.min && value < *constraint.min) {
        return excess(*constraint.min - value, *constraint.min);
    }
    return 0;
}

/// The objectives' values, less being better; empty if one is not known, or nothing is.
std::vector<double> scores_of(const Metrics& metrics, const std::vector<Objective>& objectives) {
    std::vector<std::size_t> places;
    for (const Objective& objective : objectives) {
        places.push_back(place_of(objective.metric));
    }
    return metrics.empty() ? std::vector<double>{} : costs_of(metrics, objectives, places);
}

}  // namespace

struct Sweep::Trace {
    explicit Trace(const TraceRequest& request) : source(request), hash(hash_of_file(source.path())) {}

    TraceSource source;
    std::string hash;  // of its content
};

struct Sweep::Entry {
    Design design;
    std::optional<Subject> machine;   // nothing if the design is invalid
    std::optional<Subject> baseline;  // nothing if the study compares with none
    std::string outside;              // the constraint that it breaks before it runs
    Metrics before_it_runs;           // in the order of point_metric_names()
};

/// What is known of a design at a fidelity; all of its jobs have results.
struct Sweep::Evaluated {
    std::vector<std::unique_ptr<StepOutcome>> outcomes;
    std::vector<WeightedOutcome> workloads;  // in the study's order
    PointStatus status = PointStatus::ok;
    std::string reason;
    std::vector<std::string> keys;  // of each workload's point
    Metrics metrics;                // over all workloads; empty if one has no outcome
};

Sweep::Sweep(const Study& study, const ResultStore& results)
    : study_(study),
      results_(results),
      dram_(load_dram_energy()),
      space_(study,
             [this](const MachineParameters& machine, const std::string& recipe) { return subject(machine, recipe); }) {
    const std::vector<std::size_t>& sizes = space_.sizes();
    const auto count = static_cast<std::size_t>(study.designs);
    switch (study.method) {
        case Method::grid:
            genomes_ = random_designs(sizes, static_cast<std::size_t>(most_designs), study.seed);  // that is all
            break;
        case Method::random:
            genomes_ = random_designs(sizes, count, study.seed);
            break;
        case Method::latin_hypercube:
            genomes_ = latin_hypercube(sizes, count, study.seed);
            break;
        case Method::guided:
            // The first generation shows whether anything can be built.
            build(Nsga2(sizes, {.budget = count, .seed = study.seed}).ask());
            break;
    }
    build(genomes_);
    refuse_impossible_values();
    refuse_impossible_constraints();
    for (std::size_t workload = 0; workload < study.workloads.size(); ++workload) {
        std::set<std::optional<std::uint64_t>> batches;
        for (const auto& [genome, entry] : entries_) {
            if (batches.insert(entry->design.batch).second) {
                static_cast<void>(trace(workload, entry->design.batch));  // a wrong one is found now
            }
        }
    }
}

Sweep::~Sweep() = default;

void Sweep::build(const std::vector<Genome>& genomes) {
    for (const Genome& genome : genomes) {
        static_cast<void>(entry(genome));
    }
}

Sweep::Entry& Sweep::entry(const Genome& genome) {
    std::unique_ptr<Entry>& place = entries_[genome];
    if (place) {
        return *place;
    }
    place = std::make_unique<Entry>();
    Entry& made = *place;
    made.design = space_.design(genome);
    if (!made.design.invalid.empty()) {
        return made;
    }
    try {
        const MachineParameters& machine = made.design.machine;
        made.machine = subject(machine, made.design.recipe);
        made.baseline = make_baseline_subject(made.design.baseline, machine, technology(machine.technology), dram_);
    } catch (const InputError& error) {
        made.design.invalid = to_string(error.problems().front());
        made.machine.reset();
        return made;
    }
    made.before_it_runs.resize(point_metric_names().size());
    const std::vector<double> known = design_metrics(*made.machine);
    for (std::size_t i = 0; i < known.size(); ++i) {
        made.before_it_runs[place_of(design_metric_names()[i])] = known[i];
    }
    made.outside = broken_constraint(made.before_it_runs);
    return made;
}

Subject Sweep::subject(const MachineParameters& machine, const std::string& recipe) {
    return make_subject(machine, technology(machine.technology), dram_, recipe);
}

const Technology& Sweep::technology(const std::string& name) {
    const auto found = technologies_.find(name);
    return found != technologies_.end() ? found->second
                                        : technologies_.emplace(name, load_technology(name)).first->second;
}

const Sweep::Trace& Sweep::trace(std::size_t workload, std::optional<std::uint64_t> batch) {
    const StudyWorkload& of = study_.workloads[workload];
    const std::optional<std::uint64_t> chosen = batch ? batch : of.batch;
    std::unique_ptr<Trace>& place = traces_[{workload, chosen.value_or(0)}];
    if (!place) {
        TraceRequest request;
        request.name = of.trace;
        request.options.batch = chosen;
        place = std::make_unique<Trace>(request);
    }
    return *place;
}

void Sweep::refuse_impossible_values() const {
    std::map<std::pair<std::size_t, std::size_t>, const Entry*> impossible;  // place and index, with a design of it
    std::set<std::pair<std::size_t, std::size_t>> possible;
    const Entry* any = nullptr;
    for (const auto& [genome, entry] : entries_) {
        any = entry.get();
        for (std::size_t place = 0; place < genome.size(); ++place) {
            const std::pair<std::size_t, std::size_t> value{place, genome[place]};
            entry->machine ? static_cast<void>(possible.insert(value))
                           : static_cast<void>(impossible.emplace(value, entry.get()));
        }
    }
    if (any != nullptr && !any->machine && space_.sizes().empty()) {
        throw InputError(fmt::format("study {}: {}", printable(study_.name), any->design.invalid));
    }
    // Samples show a value too seldom to tell.
    if (study_.method != Method::grid && !possible.empty()) {
        return;
    }
    std::vector<Problem> problems;
    for (const auto& [value, entry] : impossible) {
        if (!possible.contains(value) && space_.axis(value.first)) {
            const Axis::Value& of = space_.value(value.first, value.second);
            problems.push_back({of.where, fmt::format("{} makes no machine, whatever the other axes say: {}",
                                                      printable(of.text()), entry->design.invalid)});
        }
    }
    if (!problems.empty()) {
        throw InputError(std::move(problems));
    }
    if (possible.empty() && !impossible.empty()) {
        throw InputError(fmt::format("study {}: no design can be built: {}", printable(study_.name),
                                     impossible.begin()->second->design.invalid));
    }
}

void Sweep::refuse_impossible_constraints() const {
    std::string reason;
    for (const auto& [genome, entry] : entries_) {
        if (!entry->machine) {
            continue;
        }
        if (entry->outside.empty()) {
            return;
        }
        reason = entry->outside;
    }
    if (study_.method != Method::guided && !reason.empty()) {
        throw InputError(study_.constraints.front().where,
                         fmt::format("no design keeps the constraints; the last one: {}", reason));
    }
}

std::string Sweep::broken_constraint(const Metrics& metrics) const {
    for (const Constraint& constraint : study_.constraints) {
        const std::optional<double>& value = metrics[place_of(constraint.metric)];
        if (value && violation_of(constraint, *value) > 0) {
            const bool above = constraint.max && *value > *constraint.max;
            return fmt::format("{} is {:.6g}: expected at {} {:.6g}", constraint.metric, *value,
                               above ? "most" : "least", above ? *constraint.max : *constraint.min);
        }
    }
    return {};
}

bool Sweep::collect(Entry& entry, Fidelity fidelity, std::vector<StepJob>& pending) {
    if (!entry.machine || !entry.outside.empty()) {
        return true;
    }
    bool complete = true;
    const auto need = [&](const Subject& subject, const Trace& of) {
        StepJob job{job_key(subject, of.hash, entry.design.mapping, fidelity), &subject, &of.source,
                    entry.design.mapping, fidelity};
        jobs_seen_[job.key].emplace(&entry, fidelity);
        if (results_.find(job.key) == nullptr) {
            complete = false;
            pending.push_back(std::move(job));
        }
    };
    for (std::size_t workload = 0; workload < study_.workloads.size(); ++workload) {
        const Trace& of = trace(workload, entry.design.batch);
        need(*entry.machine, of);
        if (entry.baseline) {
            need(*entry.baseline, of);
        }
    }
    return complete;
}

bool Sweep::is_complete(Entry& entry, Fidelity fidelity) {
    std::vector<StepJob> missing;
    return collect(entry, fidelity, missing);
}

Sweep::Evaluated Sweep::evaluate(Entry& entry, Fidelity fidelity) {
    Evaluated evaluated;
    if (!entry.machine) {
        evaluated.status = PointStatus::invalid;
        evaluated.reason = entry.design.invalid;
        return evaluated;
    }
    if (!entry.outside.empty()) {
        evaluated.status = PointStatus::outside;
        evaluated.reason = entry.outside;
        return evaluated;
    }
    const auto outcome = [&](const Subject& subject, const Trace& of, std::string& key) -> const StepOutcome* {
        const std::string job = job_key(subject, of.hash, entry.design.mapping, fidelity);
        key += job;
        const std::string* text = results_.find(job);
        if (text == nullptr) {
            throw ModelError("a design is evaluated before it has run");
        }
        StepResult result = step_result_of(*text);
        if (!result.error.empty()) {
            evaluated.status = result.impossible ? PointStatus::invalid : PointStatus::failed;
            evaluated.reason = result.error;
            return nullptr;
        }
        return evaluated.outcomes.emplace_back(std::make_unique<StepOutcome>(std::move(result.outcome))).get();
    };
    bool whole = true;
    for (std::size_t workload = 0; workload < study_.workloads.size(); ++workload) {
        const Trace& of = trace(workload, entry.design.batch);
        WeightedOutcome weighted{.weight = study_.workloads[workload].weight,
                                 .machine = &*entry.machine,
                                 .outcome = nullptr,
                                 .baseline = entry.baseline ? &*entry.baseline : nullptr,
                                 .baseline_outcome = nullptr};
        std::string key;
        weighted.outcome = outcome(*entry.machine, of, key);
        if (entry.baseline) {
            weighted.baseline_outcome = outcome(*entry.baseline, of, key);
        }
        whole = whole && weighted.outcome != nullptr && (!entry.baseline || weighted.baseline_outcome != nullptr);
        evaluated.keys.push_back(ContentHash().field(key).text());
        evaluated.workloads.push_back(weighted);
    }
    if (whole) {
        evaluated.metrics = point_metrics(evaluated.workloads);
        evaluated.reason = broken_constraint(evaluated.metrics);
        evaluated.status = evaluated.reason.empty() ? PointStatus::ok : PointStatus::outside;
    }
    return evaluated;
}

std::vector<StepJob> Sweep::pending() {
    std::vector<StepJob> jobs;
    if (study_.method == Method::guided) {
        genomes_ = guided(jobs);
    } else {
        for (const Genome& genome : genomes_) {
            static_cast<void>(collect(entry(genome), first_fidelity(), jobs));
        }
    }
    confirmed_.clear();
    if (jobs.empty() && study_.confirm) {
        confirmed_ = best(static_cast<std::size_t>(*study_.confirm));
        for (const Genome& genome : confirmed_) {
            static_cast<void>(collect(entry(genome), study_.fidelity, jobs));
        }
    }
    std::set<std::string> once;
    std::erase_if(jobs, [&](const StepJob& job) { return !once.insert(job.key).second; });
    return jobs;
}

std::vector<Genome> Sweep::guided(std::vector<StepJob>& pending) {
    const Fidelity fidelity = first_fidelity();
    Nsga2 search(space_.sizes(), {.budget = static_cast<std::size_t>(study_.designs), .seed = study_.seed});
    std::vector<Genome> evaluated;
    for (std::vector<Genome> generation = search.ask(); !generation.empty(); generation = search.ask()) {
        bool complete = true;
        for (const Genome& genome : generation) {
            complete = collect(entry(genome), fidelity, pending) && complete;
        }
        if (!complete) {
            break;
        }
        for (const Genome& genome : generation) {
            const Evaluated of = evaluate(entry(genome), fidelity);
            Evaluation told;
            const Metrics& metrics = of.metrics.empty() ? entry(genome).before_it_runs : of.metrics;
            told.objectives = scores_of(of.metrics, study_.objectives);
            if (of.status == PointStatus::outside) {
                for (const Constraint& constraint : study_.constraints) {
                    const std::optional<double>& value = metrics[place_of(constraint.metric)];
                    told.violation += value ? violation_of(constraint, *value) : 0;
                }
            } else if (of.status != PointStatus::ok || told.objectives.empty()) {
                told.violation = std::numeric_limits<double>::infinity();
            }
            search.tell(genome, std::move(told));
            evaluated.push_back(genome);
        }
    }
    return evaluated;
}

std::vector<Genome> Sweep::best(std::size_t count) {
    std::vector<Genome> genomes;
    std::vector<std::vector<double>> scores;
    for (const Genome& genome : genomes_) {
        const Evaluated of = evaluate(entry(genome), Fidelity::predicted);
        std::vector<double> score = scores_of(of.metrics, study_.objectives);
        if (of.status == PointStatus::ok && !score.empty()) {
            genomes.push_back(genome);
            scores.push_back(std::move(score));
        }
    }
    std::vector<Genome> chosen;
    while (chosen.size() < count && !genomes.empty()) {
        const std::vector<std::size_t> front = non_dominated(scores);
        for (const std::size_t place : front) {
            if (chosen.size() < count) {
                chosen.push_back(genomes[place]);
            }
        }
        for (auto place = front.rbegin(); place != front.rend(); ++place) {
            genomes.erase(genomes.begin() + static_cast<std::ptrdiff_t>(*place));
            scores.erase(scores.begin() + static_cast<std::ptrdiff_t>(*place));
        }
    }
    return chosen;
}

PointTable Sweep::table() {
    PointTable table;
    table.study = study_.name;
    table.axes = space_.axis_names();
    table.metrics = point_metric_names();
    table.objectives = study_.objectives;
    static_cast<void>(pending());
    const std::set<Genome> confirmed(confirmed_.begin(), confirmed_.end());
    for (const Genome& genome : std::set<Genome>(genomes_.begin(), genomes_.end())) {
        Entry& of = entry(genome);
        if (confirmed.contains(genome) && is_complete(of, study_.fidelity)) {
            add_rows(of, study_.fidelity, table);
        } else if (is_complete(of, first_fidelity())) {
            add_rows(of, first_fidelity(), table);
        }
    }
    return table;
}

void Sweep::add_rows(Entry& entry, Fidelity fidelity, PointTable& table) {
    const Evaluated of = evaluate(entry, fidelity);
    PointRow row;
    row.design = entry.design.number;
    row.machine = entry.design.base;
    row.values = entry.design.values;
    row.status = of.status;
    row.reason = of.reason;
    row.metrics = entry.before_it_runs;
    row.metrics.resize(table.metrics.size());
    if (of.workloads.empty()) {
        row.workload = "all";
        table.rows.push_back(std::move(row));
        return;
    }
    row.fidelity = fidelity;
    for (std::size_t workload = 0; workload < of.workloads.size(); ++workload) {
        const WeightedOutcome& one = of.workloads[workload];
        PointRow mine = row;
        mine.workload = workload_name(study_.workloads[workload]);
        mine.key = of.keys[workload];
        if (one.outcome != nullptr && (one.baseline == nullptr || one.baseline_outcome != nullptr)) {
            WeightedOutcome alone = one;
            alone.weight = 1;
            mine.metrics = point_metrics({alone});
        }
        table.rows.push_back(std::move(mine));
    }
    if (of.workloads.size() > 1 && !of.metrics.empty()) {
        row.workload = "all";
        std::string keys;
        for (const std::string& key : of.keys) {
            keys += key;
        }
        row.key = ContentHash().field(keys).text();
        row.metrics = of.metrics;
        table.rows.push_back(std::move(row));
    }
}

std::optional<Confirmation> Sweep::confirmation() {
    if (!study_.confirm) {
        return std::nullopt;
    }
    Confirmation found;
    const auto add = [&](double predicted, double confirmed, double& mean, double& worst) {
        const double deviation = predicted / confirmed - 1;
        mean += std::abs(deviation);
        worst = std::abs(deviation) > std::abs(worst) ? deviation : worst;
    };
    for (const Genome& genome : confirmed_) {
        if (!is_complete(entry(genome), study_.fidelity)) {
            continue;
        }
        const Metrics predicted = evaluate(entry(genome), Fidelity::predicted).metrics;
        const Metrics confirmed = evaluate(entry(genome), study_.fidelity).metrics;
        if (!predicted.empty() && !confirmed.empty()) {
            ++found.points;
            const std::size_t cycles = place_of("cycles");
            const std::size_t energy = place_of("energy_pj");
            add(*predicted[cycles], *confirmed[cycles], found.mean_cycles, found.worst_cycles);
            add(*predicted[energy], *confirmed[energy], found.mean_energy, found.worst_energy);
        }
    }
    if (found.points > 0) {
        found.mean_cycles /= static_cast<double>(found.points);
        found.mean_energy /= static_cast<double>(found.points);
    }
    return found;
}

std::vector<std::string> Sweep::jobs_so_far() const {
    std::vector<std::string> keys;
    for (const auto& [key, owners] : jobs_seen_) {
        keys.push_back(key);
    }
    return keys;
}

std::optional<std::string> Sweep::news_of(const std::string& job) {
    std::optional<std::string> news;
    const auto owners = jobs_seen_.find(job);
    if (owners == jobs_seen_.end()) {
        return news;
    }
    for (const auto& [entry, fidelity] : owners->second) {
        if (!is_complete(*entry, fidelity)) {
            continue;
        }
        const Evaluated evaluated = evaluate(*entry, fidelity);
        if (evaluated.status != PointStatus::ok) {
            continue;
        }
        const Objective& objective = study_.objectives.front();
        const std::optional<double> value = evaluated.metrics[place_of(objective.metric)];
        if (value && (!best_ || (objective.maximize ? *value > *best_ : *value < *best_))) {
            best_ = value;
            news = fmt::format("best {} {:.4g} (design {})", objective.metric, *value, entry->design.number);
        }
    }
    return news;
}

}  // namespace nibble
