// SPDX-License-Identifier: MIT
#include "sim/page/page_writer.h"

#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nibble {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

TEST(PageWriter, TextIsNoMarkup) {
    EXPECT_EQ(html_text(R"(<a href="x" id='y'>&amp;</a>)"),
              "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
    EXPECT_EQ(html_text("a\tb\nc"), "a\tb\nc");
    EXPECT_EQ(html_text(std::string_view("\x1b[31m\0\x7f", 7)), "\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(html_text("caf\xc3\xa9 \xff"), "caf\xc3\xa9 \xef\xbf\xbd");
}

// A script element ends at "</script" and changes its meaning at "<!--": neither can come up without a '<'.
TEST(PageWriter, JsonCannotEndItsScript) {
    const Json json = {{"</script><!--<script>", "&lt; \xe2\x80\xa8\xe2\x80\xa9 \x1b \xff \xf0\x9f\x98\x80"}};
    const std::string text = script_json(json);
    EXPECT_EQ(text, R"({"\u003c/script\u003e\u003c!--\u003cscript\u003e":)"
                    R"("\u0026lt; \u2028\u2029 \u001b \ufffd \ud83d\ude00"})");
    // And it still says the same, but for the byte that was no UTF-8.
    EXPECT_EQ(Json::parse(text).begin().value(), "&lt; \xe2\x80\xa8\xe2\x80\xa9 \x1b \xef\xbf\xbd \xf0\x9f\x98\x80");
}

TEST(PageWriter, APageHoldsItsPartsOnceAndTrustsOnlyThem) {
    std::ostringstream out;
    write_page(out, "<i>net</i>", {"one & two"}, {{"name", "</script><script>alert(1)</script>"}},
               {"start();", "body{}", "sha256-S", "sha256-C"});
    const std::string page = out.str();
    EXPECT_THAT(page, HasSubstr("<title>&lt;i&gt;net&lt;/i&gt;</title>"));
    EXPECT_THAT(page, HasSubstr("<p>one &amp; two</p>"));
    EXPECT_THAT(page, HasSubstr("<style>body{}</style>"));
    EXPECT_THAT(page, HasSubstr("<script>start();</script>"));
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
    EXPECT_THAT(page, HasSubstr("script-src 'sha256-S'; style-src 'sha256-C'"));
    EXPECT_THAT(page, Not(HasSubstr("unsafe-inline")));
    EXPECT_THAT(page, Not(HasSubstr("alert(1)<")));
    std::size_t scripts = 0;
    for (std::size_t at = page.find("<script"); at != std::string::npos; at = page.find("<script", at + 1)) {
        ++scripts;
    }
    EXPECT_EQ(scripts, 2U);  // data and program
}

}  // namespace
}  // namespace nibble
