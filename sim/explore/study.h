// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.h"
#include "sim/explore/point_table.h"

namespace nibble {

/// One direction in which the designs of a study differ: a parameter and its values, or several that move together.
struct Axis {
    /// A parameter of machine files by its path, or one of study_parameter_names.
    struct Parameter {
        std::string name;
        SourceLocation where;
    };
    struct Value {
        std::vector<std::string> texts;  ///< YAML, one for each parameter
        SourceLocation where;

        [[nodiscard]] std::string text() const;  ///< joined by " / "
    };
    std::vector<Parameter> parameters;
    std::vector<Value> values;

    [[nodiscard]] std::string name() const;  ///< of the parameters, joined by " / "
};

/// What an axis can change besides parameters of the machine.
enum class StudyParameter : std::uint8_t { batch, baseline, mapping, recipe };
inline constexpr std::array<std::string_view, 4> study_parameter_names{"batch", "baseline", "mapping", "recipe"};

/// One parameter that is not free: the last of its values with which the machine keeps within a limit. So each family
/// of designs has about the same area or peak power.
struct Fit {
    Axis axis;
    std::string metric;
    double limit = 0;
    SourceLocation where;
};

struct StudyWorkload {
    std::string trace;  ///< trace, built-in workload, or another program's file
    std::optional<std::uint64_t> batch;
    double weight = 1;  ///< of its cycles and energy in the sums over workloads
};

/// A metric's value must not leave these limits.
struct Constraint {
    std::string metric;
    std::optional<double> min, max;
    SourceLocation where;
};

/// Which designs of the space are looked at.
enum class Method : std::uint8_t {
    grid,             ///< all
    random,           ///< so many, distinct, all equally likely
    latin_hypercube,  ///< so many, each axis's values as evenly used as can be
    guided,           ///< an evolutionary search for the front of the objectives (NSGA-II), at most so many
};
inline constexpr std::array<std::string_view, 4> method_names{"grid", "random", "latin_hypercube", "guided"};

/// A study: machines, how they are varied, what they execute, what is asked of them.
struct Study {
    std::string name;
    std::string description;
    std::vector<std::string> machines;  ///< presets or paths
    std::vector<Axis> axes;
    std::optional<Fit> fit;
    std::vector<StudyWorkload> workloads;
    std::string recipe = "int4-fp4";
    std::string baseline = "iso-mac-area";
    std::string mapping = "search";
    std::vector<Constraint> constraints;
    std::vector<Objective> objectives;
    Method method = Method::grid;
    std::uint64_t designs = 0;  ///< that the method looks at; grid: not used
    std::uint64_t seed = 1;
    Fidelity fidelity = Fidelity::simulated;
    /// All designs are looked at by prediction first, and so many of the best go on to `fidelity`.
    std::optional<std::uint64_t> confirm;
    double seconds_of_point = 0;            ///< after which a simulation is given up; 0: never
    std::uint64_t memory_mib_of_point = 0;  ///< that a simulation may use; 0: all

    /// Values of each axis: the space of designs, machines first where there are several.
    [[nodiscard]] std::vector<std::size_t> sizes() const;
};

/// Designs of a grid, and those that any other method may look at.
inline constexpr std::uint64_t most_designs = 20'000;
inline constexpr std::size_t most_values_of_axis = 10'000;

/// Reads a study. Paths in it are relative to its folder. Throws InputError with every problem of the file: unknown
/// parameters, metrics and machines with a suggestion, axes without values or with ones listed twice, steps that cannot
/// be, more designs than can be looked at.
[[nodiscard]] Study load_study(const std::filesystem::path& file);

/// The same from text; `folder` is where its paths begin.
[[nodiscard]] Study parse_study(const std::string& text, const std::string& file, const std::filesystem::path& folder);

}  // namespace nibble
