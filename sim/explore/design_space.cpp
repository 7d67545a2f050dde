// SPDX-License-Identifier: MIT
#include "sim/explore/design_space.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/explore/metrics_of_points.h"

namespace nibble {

namespace {

constexpr std::uint64_t largest_batch = 1'000'000;

std::uint64_t batch_of(const std::string& text) {
    std::uint64_t batch = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), batch);
    if (error != std::errc{} || end != text.data() + text.size() || batch < 1 || batch > largest_batch) {
        throw InputError(
            fmt::format("batch: expected a whole number from 1 to {}, found '{}'", largest_batch, printable(text)));
    }
    return batch;
}

std::string first_line(const InputError& error) {
    return to_string(error.problems().front());
}

}  // namespace

DesignSpace::DesignSpace(const Study& study, MakeSubject make_subject)
    : study_(study), make_subject_(std::move(make_subject)), sizes_(study.sizes()) {
    for (const std::string& machine : study.machines) {
        templates_.emplace_back(machine);
    }
}

std::vector<std::string> DesignSpace::axis_names() const {
    std::vector<std::string> names;
    for (const Axis& axis : study_.axes) {
        names.push_back(axis.name());
    }
    if (study_.fit) {
        names.push_back(study_.fit->axis.name());
    }
    return names;
}

std::optional<std::size_t> DesignSpace::axis(std::size_t place) const {
    const std::size_t machines = templates_.size() > 1 ? 1 : 0;
    return place < machines ? std::nullopt : std::optional(place - machines);
}

const Axis::Value& DesignSpace::value(std::size_t axis_of_genome, std::size_t index) const {
    return study_.axes[*axis(axis_of_genome)].values[index];
}

Design DesignSpace::design(const Genome& genome) const {
    Design design;
    design.number = number_of(genome, sizes_);
    design.recipe = study_.recipe;
    design.baseline = study_.baseline;
    design.mapping = study_.mapping;
    std::size_t base = 0;
    std::vector<Setting> settings;
    try {
        for (std::size_t place = 0; place < genome.size(); ++place) {
            if (const std::optional<std::size_t> which = axis(place)) {
                const Axis& of = study_.axes[*which];
                design.values.push_back(of.values[genome[place]].text());
                apply(of, of.values[genome[place]], design, settings);
            } else {
                base = genome[place];
            }
        }
        design.base = templates_[base].base().name;
        if (study_.fit) {
            fit(templates_[base], std::move(settings), design);
        } else {
            design.machine = templates_[base].with(settings);
        }
    } catch (const InputError& error) {
        design.invalid = first_line(error);
        design.base = templates_[base].base().name;
        design.values.resize(study_.axes.size() + (study_.fit ? 1 : 0));
        for (std::size_t place = 0; place < genome.size(); ++place) {
            if (const std::optional<std::size_t> which = axis(place)) {
                design.values[*which] = study_.axes[*which].values[genome[place]].text();
            }
        }
    }
    return design;
}

void DesignSpace::apply(const Axis& axis, const Axis::Value& value, Design& design,
                        std::vector<Setting>& settings) const {
    for (std::size_t i = 0; i < axis.parameters.size(); ++i) {
        const std::string& name = axis.parameters[i].name;
        const std::string& text = value.texts[i];
        const auto known = std::ranges::find(study_parameter_names, name);
        if (known == study_parameter_names.end()) {
            settings.emplace_back(name, text);
            continue;
        }
        switch (static_cast<StudyParameter>(known - study_parameter_names.begin())) {
            case StudyParameter::batch:
                design.batch = batch_of(text);
                break;
            case StudyParameter::baseline:
                design.baseline = text;
                break;
            case StudyParameter::mapping:
                design.mapping = text;
                break;
            case StudyParameter::recipe:
                design.recipe = text;
                break;
        }
    }
}

void DesignSpace::fit(const MachineTemplate& base, std::vector<Setting> settings, Design& design) const {
    const Fit& fit = *study_.fit;
    const std::vector<std::string>& names = design_metric_names();
    const auto metric = static_cast<std::size_t>(std::ranges::find(names, fit.metric) - names.begin());
    std::string reason = fmt::format("{}: no value keeps {} within {}", fit.axis.name(), fit.metric, fit.limit);
    const Axis::Value* best = nullptr;
    for (const Axis::Value& value : fit.axis.values) {
        std::vector<Setting> tried = settings;
        for (std::size_t i = 0; i < fit.axis.parameters.size(); ++i) {
            tried.emplace_back(fit.axis.parameters[i].name, value.texts[i]);
        }
        try {
            MachineParameters machine = base.with(tried);
            if (design_metrics(make_subject_(machine, design.recipe))[metric] <= fit.limit) {
                best = &value;
                design.machine = std::move(machine);
            }
        } catch (const InputError& error) {
            reason = first_line(error);
        }
    }
    if (best == nullptr) {
        throw InputError(reason);
    }
    design.values.push_back(best->text());
}

}  // namespace nibble
