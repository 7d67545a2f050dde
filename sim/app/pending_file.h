// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

namespace nibble {

/// A file that appears whole or not at all: it is written under a temporary name beside the final one, by whom it may
/// concern, and gone if it was not committed.
class PendingFile {
public:
    /// Throws InputError if no file can be made in the directory, or `path` is something else than a file.
    explicit PendingFile(std::filesystem::path path);
    ~PendingFile();
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;

    [[nodiscard]] std::string temporary() const { return temporary_.string(); }
    /// Gives the file its name, in the place of one that has it.
    void commit();

private:
    std::filesystem::path path_;
    std::filesystem::path temporary_;
};

}  // namespace nibble
