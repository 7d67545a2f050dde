// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/explore/machine_template.h"
#include "sim/explore/sampling.h"
#include "sim/explore/study.h"
#include "sim/report/result.h"

namespace nibble {

/// One machine with all else that a point depends on besides its workload.
struct Design {
    std::uint64_t number = 0;         ///< in the space, counted as the digits of its genome
    std::vector<std::string> values;  ///< of the axes, the fitted one last
    std::string base;                 ///< the machine that it was made from
    MachineParameters machine;
    std::string recipe;
    std::string baseline;
    std::string mapping;
    std::optional<std::uint64_t> batch;  ///< of all workloads
    std::string invalid;                 ///< why it cannot be built; empty: it can, and the machine is whole
};

/// All designs of a study.
class DesignSpace {
public:
    using MakeSubject = std::function<Subject(const MachineParameters& machine, const std::string& recipe)>;

    /// `study` must outlive the space. Throws InputError if a machine cannot be read.
    DesignSpace(const Study& study, MakeSubject make_subject);

    [[nodiscard]] const std::vector<std::size_t>& sizes() const { return sizes_; }
    /// Of the axes, the fitted one last.
    [[nodiscard]] std::vector<std::string> axis_names() const;
    [[nodiscard]] Design design(const Genome& genome) const;

    /// Where a value that makes every machine impossible stands in the file.
    [[nodiscard]] const Axis::Value& value(std::size_t axis_of_genome, std::size_t index) const;
    /// The study's axis behind a place in the genome; nothing for the choice of the base machine.
    [[nodiscard]] std::optional<std::size_t> axis(std::size_t place) const;

private:
    void apply(const Axis& axis, const Axis::Value& value, Design& design, std::vector<Setting>& settings) const;
    void fit(const MachineTemplate& base, std::vector<Setting> settings, Design& design) const;

    const Study& study_;
    MakeSubject make_subject_;
    std::vector<MachineTemplate> templates_;
    std::vector<std::size_t> sizes_;
};

}  // namespace nibble
