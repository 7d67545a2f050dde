// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/app/step_job.h"
#include "sim/app/trace_source.h"
#include "sim/energy/dram_energy_table.h"
#include "sim/energy/technology.h"
#include "sim/explore/design_space.h"
#include "sim/explore/result_store.h"
#include "sim/explore/study.h"

namespace nibble {

/// How far predictions were from what confirmed them, over the confirmed points.
struct Confirmation {
    std::size_t points = 0;
    double mean_cycles = 0,
           worst_cycles = 0;  ///< relative deviation: mean of magnitudes, and the largest with its sign
    double mean_energy = 0, worst_energy = 0;
};

/// A study on its way: which jobs are left, given the results that there are, and the table that they make. Holds no
/// progress of its own: what it answers depends on the study and the store alone, so that a sweep can end anywhere and
/// go on anywhere else.
class Sweep {
public:
    /// Builds all designs that the study names. Throws InputError if one of its values makes every machine impossible,
    /// or no design keeps its constraints.
    Sweep(const Study& study, const ResultStore& results);
    ~Sweep();

    /// Jobs of the present stage that have no result yet, each once; none: the study is complete. A study has one
    /// stage, two if predictions are confirmed, and one for each generation if it is guided.
    [[nodiscard]] std::vector<StepJob> pending();
    /// Keys of the jobs of all stages so far, those with a result included.
    [[nodiscard]] std::vector<std::string> jobs_so_far() const;

    /// All points whose jobs have results. For a complete study the same whatever the way to it.
    [[nodiscard]] PointTable table();
    /// Of the designs that the last pending() or table() has seen confirmed; nothing if the study confirms none.
    [[nodiscard]] std::optional<Confirmation> confirmation();

    /// The best design so far by the first objective, if a design has just become complete by this job's result.
    [[nodiscard]] std::optional<std::string> news_of(const std::string& job);

private:
    struct Entry;
    struct Trace;
    struct Evaluated;

    void build(const std::vector<Genome>& genomes);
    void refuse_impossible_values() const;
    void refuse_impossible_constraints() const;
    [[nodiscard]] Entry& entry(const Genome& genome);
    [[nodiscard]] Subject subject(const MachineParameters& machine, const std::string& recipe);
    [[nodiscard]] const Technology& technology(const std::string& name);
    [[nodiscard]] const Trace& trace(std::size_t workload, std::optional<std::uint64_t> batch);
    /// Adds the jobs of a design that have no result; false if there are any.
    bool collect(Entry& entry, Fidelity fidelity, std::vector<StepJob>& pending);
    [[nodiscard]] bool is_complete(Entry& entry, Fidelity fidelity);
    [[nodiscard]] Fidelity first_fidelity() const { return study_.confirm ? Fidelity::predicted : study_.fidelity; }
    [[nodiscard]] Evaluated evaluate(Entry& entry, Fidelity fidelity);
    [[nodiscard]] std::string broken_constraint(const std::vector<std::optional<double>>& metrics) const;
    [[nodiscard]] std::vector<Genome> best(std::size_t count);
    [[nodiscard]] std::vector<Genome> guided(std::vector<StepJob>& pending);
    void add_rows(Entry& entry, Fidelity fidelity, PointTable& table);

    const Study& study_;
    const ResultStore& results_;
    DramEnergyTable dram_;
    std::map<std::string, Technology> technologies_;
    std::map<std::pair<std::size_t, std::uint64_t>, std::unique_ptr<Trace>> traces_;
    DesignSpace space_;
    std::vector<Genome> genomes_;                       // that the method names; of a guided study none
    std::vector<Genome> confirmed_;                     // the best by prediction; none before all predictions are there
    std::map<Genome, std::unique_ptr<Entry>> entries_;  // in the order of their numbers
    std::unordered_map<std::string, std::set<std::pair<Entry*, Fidelity>>> jobs_seen_;  // and whose they are
    std::optional<double> best_;
};

}  // namespace nibble
