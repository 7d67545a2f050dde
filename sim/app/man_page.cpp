// SPDX-License-Identifier: MIT
#include "sim/app/man_page.h"

#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/app/value_syntax.h"

namespace nibble {

namespace {

constexpr std::string_view description = R"(.SH DESCRIPTION
.B nibblesim
takes the trace of one training step of a neural network and runs it, cycle by cycle, on a machine that computes in
four bits, and on a baseline in sixteen bits that is made from it by a rule, such as the same area of multipliers. It
says what the step takes in cycles and in energy, layer by layer, with a cause for every cycle and a source for every
energy.
.PP
Traces are files, the training steps of built-in networks, or files of other programs: PyTorch execution traces, Kineto,
Chakra, ONNX, SCALE\-Sim, ZigZag, Timeloop. Machines are presets or YAML files.
.B nibblesim list
shows what is built in.
.PP
In the place of a name in capitals stands:
.TP
.BR WORKLOAD ", " PRESET ", " RECIPE
one of those that
.B nibblesim list
shows;
.TP
.BR FILE ", " DIR
a path (a YAML file of which the name has no slash ends in
.IR .yaml );
.TP
.B N
a number;
.TP
.B GLOB
a shell pattern, to be quoted: * stands for any characters, ? for one;
.TP
.B PHASE
forward, dx, dw, vector or update;
.TP
.B METRIC
a metric of the study, such as time_ms or energy_mj, and
.B :min
or
.B :max
for what is better.
)";

constexpr std::string_view after_commands = R"(.SH EXIT STATUS
.TP
.B 0
All is well.
.TP
.B 2
A file or the command line is wrong. Each problem has a line on standard error, with file, line and column; nothing is
written.
.TP
.B 70
An error of the program's own.
.TP
.B 130
Interrupted.
.SH ENVIRONMENT
.TP
.B NIBBLESIM_DATA_DIR
A directory to take presets, energy tables, workloads and the parts of report pages from, instead of those that came
with the program.
.TP
.BR XDG_CACHE_HOME ", " HOME
Mappings that were searched for are kept in
.I $XDG_CACHE_HOME/nibblesim
or
.IR $HOME/.cache/nibblesim .
.TP
.B NO_COLOR
If not empty, nothing is coloured. Colour is for terminals only.
.TP
.B TERM
Without it, or if it is
.BR dumb ,
there is neither colour nor progress.
.TP
.BR LC_ALL ", " LC_CTYPE ", " LANG
The first of them that is set says whether bars may be drawn in UTF\-8.
.SH FILES
.TP
.IR ../share/nibblesim ", seen from the program"
.IR presets :
machines.
.IR energy :
prices of each technology, of SRAM and of DRAM, with their sources.
.IR workloads :
networks.
.IR report :
what a report page consists of.
.IR scripts :
to record PyTorch
.RI ( nibblesim_torch.py ,
.IR export_torch.py ),
to load results into pandas
.RI ( nibblesim_results.py ),
to draw studies
.RI ( plot_study.py ).
.TP
.IR ../share/doc/nibblesim ", seen from the program"
The documentation, studies and example traces.
.SH EXAMPLES
A training step of ResNet\-18 on a phone's machine, with a page to look at:
.PP
.nf
.RS
nibblesim run resnet18 \-\-batch 16 \-\-machine edge\-int4 \-\-out edge \-\-report edge.html
.RE
.fi
.PP
What changed from one machine to another:
.PP
.nf
.RS
nibblesim run resnet18 \-\-batch 16 \-\-machine server\-int4 \-\-out server \-\-quiet
nibblesim diff edge server
.RE
.fi
.PP
A machine of one's own begins as a preset, which is in the directory of a run:
.PP
.nf
.RS
cp edge/machine.yaml mine.yaml
nibblesim info mine.yaml
.RE
.fi
.PP
Words are completed in a shell of which the start-up file has the line:
.PP
.nf
.RS
source <(nibblesim completion bash)
.RE
.fi
.SH SEE ALSO
The documentation in
.IR share/doc/nibblesim ,
beginning with
.IR README.md .
.PP
X. Sun et al., "Ultra\-Low Precision 4\-bit Training of Deep Neural Networks", NeurIPS 2020.
)";

/// Text in which nothing is a command of roff's, and what is typed comes out as it is typed.
std::string roff(std::string_view text) {
    std::string result = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
    for (const char letter : text) {
        switch (letter) {
            case '\\':
                result += "\\(rs";
                break;
            case '-':
                result += "\\-";
                break;
            case '\'':
                result += "\\(aq";
                break;
            case '"':
                result += "\\(dq";
                break;
            case '`':
                result += "\\(ga";
                break;
            case '^':
                result += "\\(ha";
                break;
            case '~':
                result += "\\(ti";
                break;
            default:
                result += letter;
        }
    }
    return result;
}

std::string bold(std::string_view text) {
    return "\\fB" + roff(text) + "\\fP";
}

/// Words to be written as they are in bold, what stands for something else in italics.
std::string value(const CLI::Option& option) {
    std::vector<std::string> alternatives;
    for (const std::string& alternative : value_syntax(option).alternatives) {
        alternatives.push_back(is_literal(alternative) ? bold(alternative) : "\\fI" + roff(alternative) + "\\fP");
    }
    return fmt::format("{}{}", fmt::join(alternatives, " | "), takes_several(option) ? " ..." : "");
}

std::string option_head(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& name : option_names(option)) {
        names.push_back(bold(name));
    }
    return fmt::format("{}{}{}", fmt::join(names, ", "), takes_value(option) ? " " : "", value(option));
}

std::string sentence(const CLI::Option& option) {
    std::string text = option.get_description();
    if (const std::string range = value_syntax(option).range; !range.empty()) {
        text += ", " + range;
    }
    if (const std::string start = option.get_default_str(); !start.empty()) {
        text += " (default: " + start + ")";
    }
    return roff(text) + ".";
}

void show_entry(const std::string& head, const CLI::Option& option) {
    std::cout << ".TP\n" << head << '\n' << sentence(option) << '\n';
}

void show_command(const CLI::App& command) {
    std::cout << ".SS " << command.get_name() << '\n'
              << roff(command.get_description()) << ".\n.PP\n"
              << bold("nibblesim " + command.get_name());
    for (const CLI::Option* argument : arguments_of(command)) {
        std::cout << " \\fI" << roff(argument->get_name()) << "\\fP" << (takes_several(*argument) ? " ..." : "");
    }
    bool optional = false;
    for (const CLI::Option* option : options_of(command)) {
        if (option->get_required()) {
            std::cout << ' ' << option_head(*option);
        }
        optional = optional || !option->get_required();
    }
    std::cout << (optional ? " [\\fIoptions\\fP]\n" : "\n");
    for (const CLI::Option* argument : arguments_of(command)) {
        const std::string name = "\\fI" + roff(argument->get_name()) + "\\fP";
        const std::string taken = value(*argument);
        show_entry(taken == name ? name : name + ": " + taken, *argument);
    }
    for (const CLI::Option* option : options_of(command)) {
        show_entry(option_head(*option), *option);
    }
}

}  // namespace

void man_command(const CLI::App& app) {
    // Without a date, so that the same program writes the same page.
    std::cout << ".TH NIBBLESIM 1 \"\" \"" << roff(app.version()) << "\" \"User Commands\"\n"
              << ".SH NAME\nnibblesim \\- cycle-accurate simulator of hardware that trains neural networks in 4 bits\n"
              << ".SH SYNOPSIS\n.B nibblesim\n.I command\n.RI [ options ]\n.PP\n"
              << ".B nibblesim\n.BR \\-\\-help \" | \" \\-\\-version\n"
              << description << ".SH OPTIONS\n";
    for (const CLI::Option* option : options_of(app)) {
        show_entry(option_head(*option), *option);
    }
    std::cout << ".SH COMMANDS\n";
    for (const CLI::App* command : shown_commands(app)) {
        show_command(*command);
    }
    std::cout << after_commands;
}

}  // namespace nibble
