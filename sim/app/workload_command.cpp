// SPDX-License-Identifier: MIT
#include "sim/app/workload_command.h"

#include <filesystem>
#include <fstream>

#include "sim/app/interrupt.h"
#include "sim/app/trace_source.h"
#include "sim/base/error.h"
#include "sim/report/output_directory.h"

namespace nibble {

namespace fs = std::filesystem;

void workload_command(const std::string& name, std::uint64_t batch, const std::string& path) {
    const fs::path file(path);
    if (std::error_code error; !file.has_filename() || fs::is_directory(file, error)) {
        throw InputError({path, 0, 0}, "expected the name of a file to write, found a directory");
    }
    const fs::path directory = file.has_parent_path() ? file.parent_path() : fs::path(".");
    if (std::error_code error; !fs::is_directory(directory, error)) {
        throw InputError({directory.string(), 0, 0}, "there is no such directory");
    }
    const DeferInterrupts until_output_is_tidy;
    OutputDirectory output(directory);
    write_workload_trace(name, batch, output.create(file.filename().string()));
    throw_if_interrupted();
    output.commit();
}

}  // namespace nibble
