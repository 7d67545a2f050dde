// SPDX-License-Identifier: MIT
#include "sim/config/data_directory.h"
#include "sim/config/yaml_reader.h"
#include "sim/energy/sram_model.h"

namespace nibble {

namespace {

constexpr double um2_per_mm2 = 1e6;
constexpr UnsignedRange positive_count{1, std::uint64_t{1} << 40};
constexpr UnsignedRange narrow_count{1, 1U << 20};

SramRow read_row(const YamlNode& node) {
    YamlMap row = node.as_map();
    SramRow made;
    made.node_nm = row.required_unsigned("node_nm", narrow_count);
    made.macro.capacity_bytes = row.required_unsigned("capacity_bytes", positive_count);
    made.macro.line_bytes = static_cast<std::uint32_t>(row.required_unsigned("line_bytes", narrow_count));
    made.macro.banks = static_cast<std::uint32_t>(row.required_unsigned("banks", narrow_count));
    made.cost.read = Picojoules(row.required_number("read_pj"));
    made.cost.write = Picojoules(row.required_number("write_pj"));
    made.cost.leakage_mw = row.required_number("leakage_mw");
    made.cost.area = SquareMicrometres(row.required_number("area_mm2") * um2_per_mm2);
    row.finish();
    return made;
}

SramTable read_table(YamlDocument& document) {
    YamlMap root = document.root_map();
    SramTable table;
    static_cast<void>(root.optional_string("description", ""));
    for (const YamlNode& node : root.required_list("rows")) {
        table.rows.push_back(read_row(node));
    }
    std::array<bool, bank_ports_count> given{true, false, false};  // one port: what the rows are of
    for (const YamlNode& node : root.required_list("ports")) {
        YamlMap row = node.as_map();
        const auto ports = row.required_choice<BankPorts>(
            "ports", {{"1r1w", BankPorts::one_read_one_write}, {"2rw", BankPorts::two_read_or_write}});
        const SramFactors factors{row.required_number("read"), row.required_number("write"),
                                  row.required_number("leakage"), row.required_number("area")};
        if (const std::optional<YamlNode> source = row.required("source");
            source && source->is_text() && source->as_string().empty()) {
            source->problem("every number needs its source");
        }
        row.finish();
        const auto index = static_cast<std::size_t>(ports);
        if (row.present() && given[index]) {
            row.problem("ports", "listed twice");
        }
        given[index] = true;
        table.ports[index] = factors;
    }
    for (std::size_t i = 0; i < bank_ports_count && root.has("ports"); ++i) {
        if (!given[i]) {
            root.problem("ports", "no row for " + std::string(bank_ports_names[i]));
        }
    }
    root.finish();
    document.throw_if_any();
    return table;
}

}  // namespace

SramTable load_sram_table(const std::string& name_or_path) {
    YamlDocument document = YamlDocument::from_file(find_data_file(DataKind::sram_table, name_or_path));
    return read_table(document);
}

SramTable parse_sram_table(const std::string& text, const std::string& file) {
    YamlDocument document = YamlDocument::from_text(text, file);
    return read_table(document);
}

}  // namespace nibble
