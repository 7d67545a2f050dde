// SPDX-License-Identifier: MIT
#include "sim/app/temporary_file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

TemporaryFile::TemporaryFile() {
    std::string name = (std::filesystem::temp_directory_path() / "nibblesim-XXXXXX").string();
    descriptor_ = mkstemp(name.data());
    if (descriptor_ < 0) {
        throw InputError({name, 0, 0}, std::string("temporary file cannot be made: ") + std::strerror(errno));
    }
    unlink(name.c_str());
    if (access(path().c_str(), R_OK | W_OK) != 0) {
        close(descriptor_);
        throw InputError("temporary files cannot be reached: is /proc mounted?");
    }
}

TemporaryFile::~TemporaryFile() {
    close(descriptor_);
}

std::filesystem::path TemporaryFile::path() const {
    return fmt::format("/proc/self/fd/{}", descriptor_);
}

}  // namespace nibble
