// SPDX-License-Identifier: MIT
#include "sim/app/output_file.h"

#include <system_error>

#include "sim/app/interrupt.h"
#include "sim/base/error.h"
#include "sim/report/output_directory.h"

namespace nibble {

namespace fs = std::filesystem;

void write_output_file(const std::string& path,
                       const std::function<void(std::ostream&, const fs::path& directory)>& write) {
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
    write(output.create(file.filename().string()), directory);
    throw_if_interrupted();
    output.commit();
}

}  // namespace nibble
