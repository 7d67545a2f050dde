// SPDX-License-Identifier: MIT
#include "sim/app/completion_command.h"

#include <algorithm>
#include <iostream>
#include <optional>

#include <fmt/format.h>

#include "sim/app/completion_scripts.h"
#include "sim/app/value_syntax.h"
#include "sim/config/data_directory.h"
#include "sim/lowering/recipe.h"

namespace nibble {

namespace {

void show(std::string_view candidate, std::string_view description = {}) {
    std::cout << candidate;
    if (!description.empty()) {
        std::cout << '\t' << description;
    }
    std::cout << '\n';
}

/// What may be written in the place of an alternative of a value's syntax.
void show_alternative(const std::string& alternative) {
    if (is_literal(alternative)) {
        show(alternative);
    } else if (alternative == "FILE") {
        show(":files");
    } else if (alternative == "DIR") {
        show(":directories");
    } else if (alternative == "PRESET") {
        std::ranges::for_each(data_names(DataKind::preset), [](const std::string& name) { show(name, "preset"); });
    } else if (alternative == "WORKLOAD") {
        std::ranges::for_each(data_names(DataKind::workload), [](const std::string& name) { show(name, "workload"); });
    } else if (alternative == "RECIPE") {
        for (const std::string& name : recipe_names()) {
            show(name, find_recipe(name)->description());
        }
    }
}

void show_values(const CLI::Option& option) {
    const std::vector<std::string> alternatives = value_syntax(option).alternatives;
    const bool files = std::ranges::count(alternatives, "FILE") > 0;
    for (const std::string& alternative : alternatives) {
        if (alternative != "DIR" || !files) {  // files are completed through directories
            show_alternative(alternative);
        }
    }
}

/// A command line as far as it is written.
class Line {
public:
    explicit Line(const CLI::App& app) : command_(&app) {}

    /// Takes a whole word.
    void take(const std::string& word) {
        if (command_ == nullptr) {
            return;
        }
        if (value_of_ != nullptr && (value_needed_ || !word.starts_with('-'))) {
            value_needed_ = false;
            value_of_ = takes_several(*value_of_) ? value_of_ : nullptr;
        } else if (word.starts_with('-')) {
            take_option(word);
        } else if (command_->get_parent() == nullptr) {
            choose(word);
        } else {
            ++arguments_;
        }
    }

    /// Shows what may come for the word that is being written.
    void show_next(const std::string& word) const {
        if (command_ == nullptr) {
            return;
        }
        const std::size_t assigned = word.starts_with("--") ? word.find('=') : std::string::npos;
        if (value_of_ != nullptr && (value_needed_ || !word.starts_with('-'))) {
            show_values(*value_of_);
        } else if (assigned != std::string::npos) {
            if (const CLI::Option* option = find(word.substr(0, assigned)); option != nullptr) {
                show_values(*option);
            }
        } else if (word.starts_with('-')) {
            show_options();
        } else if (command_->get_parent() == nullptr) {
            for (const CLI::App* command : shown_commands(*command_)) {
                show(command->get_name(), command->get_description());
            }
        } else if (const CLI::Option* argument = next_argument(); argument != nullptr) {
            show_values(*argument);
        } else {
            show_options();
        }
    }

private:
    [[nodiscard]] const CLI::Option* find(const std::string& name) const {
        for (const CLI::Option* option : options_of(*command_)) {
            if (std::ranges::count(option_names(*option), name) > 0) {
                return option;
            }
        }
        return nullptr;
    }

    void take_option(const std::string& word) {
        const std::size_t assigned = word.find('=');
        const CLI::Option* option = find(word.substr(0, assigned));
        value_of_ = nullptr;
        if (option == nullptr) {
            return;
        }
        if (!takes_several(*option)) {
            used_.push_back(option);
        }
        if (assigned == std::string::npos && takes_value(*option)) {
            value_of_ = option;
            value_needed_ = true;
        }
    }

    void choose(const std::string& name) {
        const std::vector<const CLI::App*> commands = shown_commands(*command_);
        const auto found = std::ranges::find(commands, name, [](const CLI::App* each) { return each->get_name(); });
        command_ = found == commands.end() ? nullptr : *found;
        used_.clear();
    }

    [[nodiscard]] const CLI::Option* next_argument() const {
        const std::vector<const CLI::Option*> arguments = arguments_of(*command_);
        if (arguments_ < arguments.size()) {
            return arguments[arguments_];
        }
        return !arguments.empty() && takes_several(*arguments.back()) ? arguments.back() : nullptr;
    }

    void show_options() const {
        for (const CLI::Option* option : options_of(*command_)) {
            if (std::ranges::count(used_, option) == 0) {
                show(option_names(*option).back(), option->get_description());
            }
        }
    }

    const CLI::App* command_;  ///< the program until a command is chosen; none if there is no such command
    std::size_t arguments_ = 0;
    std::vector<const CLI::Option*> used_;   ///< options that are not given a second time
    const CLI::Option* value_of_ = nullptr;  ///< the option whose value may come next
    bool value_needed_ = false;              ///< whether nothing else may
};

}  // namespace

void completion_command(std::string_view shell) {
    std::cout << completion_script(shell);
}

void next_words_command(const CLI::App& app, const std::vector<std::string>& words) {
    Line line(app);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        line.take(words[i]);
    }
    line.show_next(words.empty() ? std::string{} : words.back());
}

}  // namespace nibble
