// SPDX-License-Identifier: MIT
#include "sim/app/value_syntax.h"

#include <algorithm>

namespace nibble {

namespace {

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

/// What stands between two marks; empty if the marks do not.
std::string_view between(std::string_view text, std::string_view begin, std::string_view end) {
    const std::size_t from = text.find(begin);
    if (from == std::string_view::npos) {
        return {};
    }
    text.remove_prefix(from + begin.size());
    const std::size_t to = text.find(end);
    return to == std::string_view::npos ? std::string_view{} : text.substr(0, to);
}

std::vector<const CLI::Option*> chosen(const CLI::App& command, bool positional) {
    return command.get_options([positional](const CLI::Option* option) {
        return option->get_positional() == positional && !option->get_group().empty();
    });
}

}  // namespace

ValueSyntax value_syntax(const CLI::Option& option) {
    if (!takes_value(option)) {
        return {};
    }
    // CLI11 appends what its validators say of themselves: "TEXT:{local,slurm}", "UINT:UINT in [1 - 1024]".
    const std::string type = option.get_type_name();
    if (const std::string_view choices = between(type, ":{", "}"); !choices.empty()) {
        return {split(choices, ','), {}};
    }
    if (const std::string_view limits = between(type, " in [", "]"); !limits.empty()) {
        const std::size_t dash = limits.find(" - ");
        return {{"N"}, "from " + std::string(limits.substr(0, dash)) + " to " + std::string(limits.substr(dash + 3))};
    }
    return {type == "UINT" ? std::vector<std::string>{"N"} : split(type, '|'), {}};
}

bool is_literal(std::string_view alternative) {
    const auto has = [&](char first, char last) {
        return std::ranges::any_of(alternative, [=](char letter) { return letter >= first && letter <= last; });
    };
    return has('A', 'Z') ? !has('a', 'z') && has('0', '9') : !alternative.empty();
}

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0;
}

bool takes_several(const CLI::Option& option) {
    return option.get_items_expected_max() > 1;
}

std::vector<std::string> option_names(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.get_snames()) {
        names.push_back("-" + name);
    }
    for (const std::string& name : option.get_lnames()) {
        names.push_back("--" + name);
    }
    return names;
}

std::vector<const CLI::Option*> arguments_of(const CLI::App& command) {
    return chosen(command, true);
}

std::vector<const CLI::Option*> options_of(const CLI::App& command) {
    return chosen(command, false);
}

std::vector<const CLI::App*> shown_commands(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

}  // namespace nibble
