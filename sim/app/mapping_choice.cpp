// SPDX-License-Identifier: MIT
#include "sim/app/mapping_choice.h"

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "sim/app/interrupt.h"
#include "sim/app/mapping_cache.h"
#include "sim/app/progress.h"
#include "sim/base/error.h"

namespace nibble {

MappingChoice::MappingChoice(const MappingOptions& options) : options_(options) {
    if (options.choice != "search" && options.choice != "greedy") {
        file_ = MappingFile::load(options.choice);
    }
}

std::vector<PlannedGemm> MappingChoice::plan(const std::string& trace_path, const TensorPlan& tensors,
                                             const Subject& subject, const LoweringOptions& lowering) const {
    const MachineParameters& machine = subject.machine;
    std::vector<Lowering::ListedGemm> gemms = Lowering::list_gemms(trace_path, tensors, machine, lowering);
    const std::unordered_map<std::string, const MappingFile::Entry*> from_file = entries_for(gemms, machine);
    std::optional<MappingCache> cache;
    if (options_.cache && options_.choice != "greedy") {
        cache.emplace(machine, options_.objective);
    }
    Progress progress("mapping " + machine.name, "GEMMs", gemms.size(), !options_.quiet && progress_possible());
    MappingRequest request;
    request.objective = options_.objective;
    request.search = options_.choice != "greedy";
    request.price = [&subject](const CounterValues& counters) {
        return subject.energy.price(counters).total().count();
    };
    request.threads = options_.threads;
    request.progress = [&progress](std::size_t done, std::size_t) {
        throw_if_interrupted();
        progress.update(done);
    };
    request.known = [&](const GemmTask& task, MappingOrigin& origin) -> const MappedTask* {
        const std::string key = task.key();
        if (const auto found = from_file.find(key); found != from_file.end()) {
            origin = MappingOrigin::file;
            return &found->second->mapped;
        }
        origin = MappingOrigin::cached;
        return cache ? cache->find(key) : nullptr;
    };
    std::vector<PlannedGemm> planned = plan_mappings(std::move(gemms), machine, request);
    if (cache) {
        const DeferInterrupts until_it_is_written;
        cache->add(planned);
        throw_if_interrupted();
    }
    return planned;
}

std::unordered_map<std::string, const MappingFile::Entry*> MappingChoice::entries_for(
    const std::vector<Lowering::ListedGemm>& gemms, const MachineParameters& machine) const {
    std::unordered_map<std::string, const MappingFile::Entry*> entries;
    const MappingFile::Section* const section = file_ ? file_->section(machine.name) : nullptr;
    if (section == nullptr) {
        return entries;
    }
    std::vector<Problem> problems;
    for (const MappingFile::Entry& entry : section->entries) {
        if (!entries.emplace(entry.gemm, &entry).second) {
            problems.push_back({entry.where, "a second mapping for the same GEMM; remove one of them"});
        }
    }
    std::unordered_map<std::string, const MappingFile::Entry*> used;
    for (const Lowering::ListedGemm& gemm : gemms) {
        if (const auto found = entries.find(gemm.task.key()); found != entries.end()) {
            used.insert(*found);
            for (Problem& problem : problems_of(*found->second, gemm.task, machine)) {
                problems.push_back(std::move(problem));
            }
        }
    }
    if (!problems.empty()) {
        throw InputError(std::move(problems));
    }
    const auto unused = std::ranges::find_if_not(
        section->entries, [&](const MappingFile::Entry& entry) { return used.contains(entry.gemm); });
    if (unused != section->entries.end() && !options_.quiet) {
        const std::string what =
            fmt::format("{} of {} mappings for '{}' are for no GEMM of this run; this is the first",
                        section->entries.size() - used.size(), section->entries.size(), printable(machine.name));
        std::cerr << "nibblesim: warning: " << to_string(Problem{unused->where, what}) << '\n';
    }
    return used;
}

}  // namespace nibble
