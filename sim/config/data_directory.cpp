// SPDX-License-Identifier: MIT
#include "sim/config/data_directory.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

namespace fs = std::filesystem;

struct KindInfo {
    std::string_view in_source;
    std::string_view installed;
    std::string_view singular;
    std::string_view plural;
};

const KindInfo& info_of(DataKind kind) {
    static constexpr KindInfo infos[] = {{"models/presets", "presets", "preset", "presets"},
                                         {"models/energy", "energy", "technology", "technologies"},
                                         {"workloads", "workloads", "workload", "workloads"},
                                         {"models/energy/sram", "energy/sram", "SRAM table", "SRAM tables"},
                                         {"report/dist", "report", "report page", "report pages"}};
    return infos[static_cast<std::size_t>(kind)];
}

constexpr const char* dram_energy_name = "dram.yaml";

bool is_folder(const fs::path& path) {
    std::error_code error;
    return fs::is_directory(path, error);
}

bool lies_in(const fs::path& file, const fs::path& folder) {
    return std::ranges::mismatch(folder, file).in1 == folder.end();
}

}  // namespace

fs::path data_directory() {
    if (const char* chosen = std::getenv("NIBBLESIM_DATA_DIR"); chosen != nullptr && *chosen != '\0') {
        if (!is_folder(chosen)) {
            throw InputError(fmt::format("NIBBLESIM_DATA_DIR: '{}' is not a directory", printable(chosen, 200)));
        }
        return chosen;
    }
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (error) {
        throw InputError(
            "without /proc it is not known where the program is: set NIBBLESIM_DATA_DIR to its data files");
    }
    fs::path directory = data_directory_of(program);
    if (!is_folder(directory)) {
        throw InputError(
            fmt::format("there are no data files in '{}', where this program looks for them: install it with "
                        "them, or set NIBBLESIM_DATA_DIR",
                        printable(directory.string(), 200)));
    }
    return directory;
}

fs::path data_directory_of(const fs::path& program) {
    // The path of a running program has no links, that of the build tree may have. Where the program is installed,
    // there may be no such tree, or nobody may look into it.
    std::error_code error;
    const fs::path build = fs::weakly_canonical(NIBBLE_BINARY_DIR, error);
    if (!error && lies_in(program, build)) {
        return NIBBLE_SOURCE_DIR;
    }
    return program.parent_path().parent_path() / "share" / "nibblesim";
}

fs::path data_folder(DataKind kind) {
    const fs::path root = data_directory();
    const fs::path in_source = root / info_of(kind).in_source;
    return is_folder(in_source) ? in_source : root / info_of(kind).installed;
}

fs::path dram_energy_file() {
    return data_folder(DataKind::energy) / dram_energy_name;
}

std::vector<std::string> data_names(DataKind kind) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator file(data_folder(kind), error), end; !error && file != end; file.increment(error)) {
        if (file->path().extension() == ".yaml" && file->path().filename() != dram_energy_name) {
            names.push_back(file->path().stem().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

fs::path find_data_file(DataKind kind, const std::string& name_or_path) {
    if (name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".yaml") ||
        name_or_path.ends_with(".yml")) {
        return name_or_path;
    }
    const std::vector<std::string> names = data_names(kind);
    if (std::find(names.begin(), names.end(), name_or_path) == names.end()) {
        const KindInfo& info = info_of(kind);
        const std::string hint = suggestion(name_or_path, names);
        throw InputError(fmt::format(
            "unknown {} '{}'{}; {} are: {}; a file's name ends in .yaml", info.singular, printable(name_or_path), hint,
            info.plural,
            names.empty() ? "none found in " + data_folder(kind).string() : fmt::format("{}", fmt::join(names, ", "))));
    }
    return data_folder(kind) / (name_or_path + ".yaml");
}

}  // namespace nibble
