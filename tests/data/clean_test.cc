#include "data/clean.h"

#include "data/helpers.h"

namespace slipway::data {
namespace {

using base::Code;

struct Cleaned {
  std::string text;
  std::string reason;
  int64_t masked = 0;
};

Cleaned run(const Json& steps, const std::string& text) {
  const Cleaner cleaner(parse_clean_options(steps, "clean"));
  Document document = make_document(text, "x");
  Cleaned result;
  result.reason = cleaner.apply(document, result.masked);
  result.text = document.text;
  return result;
}

TEST(Clean, UnicodeComposesAndRemovesControls) {
  EXPECT_EQ(run({"unicode"},
                "cafe\xCC\x81 \x07"
                "a\xE2\x80\x8B"
                "b\tc\nd\xEF\xBB\xBF")
                .text,
            "café ab\tc\nd");
  EXPECT_EQ(run({"control"},
                "a\x00\x1F\x7F"
                "b")
                .text,
            "a");                                                        // a C string ends there
  EXPECT_EQ(run({"control"}, "👩\xE2\x80\x8D🔬").text, "👩\xE2\x80\x8D🔬");  // a joiner is content
  EXPECT_EQ(run({"control"}, "\xE2\x80\xAEx").text, "x");                // a bidirectional override is not
}

TEST(Clean, EntitiesAndTags) {
  EXPECT_EQ(run({"entities"}, "R&amp;B &lt;3 it&#39;s").text, "R&B <3 it's");
  EXPECT_EQ(run({"html"}, "<p>good <b>film</b></p>").text, "good film");
}

TEST(Clean, WhitespaceCollapses) {
  EXPECT_EQ(run({"whitespace"}, "  a \t b\xC2\xA0\xE3\x80\x80 c \r\n d\n\n\n\ne ").text, "a b c\nd\n\ne");
}

TEST(Clean, BoilerplateLinesGoButOneLineTextsStay) {
  EXPECT_EQ(
      run({"boilerplate"}, "A fine day[12] at sea[citation needed].\nPlease enable JavaScript\nIt rained.\nIt rained.")
          .text,
      "A fine day at sea.\nIt rained.");
  EXPECT_EQ(run({"boilerplate"}, "I love javascript [sic]").text, "I love javascript [sic]");
}

TEST(Clean, LanguageDropsWhatIsSurelyAnother) {
  const std::string german =
      "Das ist ein sehr langer deutscher Satz, der von niemandem für Englisch gehalten werden kann, weil "
      "er lauter deutsche Wörter enthält und überall Umlaute hat.";
  EXPECT_EQ(run({{{"language", {"en", "zh"}}}}, german).reason, "language:de");
  EXPECT_EQ(run({{{"language", {"de"}}}}, german).reason, "");
  EXPECT_EQ(run({{{"language", {"en", "zh"}}}}, "这家酒店的服务非常好，房间也很干净。").reason, "");
  EXPECT_EQ(run({{{"language", {"en"}}}}, "ok").reason, "");  // too short to tell
  EXPECT_EQ(run({{{"language", {{"keep", {"en"}}, {"keep_unknown", false}}}}}, "12 34").reason, "language:unknown");
}

TEST(Clean, LengthCountsWords) {
  const Json step = {{{"length", {{"min", 2}, {"max", 4}}}}};
  EXPECT_EQ(run(step, "one").reason, "too_short");
  EXPECT_EQ(run(step, "one two three four").reason, "");
  EXPECT_EQ(run(step, "one two three four five").reason, "too_long");
  EXPECT_EQ(run(step, "很好吃").reason, "");  // a Han character is a word
}

TEST(Clean, PersonalDataAreMaskedAndCounted) {
  const Cleaned result = run({"pii"}, "write to jane.doe@example.com or 192.168.10.77 now");
  EXPECT_EQ(result.text, "write to [EMAIL] or [IP] now");
  EXPECT_EQ(result.masked, 2);
}

TEST(Clean, StepsRunInOrderAndEmptyTextsGo) {
  EXPECT_EQ(run({"entities", "whitespace"}, "a&nbsp;&nbsp;b").text, "a b");
  EXPECT_EQ(run({"whitespace"}, " \n\t ").reason, "empty");
  EXPECT_EQ(run(Json::array(), "").reason, "empty");
}

TEST(CleanOptions, NameWhatIsWrong) {
  const auto parse = [](const Json& json) {
    return error_of(Code::kInvalid, [&] { parse_clean_options(json, "data.clean"); });
  };
  EXPECT_HAS(parse({"unicod"}), "data.clean[0]: unknown cleaning step 'unicod'; did you mean 'unicode'?");
  EXPECT_HAS(parse({"pii", {{"length", {{"mim", 2}}}}}), "data.clean[1]: unknown key 'mim'; did you mean 'min'?");
  EXPECT_HAS(parse({{{"length", {{"min", 5}, {"max", 2}}}}}), "leave nothing");
  EXPECT_HAS(parse({"language"}), "needs a list");
  EXPECT_HAS(parse({{{"pii", {{"email", true}}}}}), "has no settings");
  EXPECT_HAS(parse("unicode"), "must be a list of steps");
}

TEST(CleanOptions, SurviveARoundTrip) {
  const Json json = {"unicode", {{"language", {"en", "zh"}}}, {{"length", {{"min", 2}, {"max", 512}}}}, "pii"};
  const CleanOptions options = parse_clean_options(json, "t");
  EXPECT_EQ(to_json(parse_clean_options(to_json(options), "t")), to_json(options));
  EXPECT_EQ(options.steps[1].languages, (std::vector<std::string>{"en", "zh"}));
  EXPECT_EQ(options.steps[2].max_words, 512);
}

TEST(Clean, PresetsAreSteps) {
  EXPECT_EQ(run({"gopher"}, "too short").reason, "top_2_gram");  // two words are one pair, all of the text
  const std::string text =
      "Every morning the fishing boats leave our harbour before dawn, and they return with silver herring, mackerel or "
      "cod, which buyers from distant towns inspect, weigh and carry off to be smoked, salted or sold in markets.";
  EXPECT_EQ(run({"gopher"}, text).reason, "gopher_short_doc");
  EXPECT_EQ(run({{{"gopher", {{"min_doc_words", 2}}}}}, text).reason, "");
  EXPECT_EQ(run({{{"gopher", {{"min_doc_words", false}}}}}, text).reason, "");
  const Json steps = {"unicode", {{"fineweb", {{"min_doc_words", 10}}}}, "c4"};
  EXPECT_EQ(to_json(parse_clean_options(steps, "clean")), steps);
  EXPECT_HAS(error_of(Code::kInvalid,
                      [] {
                        parse_clean_options({{{"gopher", {{"min_words", 1}}}}}, "clean");
                      }),
             "preset 'gopher' has no parameter 'min_words'");
  EXPECT_HAS(error_of(Code::kInvalid, [] { parse_clean_options({"gofer"}, "clean"); }), "did you mean 'gopher'");
}

}  // namespace
}  // namespace slipway::data
