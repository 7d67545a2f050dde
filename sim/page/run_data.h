// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace nibble {

/// Files of one run.
struct RunFiles {
    std::filesystem::path result;  ///< result.json
    std::string name;              ///< by which people know it
    std::string machine;           ///< the machine as it was simulated, YAML; empty: unknown
    std::string baseline;          ///< the same of the baseline
};

/// The files of a directory that `run --out` made, or of its result.json.
[[nodiscard]] RunFiles files_of_run(const std::filesystem::path& path);

/// What a page shows of a run.
struct RunPage {
    nlohmann::ordered_json data;  ///< what result.json has, checked, with operations as rows of a table whose texts are
                                  ///< kept once
    std::string summary;          ///< the run in a sentence, for readers without scripts
};

/// Throws InputError if the file is no result, is damaged, or does not add up.
[[nodiscard]] RunPage page_of_run(const RunFiles& files);

}  // namespace nibble
