// SPDX-License-Identifier: MIT
#include "sim/app/report_command.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <sstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/app/output_file.h"
#include "sim/app/show_json.h"
#include "sim/base/error.h"
#include "sim/explore/json_reader.h"
#include "sim/explore/point_table.h"
#include "sim/page/page_writer.h"
#include "sim/page/run_data.h"
#include "sim/page/study_data.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t most_name = 80;  // of a title

/// The points.json that `path` means; empty if it means a run.
fs::path points_of(const std::string& path) {
    std::error_code error;
    const fs::path named(path);
    if (fs::is_directory(named, error)) {
        const bool study = fs::exists(named / "points.json", error) && !fs::exists(named / "result.json", error);
        return study ? named / "points.json" : fs::path();
    }
    constexpr std::size_t most_bytes = std::size_t{1} << 30U;
    const JsonValue document = JsonValue::read(named, most_bytes);
    return document["schema"].text() == point_table_schema ? named : fs::path();
}

void write_study_page(std::ostream& out, const std::string& program, const PointTable& table) {
    const Json data = {{"kind", "study"}, {"program", program}, {"study", study_data(table)}};
    write_page(out, fmt::format("{}: study", for_terminal(table.study, most_name)),
               {fmt::format("{} points, {} axes.", table.rows.size(), table.axes.size())}, data, load_page_bundle());
}

/// Writes the file once the page is whole, and says so if asked to, with what is counted in `about`.
void write_file(const ReportRequest& request, const Json& about, const std::function<void(std::ostream&)>& write) {
    std::ostringstream page;
    write(page);
    write_output_file(request.output, [&](std::ostream& out, const fs::path&) { out << page.view(); });
    if (request.json) {
        Json document = {{"page", request.output}, {"bytes", page.view().size()}};
        document.update(about);
        show_json("nibblesim-report-1", document);
    }
}

}  // namespace

void write_run_page(std::ostream& out, const std::string& program, const std::vector<RunFiles>& runs) {
    Json data = {{"kind", "runs"}, {"program", program}, {"runs", Json::array()}};
    std::vector<std::string> summary;
    std::string title;
    for (const RunFiles& run : runs) {
        RunPage page = page_of_run(run);
        data["runs"].push_back(std::move(page.data));
        summary.push_back(std::move(page.summary));
        const Json& provenance = data["runs"].back()["provenance"];
        title += fmt::format("{}{} on {}", title.empty() ? "" : ", ",
                             for_terminal(provenance["network"].get<std::string>(), most_name),
                             for_terminal(provenance["machine"].get<std::string>(), most_name));
    }
    write_page(out, title, summary, data, load_page_bundle());
}

void report_command(const ReportRequest& request) {
    std::vector<RunFiles> runs;
    for (const std::string& path : request.results) {
        const fs::path points = points_of(path);
        if (points.empty()) {
            runs.push_back(files_of_run(path));
        } else if (request.results.size() > 1) {
            throw InputError({path}, "a study has a page of its own: name it alone");
        } else {
            const PointTable table = read_points_json(points);
            write_file(request, {{"kind", "study"}, {"study", table.study}, {"points", table.rows.size()}},
                       [&](std::ostream& out) { write_study_page(out, request.program, table); });
            return;
        }
    }
    write_file(request, {{"kind", "runs"}, {"runs", request.results}},
               [&](std::ostream& out) { write_run_page(out, request.program, runs); });
}

}  // namespace nibble
