// SPDX-License-Identifier: MIT
#include "sim/explore/study.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/config/text_file.h"
#include "sim/config/yaml_reader.h"
#include "sim/explore/machine_template.h"
#include "sim/explore/metrics_of_points.h"

namespace nibble {

namespace {

constexpr std::size_t most_axes = 32;
constexpr std::size_t most_workloads = 100;
constexpr std::uint64_t largest_batch = 1'000'000;

std::string joined(const std::vector<std::string>& texts) {
    return fmt::format("{}", fmt::join(texts, " / "));
}

/// Names that stand for a file, relative to the study's folder, or for something built in.
std::string resolved(const std::string& name, const std::filesystem::path& folder) {
    const std::filesystem::path path(name);
    const bool is_path = name.find('/') != std::string::npos || path.has_extension();
    return is_path && path.is_relative() ? (folder / path).lexically_normal().string() : name;
}

class StudyReader {
public:
    StudyReader(YamlDocument& document, std::filesystem::path folder)
        : document_(document), root_(document.root_map()), folder_(std::move(folder)) {}

    Study read() {
        study_.name = root_.required_string("name");
        study_.description = root_.optional_string("description", "");
        read_machines();
        for (const YamlNode& node : root_.optional_list("axes")) {
            if (study_.axes.size() == most_axes) {
                node.problem(fmt::format("expected at most {} axes", most_axes));
                break;
            }
            study_.axes.push_back(read_axis(node));
        }
        read_fit();
        refuse_parameters_twice();
        read_workloads();
        study_.recipe = root_.optional_string("recipe", study_.recipe);
        study_.baseline = root_.optional_string("baseline", study_.baseline);
        study_.mapping = root_.optional_string("mapping", study_.mapping);
        read_constraints();
        read_objectives();
        read_method();
        read_fidelity();
        YamlMap limits = root_.optional_map("limits");
        study_.seconds_of_point = limits.optional_number("seconds", 0, {0, 1e7});
        study_.memory_mib_of_point = limits.optional_unsigned("memory_mib", 0, {0, 1U << 24});
        limits.finish();
        root_.finish();
        document_.throw_if_any();
        require_manageable();
        document_.throw_if_any();
        return std::move(study_);
    }

private:
    void read_machines() {
        for (const YamlNode& node : root_.required_list("machines")) {
            const std::string name = resolved(node.as_string(), folder_);
            try {
                const MachineTemplate machine(name);
                for (const std::string& parameter : machine.parameters()) {
                    known_.insert(parameter);
                }
                study_.machines.push_back(name);
            } catch (const InputError& error) {
                node.problem(error.what());
            }
        }
        if (root_.has("machines") && study_.machines.empty()) {
            root_.problem("machines", "expected at least one machine that can be built");
        }
        known_.insert(study_parameter_names.begin(), study_parameter_names.end());
        known_.erase("name");
        known_.erase("description");
    }

    Axis read_axis(const YamlNode& node) {
        YamlMap map = node.as_map();
        Axis axis;
        if (!map.has("zip")) {
            axis = read_single(map);
            map.finish();
        } else {
            for (const YamlNode& part : map.required_list("zip")) {
                YamlMap inner = part.as_map();
                zip(axis, read_single(inner), part);
                inner.finish();
            }
            map.finish();
            if (axis.parameters.size() < 2) {
                node.problem("zip: expected two or more parameters that move together");
            }
        }
        refuse_values_twice(axis);
        return axis;
    }

    /// {parameter: NAME, values: [...]} or {parameter: NAME, range: {from, to, steps, scale}}.
    Axis read_single(YamlMap& map) {
        Axis axis;
        const std::optional<YamlNode> parameter = map.required("parameter");
        if (parameter) {
            axis.parameters.push_back({parameter->as_string(), parameter->where()});
            require_known(axis.parameters.back().name, *parameter);
        }
        const bool has_values = map.has("values");
        const bool has_range = map.has("range");
        if (has_values == has_range) {
            map.problem("parameter", "expected either values or a range");
        } else if (has_values) {
            for (const YamlNode& value : map.required_list("values")) {
                if (axis.values.size() == most_values_of_axis) {
                    value.problem(fmt::format("expected at most {} values", most_values_of_axis));
                    break;
                }
                axis.values.push_back({{value_text(value)}, value.where()});
            }
        } else {
            axis.values = read_range(map);
        }
        if (parameter && axis.values.empty()) {
            parameter->problem("expected at least one value");
        }
        return axis;
    }

    static std::string value_text(const YamlNode& value) {
        if (!value.is_list()) {
            return value.as_string();
        }
        std::vector<std::string> items;
        for (const YamlNode& item : value.as_list()) {
            items.push_back(item.as_string());
        }
        return fmt::format("[{}]", fmt::join(items, ", "));
    }

    std::vector<Axis::Value> read_range(YamlMap& map) {
        constexpr NumberRange any{-1e15, 1e15};
        YamlMap range = map.required_map("range");
        const double from = range.required_number("from", any);
        const double to = range.required_number("to", any);
        const std::uint64_t steps = range.required_unsigned("steps", {1, most_values_of_axis});
        const bool logarithmic = range.optional_choice<bool>("scale", false, {{"linear", false}, {"log", true}});
        std::vector<Axis::Value> values;
        if (logarithmic && (from <= 0 || to <= 0)) {
            range.problem("scale", "expected positive ends of a logarithmic range");
        } else if (range.present()) {
            const bool whole = std::trunc(from) == from && std::trunc(to) == to;
            for (std::uint64_t i = 0; i < steps; ++i) {
                const double share = steps == 1 ? 0 : static_cast<double>(i) / static_cast<double>(steps - 1);
                const double value = logarithmic ? from * std::pow(to / from, share) : from + (to - from) * share;
                values.push_back({{whole ? fmt::format("{:.0f}", value) : fmt::format("{:.12g}", value)},
                                  map.required("range")->where()});
            }
        }
        range.finish();
        return values;
    }

    static void zip(Axis& axis, Axis part, const YamlNode& node) {
        if (axis.parameters.empty()) {
            axis = std::move(part);
            return;
        }
        if (part.values.size() != axis.values.size()) {
            node.problem(fmt::format("expected as many values as of {}, {}, found {}", axis.parameters.front().name,
                                     axis.values.size(), part.values.size()));
            return;
        }
        for (std::size_t i = 0; i < axis.values.size(); ++i) {
            axis.values[i].texts.insert(axis.values[i].texts.end(), part.values[i].texts.begin(),
                                        part.values[i].texts.end());
        }
        axis.parameters.insert(axis.parameters.end(), part.parameters.begin(), part.parameters.end());
    }

    void require_known(const std::string& parameter, const YamlNode& node) const {
        if (!known_.contains(parameter)) {
            const std::vector<std::string> names(known_.begin(), known_.end());
            node.problem(
                fmt::format("there is no parameter '{}'{}", printable(parameter), suggestion(parameter, names)));
        }
    }

    void refuse_values_twice(const Axis& axis) {
        std::set<std::vector<std::string>> seen;
        for (const Axis::Value& value : axis.values) {
            if (!seen.insert(value.texts).second) {
                document_.problems().add(value.where.line, value.where.column,
                                         fmt::format("{}: {} is there twice", axis.name(), printable(value.text())));
            }
        }
    }

    void refuse_parameters_twice() {
        std::set<std::string> seen;
        const auto check = [&](const Axis& axis) {
            for (const Axis::Parameter& parameter : axis.parameters) {
                if (!seen.insert(parameter.name).second) {
                    document_.problems().add(parameter.where.line, parameter.where.column,
                                             fmt::format("{} has an axis already", printable(parameter.name)));
                }
            }
        };
        std::ranges::for_each(study_.axes, check);
        if (study_.fit) {
            check(study_.fit->axis);
        }
    }

    void read_fit() {
        if (!root_.has("fit")) {
            return;
        }
        YamlMap map = root_.required_map("fit");
        Fit fit;
        fit.axis = read_single(map);
        for (const Axis::Parameter& parameter : fit.axis.parameters) {
            if (std::ranges::count(study_parameter_names, parameter.name) > 0) {
                map.problem("parameter", "expected a parameter of the machine");
            }
        }
        fit.metric = metric(map, "metric", design_metric_names());
        if (const std::optional<YamlNode> limit = map.required("limit")) {
            fit.limit = limit->as_number();
            fit.where = limit->where();
        }
        map.finish();
        study_.fit = std::move(fit);
    }

    void read_workloads() {
        for (const YamlNode& node : root_.required_list("workloads")) {
            if (study_.workloads.size() == most_workloads) {
                node.problem(fmt::format("expected at most {} workloads", most_workloads));
                break;
            }
            StudyWorkload workload;
            if (node.is_map()) {
                YamlMap map = node.as_map();
                workload.trace = resolved(map.required_string("trace"), folder_);
                if (map.has("batch")) {
                    workload.batch = map.required_unsigned("batch", {1, largest_batch});
                }
                workload.weight = map.optional_number("weight", 1);
                map.finish();
            } else {
                workload.trace = resolved(node.as_string(), folder_);
            }
            const auto same = [&](const StudyWorkload& other) {
                return other.trace == workload.trace && other.batch == workload.batch;
            };
            if (std::ranges::any_of(study_.workloads, same)) {
                node.problem("listed twice");
            }
            study_.workloads.push_back(std::move(workload));
        }
        if (root_.has("workloads") && study_.workloads.empty()) {
            root_.problem("workloads", "expected at least one");
        }
    }

    void read_constraints() {
        for (const YamlNode& node : root_.optional_list("constraints")) {
            YamlMap map = node.as_map();
            Constraint constraint;
            constraint.where = node.where();
            constraint.metric = metric(map, "metric", point_metric_names());
            constexpr NumberRange any{-1e300, 1e300};
            if (map.has("min")) {
                constraint.min = map.required_number("min", any);
            }
            if (map.has("max")) {
                constraint.max = map.required_number("max", any);
            }
            if (map.present() && !constraint.min && !constraint.max) {
                node.problem("expected min, max, or both");
            }
            if (constraint.min && constraint.max && *constraint.min > *constraint.max) {
                node.problem(fmt::format("no value is at least {} and at most {}", *constraint.min, *constraint.max));
            }
            map.finish();
            study_.constraints.push_back(std::move(constraint));
        }
    }

    void read_objectives() {
        for (const YamlNode& node : root_.optional_list("objectives")) {
            Objective objective;
            if (node.is_map()) {
                YamlMap map = node.as_map();
                objective.metric = metric(map, "metric", point_metric_names());
                objective.maximize =
                    map.optional_choice<bool>("goal", false, {{"minimize", false}, {"maximize", true}});
                map.finish();
            } else {
                objective.metric = node.as_string();
                require_metric(objective.metric, point_metric_names(),
                               [&](const std::string& what) { node.problem(what); });
            }
            study_.objectives.push_back(std::move(objective));
        }
        if (study_.objectives.empty()) {
            study_.objectives = {{"cycles", false}, {"energy_pj", false}};
        }
    }

    static std::string metric(YamlMap& map, std::string_view key, const std::vector<std::string>& names) {
        std::string name = map.required_string(key);
        if (!name.empty()) {
            require_metric(name, names, [&](const std::string& what) { map.problem(key, what); });
        }
        return name;
    }

    static void require_metric(const std::string& name, const std::vector<std::string>& names,
                               const std::function<void(const std::string&)>& complain) {
        if (std::ranges::find(names, name) == names.end()) {
            complain(fmt::format("there is no metric '{}' here{}; expected one of {}", printable(name),
                                 suggestion(name, names), fmt::join(names, ", ")));
        }
    }

    void read_method() {
        YamlMap map = root_.optional_map("explore");
        study_.method = map.optional_choice<Method>("method", Method::grid,
                                                    {{"grid", Method::grid},
                                                     {"random", Method::random},
                                                     {"latin_hypercube", Method::latin_hypercube},
                                                     {"guided", Method::guided}});
        if (study_.method == Method::grid) {
            if (map.has("designs") || map.has("seed")) {
                map.problem("method", "a grid has all designs: designs and seed are for other methods");
            }
        } else {
            study_.designs = map.required_unsigned("designs", {1, most_designs});
            study_.seed = map.optional_unsigned("seed", study_.seed);
        }
        map.finish();
    }

    void read_fidelity() {
        study_.fidelity = root_.optional_choice<Fidelity>(
            "fidelity", study_.fidelity,
            {{"predicted", Fidelity::predicted}, {"composed", Fidelity::composed}, {"simulated", Fidelity::simulated}});
        if (root_.has("confirm")) {
            study_.confirm = root_.required_unsigned("confirm", {1, most_designs});
            if (study_.fidelity == Fidelity::predicted) {
                root_.problem("confirm",
                              "predictions cannot be confirmed by predictions: expected fidelity composed or "
                              "simulated");
            }
        }
    }

    void require_manageable() {
        double designs = 1;
        for (const std::size_t size : study_.sizes()) {
            designs *= static_cast<double>(size);
        }
        if (study_.method == Method::grid && designs > static_cast<double>(most_designs)) {
            root_.problem("axes", fmt::format("a grid of {:.4g} designs: expected at most {}; take fewer values, or "
                                              "explore with method random, latin_hypercube or guided",
                                              designs, most_designs));
        } else if (designs > 9e18) {
            root_.problem("axes", fmt::format("a space of {:.4g} designs: expected at most 9e18", designs));
        }
    }

    YamlDocument& document_;
    YamlMap root_;
    std::filesystem::path folder_;
    std::set<std::string> known_;  // parameters
    Study study_;
};

}  // namespace

std::string Axis::Value::text() const {
    return joined(texts);
}

std::string Axis::name() const {
    std::vector<std::string> names;
    for (const Parameter& parameter : parameters) {
        names.push_back(parameter.name);
    }
    return joined(names);
}

std::vector<std::size_t> Study::sizes() const {
    std::vector<std::size_t> sizes;
    if (machines.size() > 1) {
        sizes.push_back(machines.size());
    }
    for (const Axis& axis : axes) {
        sizes.push_back(axis.values.size());
    }
    return sizes;
}

Study load_study(const std::filesystem::path& file) {
    return parse_study(read_text_file(file, YamlDocument::most_bytes), file.string(), file.parent_path());
}

Study parse_study(const std::string& text, const std::string& file, const std::filesystem::path& folder) {
    YamlDocument document = YamlDocument::from_text(text, file);
    return StudyReader(document, folder).read();
}

}  // namespace nibble
