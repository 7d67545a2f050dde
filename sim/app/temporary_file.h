// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

namespace nibble {

/// A file without a name: nothing stays behind, however the program ends. It can be opened by path() any number of
/// times, from this process and from those that it forks, as long as this object exists.
class TemporaryFile {
public:
    /// Throws InputError if the system has no room for temporary files.
    TemporaryFile();
    ~TemporaryFile();
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    [[nodiscard]] std::filesystem::path path() const;

private:
    int descriptor_;
};

}  // namespace nibble
