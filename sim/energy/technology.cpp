// SPDX-License-Identifier: MIT
#include "sim/energy/technology.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/config/data_directory.h"
#include "sim/config/yaml_reader.h"

namespace nibble {

namespace {

std::vector<std::string> counter_names() {
    std::vector<std::string> names;
    for (const CounterInfo& info : counter_info) {
        names.emplace_back(info.name);
    }
    return names;
}

bool form_suits(PriceForm form, Counter action) {
    switch (form) {
        case PriceForm::pj:
            return true;
        case PriceForm::pj_per_register_bit:
            return counts_macs(action);
        case PriceForm::mw_per_mm2:
            return action == Counter::cycles;
    }
    return false;
}

/// Priced by what its memory is, not by a row.
bool accesses_sram(Counter action) {
    const CounterInfo& info = counter_info[index_of(action)];
    return (info.priced && info.component == "scratchpad") || action == Counter::accumulator_read_bytes ||
           action == Counter::accumulator_write_bytes;
}

/// Counters of DRAM are priced for all technologies alike, by DramEnergyTable.
bool priced_here(const CounterInfo& info) {
    return info.priced && info.component != "dram";
}

class TechnologyReader {
public:
    explicit TechnologyReader(YamlDocument& document) : document_(document) {}

    Technology read() {
        YamlMap root = document_.root_map();
        technology_.name = root.required_string("technology");
        technology_.description = root.optional_string("description", "");
        for (const YamlNode& row : root.required_list("energy")) {
            read_energy_row(row);
        }
        const std::vector<YamlNode> area = root.required_list("area");
        for (const YamlNode& row : area) {
            read_area_row(row);
        }
        read_sram(root.required_map("sram"));
        root.finish();
        require_complete(root);
        document_.throw_if_any();
        return std::move(technology_);
    }

private:
    void read_energy_row(const YamlNode& node) {
        YamlMap row = node.as_map();
        EnergyRow result;
        result.component = row.required_string("component");
        const std::string action = row.required_string("action");
        result.source = read_source(row);
        const std::optional<std::pair<PriceForm, double>> price = read_price(row);
        const std::optional<YamlNode> multiplier = row.find("multiplier_pj");
        result.multiplier_pj = multiplier ? multiplier->as_number(non_negative_number) : 0;
        row.finish();
        if (!row.present() || action.empty()) {
            return;
        }
        const auto counter = std::ranges::find(counter_info, action, &CounterInfo::name);
        if (counter == counter_info.end()) {
            technology_.warnings.push_back(
                {row.find("action")->where(), fmt::format("action: prices nothing: there is no counter '{}'{}",
                                                          printable(action), suggestion(action, counter_names()))});
            return;
        }
        result.action = static_cast<Counter>(counter - counter_info.begin());
        mentioned_.insert(result.action);
        if (!counter->priced) {
            row.problem("action", fmt::format("'{}' is information only and must not be priced", counter->name));
            return;
        }
        if (!priced_here(*counter)) {
            row.problem("action",
                        fmt::format("the energy of DRAM does not depend on the technology: '{}' is priced by {}",
                                    counter->name, dram_energy_file().filename().string()));
        }
        if (accesses_sram(result.action)) {
            row.problem("action", fmt::format("the price of '{}' follows from section sram; remove it", counter->name));
            return;
        }
        if (!price) {
            return;
        }
        std::tie(result.form, result.value) = *price;
        const std::string_view form = price_form_names[static_cast<std::size_t>(result.form)];
        if (!form_suits(result.form, result.action)) {
            row.problem(form, fmt::format("cannot price '{}', which counts in {}", counter->name, counter->unit));
            return;
        }
        if (multiplier && (result.form != PriceForm::pj || !counts_macs(result.action))) {
            multiplier->problem("only the pj of a MAC has a multiplier in it");
            return;
        }
        if (result.multiplier_pj > result.value) {
            multiplier->problem(
                fmt::format("expected at most the pj of the row, {}, found {}", result.value, result.multiplier_pj));
            return;
        }
        if (result.component != counter->component) {
            row.problem("component",
                        fmt::format("expected '{}', found '{}'", counter->component, printable(result.component)));
            return;
        }
        const auto [earlier, first] = lines_.try_emplace({result.action, result.form}, node.where().line);
        if (!first) {
            row.problem("action",
                        fmt::format("'{}' is priced in {} on line {} already", action, form, earlier->second));
            return;
        }
        technology_.energy.push_back(std::move(result));
    }

    /// The one price of a row, or nothing after a problem.
    static std::optional<std::pair<PriceForm, double>> read_price(YamlMap& row) {
        std::optional<std::pair<PriceForm, double>> price;
        for (std::size_t form = 0; form < price_form_count; ++form) {
            const std::optional<YamlNode> value = row.find(price_form_names[form]);
            if (!value) {
                continue;
            }
            if (price) {
                value->problem("a row has one price; write a second row for another");
                continue;
            }
            price.emplace(static_cast<PriceForm>(form), value->as_number(non_negative_number));
        }
        if (!price && row.present()) {
            row.problem("component",
                        fmt::format("the row has no price: expected one of {}", fmt::join(price_form_names, ", ")));
        }
        return price;
    }

    static std::string read_source(YamlMap& row) {
        const std::optional<YamlNode> source = row.required("source");
        const std::string text = source ? source->as_string() : std::string{};
        if (source && source->is_text() && text.empty()) {
            source->problem("every number needs its source");
        }
        return text;
    }

    void read_area_row(const YamlNode& node) {
        YamlMap row = node.as_map();
        const std::string unit = row.required_string("unit");
        const SquareMicrometres each(row.required_number("um2"));
        const std::string source = read_source(row);
        row.finish();
        if (!row.present() || unit.empty()) {
            return;
        }
        const auto name = std::ranges::find(area_unit_names, unit);
        if (name == area_unit_names.end()) {
            const std::vector<std::string> names(area_unit_names.begin(), area_unit_names.end());
            row.problem("unit", fmt::format("expected one of {}, found '{}'{}", fmt::join(names, ", "), printable(unit),
                                            suggestion(unit, names)));
            return;
        }
        const auto index = static_cast<std::size_t>(name - area_unit_names.begin());
        if (sized_[index]) {
            row.problem("unit", fmt::format("'{}' has an area already", unit));
            return;
        }
        sized_[index] = true;
        technology_.area.rows[index] = {each, source};
    }

    /// The model of the technology's SRAM: a table, one of its nodes, and factors from there to the technology.
    void read_sram(YamlMap sram) {
        const std::optional<YamlNode> name = sram.required("table");
        const std::optional<YamlNode> node = sram.required("node_nm");
        const double energy = sram.required_number("energy");
        const double leakage = sram.required_number("leakage");
        const double area = sram.required_number("area");
        static_cast<void>(read_source(sram));
        sram.finish();
        if (!name || !node || !document_.problems().empty()) {
            return;
        }
        SramTable table;
        try {
            table = load_sram_table(name->as_string());
        } catch (const InputError& error) {
            name->problem(to_string(error.problems().front()));
            return;
        }
        try {
            technology_.area.sram = SramModel(table, node->as_unsigned(), {energy, energy, leakage, area});
        } catch (const InputError& error) {
            node->problem(error.problems().front().what);
        }
    }

    void require_complete(YamlMap& root) {
        for (std::size_t i = 0; i < counter_count && root.has("energy"); ++i) {
            if (priced_here(counter_info[i]) && !accesses_sram(static_cast<Counter>(i)) &&
                !mentioned_.contains(static_cast<Counter>(i))) {
                root.problem("energy", fmt::format("no row prices '{}'", counter_info[i].name));
            }
        }
        for (std::size_t i = 0; i < area_unit_count && root.has("area"); ++i) {
            if (!sized_[i]) {
                root.problem("area", fmt::format("no row gives the area of '{}'", area_unit_names[i]));
            }
        }
    }

    YamlDocument& document_;
    Technology technology_;
    std::set<Counter> mentioned_;                // by some row, priced well or not
    std::array<bool, area_unit_count> sized_{};  // has a row
    std::map<std::pair<Counter, PriceForm>, std::uint64_t> lines_;
};

}  // namespace

Technology load_technology(const std::string& name_or_path) {
    YamlDocument document = YamlDocument::from_file(find_data_file(DataKind::energy, name_or_path));
    return TechnologyReader(document).read();
}

Technology parse_technology(const std::string& text, const std::string& file) {
    YamlDocument document = YamlDocument::from_text(text, file);
    return TechnologyReader(document).read();
}

}  // namespace nibble
