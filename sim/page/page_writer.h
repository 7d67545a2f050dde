// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sim/page/page_bundle.h"

namespace nibble {

/// `text` as HTML shows it, between tags or in a quoted attribute. Bytes that are no UTF-8 become U+FFFD, and so do
/// control characters, which HTML does not allow.
[[nodiscard]] std::string html_text(std::string_view text);

/// JSON in ASCII that may stand in a <script> element whatever its texts hold: '<', '>' and '&' are escaped as well.
[[nodiscard]] std::string script_json(const nlohmann::ordered_json& json);

/// Writes a page that stands alone: one HTML file, which loads nothing and, by its content security policy, cannot.
/// `summary` is what is read where scripts do not run, a paragraph each; `data` what the bundle's script shows.
void write_page(std::ostream& out, const std::string& title, const std::vector<std::string>& summary,
                const nlohmann::ordered_json& data, const PageBundle& bundle);

}  // namespace nibble
