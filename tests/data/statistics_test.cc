#include "data/statistics.h"

#include "data/helpers.h"

namespace slipway::data {
namespace {

Json describe(const std::vector<std::string>& texts, int threads = 2) {
  base::Pool pool(threads);
  TextStatistics statistics;
  std::vector<Document> documents;
  for (const std::string& text : texts) {
    documents.push_back(make_document(text, ""));
    if (documents.size() == 7) {  // several batches
      statistics.add(documents, pool);
      documents.clear();
    }
  }
  statistics.add(documents, pool);
  return statistics.to_json();
}

TEST(Statistics, QuantilesAreExact) {
  std::vector<std::string> texts;
  std::string text;
  for (int words = 1; words <= 101; ++words) {
    text += text.empty() ? "w" : " w";
    texts.push_back(text);
  }
  const Json words = describe(texts)["words"];
  EXPECT_EQ(words["min"], 1);
  EXPECT_EQ(words["p5"], 6);
  EXPECT_EQ(words["p50"], 51);
  EXPECT_EQ(words["p95"], 96);
  EXPECT_EQ(words["max"], 101);
  EXPECT_DOUBLE_EQ(words["mean"].get<double>(), 51);
  int64_t total = 0;
  for (const Json& bin : words["histogram"]) {
    EXPECT_EQ(bin["high"].get<int64_t>() - bin["low"].get<int64_t>(), 5);  // 100 words (p99) in 24 bins
    total += bin["count"].get<int64_t>();
  }
  EXPECT_EQ(total, 101);
}

TEST(Statistics, TextsBeyondTheHistogramCountAsTheLongest) {
  std::string text;
  for (int i = 0; i < 70000; ++i) {
    text += "w ";
  }
  const Json words = describe({text, "a"})["words"];
  EXPECT_EQ(words["max"], 70000);
  EXPECT_EQ(words["min"], 1);
}

TEST(Statistics, WordsAreLowerCasedAndTiesAreAlphabetic) {
  const Json json = describe({"The film", "the FILM", "The b a"});
  EXPECT_EQ(json["top_words"].dump(), R"([["the",3],["film",2],["a",1],["b",1]])");
}

TEST(Statistics, LanguagesAreCounted) {
  const Json json = describe(
      {"这家酒店的服务非常好", "The weather was very pleasant and we enjoyed every day of our stay.", "房间很干净"});
  EXPECT_EQ(json["languages"]["zh"], 2);
  EXPECT_EQ(json["languages"]["en"], 1);
}

TEST(Statistics, NothingHasNoQuantiles) {
  EXPECT_EQ(describe({}),
            Json({{"words", Json::object()}, {"languages", Json::object()}, {"top_words", Json::array()}}));
}

TEST(Statistics, ThreadsDoNotMatter) {
  base::Rng rng(3);
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) {
    texts.push_back(random_text(rng, rng.below(30)));
  }
  EXPECT_EQ(describe(texts, 1), describe(texts, 4));
}

// A million distinct words: rare ones are forgotten, the frequent ones keep their counts but for one a pruning.
TEST(Statistics, ManyDistinctWordsStayBounded) {
  base::Pool pool(2);
  TextStatistics statistics;
  std::vector<Document> documents(20);
  int64_t next = 0;
  for (int batch = 0; batch < 30; ++batch) {
    for (Document& document : documents) {
      document.text = "often";
      for (int i = 0; i < 2000; ++i) {
        document.text += fmt::format(" u{}", next++);
      }
    }
    statistics.add(documents, pool);
  }
  const Json top = statistics.to_json()["top_words"];
  EXPECT_EQ(top[0][0], "often");
  EXPECT_GE(top[0][1], 599);
}

}  // namespace
}  // namespace slipway::data
