// SPDX-License-Identifier: MIT
#include "sim/app/info_command.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/app/import_report.h"
#include "sim/app/machine_info.h"
#include "sim/app/show_json.h"
#include "sim/app/terminal.h"
#include "sim/app/trace_info.h"
#include "sim/app/trace_source.h"
#include "sim/base/error.h"
#include "sim/config/data_directory.h"
#include "sim/config/machine_config.h"
#include "sim/config/yaml_reader.h"
#include "sim/energy/baseline.h"
#include "sim/lowering/recipe.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

using Json = nlohmann::ordered_json;

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
}

/// Is it a machine? YAML files are machines unless they have a workload's layers.
bool names_machine(const std::string& subject) {
    if (contains(data_names(DataKind::preset), subject)) {
        return true;
    }
    if (!names_workload(subject) || contains(data_names(DataKind::workload), subject) || recognise_source(subject)) {
        return false;
    }
    return !YamlDocument::from_file(subject).root_map().has("layers");
}

void require_known(const std::string& subject) {
    std::error_code error;
    if (names_workload(subject) || subject.find('/') != std::string::npos || std::filesystem::exists(subject, error)) {
        return;
    }
    std::vector<std::string> candidates = data_names(DataKind::preset);
    std::ranges::copy(data_names(DataKind::workload), std::back_inserter(candidates));
    throw InputError(fmt::format("'{}' is neither a file nor a built-in workload or preset{}", printable(subject),
                                 suggestion(subject, candidates)));
}

}  // namespace

void info_command(const TraceRequest& request, bool json) {
    const std::string& subject = request.name;
    if (request.from == "auto" && names_machine(subject)) {
        if (request.options.batch) {
            throw InputError("--batch is for workloads and other programs' files");
        }
        const MachineParameters machine = load_machine(subject);
        const Technology technology = load_technology(machine.technology);
        const DramEnergyTable dram = load_dram_energy();
        if (json) {
            show_json("nibblesim-machine-info-1", machine_info_json(machine, technology, dram));
        } else {
            const TextStyle style = terminal_style();
            std::cout << fitted(machine_info_text(machine, technology, dram, style), style);
        }
        return;
    }
    require_known(subject);
    const TraceSource trace(request);
    TraceInfo info;
    trace.checked([&] { info = read_trace_info(trace.path()); });
    const std::optional<ImportSummary>& imported = trace.imported();
    if (json) {
        Json document = trace_info_json(info);
        if (imported) {
            document["source"] = import_json(*imported);
        }
        document["unrecognised"] = imported ? unrecognised_json(*imported) : Json::array();
        show_json("nibblesim-trace-info-1", document);
        return;
    }
    const TextStyle style = terminal_style();
    if (imported) {
        std::cout << fitted(import_line(subject, *imported) + '\n' + import_text(*imported, style), style) << '\n';
    }
    std::cout << fitted(trace_info_text(info, style), style);
}

void list_command(bool json) {
    const std::vector<std::string> presets = data_names(DataKind::preset);
    const std::vector<std::string> workloads = data_names(DataKind::workload);
    const std::vector<std::string> rules(baseline_rule_names.begin(), baseline_rule_names.end());
    if (json) {
        show_json("nibblesim-list-1",
                  {{"presets", presets}, {"workloads", workloads}, {"recipes", recipe_names()}, {"baselines", rules}});
        return;
    }
    constexpr std::size_t most_description = 1000;
    const TextStyle style = terminal_style();
    TextTable machines({{""}, {"", TextTable::Align::left}});
    for (const std::string& preset : presets) {
        machines.add({preset, for_terminal(load_machine(preset).description, most_description)});
    }
    TextTable recipes({{""}, {"", TextTable::Align::left}});
    for (const std::string& recipe : recipe_names()) {
        recipes.add({recipe, for_terminal(find_recipe(recipe)->description(), most_description)});
    }
    std::cout << heading("Machines (--machine)", style) << fitted(machines.text(style), style);
    std::cout << '\n' << heading("Recipes (--recipe)", style) << fitted(recipes.text(style), style);
    std::cout << '\n'
              << heading("Workloads", style) << wrapped(fmt::format("{}", fmt::join(workloads, " ")), 2, style) << '\n';
    std::cout << '\n'
              << heading("Baselines (--baseline)", style)
              << wrapped(fmt::format("{} none", fmt::join(rules, " ")), 2, style) << '\n';
}

}  // namespace nibble
