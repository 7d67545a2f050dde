// SPDX-License-Identifier: MIT
#include "sim/energy/dram_energy_table.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "models/dram/dram_standard.h"
#include "sim/base/error.h"
#include "sim/config/data_directory.h"
#include "sim/config/yaml_reader.h"

namespace nibble {

namespace {

std::string read_source(YamlMap& map) {
    std::string text = map.required_string("source");
    if (map.has("source") && text.empty()) {
        map.problem("source", "every number needs its source");
    }
    return text;
}

DramSupply read_supply(const YamlNode& node) {
    YamlMap map = node.as_map();
    DramSupply supply;
    supply.name = map.required_string("name");
    supply.volts = map.required_number("volts");
    supply.data_pins = map.optional_bool("data_pins", false);
    for (const auto& [key, current] :
         {std::pair{"idd0_ma", &DramSupply::idd0_ma}, std::pair{"idd2n_ma", &DramSupply::idd2n_ma},
          std::pair{"idd2p_ma", &DramSupply::idd2p_ma}, std::pair{"idd3n_ma", &DramSupply::idd3n_ma},
          std::pair{"idd3p_ma", &DramSupply::idd3p_ma}, std::pair{"idd4r_ma", &DramSupply::idd4r_ma},
          std::pair{"idd4w_ma", &DramSupply::idd4w_ma}, std::pair{"idd5_ma", &DramSupply::idd5_ma}}) {
        supply.*current = map.required_number(key, non_negative_number);
    }
    map.finish();
    // A command that took less than doing nothing would be priced below zero.
    const auto at_least = [&](const char* key, double current, double standby, const char* standby_name) {
        if (map.present() && current < standby) {
            map.problem(key, fmt::format("expected at least {}, the {}", standby, standby_name));
        }
    };
    at_least("idd0_ma", supply.idd0_ma, supply.idd3n_ma, "active standby");
    at_least("idd0_ma", supply.idd0_ma, supply.idd2n_ma, "precharge standby");
    at_least("idd4r_ma", supply.idd4r_ma, supply.idd3n_ma, "active standby");
    at_least("idd4w_ma", supply.idd4w_ma, supply.idd3n_ma, "active standby");
    at_least("idd5_ma", supply.idd5_ma, supply.idd3n_ma, "active standby");
    return supply;
}

DramEnergyEntry read_entry(const YamlNode& node) {
    constexpr std::uint64_t widest_device = 1024;
    YamlMap map = node.as_map();
    DramEnergyEntry entry;
    entry.standard = map.required_string("standard");
    entry.device = map.required_string("device");
    entry.basis = map.required_choice<DramPriceBasis>("basis", {{"data_sheet", DramPriceBasis::data_sheet},
                                                                {"measured", DramPriceBasis::measured},
                                                                {"extrapolated", DramPriceBasis::extrapolated},
                                                                {"other_standard", DramPriceBasis::other_standard}});
    entry.data_pins = map.required_choice<DramDataPins>("data_pins", {{"included", DramDataPins::included},
                                                                      {"own_supply", DramDataPins::own_supply},
                                                                      {"left_out", DramDataPins::left_out}});
    DramCurrents& currents = entry.currents;
    currents.data_bits = static_cast<std::uint32_t>(map.required_unsigned("data_bits", {1, widest_device}));
    currents.data_rate_mtps = map.required_number("data_rate_mtps");
    currents.t_ras_ns = map.required_number("t_ras_ns");
    currents.t_rp_ns = map.required_number("t_rp_ns");
    currents.t_rfc_ns = map.required_number("t_rfc_ns");
    for (const YamlNode& supply : map.required_list("supplies")) {
        currents.supplies.push_back(read_supply(supply));
    }
    entry.source = read_source(map);
    map.finish();
    if (map.has("supplies")) {
        const bool own = std::ranges::any_of(currents.supplies, &DramSupply::data_pins);
        if (own != (entry.data_pins == DramDataPins::own_supply)) {
            map.problem("data_pins", own ? "expected own_supply, as one of the supplies feeds the data pins"
                                         : "no supply is marked with data_pins: true");
        }
    }
    if (map.has("standard") && find_dram_standard(entry.standard) == nullptr) {
        map.problem("standard", fmt::format("there is no DRAM standard '{}'{}", printable(entry.standard),
                                            suggestion(entry.standard, dram_standard_names())));
    }
    return entry;
}

DramEnergyTable read_table(YamlDocument& document) {
    YamlMap root = document.root_map();
    DramEnergyTable table;
    for (const YamlNode& node : root.required_list("standards")) {
        DramEnergyEntry entry = read_entry(node);
        if (std::ranges::count(table.entries, entry.standard, &DramEnergyEntry::standard) > 0) {
            node.problem(fmt::format("'{}' has energies already", printable(entry.standard)));
        }
        table.entries.push_back(std::move(entry));
    }
    root.finish();
    document.throw_if_any();
    return table;
}

}  // namespace

const DramEnergyEntry& DramEnergyTable::of(const std::string& standard) const {
    const auto found = std::ranges::find(entries, standard, &DramEnergyEntry::standard);
    if (found == entries.end()) {
        throw InputError(
            fmt::format("there are no energies for DRAM standard '{}' ({})", standard, dram_energy_file().string()));
    }
    return *found;
}

DramEnergyTable load_dram_energy() {
    YamlDocument document = YamlDocument::from_file(dram_energy_file());
    return read_table(document);
}

DramEnergyTable parse_dram_energy(const std::string& text, const std::string& file) {
    YamlDocument document = YamlDocument::from_text(text, file);
    return read_table(document);
}

std::string basis_text(const DramEnergyEntry& entry) {
    constexpr std::array<std::string_view, 4> origins{"IDD values of a data sheet", "measured currents",
                                                      "currents extrapolated from measured ones",
                                                      "[assumption] IDD values of another standard's data sheet"};
    constexpr std::array<std::string_view, 3> pins{"data pins included", "data pins apart", "data pins left out"};
    return fmt::format("{} ({}); {}", origins[static_cast<std::size_t>(entry.basis)], entry.device,
                       pins[static_cast<std::size_t>(entry.data_pins)]);
}

}  // namespace nibble
