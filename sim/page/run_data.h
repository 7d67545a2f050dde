// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

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

/// What a page shows of a run: what result.json has, checked, with operations as rows of a table whose texts are kept
/// once. Throws InputError if the file is no result, is damaged, or does not add up.
[[nodiscard]] nlohmann::ordered_json run_data(const RunFiles& files);

/// The run in a sentence, for readers without scripts.
[[nodiscard]] std::string run_summary(const RunFiles& files);

}  // namespace nibble
