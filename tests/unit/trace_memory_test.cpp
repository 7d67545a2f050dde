// SPDX-License-Identifier: MIT
// Reading a trace takes the same memory however long it is. Counted by replacing the allocator of this program.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <istream>
#include <malloc.h>
#include <new>
#include <streambuf>
#include <string>

#include <gtest/gtest.h>

#include "sim/input/trace_reader.h"

namespace {

std::atomic<std::size_t> live_bytes{0};
std::atomic<std::size_t> peak_bytes{0};

void* counted_allocation(std::size_t size) {
    void* memory = std::malloc(size);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    const std::size_t live = live_bytes += malloc_usable_size(memory);
    peak_bytes = std::max<std::size_t>(peak_bytes, live);
    return memory;
}

void counted_release(void* memory) {
    live_bytes -= malloc_usable_size(memory);
    std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
    return counted_allocation(size);
}
void* operator new[](std::size_t size) {
    return counted_allocation(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return counted_allocation(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return counted_allocation(size);
}
void operator delete(void* memory) noexcept {
    counted_release(memory);
}
void operator delete[](void* memory) noexcept {
    counted_release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    counted_release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    counted_release(memory);
}

namespace nibble {
namespace {

/// A trace that exists only while it is read: `operations` times the same line.
class GeneratedTrace : public std::streambuf {
public:
    explicit GeneratedTrace(std::uint64_t operations) : left_(operations), operations_(operations) { show(header_); }

protected:
    int_type underflow() override {
        if (left_ > 0) {
            --left_;
            show(line_);
        } else if (!ended_) {
            ended_ = true;
            end_ = "{\"end\":{\"tensors\":3,\"operations\":" + std::to_string(operations_) + "}}\n";
            show(end_);
        } else {
            return traits_type::eof();
        }
        return traits_type::to_int_type(*gptr());
    }

private:
    void show(std::string& text) { setg(text.data(), text.data(), text.data() + text.size()); }

    std::uint64_t left_;
    std::uint64_t operations_;
    bool ended_ = false;
    std::string header_ =
        "{\"nibblesim_trace\":1,\"name\":\"long\",\"batch\":1}\n"
        "{\"tensor\":0,\"role\":\"activation\",\"shape\":[16,64,56,56]}\n"
        "{\"tensor\":1,\"role\":\"weight\",\"shape\":[64,64,3,3]}\n"
        "{\"tensor\":2,\"role\":\"activation\",\"shape\":[16,64,56,56]}\n";
    std::string line_ =
        "{\"op\":\"conv\",\"phase\":\"forward\",\"layer\":\"layer1.0.conv1\",\"group\":\"layer1\",\"n\":16,\"c\":64,"
        "\"h\":56,"
        "\"w\":56,\"k\":64,\"r\":3,\"s\":3,\"stride\":[1,1],\"pad\":[1,1,1,1],\"dilation\":[1,1],\"groups\":1,\"in\":["
        "0,1],"
        "\"out\":[2]}\n";
    std::string end_;
};

/// Most bytes that were allocated at once, above what there was before.
std::size_t peak_of_reading(std::uint64_t operations) {
    GeneratedTrace trace(operations);
    std::istream stream(&trace);
    const std::size_t before = live_bytes;
    peak_bytes = before;
    TraceReader reader(stream, "long");
    std::uint64_t items = 0;
    while (reader.next()) {
        ++items;
    }
    EXPECT_EQ(items, operations + 3);
    return peak_bytes - before;
}

TEST(TraceMemory, IsFlatInTheLengthOfTheTrace) {
    const std::size_t few = peak_of_reading(1'000);
    const std::size_t many = peak_of_reading(1'000'000);
    EXPECT_LE(many, few);
    EXPECT_LT(many, std::size_t{8} << 20U);
}

}  // namespace
}  // namespace nibble
