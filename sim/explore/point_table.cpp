// SPDX-License-Identifier: MIT
#include "sim/explore/point_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/base/error.h"
#include "sim/explore/json_reader.h"
#include "sim/report/csv_field.h"

namespace nibble {

namespace {

constexpr std::size_t most_bytes = std::size_t{512} << 20;
constexpr std::size_t most_columns = 1000;
constexpr double largest_metric = 1e100;  // so that sums of squares are finite

std::string quoted(const std::string& text) {
    using Json = nlohmann::json;
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string quoted_list(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) {
        list += (list.empty() ? "" : ", ") + quoted(text);
    }
    return "[" + list + "]";
}

std::string fidelity_name(const PointRow& row) {
    return row.fidelity ? std::string(fidelity_names[static_cast<std::size_t>(*row.fidelity)]) : "";
}

std::string number(std::optional<double> value) {
    if (!value) {
        return "null";
    }
    if (!(std::abs(*value) <= largest_metric)) {
        throw ModelError("a metric of a point is not finite, or as good as that");
    }
    return *value == 0 ? "0" : fmt::format("{}", *value);  // -0 would be read back as a whole number
}

void require_shape(const PointTable& table, const PointRow& row) {
    if (row.values.size() != table.axes.size() || row.metrics.size() != table.metrics.size()) {
        throw ModelError(fmt::format("point {} has not the columns of its table", row.design));
    }
}

std::string point_json(const PointTable& table, const PointRow& row) {
    require_shape(table, row);
    std::string values;
    for (std::size_t i = 0; i < table.axes.size(); ++i) {
        values += fmt::format("{}{}: {}", i == 0 ? "" : ", ", quoted(table.axes[i]), quoted(row.values[i]));
    }
    std::string metrics;
    for (std::size_t i = 0; i < table.metrics.size(); ++i) {
        metrics += fmt::format("{}{}: {}", i == 0 ? "" : ", ", quoted(table.metrics[i]), number(row.metrics[i]));
    }
    return fmt::format(R"({{"design": {}, "machine": {}, "workload": {}, "values": {{{}}}, "status": "{}", )"
                       R"("fidelity": {}, "key": {}, "reason": {}, "metrics": {{{}}}}})",
                       row.design, quoted(row.machine), quoted(row.workload), values,
                       point_status_names[static_cast<std::size_t>(row.status)],
                       row.fidelity ? quoted(fidelity_name(row)) : "null", quoted(row.key), quoted(row.reason),
                       metrics);
}

/// Numbers stay numbers: only other text can be a formula.
std::string value_field(const std::string& text) {
    double ignored = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ignored);
    return error == std::errc{} && end == text.data() + text.size() ? text : csv_field(text);
}

std::vector<std::string> read_names(const JsonValue& list) {
    std::vector<std::string> names;
    std::set<std::string> seen;
    for (const JsonValue& item : list.items(most_columns)) {
        names.push_back(item.text());
        if (!seen.insert(names.back()).second) {
            item.refuse(fmt::format("'{}' is there twice", printable(names.back())));
        }
    }
    return names;
}

const std::vector<std::string>& point_keys() {
    static const std::vector<std::string> keys{"design",   "machine", "workload", "values", "status",
                                               "fidelity", "key",     "reason",   "metrics"};
    return keys;
}

std::optional<double> read_metric(const JsonValue& value) {
    if (value.is_null()) {
        return std::nullopt;
    }
    const double number = value.number();
    if (std::abs(number) > largest_metric) {
        value.refuse(fmt::format("expected a number no further from 0 than {}, found {}", largest_metric, number));
    }
    return number;
}

PointRow read_point(const JsonValue& point, const PointTable& table) {
    point.require_only(point_keys());
    PointRow row;
    row.design = point["design"].count();
    row.machine = point["machine"].text();
    row.workload = point["workload"].text();
    row.status = static_cast<PointStatus>(point["status"].one_of(point_status_names));
    if (const JsonValue fidelity = point["fidelity"]; !fidelity.is_null()) {
        row.fidelity = static_cast<Fidelity>(fidelity.one_of(fidelity_names));
    }
    row.key = point["key"].text();
    row.reason = point["reason"].text();
    const JsonValue values = point["values"];
    values.require_only(table.axes);
    for (const std::string& axis : table.axes) {
        row.values.push_back(values[axis].text());
    }
    const JsonValue metrics = point["metrics"];
    metrics.require_only(table.metrics);
    for (const std::string& metric : table.metrics) {
        row.metrics.push_back(read_metric(metrics[metric]));
    }
    return row;
}

Objective read_objective(const JsonValue& value, const PointTable& table) {
    static const std::vector<std::string> keys{"metric", "maximize"};
    value.require_only(keys);
    Objective objective{value["metric"].text(), value["maximize"].truth()};
    if (!table.metric(objective.metric)) {
        value.refuse(fmt::format("there is no metric '{}'{}", printable(objective.metric),
                                 suggestion(objective.metric, table.metrics)));
    }
    return objective;
}

}  // namespace

std::optional<std::size_t> PointTable::metric(std::string_view name) const {
    const auto found = std::ranges::find(metrics, name);
    return found == metrics.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - metrics.begin()));
}

void write_points_json(std::ostream& out, const PointTable& table) {
    std::string objectives;
    for (const Objective& objective : table.objectives) {
        objectives += fmt::format(R"({}{{"metric": {}, "maximize": {}}})", objectives.empty() ? "" : ", ",
                                  quoted(objective.metric), objective.maximize);
    }
    out << fmt::format(
        "{{\n  \"schema\": \"{}\",\n  \"study\": {},\n  \"axes\": {},\n  \"metrics\": {},\n"
        "  \"objectives\": [{}],\n  \"points\": [",
        point_table_schema, quoted(table.study), quoted_list(table.axes), quoted_list(table.metrics), objectives);
    const char* separator = "\n";
    for (const PointRow& row : table.rows) {
        out << separator << "    " << point_json(table, row);
        separator = ",\n";
    }
    out << "\n  ]\n}\n";
}

void write_points_csv(std::ostream& out, const PointTable& table) {
    out << "design,machine,workload";
    for (const std::string& axis : table.axes) {
        out << ',' << csv_field(axis);
    }
    out << ",status,fidelity";
    for (const std::string& metric : table.metrics) {
        out << ',' << csv_field(metric);
    }
    out << ",key,reason\r\n";
    for (const PointRow& row : table.rows) {
        require_shape(table, row);
        out << row.design << ',' << csv_field(row.machine) << ',' << csv_field(row.workload);
        for (const std::string& value : row.values) {
            out << ',' << value_field(value);
        }
        out << ',' << point_status_names[static_cast<std::size_t>(row.status)] << ',' << fidelity_name(row);
        for (const std::optional<double>& metric : row.metrics) {
            out << ',' << (metric ? number(metric) : "");
        }
        out << ',' << csv_field(row.key) << ',' << csv_field(row.reason) << "\r\n";
    }
}

PointTable read_points_json(const std::filesystem::path& path) {
    static const std::vector<std::string> keys{"schema", "study", "axes", "metrics", "objectives", "points"};
    const JsonValue document = JsonValue::read(path, most_bytes);
    if (const JsonValue schema = document["schema"]; schema.text() != point_table_schema) {
        schema.refuse(fmt::format("expected '{}', found '{}'", point_table_schema, printable(schema.text())));
    }
    document.require_only(keys);
    PointTable table;
    table.study = document["study"].text();
    table.axes = read_names(document["axes"]);
    table.metrics = read_names(document["metrics"]);
    for (const JsonValue& objective : document["objectives"].items(most_columns)) {
        table.objectives.push_back(read_objective(objective, table));
    }
    for (const JsonValue& point : document["points"].items()) {
        table.rows.push_back(read_point(point, table));
    }
    return table;
}

}  // namespace nibble
