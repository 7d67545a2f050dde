// SPDX-License-Identifier: MIT
#include "sim/explore/result_store.h"

#include <algorithm>
#include <sqlite3.h>
#include <system_error>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace fs = std::filesystem;

namespace {

constexpr int patience_ms = 60'000;  // for another program that writes the same file
constexpr const char* ending = ".db";

}  // namespace

/// One file.
class ResultStore::Database {
public:
    Database(fs::path file, bool writable) : file_(std::move(file)) {
        // Readers may have to undo what a writer left that was killed.
        const int flags = SQLITE_OPEN_READWRITE | (writable ? SQLITE_OPEN_CREATE : 0);
        check(sqlite3_open_v2(file_.c_str(), &handle_, flags, nullptr));
        check(sqlite3_busy_timeout(handle_, patience_ms));
        if (writable) {
            execute("CREATE TABLE IF NOT EXISTS results (key TEXT NOT NULL UNIQUE, value TEXT NOT NULL)");
        }
    }
    ~Database() { sqlite3_close(handle_); }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    [[nodiscard]] const fs::path& file() const { return file_; }

    void execute(const char* statement) { check(sqlite3_exec(handle_, statement, nullptr, nullptr, nullptr)); }

    void insert(const std::string& key, const std::string& value) {
        Statement statement(*this, "INSERT OR IGNORE INTO results (key, value) VALUES (?, ?)");
        statement.bind(1, key);
        statement.bind(2, value);
        static_cast<void>(statement.step());
    }

    void remove(const std::string& key) {
        Statement statement(*this, "DELETE FROM results WHERE key = ?");
        statement.bind(1, key);
        static_cast<void>(statement.step());
    }

    /// Calls take(key, value) for all rows that were written after the last call.
    template <class Take>
    void read_new(Take take) {
        // A writer that was killed before its first transaction leaves a file without the table.
        Statement table(*this, "SELECT 1 FROM sqlite_master WHERE name = 'results'");
        if (!table.step()) {
            return;
        }
        Statement statement(*this, "SELECT rowid, key, value FROM results WHERE rowid > ? ORDER BY rowid");
        statement.bind(1, last_row_);
        while (statement.step()) {
            last_row_ = statement.integer(0);
            take(statement.text(1), statement.text(2));
        }
    }

private:
    class Statement {
    public:
        Statement(Database& database, const char* text) : database_(database) {
            database.check(sqlite3_prepare_v2(database.handle_, text, -1, &handle_, nullptr));
        }
        ~Statement() { sqlite3_finalize(handle_); }
        Statement(const Statement&) = delete;
        Statement& operator=(const Statement&) = delete;

        void bind(int place, const std::string& text) {
            database_.check(sqlite3_bind_text64(handle_, place, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
        }
        void bind(int place, sqlite3_int64 number) { database_.check(sqlite3_bind_int64(handle_, place, number)); }
        /// False at the end.
        [[nodiscard]] bool step() {
            const int code = sqlite3_step(handle_);
            if (code != SQLITE_ROW) {
                database_.check(code == SQLITE_DONE ? SQLITE_OK : code);
            }
            return code == SQLITE_ROW;
        }
        [[nodiscard]] sqlite3_int64 integer(int column) { return sqlite3_column_int64(handle_, column); }
        [[nodiscard]] std::string text(int column) {
            const void* bytes = sqlite3_column_blob(handle_, column);
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
            return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
        }

    private:
        Database& database_;
        sqlite3_stmt* handle_ = nullptr;
    };

    void check(int code) {
        if (code == SQLITE_OK) {
            return;
        }
        const std::string what = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
        const bool foreign = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
        throw InputError(
            {file_.string()},
            fmt::format("the store of results cannot be used: {}{}", what,
                        foreign ? "; it was not written by this program, or is damaged: move it away" : ""));
    }

    fs::path file_;
    sqlite3* handle_ = nullptr;
    sqlite3_int64 last_row_ = 0;
};

ResultStore::ResultStore(const fs::path& folder) : folder_(folder) {
    refresh();
}

void ResultStore::begin_writing(const std::string& writer) {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) {
        throw InputError({folder_.string()}, fmt::format("the folder cannot be made: {}", error.message()));
    }
    const fs::path file = folder_ / (writer + ending);
    std::erase_if(read_, [&](const auto& other) { return other->file() == file; });
    written_ = std::make_unique<Database>(file, true);
    refresh();
}

ResultStore::~ResultStore() = default;

void ResultStore::also_read(const fs::path& folder) {
    const std::size_t before = read_.size();
    open_others(folder);
    if (read_.size() == before) {
        throw InputError({folder.string()}, "there are no results of a study here");
    }
}

void ResultStore::open_others(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == ending) {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    for (const fs::path& file : files) {
        const bool known = (written_ != nullptr && written_->file() == file) ||
                           std::ranges::any_of(read_, [&](const auto& other) { return other->file() == file; });
        if (!known) {
            read_.push_back(std::make_unique<Database>(file, false));
        }
    }
    for (const auto& database : read_) {
        database->read_new(
            [&](std::string key, std::string value) { results_.emplace(std::move(key), std::move(value)); });
    }
}

void ResultStore::refresh() {
    if (written_ != nullptr) {
        written_->read_new(
            [&](std::string key, std::string value) { results_.emplace(std::move(key), std::move(value)); });
    }
    open_others(folder_);
}

const std::string* ResultStore::find(const std::string& key) const {
    const auto found = results_.find(key);
    return found == results_.end() ? nullptr : &found->second;
}

void ResultStore::put(const std::vector<std::pair<std::string, std::string>>& results) {
    if (written_ == nullptr) {
        throw ModelError("a store that is only read was written to");
    }
    written_->execute("BEGIN IMMEDIATE");
    try {
        for (const auto& [key, value] : results) {
            written_->insert(key, value);
        }
        written_->execute("COMMIT");
    } catch (const InputError&) {
        try {
            written_->execute("ROLLBACK");
        } catch (const InputError&) {  // SQLite has rolled back already
        }
        throw;
    }
    for (const auto& [key, value] : results) {
        results_.emplace(key, value);
    }
}

void ResultStore::remove(const std::string& key) {
    results_.erase(key);
    if (written_ != nullptr) {
        written_->remove(key);
    }
}

}  // namespace nibble
