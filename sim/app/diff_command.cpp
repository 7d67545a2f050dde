// SPDX-License-Identifier: MIT
#include "sim/app/diff_command.h"

#include <filesystem>
#include <iostream>
#include <system_error>

#include <nlohmann/json.hpp>

#include "sim/app/diff_report.h"
#include "sim/app/show_json.h"
#include "sim/app/terminal.h"

namespace nibble {

void diff_command(const DiffRequest& request) {
    DiffReport report{read_run_result(request.a), read_run_result(request.b), {}, {}, request.top};
    report.difference = difference_of(report.a, report.b);
    const auto machine_of = [](const RunResult& run) {
        return std::filesystem::path(run.file).replace_filename("machine.yaml");
    };
    std::error_code error;
    if (std::filesystem::exists(machine_of(report.a), error) && std::filesystem::exists(machine_of(report.b), error)) {
        report.machines = machine_differences(machine_of(report.a), machine_of(report.b));
    }
    if (request.json) {
        show_json("nibblesim-diff-1", diff_json(report));
    } else {
        const TextStyle style = terminal_style();
        std::cout << fitted(diff_text(report, style), style);
    }
}

}  // namespace nibble
