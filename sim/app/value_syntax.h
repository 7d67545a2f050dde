// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace nibble {

/// What may stand after an option or in the place of an argument, as its definition says: CLI11's type name, in which
/// alternatives stand between bars ("PRESET|FILE", "search|greedy|FILE"), or a validator's list or range. Help, manual
/// page and shell completion show this one thing.
struct ValueSyntax {
    /// Words that are written as they are, and in capitals what stands in their place: FILE, DIR, PRESET, ...
    std::vector<std::string> alternatives;
    /// "from 1 to 1024"; empty if there are no limits.
    std::string range;
};

/// What `option` takes; without alternatives if it is a flag.
[[nodiscard]] ValueSyntax value_syntax(const CLI::Option& option);

/// Is an alternative a word that is written as it is? Capitals stand for something else, alone (FILE, HIGH:LOW) or in
/// a word (timeout:N); a name in capitals and digits (DDR4-2400) is written as it is.
[[nodiscard]] bool is_literal(std::string_view alternative);

/// Does the option, or argument, take a value?
[[nodiscard]] bool takes_value(const CLI::Option& option);

/// May it be followed by any number of values?
[[nodiscard]] bool takes_several(const CLI::Option& option);

/// Options of a command as users write them, the one-letter name first: {"-o", "--output"}. Empty for an argument.
[[nodiscard]] std::vector<std::string> option_names(const CLI::Option& option);

/// What a command takes besides options, in order.
[[nodiscard]] std::vector<const CLI::Option*> arguments_of(const CLI::App& command);

/// The options of a command, in the order of their definition.
[[nodiscard]] std::vector<const CLI::Option*> options_of(const CLI::App& command);

/// The commands that help shows.
[[nodiscard]] std::vector<const CLI::App*> shown_commands(const CLI::App& app);

}  // namespace nibble
