#include "data/document.h"

#include "data/helpers.h"

namespace slipway::data {
namespace {

Document parse(std::string_view line) {
  Document document;
  parse_line(line, "test line 1", document);
  return document;
}

TEST(Document, SurvivesARoundTrip) {
  Document document = make_document("a \"quoted\"\ttext\nwith \\ and \x01 中文 😀", "positive", "reviews");
  document.meta["at"] = "f.tsv:3";
  document.meta["rating"] = 2.5;
  document.meta["nested"] = {{"a", {1, 2, "x}"}}, {"b", nullptr}};
  std::string line;
  append_line(document, line);
  EXPECT_EQ(line.back(), '\n');
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_TRUE(Json::accept(line));
  const Document back = parse(line);
  EXPECT_EQ(back.id, document.id);
  EXPECT_EQ(back.text, document.text);
  EXPECT_EQ(back.label, "positive");
  EXPECT_EQ(back.source, "reviews");
  EXPECT_EQ(back.meta, document.meta);
}

TEST(Document, ReadsEveryEscapeOfJson) {
  EXPECT_EQ(parse(R"({"text":"\u00e9\u4e2d\ud83d\ude00\/\b\f\n\r\t\\\""})").text, "é中😀/\b\f\n\r\t\\\"");
  EXPECT_EQ(parse(R"({"text":"\ud83d x"})").text, "\xEF\xBF\xBD x");  // half a surrogate pair
  EXPECT_EQ(parse(R"({"text":"\ud83d\u0041"})").text,
            "\xEF\xBF\xBD"
            "A");  // and what follows is kept
}

TEST(Document, ForgetsTheFormerDocument) {
  Document document = make_document("old", "label");
  document.meta["x"] = 1;
  parse_line(R"( { "text" : "new" } )", "test", document);
  EXPECT_EQ(document.text, "new");
  EXPECT_EQ(document.label, "");
  EXPECT_TRUE(document.meta.empty());
}

TEST(Document, RefusesBrokenLines) {
  for (const char* line : {"", "{", "[]", "{\"text\":1}", "{\"text\":\"a}", "{\"text\":\"a\"", "{\"text\":\"a\"} x",
                           "{\"a\":[1}", "{\"text\":\"\\u12\"}", "{\"text\":\"\\x\"}", "{\"text\":\"a\nb\"}",
                           "{\"a\":tru}", "{\"a\"}", "{\"a\":[", "{\"text\":\"\\"}) {
    EXPECT_HAS(error_of(base::Code::kInvalid, [&] { parse(line); }), "test line 1") << line;
  }
}

TEST(Document, RepairsInvalidUtf8WhenWriting) {
  std::string line;
  append_line({"id",
               "a\xff"
               "b",
               "", "", Json::object()},
              line);
  EXPECT_EQ(parse(line).text,
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Document, IdIsStableAndIgnoresRunsOfWhitespace) {
  EXPECT_EQ(document_id("reviews", "good film"), document_id("reviews", "  good \t\n film "));
  EXPECT_NE(document_id("reviews", "good film"), document_id("tweets", "good film"));
  EXPECT_NE(document_id("reviews", "good film"), document_id("reviews", "goodfilm"));
  EXPECT_EQ(document_id("reviews", "good film").size(), 16U);
  EXPECT_EQ(document_id("reviews", "good film"),
            "9c616f690c0f7fe3");  // splits and lineage rest on it: it may never change
}

}  // namespace
}  // namespace slipway::data
