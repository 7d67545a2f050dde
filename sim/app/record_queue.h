// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>

namespace nibble {

/// First-in first-out queue of byte strings that keeps about `most_bytes` in memory and the rest in a temporary file
/// without a name, so that it is gone whatever happens.
class RecordQueue {
public:
    static constexpr std::size_t default_most_bytes = std::size_t{8} << 20U;

    explicit RecordQueue(std::size_t most_bytes = default_most_bytes) : most_bytes_(most_bytes) {}

    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::uint64_t size() const { return size_; }
    void push(std::string record);
    [[nodiscard]] std::string pop();

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    void spill(const std::string& record);
    void refill();

    std::size_t most_bytes_;
    std::uint64_t size_ = 0;
    std::deque<std::string> front_;  // the oldest records
    std::size_t front_bytes_ = 0;
    std::unique_ptr<std::FILE, Close> file_;  // the records after those, once front_ was full
    std::uint64_t in_file_ = 0;               // records written and not yet read back
    long read_at_ = 0;
    long write_at_ = 0;
};

}  // namespace nibble
