#include "data/jsonl_line.h"

#include <gtest/gtest.h>

namespace slipway::data {
namespace {

std::string fault(const std::string& line) {
  JsonlLine reader("text", "id");
  return std::string(reader.read(line));
}

TEST(JsonlLine, ReadsTheTextAndKeepsTheRest) {
  JsonlLine reader("text", "id");
  const std::string line = R"( {"a": [1, {"b": null}], "text": "x\n\u00e9\ud83d\ude00", "id": 7, "z": -1.5e3} )";
  ASSERT_EQ(reader.read(line), "");
  EXPECT_EQ(reader.text(), "x\né😀");
  EXPECT_EQ(reader.id(), "7");
  std::string out;
  reader.write(false, "", out);
  EXPECT_EQ(out,
            R"( {"a": [1, {"b": null}], "text": "x\n\u00e9\ud83d\ude00", "id": 7, "z": -1.5e3})" + std::string("\n"));
  out.clear();
  reader.text() = "new \"text\"";
  reader.write(true, ",\"reason\":\"r\"", out);
  EXPECT_EQ(out, R"( {"a": [1, {"b": null}], "text": "new \"text\"", "id": 7, "z": -1.5e3,"reason":"r"})" +
                     std::string("\n"));
}

// Escapes at every distance from the blocks that are skipped at once.
TEST(JsonlLine, FindsEscapesWhereverTheyStand) {
  JsonlLine reader("text", "id");
  for (size_t before = 0; before < 40; ++before) {
    const std::string plain(before, 'x');
    const std::string line = "{\"a\":\"" + plain + "\\\"\",\"text\":\"" + plain + "\\n\\u00e9\xC3\xA9" + plain + "\"}";
    ASSERT_EQ(reader.read(line), "") << before;
    EXPECT_EQ(reader.text(), plain + "\n\xC3\xA9\xC3\xA9" + plain);
    EXPECT_EQ(fault("{\"text\":\"" + plain + "\x1F\"}"), "invalid_json");
    EXPECT_EQ(fault("{\"text\":\"" + plain), "invalid_json");
    std::string out;
    reader.text() = plain + "\x01\"" + plain;
    reader.write(true, "", out);
    EXPECT_NE(out.find(plain + "\\u0001\\\"" + plain + "\""), std::string::npos) << out;
  }
}

TEST(JsonlLine, OtherFieldsByName) {
  JsonlLine reader("body", "key");
  ASSERT_EQ(reader.read(R"({"key":"k","body":"b","text":"t"})"), "");
  EXPECT_EQ(reader.text(), "b");
  EXPECT_EQ(reader.id(), "\"k\"");
}

TEST(JsonlLine, TellsWhatIsWrong) {
  EXPECT_EQ(fault(""), "empty_line");
  EXPECT_EQ(fault(" \r"), "empty_line");
  EXPECT_EQ(fault(R"({"a":1})"), "no_text");
  EXPECT_EQ(fault(R"({"text":null})"), "text_not_a_string");
  EXPECT_EQ(fault("{\"text\":\"\xFF\"}"), "invalid_utf8");
  for (const char* broken :
       {"[1]", "x", "{", "{\"text\":\"a\"", "{\"text\":\"a\"}}", "{\"text\":\"a\",}", "{\"text\" \"a\"}",
        "{\"text\":\"\\x\"}", "{\"text\":\"\\u12\"}", "{\"text\":\"a\",\"n\":01}", "{\"text\":\"a\",\"n\":1.}",
        "{\"text\":\"a\",\"n\":+1}", "{\"text\":\"a\",\"n\":tru}", "{\"text\":\"a\tb\"}", "{\"text\":\"a\",\"n\":[1,]}",
        "{\"text\":\"a\",\"n\":{\"a\"}}", "{'text':'a'}"}) {
    EXPECT_EQ(fault(broken), "invalid_json") << broken;
  }
}

TEST(JsonlLine, RefusesBottomlessNesting) {
  const std::string deep(100000, '[');
  EXPECT_EQ(fault("{\"text\":\"a\",\"n\":" + deep + "}"), "invalid_json");
}

TEST(JsonlLine, TheLastOfTwoTextsCounts) {
  JsonlLine reader("text", "id");
  ASSERT_EQ(reader.read(R"({"text":"first","text":"second"})"), "");
  EXPECT_EQ(reader.text(), "second");
  EXPECT_TRUE(reader.repeats_text());
  ASSERT_EQ(reader.read(R"({"text":"one","a":{"text":"inner"}})"), "");
  EXPECT_FALSE(reader.repeats_text());
}

}  // namespace
}  // namespace slipway::data
