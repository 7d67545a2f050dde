// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nibble {

/// Kinds of data files that come with the program, each a folder: of .yaml files, but for the parts of report pages.
enum class DataKind : std::uint8_t { preset, energy, workload, sram_table, report_page };

/// Where the data files are: $NIBBLESIM_DATA_DIR if set, else those of the running program (data_directory_of). Throws
/// InputError if that is no directory.
[[nodiscard]] std::filesystem::path data_directory();

/// Where the data files of a program lie, an absolute path without links: in the source tree if it is in the build
/// tree, else in ../share/nibblesim seen from its folder. Where it is decides, not what there is: an installed program
/// never takes the files of a source tree that happens to be there still.
[[nodiscard]] std::filesystem::path data_directory_of(const std::filesystem::path& program);

/// The folder of one kind: models/presets, models/energy, workloads, models/energy/sram and report/dist in the source
/// tree; presets, energy, workloads, energy/sram and report where the program is installed.
[[nodiscard]] std::filesystem::path data_folder(DataKind kind);

/// The file with the energies of DRAM, which lies with the technologies and is none of them.
[[nodiscard]] std::filesystem::path dram_energy_file();

/// Names of the files of one kind without .yaml, sorted.
[[nodiscard]] std::vector<std::string> data_names(DataKind kind);

/// The file meant by `name_or_path`: a path if it has a slash or ends in .yaml or .yml, else a name of data_names().
/// Throws InputError with a suggestion if there is no such name; whether a path exists is seen when it is opened.
[[nodiscard]] std::filesystem::path find_data_file(DataKind kind, const std::string& name_or_path);

}  // namespace nibble
