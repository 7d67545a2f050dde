// SPDX-License-Identifier: MIT
#include "sim/import/byte_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/support/call_recording.h"

namespace nibble {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;

using Members = std::vector<std::pair<std::string, std::string>>;
using AddTo = int (*)(archive*);

/// An archive of these members, made by libarchive's writer.
std::string pack(AddTo format, AddTo filter, const Members& members) {
    const test::MemoryFile file("");
    archive* handle = archive_write_new();
    EXPECT_EQ(format(handle), ARCHIVE_OK);
    EXPECT_EQ(filter(handle), ARCHIVE_OK);
    EXPECT_EQ(archive_write_open_filename(handle, file.path().c_str()), ARCHIVE_OK);
    for (const auto& [name, content] : members) {
        archive_entry* entry = archive_entry_new();
        archive_entry_set_pathname(entry, name.c_str());
        archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
        archive_entry_set_filetype(entry, name.ends_with('/') ? AE_IFDIR : AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        EXPECT_EQ(archive_write_header(handle, entry), ARCHIVE_OK);
        archive_write_data(handle, content.data(), content.size());
        archive_entry_free(entry);
    }
    archive_write_close(handle);
    archive_write_free(handle);
    std::ifstream stream(file.path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

struct Content {
    std::string text, member, problem;
};

Content content_of(const std::string& bytes, std::uint64_t most = std::uint64_t{1} << 30U) {
    const test::MemoryFile file(bytes);
    Content content;
    try {
        ByteSource source(file.path(), [](std::string_view name) { return name.ends_with(".json"); });
        content.member = source.member();
        EXPECT_EQ(source.name(),
                  content.member.empty() ? file.path() : file.path() + " (" + printable(content.member) + ")");
        content.text = source.read_all(most);
        EXPECT_EQ(source.position(), content.text.size());
    } catch (const InputError& error) {
        content.problem = error.what();
        EXPECT_THAT(content.problem, HasSubstr(file.path()));
    }
    return content;
}

/// Long enough for several blocks, and not the same everywhere.
std::string long_text() {
    std::string text;
    for (int i = 0; i < 200'000; ++i) {
        text += std::to_string(i);
    }
    return text;
}

TEST(ByteSource, ReadsAFileAsItIs) {
    EXPECT_EQ(content_of("hello").text, "hello");
    EXPECT_EQ(content_of("").text, "");
    EXPECT_EQ(content_of("").problem, "");
    EXPECT_EQ(content_of(long_text()).text, long_text());
}

TEST(ByteSource, Decompresses) {
    const std::string text = long_text();
    for (const AddTo filter : {archive_write_add_filter_gzip, archive_write_add_filter_xz,
                               archive_write_add_filter_zstd, archive_write_add_filter_bzip2}) {
        const std::string packed = pack(archive_write_set_format_raw, filter, {{"data", text}});
        EXPECT_LT(packed.size(), text.size());
        EXPECT_TRUE(content_of(packed).text == text);
        EXPECT_EQ(content_of(packed).member, "");
    }
}

TEST(ByteSource, TakesTheFirstWantedMemberOfAnArchive) {
    const Members members{{"dir.json/", ""}, {"read.me", "no"}, {"dir.json/a.json", long_text()}, {"b.json", "no"}};
    const std::vector<std::pair<AddTo, AddTo>> kinds{
        {archive_write_set_format_ustar, archive_write_add_filter_none},
        {archive_write_set_format_ustar, archive_write_add_filter_gzip},
        {archive_write_set_format_pax_restricted, archive_write_add_filter_zstd},
        {archive_write_set_format_zip, archive_write_add_filter_none}};
    for (const auto& [format, filter] : kinds) {
        const Content content = content_of(pack(format, filter, members));
        EXPECT_EQ(content.problem, "");
        EXPECT_EQ(content.member, "dir.json/a.json");
        EXPECT_TRUE(content.text == long_text());
    }
}

TEST(ByteSource, SaysThatNoMemberIsWanted) {
    EXPECT_THAT(
        content_of(pack(archive_write_set_format_ustar, archive_write_add_filter_gzip, {{"a", "1"}, {"b", "2"}}))
            .problem,
        HasSubstr("none of the archive's 2 members is a trace or a model"));
}

TEST(ByteSource, SaysThatThereIsNoFile) {
    EXPECT_THROW(ByteSource("/no/such/file", nullptr), InputError);
    EXPECT_THROW(ByteSource("/tmp", nullptr), InputError);
}

TEST(ByteSource, NoticesThatTheEndIsMissing) {
    const std::string text = long_text();
    const std::string gz = pack(archive_write_set_format_raw, archive_write_add_filter_gzip, {{"data", text}});
    EXPECT_THAT(content_of(gz.substr(0, gz.size() / 2)).problem, AllOf(HasSubstr("byte "), HasSubstr("truncated")));
    const std::string tar_gz =
        pack(archive_write_set_format_ustar, archive_write_add_filter_gzip, {{"a.json", text}, {"b", text}});
    EXPECT_NE(content_of(tar_gz.substr(0, tar_gz.size() / 4)).problem, "");
    const std::string tar = pack(archive_write_set_format_ustar, archive_write_add_filter_none, {{"a.json", text}});
    EXPECT_NE(content_of(tar.substr(0, tar.size() / 2)).problem, "");
}

TEST(ByteSource, StopsAtTheMostThatACallerTakes) {
    const std::string gz =
        pack(archive_write_set_format_raw, archive_write_add_filter_gzip, {{"data", std::string(50 << 20, 'x')}});
    EXPECT_LT(gz.size(), 100'000U);
    EXPECT_THAT(content_of(gz, 4 << 20).problem, HasSubstr("larger than the 4 MiB"));
    EXPECT_EQ(content_of(gz, 50 << 20).text.size(), std::size_t{50} << 20U);
}

TEST(ByteSource, StopsEarlyAtWhatUnpacksEndlessly) {
    // Deflate packs a run of one byte 1,000 to 1; text of numbers, about 4 to 1.
    const std::string run(ByteSource::always_bytes + (std::size_t{1} << 20U), 'x');
    const auto packed = [](AddTo format, const Members& members) {
        return pack(format, archive_write_add_filter_gzip, members);
    };
    EXPECT_THAT(content_of(packed(archive_write_set_format_raw, {{"data", run}})).problem,
                HasSubstr("unpacks to more than 500 times its size"));
    EXPECT_THAT(content_of(packed(archive_write_set_format_ustar, {{"skipped", run}, {"a.json", "[]"}})).problem,
                HasSubstr("unpacks to more than 500 times its size"));
    EXPECT_EQ(content_of(packed(archive_write_set_format_ustar, {{"skipped", "none"}, {"a.json", "[]"}})).text, "[]");
    std::string numbers;
    for (unsigned i = 0; numbers.size() <= ByteSource::always_bytes; ++i) {
        numbers += std::to_string(i * 2654435761U) + ",";
    }
    EXPECT_EQ(content_of(packed(archive_write_set_format_raw, {{"data", numbers}})).text.size(), numbers.size());
}

TEST(ByteSource, FillsSpansCompletelyButTheLast) {
    const test::MemoryFile file("abcdefg");
    ByteSource source(file.path(), nullptr);
    std::string part(4, ' ');
    EXPECT_EQ(source.read(part), 4U);
    EXPECT_EQ(part, "abcd");
    EXPECT_EQ(source.read(part), 3U);
    EXPECT_EQ(source.position(), 7U);
    EXPECT_EQ(source.read(part), 0U);
}

TEST(ByteSource, ReadsOrRefusesDamagedArchives) {
    std::mt19937_64 random(1);
    const std::string text = "a text that is packed, a text that is packed";
    for (const auto& [format, filter] :
         std::vector<std::pair<AddTo, AddTo>>{{archive_write_set_format_ustar, archive_write_add_filter_none},
                                              {archive_write_set_format_raw, archive_write_add_filter_gzip},
                                              {archive_write_set_format_zip, archive_write_add_filter_none}}) {
        const std::string sound = pack(format, filter, {{"a.json", text}});
        for (int i = 0; i < 2000; ++i) {
            std::string bytes = sound;
            bytes[random() % std::min<std::size_t>(bytes.size(), 600)] = static_cast<char>(random());
            bytes.resize(bytes.size() - (random() % 2) * (random() % bytes.size()));
            const Content content = content_of(bytes);
            EXPECT_TRUE(content.problem.empty() || content.text.empty());
        }
    }
}

}  // namespace
}  // namespace nibble
