// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nibble {

/// How the cycles of a point were found, from the quickest to the truest.
enum class Fidelity : std::uint8_t {
    predicted,  ///< every kind of operation by the mapping search's closed forms, alone, and summed
    composed,   ///< every kind of operation simulated alone, and summed
    simulated,  ///< the whole step simulated
};
inline constexpr std::size_t fidelity_count = 3;
inline constexpr std::array<std::string_view, fidelity_count> fidelity_names{"predicted", "composed", "simulated"};

enum class PointStatus : std::uint8_t {
    ok,
    outside,  ///< ran, or could have, but breaks a constraint of the study
    invalid,  ///< this combination of values makes no machine
    failed,   ///< the simulation of it ended in an error, for want of time or of memory
};
inline constexpr std::size_t point_status_count = 4;
inline constexpr std::array<std::string_view, point_status_count> point_status_names{"ok", "outside", "invalid",
                                                                                     "failed"};

/// One design of a study on one workload.
struct PointRow {
    std::uint64_t design = 0;         ///< its number in the study; designs that differ in the workload only share it
    std::string machine;              ///< base machine
    std::string workload;             ///< as the study names it
    std::vector<std::string> values;  ///< of the axes, in their order
    PointStatus status = PointStatus::ok;
    std::optional<Fidelity> fidelity;            ///< nothing for points that did not run
    std::string key;                             ///< content hash; empty for points that make no machine
    std::string reason;                          ///< of any status but ok, one line
    std::vector<std::optional<double>> metrics;  ///< in the table's order; nothing where it is not known
};

struct Objective {
    std::string metric;
    bool maximize = false;
};

/// What a study found: all of its points, in the order of their designs, for each design in the order of workloads.
struct PointTable {
    std::string study;
    std::vector<std::string> axes;     ///< as the study names them
    std::vector<std::string> metrics;  ///< names with their units ("energy_pj")
    std::vector<Objective> objectives;
    std::vector<PointRow> rows;

    /// The place of a metric; nothing if there is none of this name.
    [[nodiscard]] std::optional<std::size_t> metric(std::string_view name) const;
};

inline constexpr const char* point_table_schema = "nibblesim-points-1";

/// A JSON document of this schema: a point a line, numbers in the shortest form that reads back the same.
void write_points_json(std::ostream& out, const PointTable& table);
/// The same rows for spreadsheets (RFC 4180): design, machine, workload, axes, status, fidelity, metrics, key, reason.
void write_points_csv(std::ostream& out, const PointTable& table);
/// Reads `points.json`. Throws InputError if it is none, or damaged.
[[nodiscard]] PointTable read_points_json(const std::filesystem::path& path);

}  // namespace nibble
