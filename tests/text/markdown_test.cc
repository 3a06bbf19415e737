#include "text/markdown.h"

#include <gtest/gtest.h>

namespace slipway::text {
namespace {

std::string text_of(std::string_view markdown) { return markdown_to_text(markdown).text; }

TEST(Markdown, TitleOfTheFrontMatterElseTheFirstHeading) {
  const MarkdownText page = markdown_to_text("---\ntitle: \"The boats: a story\"\ntags: [a]\n---\n# Heading #\n\nText\n");
  EXPECT_EQ(page.title, "The boats: a story");
  EXPECT_EQ(page.text, "Heading\n\nText");
  EXPECT_EQ(markdown_to_text("+++\ntitle = 'Toml'\n+++\nx").title, "Toml");
  EXPECT_EQ(markdown_to_text("Before\n\n## *Second* level\n").title, "Second level");
  EXPECT_EQ(markdown_to_text("Underlined\n=====\ntext").title, "Underlined");
  EXPECT_EQ(markdown_to_text("---\nno end").text, "no end");
}

TEST(Markdown, MarksGoAndTextStays) {
  EXPECT_EQ(text_of("A **bold** and _soft_ [link *here*](http://x/a \"t\"), ![picture](p.png), [named][1], [alone], `co*de`, \\*no\\*, 2 * 3, a_b_c"),
            "A bold and soft link here, picture, named, [alone], co*de, *no*, 2 * 3, a_b_c");
  EXPECT_EQ(text_of("~~gone~~ ~5 &amp; <b>x</b> <https://x.example/> a < b <!-- c -->d"), "gone ~5 & x https://x.example/ a < b d");
}

TEST(Markdown, ListsQuotesTablesAndCode) {
  EXPECT_EQ(text_of("- one\n* [x] two\n3. three\n\n> quoted\n> > twice\n\n***\n\n| a | b |\n|---|:-:|\n| 1 | **2** |\n"),
            "one\ntwo\nthree\n\nquoted\ntwice\n\na\tb\n1\t2");
  EXPECT_EQ(text_of("Text\n\n```c\nint *x; # y\n```\nAfter\n[1]: http://x/\n<!--\nhidden\n-->\nshown"), "Text\n\nint *x; # y\n\nAfter\nshown");
}

TEST(Markdown, AnyBytesEnd) {
  EXPECT_EQ(text_of(""), "");
  EXPECT_EQ(text_of("\xEF\xBB\xBF\xFF\xFE"), "\xFF\xFE");
  for (const char* piece : {"[", "[a](", "*", "`", "<", ">", "![", "_a", "`` ", "<!--", "\\"}) {
    std::string bomb;
    for (int i = 0; i < 100'000; ++i) {
      bomb += piece;
    }
    EXPECT_LE(text_of(bomb).size(), bomb.size()) << piece;
  }
}

}  // namespace
}  // namespace slipway::text
