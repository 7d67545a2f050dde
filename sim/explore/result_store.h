// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nibble {

/// Results by their content hash, in SQLite files: put() is a transaction, which a kill, a full disk or another program
/// on the same file can only prevent as a whole. A folder holds one file for each of its writers; all are read.
class ResultStore {
public:
    /// Opens `folder` to read all of its files. A folder that is not there is empty. Throws InputError if a file is no
    /// store.
    explicit ResultStore(const std::filesystem::path& folder);
    /// Opens it to write besides.
    ResultStore(const std::filesystem::path& folder, const std::string& writer) : ResultStore(folder) {
        begin_writing(writer);
    }
    ~ResultStore();
    ResultStore(const ResultStore&) = delete;
    ResultStore& operator=(const ResultStore&) = delete;

    /// From now on put() and remove() write `writer`.db in the folder, which is made. Throws InputError if that cannot
    /// be.
    void begin_writing(const std::string& writer);
    /// Reads another study's results as well. Throws InputError if there are none.
    void also_read(const std::filesystem::path& folder);
    /// Takes in what others have written since.
    void refresh();

    /// Null if it is not there. Valid until the next put() or refresh().
    [[nodiscard]] const std::string* find(const std::string& key) const;
    /// Writes results that are not there yet. Throws InputError if they cannot be written: nothing of them is, then.
    void put(const std::vector<std::pair<std::string, std::string>>& results);
    /// Forgets a result that is to be made again.
    void remove(const std::string& key);

private:
    class Database;

    void open_others(const std::filesystem::path& folder);

    std::filesystem::path folder_;
    std::vector<std::unique_ptr<Database>> read_;
    std::unique_ptr<Database> written_;  // null: read only
    std::unordered_map<std::string, std::string> results_;
};

}  // namespace nibble
