// SPDX-License-Identifier: MIT
#include "sim/app/pareto_command.h"

#include <array>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/app/output_file.h"
#include "sim/app/pareto_report.h"
#include "sim/app/show_json.h"
#include "sim/app/terminal.h"
#include "sim/base/error.h"
#include "sim/explore/front_plot.h"
#include "sim/explore/point_table.h"

namespace nibble {

namespace {

/// The metric that a flag names, with the study's own sense of it unless the flag has one; or the study's objective.
Objective objective_for(std::string_view flag, const std::optional<std::string>& text, const PointTable& table,
                        std::size_t place) {
    if (!text) {
        if (place >= table.objectives.size()) {
            throw InputError(fmt::format("{}: the study has {} objective{}, so a metric must be named", flag,
                                         table.objectives.size(), table.objectives.size() == 1 ? "" : "s"));
        }
        return table.objectives[place];
    }
    Objective objective{*text, false};
    std::optional<bool> maximize;
    for (const std::string_view sense : {":min", ":max"}) {
        if (text->ends_with(sense) && !table.metric(*text)) {
            maximize = sense == ":max";
            objective.metric.resize(text->size() - sense.size());
        }
    }
    if (!table.metric(objective.metric)) {
        throw InputError(fmt::format("{}: the study has no metric '{}'{}", flag, printable(objective.metric),
                                     suggestion(objective.metric, table.metrics)));
    }
    for (const Objective& own : table.objectives) {
        objective.maximize = own.metric == objective.metric ? own.maximize : objective.maximize;
    }
    objective.maximize = maximize.value_or(objective.maximize);
    return objective;
}

PointTable rows_of_fronts(const ParetoReport& report) {
    PointTable table = report.table;
    table.rows.clear();
    for (const ParetoFront& front : report.fronts) {
        for (const std::size_t row : front.rows) {
            table.rows.push_back(report.table.rows[row]);
        }
    }
    return table;
}

}  // namespace

void pareto_command(const ParetoRequest& request) {
    std::error_code error;
    const std::filesystem::path named(request.points);
    const PointTable table =
        read_points_json(std::filesystem::is_directory(named, error) ? named / "points.json" : named);
    const std::array<Objective, 2> objectives{objective_for("--x", request.x, table, 0),
                                              objective_for("--y", request.y, table, 1)};
    if (objectives[0].metric == objectives[1].metric) {
        throw InputError(fmt::format("--x and --y are both '{}'", printable(objectives[0].metric)));
    }
    const ParetoReport report{table, objectives, pareto_fronts(table, objectives, request.by_workload),
                              request.sensitivity};
    if (!request.csv.empty()) {
        write_output_file(request.csv, [&](std::ostream& out, const std::filesystem::path&) {
            write_points_csv(out, rows_of_fronts(report));
        });
    }
    if (!request.plot.empty()) {
        write_output_file(request.plot, [&](std::ostream& out, const std::filesystem::path&) {
            write_front_svg(out, table, report.fronts, objectives[0], objectives[1]);
        });
    }
    if (request.json) {
        show_json("nibblesim-pareto-1", pareto_json(report));
    } else {
        const TextStyle style = terminal_style();
        std::cout << fitted(pareto_text(report, style), style);
    }
}

}  // namespace nibble
