// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/machine/machine_params.h"

namespace nibble {

/// A parameter of a machine file by its path ("dram.channels"), and the YAML text of its value ("4", "[output]").
using Setting = std::pair<std::string, std::string>;

/// A machine from which others are made by giving some of its parameters other values. What the machine's file does not
/// give keeps following from the rest: another DRAM standard brings its own timings and queues.
class MachineTemplate {
public:
    /// A preset's name or the path of a machine file. Throws InputError as load_machine() does.
    explicit MachineTemplate(const std::string& name_or_path);

    [[nodiscard]] const MachineParameters& base() const { return base_; }
    /// Paths of all parameters, those that the file leaves open included.
    [[nodiscard]] const std::vector<std::string>& parameters() const { return parameters_; }

    /// The machine with these values. Throws InputError if there is no such machine; its problems name no file.
    [[nodiscard]] MachineParameters with(const std::vector<Setting>& settings) const;

private:
    /// A value of the file, with what aliases stand for written out.
    struct Value {
        std::string text;               ///< YAML of a scalar or a list; of a map empty
        std::vector<std::string> keys;  ///< of a map, in the order of the file
        std::vector<Value> values;      ///< theirs
        bool is_map = false;

        [[nodiscard]] Value& at(const std::string& key);
        [[nodiscard]] std::string yaml() const;
    };
    friend struct TemplateReader;

    MachineParameters base_;
    std::vector<std::string> parameters_;
    Value root_;
};

}  // namespace nibble
