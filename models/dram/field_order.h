// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nibble {

/// The parts of a DRAM address above a burst.
enum class DramField : std::uint8_t { row, channel, rank, bank, bank_group, column };
inline constexpr std::size_t dram_field_count = 6;

/// Their names, in the order of DramField.
inline constexpr std::array<std::string_view, dram_field_count> dram_field_names = {"ro", "ch", "ra", "ba", "bg", "co"};

/// All six fields, the most significant first.
using FieldOrder = std::array<DramField, dram_field_count>;

/// Reads `ro-ch-ra-ba-bg-co` in any order; nothing if a field is unknown, missing or there twice.
[[nodiscard]] std::optional<FieldOrder> parse_field_order(std::string_view text);

/// What is wrong with the text of an address mapping, `permuted` or a field order; nothing if it is sound. Proposes the
/// mapping that is nearest.
[[nodiscard]] std::string address_mapping_problem(std::string_view text);

}  // namespace nibble
