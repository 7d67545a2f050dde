// SPDX-License-Identifier: MIT
#include "sim/app/import_command.h"

#include <filesystem>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/app/import_report.h"
#include "sim/app/interrupt.h"
#include "sim/app/output_file.h"
#include "sim/app/show_json.h"
#include "sim/app/terminal.h"
#include "sim/app/trace_info.h"
#include "sim/base/error.h"

namespace nibble {

void import_command(const TraceRequest& request, const std::string& path, bool json, bool quiet) {
    const std::optional<SourceFormat> format = source_format(request.name, request.from);
    if (!format) {
        throw InputError({request.name, 0, 0},
                         "expected a file of another program (--from says which), found none that is recognised");
    }
    ImportSummary summary;
    write_output_file(path, [&](std::ostream& out, const std::filesystem::path& directory) {
        TraceRequest placed = request;
        placed.options.directory = std::filesystem::absolute(directory);
        summary = write_imported_trace(placed, *format, out);
    });
    if (json) {
        nlohmann::ordered_json document = trace_info_json(read_trace_info(path));
        document["source"] = import_json(summary);
        document["unrecognised"] = unrecognised_json(summary);
        show_json("nibblesim-trace-info-1", document);
    } else if (!quiet) {
        const TextStyle style = terminal_style();
        std::cout << fitted(import_line(request.name, summary) + '\n' + import_text(summary, style) + '\n' +
                                trace_info_text(read_trace_info(path), style),
                            style);
    }
}

}  // namespace nibble
