// SPDX-License-Identifier: MIT
#include "models/dram/field_order.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/dram/dram_params.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

/// Every field order, and the mapping that is none.
std::vector<std::string> all_mappings() {
    std::vector<std::string> all{std::string(permuted_mapping)};
    std::array<std::string_view, dram_field_count> fields = dram_field_names;
    std::ranges::sort(fields);
    do {
        all.push_back(fmt::format("{}", fmt::join(fields, "-")));
    } while (std::ranges::next_permutation(fields).found);
    return all;
}

}  // namespace

std::optional<FieldOrder> parse_field_order(std::string_view text) {
    FieldOrder order{};
    std::array<bool, dram_field_count> seen{};
    for (std::size_t place = 0; place < dram_field_count; ++place) {
        const std::size_t dash = text.find('-');
        const auto* const name = std::ranges::find(dram_field_names, text.substr(0, dash));
        const bool last = place + 1 == dram_field_count;
        if (name == dram_field_names.end() || (dash == std::string_view::npos) != last) {
            return std::nullopt;
        }
        const auto field = static_cast<std::size_t>(name - dram_field_names.begin());
        if (seen[field]) {
            return std::nullopt;
        }
        seen[field] = true;
        order[place] = static_cast<DramField>(field);
        text.remove_prefix(last ? text.size() : dash + 1);
    }
    return order;
}

std::string address_mapping_problem(std::string_view text) {
    if (text == permuted_mapping || parse_field_order(text)) {
        return {};
    }
    return fmt::format("expected {} or each of {} once, the most significant first, joined by '-', got '{}'{}",
                       permuted_mapping, fmt::join(dram_field_names, ", "), printable(text),
                       suggestion(text, all_mappings()));
}

}  // namespace nibble
