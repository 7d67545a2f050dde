// SPDX-License-Identifier: MIT
#include "sim/app/pending_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace fs = std::filesystem;

PendingFile::PendingFile(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    const fs::file_status status = fs::status(path_, error);
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        throw InputError({path_.string(), 0, 0},
                         fmt::format("expected the name of a file to write, found a {}",
                                     fs::is_directory(status) ? "directory" : "device or pipe"));
    }
    const fs::path name = fmt::format(".{}.{}.part", path_.filename().string(), getpid());
    const fs::path temporary = path_.parent_path() / name;
    if (path_.filename().empty() || !std::ofstream(temporary, std::ios::binary)) {
        throw InputError({path_.string(), 0, 0}, fmt::format("cannot be written: {}", std::strerror(errno)));
    }
    temporary_ = temporary;
}

PendingFile::~PendingFile() {
    std::error_code ignored;
    fs::remove(temporary_, ignored);
}

void PendingFile::commit() {
    std::error_code error;
    fs::rename(temporary_, path_, error);
    if (error) {
        throw InputError({path_.string(), 0, 0}, fmt::format("cannot be written: {}", error.message()));
    }
}

}  // namespace nibble
