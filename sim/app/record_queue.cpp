// SPDX-License-Identifier: MIT
#include "sim/app/record_queue.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

[[noreturn]] void fail() {
    throw InputError(fmt::format("temporary file cannot be used: {}", std::strerror(errno)));
}

}  // namespace

void RecordQueue::push(std::string record) {
    ++size_;
    if (in_file_ == 0 && front_bytes_ < most_bytes_) {
        front_bytes_ += record.size();
        front_.push_back(std::move(record));
    } else {
        spill(record);
    }
}

std::string RecordQueue::pop() {
    if (front_.empty()) {
        refill();
    }
    if (front_.empty()) {
        throw ModelError("pop() of an empty queue");
    }
    std::string record = std::move(front_.front());
    front_.pop_front();
    front_bytes_ -= record.size();
    --size_;
    return record;
}

void RecordQueue::spill(const std::string& record) {
    if (file_ == nullptr) {
        file_.reset(std::tmpfile());
        if (file_ == nullptr) {
            fail();
        }
    }
    const std::size_t length = record.size();
    if (std::fseek(file_.get(), write_at_, SEEK_SET) != 0 || std::fwrite(&length, sizeof length, 1, file_.get()) != 1 ||
        std::fwrite(record.data(), 1, length, file_.get()) != length) {
        fail();
    }
    write_at_ += static_cast<long>(sizeof length + length);
    ++in_file_;
}

void RecordQueue::refill() {
    if (in_file_ == 0) {
        return;
    }
    if (std::fseek(file_.get(), read_at_, SEEK_SET) != 0) {
        fail();
    }
    while (in_file_ > 0 && front_bytes_ < most_bytes_) {
        std::size_t length = 0;
        if (std::fread(&length, sizeof length, 1, file_.get()) != 1) {
            fail();
        }
        std::string record(length, '\0');
        if (std::fread(record.data(), 1, length, file_.get()) != length) {
            fail();
        }
        read_at_ += static_cast<long>(sizeof length + length);
        --in_file_;
        front_bytes_ += record.size();
        front_.push_back(std::move(record));
    }
    if (in_file_ == 0) {  // start over: the file grows no longer than the longest lag
        read_at_ = 0;
        write_at_ = 0;
    }
}

}  // namespace nibble
