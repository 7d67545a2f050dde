// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace nibble {

/// "12,345,678".
[[nodiscard]] std::string grouped(std::uint64_t count);

/// Three significant digits with a decimal prefix: "1.81 G", "950", "12.3 m", "0"; `unit` follows the prefix ("12.3
/// ms").
[[nodiscard]] std::string with_prefix(double value, const std::string& unit = {});

/// Three significant digits with a binary prefix: "1.50 MiB".
[[nodiscard]] std::string byte_size(double bytes);

/// "3.71x", "0.064x", "12.3x".
[[nodiscard]] std::string ratio(double value);

/// "51%", "0.3%": a share of 1.
[[nodiscard]] std::string percent(double share);

/// "350 ms", "4.2 s", "3 min 20 s", "1 h 5 min".
[[nodiscard]] std::string duration(double seconds);

}  // namespace nibble
