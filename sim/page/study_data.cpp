// SPDX-License-Identifier: MIT
#include "sim/page/study_data.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/explore/metric_unit.h"
#include "sim/explore/pareto_front.h"
#include "sim/explore/sensitivity.h"
#include "sim/page/text_list.h"

namespace nibble {

namespace {

using Json = nlohmann::ordered_json;

Json metrics_data(const PointTable& table) {
    Json json = Json::array();
    for (const std::string& metric : table.metrics) {
        const MetricUnit unit = unit_of(metric);
        json.push_back({{"name", metric},
                        {"quantity", unit.quantity},
                        {"unit", unit.unit},
                        {"factor", unit.factor},
                        {"prefixes", unit.prefixes}});
    }
    return json;
}

Json row_data(const PointRow& row, TextList& texts) {
    Json values = Json::array();
    for (const std::string& value : row.values) {
        values.push_back(texts.place_of(value));
    }
    Json metrics = Json::array();
    for (const auto& metric : row.metrics) {
        metrics.push_back(metric ? Json(*metric) : Json(nullptr));
    }
    return {row.design,
            texts.place_of(row.machine),
            texts.place_of(row.workload),
            point_status_names[static_cast<std::size_t>(row.status)],
            row.fidelity ? Json(static_cast<std::size_t>(*row.fidelity)) : Json(nullptr),
            texts.place_of(row.reason),
            std::move(values),
            std::move(metrics)};
}

Json sensitivity_data(const PointTable& table, const std::vector<std::string>& workloads) {
    Json json = Json::array();
    for (const std::string& workload : workloads) {
        for (std::size_t metric = 0; metric < table.metrics.size(); ++metric) {
            Json effects = Json::array();
            for (const AxisEffect& effect : axis_effects(table, metric, workload)) {
                effects.push_back({{"axis", table.axes[effect.axis]},
                                   {"values", effect.values},
                                   {"share", effect.share},
                                   {"range", effect.range ? Json(*effect.range) : Json(nullptr)}});
            }
            json.push_back(
                {{"workload", workload}, {"metric", table.metrics[metric]}, {"effects", std::move(effects)}});
        }
    }
    return json;
}

}  // namespace

Json study_data(const PointTable& table) {
    Json json = {{"study", table.study}, {"axes", table.axes}, {"metrics", metrics_data(table)}};
    json["objectives"] = Json::array();
    for (const Objective& objective : table.objectives) {
        json["objectives"].push_back({{"metric", objective.metric}, {"maximize", objective.maximize}});
    }
    const std::vector<std::string> workloads = workloads_of(table);
    json["workloads"] = workloads;
    json["fidelities"] = fidelity_names;
    TextList texts;
    Json rows = Json::array();
    for (const PointRow& row : table.rows) {
        rows.push_back(row_data(row, texts));
    }
    json["row"] = {"design", "machine", "workload", "status", "fidelity", "reason", "values", "metrics"};
    json["rows"] = std::move(rows);
    json["texts"] = texts.texts();
    json["sensitivity"] = sensitivity_data(table, workloads);
    return json;
}

}  // namespace nibble
