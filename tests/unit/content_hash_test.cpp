// SPDX-License-Identifier: MIT
#include "sim/base/content_hash.h"

#include <gtest/gtest.h>

namespace nibble {
namespace {

// Values of the 128-bit FNV-1a that the tests of Go's hash/fnv have (golden128a).
TEST(ContentHash, IsFnv1a) {
    EXPECT_EQ(ContentHash().text(), "6c62272e07bb014262b821756295c58d");
    EXPECT_EQ(ContentHash().bytes("a").text(), "d228cb696f1a8caf78912b704e4a8964");
    EXPECT_EQ(ContentHash().bytes("ab").text(), "08809544bbab1be95aa0733055b69a62");
    EXPECT_EQ(ContentHash().bytes("a").bytes("bc").text(), "a68d622cec8b5822836dbc7977af7f3b");
}

TEST(ContentHash, FieldsDoNotRunTogether) {
    EXPECT_NE(ContentHash().field("ab").field("c").text(), ContentHash().field("a").field("bc").text());
    EXPECT_NE(ContentHash().field("a").field("").text(), ContentHash().field("a").text());
}

TEST(ContentHash, OfTheProgramStaysTheSame) {
    EXPECT_EQ(program_hash().size(), 32U);
    EXPECT_EQ(program_hash(), program_hash());
}

}  // namespace
}  // namespace nibble
