// SPDX-License-Identifier: MIT
#include "sim/report/output_directory.h"

#include <cerrno>
#include <cstring>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace fs = std::filesystem;

namespace {

InputError cannot_write(const fs::path& path, const std::string& why) {
    return InputError({path.string(), 0, 0}, "cannot be written: " + why);
}

}  // namespace

OutputDirectory::OutputDirectory(fs::path directory) : directory_(std::move(directory)) {
    std::error_code error;
    if (fs::exists(directory_, error) && !fs::is_directory(directory_, error)) {
        throw InputError({directory_.string(), 0, 0}, "expected a directory for results, found a file");
    }
    for (fs::path path = directory_; !path.empty() && !fs::exists(path, error); path = path.parent_path()) {
        made_ = path;
    }
    fs::create_directories(directory_, error);
    if (error) {
        throw InputError({directory_.string(), 0, 0}, "cannot be made: " + error.message());
    }
    if (access(directory_.c_str(), W_OK | X_OK) != 0) {
        throw cannot_write(directory_, std::strerror(errno));
    }
}

OutputDirectory::~OutputDirectory() {
    if (committed_) {
        return;
    }
    std::error_code ignored;
    for (File& file : files_) {
        file.stream.close();
        fs::remove(file.temporary, ignored);
    }
    // Removes only what is empty: somebody else may have put something there meanwhile.
    for (fs::path path = directory_; !made_.empty(); path = path.parent_path()) {
        fs::remove(path, ignored);
        if (path == made_ || ignored) {
            break;
        }
    }
}

std::ofstream& OutputDirectory::create(const std::string& name) {
    const fs::path temporary = directory_ / fmt::format(".{}.{}.part", name, getpid());
    File& file = files_.emplace_back(File{temporary, directory_ / name, std::ofstream(temporary, std::ios::binary)});
    if (!file.stream) {
        throw cannot_write(temporary, std::strerror(errno));
    }
    return file.stream;
}

void OutputDirectory::commit() {
    for (File& file : files_) {
        file.stream.close();
        if (!file.stream) {
            throw cannot_write(file.final, std::strerror(errno));
        }
        if (std::error_code error; fs::is_directory(file.final, error)) {
            throw cannot_write(file.final, "it is a directory");
        }
    }
    committed_ = true;
    for (const File& file : files_) {
        fs::rename(file.temporary, file.final);
    }
}

}  // namespace nibble
