// SPDX-License-Identifier: MIT
#include "sim/app/workload_command.h"

#include <nlohmann/json.hpp>

#include "sim/app/output_file.h"
#include "sim/app/show_json.h"
#include "sim/app/trace_info.h"
#include "sim/app/trace_source.h"

namespace nibble {

void workload_command(const std::string& name, std::uint64_t batch, const std::string& path, bool json) {
    write_output_file(path,
                      [&](std::ostream& out, const std::filesystem::path&) { write_workload_trace(name, batch, out); });
    if (json) {
        show_json("nibblesim-trace-info-1", trace_info_json(read_trace_info(path)));
    }
}

}  // namespace nibble
