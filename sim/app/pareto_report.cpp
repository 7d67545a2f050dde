// SPDX-License-Identifier: MIT
#include "sim/app/pareto_report.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "sim/explore/metric_unit.h"
#include "sim/explore/sensitivity.h"
#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_name = 40;
constexpr std::size_t most_value = 24;

std::array<std::size_t, point_status_count> status_counts(const PointTable& table, const ParetoFront& front) {
    std::array<std::size_t, point_status_count> counts{};
    for (const PointRow& row : table.rows) {
        if (front.workload.empty() || row.workload == front.workload) {
            ++counts[static_cast<std::size_t>(row.status)];
        }
    }
    return counts;
}

double value_of(const ParetoReport& report, std::size_t row, const Objective& objective) {
    return *report.table.rows[row].metrics[report.table.metric(objective.metric).value()];
}

/// By how much a row of a front is worse than the front's best, of the best; nothing if that is 0.
std::optional<double> worse_by(const ParetoReport& report, const ParetoFront& front, std::size_t row,
                               const Objective& objective) {
    double best = value_of(report, front.rows.front(), objective);
    for (const std::size_t other : front.rows) {
        const double value = value_of(report, other, objective);
        best = objective.maximize ? std::max(best, value) : std::min(best, value);
    }
    if (best == 0) {
        return std::nullopt;
    }
    return std::abs(value_of(report, row, objective) - best) / std::abs(best);
}

/// "best", "12%", "43.1x".
std::string off_best_text(double worse) {
    constexpr double many_times = 10;
    return worse == 0 ? "best" : worse < many_times ? percent(worse) : ratio(1 + worse);
}

std::string fidelity_of(const PointRow& row) {
    return row.fidelity ? std::string(fidelity_names[static_cast<std::size_t>(*row.fidelity)]) : "";
}

/// What a row says in a column before those of the axes.
struct LabelColumn {
    const char* title;
    std::string (*text)(const PointRow&);
};
constexpr LabelColumn label_columns[] = {
    {"machine", [](const PointRow& row) { return row.machine; }},
    {"workload", [](const PointRow& row) { return row.workload; }},
    {"fidelity", fidelity_of},
};

/// Those of label_columns that are not the same for all candidates.
std::vector<LabelColumn> labels_that_vary(const PointTable& table, const ParetoFront& front) {
    std::vector<LabelColumn> labels;
    for (const LabelColumn& label : label_columns) {
        if (std::ranges::any_of(front.candidates, [&](std::size_t row) {
                return label.text(table.rows[row]) != label.text(table.rows[front.candidates.front()]);
            })) {
            labels.push_back(label);
        }
    }
    return labels;
}

/// Axes that have more than one value among the rows: the others say nothing.
std::vector<std::size_t> axes_that_vary(const PointTable& table) {
    std::vector<std::size_t> axes;
    for (std::size_t axis = 0; axis < table.axes.size(); ++axis) {
        if (std::ranges::any_of(
                table.rows, [&](const PointRow& row) { return row.values[axis] != table.rows.front().values[axis]; })) {
            axes.push_back(axis);
        }
    }
    return axes;
}

enum class Titles : std::uint8_t { whole, last_part, letters };

std::string axis_title(const std::string& axis, std::size_t place, Titles titles) {
    switch (titles) {
        case Titles::whole:
            return for_terminal(axis, most_name);
        case Titles::last_part:
            return for_terminal(axis.substr(axis.rfind('.') + 1), most_name);
        case Titles::letters:
            break;
    }
    return place < 26 ? std::string(1, static_cast<char>('A' + place)) : fmt::format("A{}", place);
}

std::string front_table(const ParetoReport& report, const ParetoFront& front, Titles titles, const TextStyle& style) {
    const std::vector<std::size_t> axes = axes_that_vary(report.table);
    const std::vector<LabelColumn> labels = labels_that_vary(report.table, front);
    std::vector<TextTable::Column> columns{{"design"}};
    for (const LabelColumn& label : labels) {
        columns.push_back({label.title, TextTable::Align::left});
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
        columns.push_back({axis_title(report.table.axes[axes[i]], i, titles)});
    }
    for (const Objective& objective : report.objectives) {
        columns.push_back({for_terminal(unit_of(objective.metric).quantity, most_name)});
        columns.push_back({"off best"});
    }
    TextTable table(std::move(columns));
    for (const std::size_t r : front.rows) {
        const PointRow& row = report.table.rows[r];
        std::vector<std::string> cells{fmt::format("{}", row.design)};
        for (const LabelColumn& label : labels) {
            cells.push_back(for_terminal(label.text(row), most_value));
        }
        for (const std::size_t axis : axes) {
            cells.push_back(for_terminal(row.values[axis], most_value));
        }
        for (const Objective& objective : report.objectives) {
            cells.push_back(metric_text(objective.metric, value_of(report, r, objective)));
            const std::optional<double> worse = worse_by(report, front, r, objective);
            cells.push_back(worse ? off_best_text(*worse) : "");
        }
        table.add(std::move(cells));
    }
    std::string text = table.text(style);
    if (titles == Titles::letters) {
        for (std::size_t i = 0; i < axes.size(); ++i) {
            text += fmt::format("  {}: {}\n", axis_title("", i, titles), for_terminal(report.table.axes[axes[i]], 80));
        }
    }
    return text;
}

/// The table of a front with titles as long as fit.
std::string fitting_table(const ParetoReport& report, const ParetoFront& front, const TextStyle& style) {
    for (const Titles titles : {Titles::whole, Titles::last_part}) {
        const TextStyle endless{.width = std::numeric_limits<std::size_t>::max()};
        const std::string plain = front_table(report, front, titles, endless);
        if (display_width(plain.substr(0, plain.find('\n'))) <= style.width) {
            return front_table(report, front, titles, style);
        }
    }
    return front_table(report, front, Titles::letters, style);
}

std::string effects_text(const ParetoReport& report, const ParetoFront& front, const TextStyle& style) {
    std::string text;
    for (const Objective& objective : report.objectives) {
        text += "\n" + heading("What moves " + for_terminal(unit_of(objective.metric).quantity, most_name), style);
        TextTable table({{"axis"}, {"values"}, {"of variance"}, {"", TextTable::Align::left}, {"range of means"}});
        const std::size_t metric = report.table.metric(objective.metric).value();
        for (const AxisEffect& effect : axis_effects(report.table, metric, front.workload)) {
            constexpr std::size_t bar_width = 20;
            table.add({report.table.axes[effect.axis], fmt::format("{}", effect.values), percent(effect.share),
                       bar(effect.share, bar_width, style), effect.range ? percent(*effect.range) : ""});
        }
        text += table.text(style);
    }
    return text;
}

Json effects_json(const ParetoReport& report, const ParetoFront& front) {
    Json json = Json::object();
    for (const Objective& objective : report.objectives) {
        Json& list = json[objective.metric] = Json::array();
        const std::size_t metric = report.table.metric(objective.metric).value();
        for (const AxisEffect& effect : axis_effects(report.table, metric, front.workload)) {
            list.push_back({{"axis", report.table.axes[effect.axis]},
                            {"values", effect.values},
                            {"variance_share", effect.share},
                            {"range_of_means", effect.range ? Json(*effect.range) : Json(nullptr)}});
        }
    }
    return json;
}

Json point_json(const ParetoReport& report, const ParetoFront& front, std::size_t r) {
    const PointRow& row = report.table.rows[r];
    Json values = Json::object();
    for (std::size_t axis = 0; axis < row.values.size(); ++axis) {
        values[report.table.axes[axis]] = row.values[axis];
    }
    Json json = {{"design", row.design},
                 {"machine", row.machine},
                 {"workload", row.workload},
                 {"values", values},
                 {"fidelity", fidelity_of(row)}};
    for (const Objective& objective : report.objectives) {
        const std::optional<double> worse = worse_by(report, front, r, objective);
        json["metrics"][objective.metric] = value_of(report, r, objective);
        json["off_best"][objective.metric] = worse ? Json(*worse) : Json(nullptr);
    }
    return json;
}

}  // namespace

Json pareto_json(const ParetoReport& report) {
    Json json = {{"study", report.table.study}, {"objectives", Json::array()}, {"fronts", Json::array()}};
    for (const Objective& objective : report.objectives) {
        json["objectives"].push_back({{"metric", objective.metric}, {"maximize", objective.maximize}});
    }
    for (const ParetoFront& front : report.fronts) {
        Json one = {{"workload", front.workload.empty() ? Json(nullptr) : Json(front.workload)}};
        const auto counts = status_counts(report.table, front);
        for (std::size_t i = 0; i < point_status_count; ++i) {
            one["points"][std::string(point_status_names[i])] = counts[i];
        }
        one["candidates"] = front.candidates.size();
        one["front"] = Json::array();
        for (const std::size_t row : front.rows) {
            one["front"].push_back(point_json(report, front, row));
        }
        if (report.sensitivity) {
            one["sensitivity"] = effects_json(report, front);
        }
        json["fronts"].push_back(std::move(one));
    }
    return json;
}

std::string pareto_text(const ParetoReport& report, const TextStyle& style) {
    const auto sense = [](const Objective& objective) {
        return fmt::format("{} ({} is better)", for_terminal(objective.metric, most_name),
                           objective.maximize ? "more" : "less");
    };
    std::string text = heading(for_terminal(report.table.study, style.width), style);
    text += fmt::format("  Pareto front of {} and {}\n", sense(report.objectives[0]), sense(report.objectives[1]));
    if (report.fronts.empty()) {
        text += "  the study has no points\n";
    }
    for (const ParetoFront& front : report.fronts) {
        text +=
            "\n" + heading(front.workload.empty() ? "All points" : for_terminal(front.workload, style.width), style);
        const auto counts = status_counts(report.table, front);
        std::vector<std::string> parts;
        for (std::size_t i = 0; i < point_status_count; ++i) {
            if (i == 0 || counts[i] > 0) {
                parts.push_back(fmt::format("{} {}", grouped(counts[i]), point_status_names[i]));
            }
        }
        text += fmt::format("  points: {}; on the front: {}\n", fmt::join(parts, ", "), front.rows.size());
        if (const std::size_t left_out = counts[0] - front.candidates.size(); left_out > 0) {
            text += fmt::format("  left out, for they are less certain or lack a metric: {}\n", grouped(left_out));
        }
        if (!front.rows.empty()) {
            const PointRow& first = report.table.rows[front.candidates.front()];
            if (std::ranges::all_of(front.candidates, [&](std::size_t row) {
                    return report.table.rows[row].fidelity == first.fidelity;
                })) {
                text += fmt::format("  all points are {}\n", fidelity_of(first));
            }
            text += fitting_table(report, front, style);
            text += report.sensitivity ? effects_text(report, front, style) : "";
        }
    }
    return text;
}

}  // namespace nibble
