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
}

TemporaryFile::~TemporaryFile() {
    close(descriptor_);
}

std::filesystem::path TemporaryFile::path() const {
    return fmt::format("/proc/self/fd/{}", descriptor_);
}

}  // namespace nibble
