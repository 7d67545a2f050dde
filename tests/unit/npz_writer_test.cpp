// SPDX-License-Identifier: MIT
#include "sim/input/npz_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/input/npy_file.h"
#include "tests/support/npy_bytes.h"

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Names and contents of a zip, in its order.
std::vector<std::pair<std::string, std::string>> unpacked(const std::string& path) {
    const std::unique_ptr<archive, int (*)(archive*)> zip(archive_read_new(), archive_read_free);
    archive_read_support_format_zip_seekable(zip.get());
    EXPECT_EQ(archive_read_open_filename(zip.get(), path.c_str(), 65536), ARCHIVE_OK);
    std::vector<std::pair<std::string, std::string>> files;
    for (archive_entry* entry = nullptr; archive_read_next_header(zip.get(), &entry) == ARCHIVE_OK;) {
        std::string bytes(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
        EXPECT_EQ(archive_read_data(zip.get(), bytes.data(), bytes.size()), static_cast<la_ssize_t>(bytes.size()));
        files.emplace_back(archive_entry_pathname(entry), bytes);
    }
    return files;
}

TEST(NpzWriter, ArraysComeBackAsNpyFiles) {
    const test::TemporaryDirectory directory;
    const std::string path = directory.path("a.npz");
    std::int32_t next = 0;
    NpzWriter writer(path);
    // More than is asked for at a time.
    writer.add("counts.npy", "<i4", 4, std::vector<std::uint64_t>{300, 500}, [&](std::span<char> bytes) {
        for (std::size_t i = 0; i < bytes.size(); i += sizeof next, ++next) {
            std::memcpy(bytes.data() + i, &next, sizeof next);
        }
    });
    const double scale = 0.25;
    writer.add("scale.npy", "<f8", 8, {}, [&](std::span<char> bytes) { std::memcpy(bytes.data(), &scale, 8); });
    writer.add("none.npy", "|i1", 1, std::vector<std::uint64_t>{0}, [](std::span<char> /*bytes*/) { FAIL(); });
    writer.finish();

    const auto files = unpacked(path);
    ASSERT_EQ(files.size(), 3U);
    EXPECT_EQ(files[0].first, "counts.npy");
    const NpyFile counts(directory.write("0.npy", files[0].second));
    EXPECT_THAT(counts.shape(), ElementsAre(300, 500));
    const std::vector<float> numbers = counts.read();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        ASSERT_EQ(numbers[i], static_cast<float>(i));
    }
    const NpyFile one(directory.write("1.npy", files[1].second));
    EXPECT_THAT(one.shape(), ElementsAre());
    EXPECT_THAT(one.read(), ElementsAre(0.25F));
    EXPECT_THAT(NpyFile(directory.write("2.npy", files[2].second)).shape(), ElementsAre(0));
}

TEST(NpzWriter, SaysWhereItCannotWrite) {
    const test::TemporaryDirectory directory;
    const std::string path = directory.path("missing/a.npz");
    try {
        const NpzWriter writer(path);
        FAIL() << "nothing was thrown";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr(path + ": cannot be written: "));
    }
}

}  // namespace
}  // namespace nibble
