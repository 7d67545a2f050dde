// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>
#include <unistd.h>

namespace nibble::test {

/// A trace in a file that is gone when the object is.
class TraceFile {
public:
    explicit TraceFile(const std::string& text) {
        std::string name = "/tmp/nibble_test_XXXXXX";
        const int file = mkstemp(name.data());
        close(file);
        path_ = name;
        std::ofstream(path_) << text;
    }
    ~TraceFile() { unlink(path_.c_str()); }
    TraceFile(const TraceFile&) = delete;
    TraceFile& operator=(const TraceFile&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace nibble::test
