// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"
#include "sim/report/text_sections.h"

namespace nibble {

namespace {

using Align = TextTable::Align;

std::string size_of(std::int64_t bytes) {
    return bytes < 0 ? "-" + byte_size(static_cast<double>(-bytes)) : byte_size(static_cast<double>(bytes));
}

std::vector<std::string> cells_of(const OnChipKind& kind) {
    return {grouped(kind.tensors), size_of(kind.load_bytes), size_of(kind.store_bytes)};
}

bool empty(const OnChipKind& kind) {
    return kind.tensors == 0 && kind.load_bytes == 0 && kind.store_bytes == 0;
}

/// "1.20 GiB of 5.00 GiB (24%)".
std::string spared_line(const Outcome& outcome) {
    const OnChipKind all = outcome.summary.on_chip.all();
    const auto spared = static_cast<double>(all.load_bytes + all.store_bytes);
    const auto moved =
        static_cast<double>(outcome.totals[Counter::dram_bytes_read] + outcome.totals[Counter::dram_bytes_written]);
    const double whole = spared + moved;
    return fmt::format("{} of {} ({})", size_of(all.load_bytes + all.store_bytes), byte_size(whole),
                       percent(whole > 0 ? spared / whole : 0));
}

std::string fused_line(const OnChipRecord& record) {
    return fmt::format("{} element-wise steps in {} GEMMs, {} narrow copies", grouped(record.fused_steps),
                       grouped(record.fused_gemms), grouped(record.fused_quantizations));
}

}  // namespace

std::string on_chip_section(const Result& result, const TextStyle& style) {
    const OnChipRecord& machine = result.machine.summary.on_chip;
    const OnChipRecord* baseline = result.baseline ? &result.baseline->summary.on_chip : nullptr;
    std::vector<TextTable::Column> columns{{"kept on chip", Align::left}, {"tensors"}, {"loads spared"}, {"stores"}};
    if (baseline != nullptr) {
        columns.insert(columns.end(), {{"baseline"}, {"loads spared"}, {"stores"}});
    }
    TextTable table(std::move(columns));
    const auto add = [&](std::string_view name, const OnChipKind& here, const OnChipKind* there) {
        std::vector<std::string> cells{spaced(name)};
        std::ranges::move(cells_of(here), std::back_inserter(cells));
        if (there != nullptr) {
            std::ranges::move(cells_of(*there), std::back_inserter(cells));
        }
        table.add(std::move(cells));
    };
    for (std::size_t kind = 0; kind < machine.kinds.size(); ++kind) {
        const OnChipKind* there = baseline != nullptr ? &baseline->kinds[kind] : nullptr;
        if (!empty(machine.kinds[kind]) || (there != nullptr && !empty(*there))) {
            add(tensor_kind_names[kind], machine.kinds[kind], there);
        }
    }
    table.add_rule();
    const OnChipKind all = machine.all();
    const OnChipKind all_of_baseline = baseline != nullptr ? baseline->all() : OnChipKind{};
    add("all", all, baseline != nullptr ? &all_of_baseline : nullptr);

    std::string text = heading("On chip", style) + table.text(style);
    text += fmt::format("  DRAM traffic spared    {}\n", spared_line(result.machine));
    if (baseline != nullptr) {
        text += fmt::format("             baseline    {}\n", spared_line(*result.baseline));
    }
    text += fmt::format("  done as results drain  {}\n", fused_line(machine));
    if (baseline != nullptr) {
        text += fmt::format("             baseline    {}\n", fused_line(*baseline));
    }
    return text;
}

}  // namespace nibble
