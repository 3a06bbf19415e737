#include "text/html_page.h"

#include <gtest/gtest.h>

#include "text/html.h"
#include "text/html_head.h"
#include "text/html_main_text.h"
#include "text/html_marks.h"
#include "text/html_scanner.h"

namespace slipway::text {
namespace {

using Kind = HtmlToken::Kind;

// The tokens as "text", "<name>", "</name>", joined by '|'.
std::string tokens_of(std::string_view page) {
  HtmlScanner scanner(page);
  std::string out;
  for (HtmlToken token = scanner.next(); token.kind != Kind::kEndOfPage; token = scanner.next()) {
    out += out.empty() ? "" : "|";
    if (token.kind == Kind::kText) {
      out += token.text;
    } else {
      out += (token.kind == Kind::kStart ? "<" : "</") + std::string(token.name) + ">" + std::string(token.text);
    }
  }
  return out;
}

constexpr std::string_view kGood =
    "This is a long paragraph, with commas, that says enough to be kept by any measure. It goes on, and on, and on.";

std::string paragraph(std::string_view attributes = "", std::string_view text = kGood) {
  return "<p" + std::string(attributes) + ">" + std::string(text) + "</p>";
}

TEST(HtmlScanner, FindsTagsAndText) {
  EXPECT_EQ(tokens_of("a<b>c</b >d"), "a|<b>|c|</b>|d");
  EXPECT_EQ(tokens_of("1 < 2 and a<3 <> </> </"), "1 < 2 and a<3 <> | </");
  EXPECT_EQ(tokens_of("<br/><IMG src=x>"), "<br>|<IMG>");
}

TEST(HtmlScanner, PassesOverCommentsAndDeclarations) {
  EXPECT_EQ(tokens_of("<!doctype html>a<!-- <b> -- -->c<!-->d<!--->e<!-- f --!>g<?php h ?>i</ j>k"), "a|c|d|e|g|i|k");
  EXPECT_EQ(tokens_of("a<!-- never closed <b>"), "a");
}

TEST(HtmlScanner, KeepsRawContentWhole) {
  EXPECT_EQ(tokens_of("<script>if (a<b) x = '</p>';</SCRIPT >t"), "<script>if (a<b) x = '</p>';|t");
  EXPECT_EQ(tokens_of("<title>a <b> &amp; c</title>d"), "<title>a <b> &amp; c|d");
  EXPECT_EQ(tokens_of("<style>p {}"), "<style>p {}");
  EXPECT_EQ(tokens_of("<script></scripty></script>x"), "<script></scripty>|x");
}

TEST(HtmlScanner, ReadsAttributesOfEveryForm) {
  HtmlScanner scanner("<div CLASS='a b' id=c style=\"x>y\" hidden data-x=1 class=second><p aria-hidden=true lang>");
  HtmlToken token = scanner.next();
  EXPECT_EQ(token.info.tag, Tag::kDiv);
  EXPECT_EQ(scanner.attributes().class_names, "a b");
  EXPECT_EQ(scanner.attributes().id, "c");
  EXPECT_EQ(scanner.attributes().style, "x>y");
  EXPECT_TRUE(scanner.attributes().hidden);
  token = scanner.next();
  EXPECT_EQ(token.info.tag, Tag::kP);
  EXPECT_TRUE(scanner.attributes().hidden);
  EXPECT_EQ(scanner.attributes().class_names, "");
  EXPECT_EQ(scanner.next().kind, Kind::kEndOfPage);
}

TEST(HtmlTags, KnowsNamesInAnyCase) {
  EXPECT_EQ(tag_info("BlockQuote").tag, Tag::kBlockquote);
  EXPECT_EQ(tag_info("figcaption").tag, Tag::kFigcaption);
  EXPECT_EQ(tag_info("my-element").tag, Tag::kOther);
  EXPECT_TRUE(tag_info("my-element").is(tag_trait::kInline));
  EXPECT_EQ(tag_info("").tag, Tag::kOther);
}

TEST(HtmlMarks, KnowsWordsOfNames) {
  EXPECT_EQ(html_marks("site-footer"), html_mark::kAround);
  EXPECT_EQ(html_marks("Left Sidebar_Wide"), html_mark::kAround);
  EXPECT_EQ(html_marks("relatedLinks"), html_mark::kAround);
  EXPECT_EQ(html_marks("entry-content"), html_mark::kContent);
  EXPECT_EQ(html_marks("c-articleBody"), html_mark::kContent);
  EXPECT_EQ(html_marks("photo caption"), html_mark::kAside);
  EXPECT_EQ(html_marks("entry content"), 0);  // two classes are not one name
  EXPECT_EQ(html_marks("navigator"), 0);
  EXPECT_EQ(html_marks(""), 0);
}

TEST(HtmlPage, ClosesWhatAuthorsLeaveOpen) {
  const HtmlPage page = read_html_page("<ul><li>a<li>b<ul><li>c</ul><li>d</ul><dl><dt>e<dd>f</dl><p>g<div>h", {});
  std::vector<std::string> blocks;
  for (const HtmlBlock& block : page.blocks) {
    blocks.emplace_back(page.text_of(block));
  }
  EXPECT_EQ(blocks, (std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g", "h"}));
  EXPECT_EQ(page.blocks[0].kind, BlockKind::kListItem);
  EXPECT_EQ(page.blocks[6].kind, BlockKind::kParagraph);
}

TEST(HtmlPage, AnEndTagInACellEndsNothingAroundItsTable) {
  EXPECT_EQ(html_to_text("<div hidden>x</div><div><table><tr><td>a</div><td>b</table>c</div>").text, "a\tb\nc");
}

TEST(HtmlPage, SeesNothingThatIsHidden) {
  for (const char* hidden :
       {"<svg><title>no</title><path/><text>no</text></svg>",
        "<span style='display: none'>no <span>no</span> no</span>", "<div aria-hidden=\"true\">no</div>",
        "<template><p>no</p></template>", "<noscript><p>no</p></noscript>", "<select><option>no<option>no</select>",
        "<div style=\"visibility:hidden\"><p>no</p></div>"}) {
    EXPECT_EQ(html_to_text("<p>before " + std::string(hidden) + "<p>after").text, "before\nafter") << hidden;
  }
}

TEST(HtmlPage, AHiddenInlineElementEndsWithItsParent) {
  EXPECT_EQ(html_to_text("<div><span hidden>no</div><p>yes").text, "yes");
}

TEST(HtmlPage, CountsLinks) {
  const HtmlPage page = read_html_page("<p>ab <a href=x>cde</a> f<p><a>gh<p>i</a>", {});
  ASSERT_EQ(page.blocks.size(), 3U);
  EXPECT_EQ(page.blocks[0].link_chars, 3U);
  EXPECT_EQ(page.blocks[1].link_chars, 2U);
}

TEST(HtmlHead, TellsDateAndAuthor) {
  const HtmlText page = html_to_text(
      "<html lang=EN><head><title>A &amp;\n B</title><meta property='article:published_time' "
      "content='2019-11-20T08:38:00+05:30'>"
      "<meta name=author content='Ada  Lovelace'></head><body><p>x");
  EXPECT_EQ(page.title, "A & B");
  EXPECT_EQ(page.date, "2019-11-20");
  EXPECT_EQ(page.author, "Ada Lovelace");
  EXPECT_EQ(page.language, "en");
  const HtmlText linked = html_to_text(
      R"(<script type="application/ld+json">{"@type": "NewsArticle", "datePublished" : "2020-01-02", "author": [{"@type": "Person", "name": "Zoë"}]}</script>)");
  EXPECT_EQ(linked.date, "2020-01-02");
  EXPECT_EQ(linked.author, "Zoë");
  EXPECT_EQ(html_to_text("<time datetime='2021-02-03T04:05'>x</time>").date, "2021-02-03");
  EXPECT_EQ(html_to_text("<p>nothing").date, "");
}

TEST(HtmlHead, ReadsDatesAsPagesWriteThem) {
  for (const char* text : {"2019-11-20", "2019-11-20 10:00", "2019/11/20", "20191120", "November 20, 2019",
                           "Wed, 20 Nov 2019 10:00:00 GMT"}) {
    EXPECT_EQ(iso_date(text), "2019-11-20") << text;
  }
  for (const char* text :
       {"", "yesterday", "2019", "2019-13-01", "2019-02-31", "1574236800000", "20.11.19", "May be 2019"}) {
    EXPECT_EQ(iso_date(text), "") << text;
  }
}

TEST(MainText, KeepsShortBlocksBetweenGoodOnes) {
  EXPECT_EQ(
      html_to_text(paragraph() + paragraph("", "Short, but between.") + paragraph() + "<div><a href=x>Menu</a></div>")
          .text,
      std::string(kGood) + "\nShort, but between.\n" + std::string(kGood));
}

TEST(MainText, IgnoresMarksThatCoverThePage) {
  EXPECT_EQ(html_to_text("<div class=with-sidebar>" + paragraph() + "</div>").text, kGood);
}

TEST(MainText, LeavesOutWhatStandsBesideAndAround) {
  std::string text;
  std::string page = "<div class=entry-content>";
  for (int i = 0; i < 8; ++i) {
    page += paragraph();
    text += (i > 0 ? "\n" : "") + std::string(kGood);
  }
  page += "<div class=wp-caption>" + paragraph() + "</div></div><div class=comments>" + paragraph() + "</div>";
  page += "<ul><li><h3><a href=x>Another story</a></h3>" + paragraph() + "</ul>";
  EXPECT_EQ(html_to_text(page).text, text);
}

TEST(MainText, IsAllTextWhenNothingQualifies) {
  EXPECT_EQ(html_to_text("<p>one</p><p>two</p>").text, "one\ntwo");
  EXPECT_EQ(main_text_of(HtmlPage{}), "");
}

}  // namespace
}  // namespace slipway::text
