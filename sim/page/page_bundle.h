// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

namespace nibble {

/// What makes a page work in a browser: built from report/src by scripts/build_report.sh, and put into every page.
struct PageBundle {
    std::string script;       ///< ES2020, one function call, without "</script"
    std::string style;        ///< CSS, without "</style"
    std::string script_hash;  ///< for the content security policy: "sha256-..." of the script
    std::string style_hash;   ///< the same of the style
};

/// Reads report.js, report.css and bundle.json of a folder. Throws InputError if one is missing or damaged.
[[nodiscard]] PageBundle read_page_bundle(const std::filesystem::path& folder);

/// The bundle that comes with the program (DataKind::report_page).
[[nodiscard]] PageBundle load_page_bundle();

}  // namespace nibble
