// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/explore/result_store.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Store : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "nibblesim-store-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { fs::remove_all(folder_); }

    static std::string value(const ResultStore& store, const std::string& key) {
        const std::string* found = store.find(key);
        return found != nullptr ? *found : "none";
    }

    fs::path folder_;
};

TEST_F(Store, KeepsWhatIsPut) {
    const std::string odd("zero \0 and \xff", 12);
    {
        ResultStore store(folder_ / "made", "local");
        EXPECT_EQ(store.find("a"), nullptr);
        store.put({{"a", "1"}, {"b", odd}});
        EXPECT_EQ(value(store, "a"), "1");
    }
    const ResultStore again(folder_ / "made", "local");
    EXPECT_EQ(value(again, "a"), "1");
    EXPECT_EQ(value(again, "b"), odd);
}

TEST_F(Store, TheFirstResultOfAKeyStays) {
    ResultStore store(folder_, "local");
    store.put({{"a", "1"}});
    store.put({{"a", "2"}});
    EXPECT_EQ(value(store, "a"), "1");
    EXPECT_EQ(value(ResultStore(folder_), "a"), "1");
    store.remove("a");
    store.put({{"a", "3"}});
    EXPECT_EQ(value(ResultStore(folder_), "a"), "3");
}

TEST_F(Store, AllFilesOfAFolderAreRead) {
    ResultStore one(folder_, "shard-1-of-2");
    ResultStore two(folder_, "shard-2-of-2");
    one.put({{"a", "1"}});
    two.put({{"b", "2"}});
    EXPECT_EQ(value(one, "b"), "none");
    one.refresh();
    EXPECT_EQ(value(one, "b"), "2");
    EXPECT_EQ(value(ResultStore(folder_), "a"), "1");
}

TEST_F(Store, ReadsOtherFolders) {
    ResultStore(folder_ / "other", "local").put({{"a", "1"}});
    ResultStore store(folder_ / "mine", "local");
    store.also_read(folder_ / "other");
    EXPECT_EQ(value(store, "a"), "1");
    EXPECT_EQ(value(ResultStore(folder_ / "mine"), "a"), "none");
    EXPECT_THROW(store.also_read(folder_ / "nowhere"), InputError);
}

TEST_F(Store, AFileWithoutATableIsEmpty) {
    std::ofstream(folder_ / "killed.db").flush();
    EXPECT_EQ(ResultStore(folder_).find("a"), nullptr);
}

TEST_F(Store, AForeignFileIsRefused) {
    std::ofstream(folder_ / "local.db") << std::string(5000, 'x');
    try {
        const ResultStore store(folder_, "local");
        FAIL() << "was opened";
    } catch (const InputError& error) {
        EXPECT_THAT(std::string(error.what()), HasSubstr("local.db: the store of results cannot be used"));
        EXPECT_THAT(std::string(error.what()), HasSubstr("move it away"));
    }
}

}  // namespace
}  // namespace nibble
