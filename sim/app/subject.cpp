// SPDX-License-Identifier: MIT
#include "sim/app/subject.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/config/data_directory.h"
#include "sim/config/machine_config.h"
#include "sim/energy/baseline.h"

namespace nibble {

namespace {

constexpr const char* baseline_recipe = "fp16";

bool looks_like_path(const std::string& text) {
    const std::filesystem::path path(text);
    return text.find('/') != std::string::npos || path.extension() == ".yaml" || path.extension() == ".yml";
}

void require_baseline_choice(const std::string& choice) {
    const std::vector<std::string> presets = data_names(DataKind::preset);
    if (looks_like_path(choice) || std::ranges::count(presets, choice) > 0) {
        return;
    }
    std::vector<std::string> candidates(baseline_rule_names.begin(), baseline_rule_names.end());
    candidates.emplace_back("none");
    candidates.insert(candidates.end(), presets.begin(), presets.end());
    throw InputError(
        fmt::format("--baseline: expected iso-mac-area, iso-core-area, iso-macs, none, or a machine, found "
                    "'{}'{}",
                    printable(choice), suggestion(choice, candidates)));
}

}  // namespace

const Recipe& recipe_named(const std::string& name) {
    const Recipe* recipe = find_recipe(name);
    if (recipe == nullptr) {
        throw InputError(
            fmt::format("--recipe: there is no recipe '{}'{}", printable(name), suggestion(name, recipe_names())));
    }
    return *recipe;
}

Subject make_subject(const MachineParameters& machine, const Technology& technology, const DramEnergyTable& dram,
                     const std::string& recipe) {
    return {machine,
            std::string(recipe_named(recipe).name()),
            area_of(machine, technology.area),
            EnergyModel(technology, dram, machine),
            {},
            {}};
}

std::optional<Subject> make_baseline_subject(const std::string& choice, const MachineParameters& machine,
                                             const Technology& technology, const DramEnergyTable& dram) {
    if (choice == "none") {
        return std::nullopt;
    }
    const auto rule = std::ranges::find(baseline_rule_names, choice);
    if (rule == baseline_rule_names.end()) {
        require_baseline_choice(choice);
        const MachineParameters other = load_machine(choice);
        Subject subject = make_subject(other, load_technology(other.technology), dram, baseline_recipe);
        subject.rule = "machine of its own: " + choice;
        return subject;
    }
    const Baseline made =
        make_baseline(machine, static_cast<BaselineRule>(rule - baseline_rule_names.begin()), technology.area);
    Subject subject = make_subject(made.machine, technology, dram, baseline_recipe);
    subject.rule = choice;
    subject.notes = made.notes;
    return subject;
}

std::vector<std::string> sources_of(const Technology& technology, const DramEnergyTable& dram, const Subject& machine,
                                    const Subject* baseline) {
    std::vector<std::string> sources;
    for (const EnergyRow& row : technology.energy) {
        sources.push_back(fmt::format("{}.{} = {} {}: {}", row.component, counter_info[index_of(row.action)].name,
                                      row.value, price_form_names[static_cast<std::size_t>(row.form)], row.source));
    }
    std::set<std::string> standards;
    for (const Subject* subject : {&machine, baseline}) {
        if (subject != nullptr && !subject->machine.ideal_memory) {
            standards.insert(subject->machine.dram.standard);
        }
    }
    for (const std::string& standard : standards) {
        const DramEnergyEntry& entry = dram.of(standard);
        sources.push_back(fmt::format("dram, {}: {}: {}", standard, basis_text(entry), entry.source));
    }
    return sources;
}

}  // namespace nibble
