#include "text/html.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"

namespace slipway::text {
namespace {

constexpr std::string_view kPage = R"(<!doctype html><html lang="en-GB"><head><title> The  Title </title>
<style>p { color: red }</style><script>var x = "<p>no</p>";</script></head><body>
<header><a href="/">Home</a></header><nav><ul><li><a href="/a">News</a></li><li><a href="/b">Sport</a></li></ul></nav>
<div class="content"><h1>A headline</h1>
<p>The first paragraph is long enough to count as text, with a <a href="x">link</a> in it, and it says something that matters.</p>
<p>Short one, kept.</p>
<p>The second paragraph&nbsp;also has <b>sentences</b>. It talks about caf&eacute;s &amp; bars, at some length, so that it is good.</p>
<div class="share-buttons">Share this on every network that you can think of, now, please do, it helps us a lot to grow.</div></div>
<div style="display: none">Hidden text that nobody sees, but which is long enough to be taken for a paragraph, sadly so.</div>
<footer>Copyright 2026, all rights reserved by somebody, somewhere, for some reason that nobody knows.</footer></body></html>)";

TEST(Html, KeepsTheMainTextOnly) {
  const HtmlText page = html_to_text(kPage);
  EXPECT_EQ(page.title, "The Title");
  EXPECT_EQ(page.language, "en-gb");
  EXPECT_EQ(
      page.text,
      "The first paragraph is long enough to count as text, with a link in it, and it says something that "
      "matters.\nShort one, kept.\nThe second paragraph also has sentences. It talks about cafés & bars, at some "
      "length, "
      "so that it is good.");
}

TEST(Html, KeepsAllTextWhenAsked) {
  const HtmlText page = html_to_text(kPage, {.main_text = false, .keep_tables = true});
  EXPECT_NE(page.text.find("Home"), std::string::npos);
  EXPECT_NE(page.text.find("Sport"), std::string::npos);
  EXPECT_EQ(page.text.find("Hidden"), std::string::npos);
  EXPECT_EQ(page.text.find("var x"), std::string::npos);
}

TEST(Html, ReadsFragmentsAndPlainText) {
  EXPECT_EQ(html_to_text("just text").text, "just text");
  EXPECT_EQ(html_to_text("<p>one<p>two<br>three").text, "one\ntwo\nthree");
  EXPECT_EQ(html_to_text("").text, "");
  EXPECT_EQ(html_to_text("<table><tr><td>a<td>b<tr><td>c</table>").text, "a\tb\nc");
  EXPECT_EQ(html_to_text("<h1>Only</h1>").title, "Only");
}

TEST(Html, DecodesWhatOldPagesSend) {
  EXPECT_EQ(html_to_text("<meta charset=\"windows-1252\"><p>caf\xE9 \x93quoted\x94").text, "café “quoted”");
  EXPECT_EQ(html_to_text("\xEF\xBB\xBF<p>bom").text, "bom");
  EXPECT_EQ(html_to_text("<p>caf\xE9").text, "caf\uFFFD");
}

TEST(Html, KeepsChineseParagraphs) {
  const std::string page =
      html_to_text(
          "<div><a href=1>首页</a><a href=2>新闻</a></div><div><p>这部电影非常好看，演员的表演很出色，"
          "故事也很感人，我推荐大家去电影院看一看，绝对不会失望的。</p></div>")
          .text;
  EXPECT_EQ(page.find("首页"), std::string::npos);
  EXPECT_TRUE(page.starts_with("这部电影"));
}

TEST(Html, RefusesWhatIsTooLargeAndReadsWhatIsDeep) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) {
    deep += "<div>";
  }
  EXPECT_EQ(html_to_text(deep + "At the bottom.").text, "At the bottom.");
  EXPECT_THROW(html_to_text(std::string((size_t{32} << 20) + 1, 'a')), base::Error);
}

TEST(Html, MutatedPagesNeverCrash) {
  base::Rng rng(3);
  for (int round = 0; round < 300; ++round) {
    std::string page(kPage);
    for (int i = 0; i < 20; ++i) {
      page[rng.below(page.size())] = static_cast<char>(rng.below(256));
    }
    html_to_text(page.substr(0, rng.below(page.size())));
  }
}

TEST(Entities, ReplacesNamedAndNumericReferences) {
  EXPECT_EQ(unescape_entities("a &lt;b&gt; &amp;amp; &quot;x&quot; &#39;y&#39;"), "a <b> &amp; \"x\" 'y'");
  EXPECT_EQ(unescape_entities("&#x4E2D;&#22269; &eacute;&hellip;&nbsp;&NotEqualTilde;"), "中国 é…\u00A0\u2242\u0338");
  EXPECT_EQ(unescape_entities("&#150; &#x80;"), "– €");
  EXPECT_EQ(unescape_entities("&#0;&#xD800;&#1114112;&#99999999999;"), "\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(Entities, LeavesWhatIsNone) {
  for (const char* text : {"AT&T", "a && b", "&", "&;", "&#;", "&#x;", "&unknown;", "?a=1&lt=2", "&copyright", "x &"}) {
    EXPECT_EQ(unescape_entities(text), text);
  }
  EXPECT_EQ(unescape_entities("fish &amp chips"), "fish & chips");
}

}  // namespace
}  // namespace slipway::text
