// SPDX-License-Identifier: MIT
#pragma once

#include <fstream>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace nibble::test {

/// A file in memory: thousands of damaged ones are read in no time.
class MemoryFile {
public:
    explicit MemoryFile(std::string_view bytes) : file_(memfd_create("test", 0)) {
        std::ofstream(path(), std::ios::binary) << bytes;
    }
    ~MemoryFile() { close(file_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

private:
    int file_;
};

}  // namespace nibble::test
