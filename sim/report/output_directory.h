// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <list>
#include <string>

namespace nibble {

/// Files that appear in a directory all together or not at all: each is written under a temporary name and renamed by
/// commit(). Without commit() nothing stays behind, not even a directory that was made for them.
class OutputDirectory {
public:
    /// Makes the directory if it does not exist. Throws InputError if that fails or it is something else.
    explicit OutputDirectory(std::filesystem::path directory);
    ~OutputDirectory();
    OutputDirectory(const OutputDirectory&) = delete;
    OutputDirectory& operator=(const OutputDirectory&) = delete;

    /// A new file that will be called `name`. The stream lives as long as the directory.
    [[nodiscard]] std::ofstream& create(const std::string& name);

    /// Throws InputError, and leaves nothing, if anything could not be written.
    void commit();

private:
    struct File {
        std::filesystem::path temporary;
        std::filesystem::path final;
        std::ofstream stream;
    };

    std::filesystem::path directory_;
    std::filesystem::path made_;  // topmost directory that did not exist before; empty if all did
    std::list<File> files_;       // streams must not move
    bool committed_ = false;
};

}  // namespace nibble
