// SPDX-License-Identifier: MIT
#include "sim/app/schema_command.h"

#include <iostream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "models/dram/dram_params.h"
#include "models/dram/dram_standard.h"
#include "sim/config/machine_schema.h"
#include "sim/config/yaml_schema_text.h"

namespace nibble {

namespace {

constexpr std::string_view introduction = R"(# Machine files

<!-- Made by `nibblesim schema machine`; the texts are in sim/config/machine_config.cpp and scratchpad_config.cpp. -->

A machine is a YAML file; [the presets](../models/presets) are examples with a reason for every value, and
[the guide](guide.md#a-machine-of-your-own) makes one step by step. This page is made from the calls that read such
files (`nibblesim schema machine`). `nibblesim schema machine --json` prints JSON Schema, with which editors check files
and complete keys while they are written. `nibblesim info FILE` says what a machine amounts to; `run --out DIR` writes
the machine with every default filled in. What `technology` names is in [energy.md](energy.md), what the units do with
their parameters in [theory.md](theory.md).

An unknown, duplicate or missing key, a wrong type and a value out of its range are errors with line and column; so is
what does not fit together. All of a file are reported at once.

)";

/// What a memory has whose file names only its standard.
std::string typical_memories() {
    std::string text =
        "## Typical memories\n\nWhat `dram` defaults to, by its `standard`:\n\n"
        "| standard | channels | ranks | capacity_bytes_per_channel |\n|---|---|---|---|\n";
    for (const std::string_view standard : dram_standard_names()) {
        const DramParameters typical = typical_dram(standard);
        text += fmt::format("| {} | {} | {} | {} |\n", standard, typical.channels, typical.ranks,
                            typical.capacity_bytes_per_channel);
    }
    return text;
}

}  // namespace

void schema_command(bool json) {
    if (json) {
        std::cout << schema_json(machine_schema(), "nibblesim machine");
    } else {
        std::cout << introduction << schema_markdown(machine_schema()) << typical_memories();
    }
}

}  // namespace nibble
