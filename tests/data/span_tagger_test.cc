#include "data/span_tagger.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"

namespace slipway::data {
namespace {

// "NAME works at FIRM in PLACE.": names of people and firms that a tagger learns from their neighbours.
std::vector<SpanTagger::Lesson> lessons(int count, uint64_t seed) {
  base::Rng random(seed, "lessons");
  const std::vector<std::string> names = {"Ann Lee", "Bob", "Carla Díaz", "王小明"};
  const std::vector<std::string> firms = {"Acme", "Globex Inc", "Umbrella"};
  std::vector<SpanTagger::Lesson> all;
  for (int i = 0; i < count; ++i) {
    const std::string& name = names[random.below(names.size())];
    const std::string& firm = firms[random.below(firms.size())];
    SpanTagger::Lesson& one = all.emplace_back();
    const std::string before = fmt::format("No {}: ", i);
    one.text = before + name + " works at " + firm + ", they say.";
    const auto at = [&](const std::string& part) { return record::length_of(one.text.substr(0, one.text.find(part))); };
    one.spans = {{"1", at(name), at(name) + record::length_of(name), "PER"}, {"2", at(firm), at(firm) + record::length_of(firm), "ORG"}};
  }
  return all;
}

TEST(SpanTagger, TokensAreWordsAndWhatStandsBetweenThem) {
  const std::string text = "Dr. Ann O'Neil-Smith, 3.14%\n王明。";
  std::vector<std::string> tokens;
  for (const text::Span token : tagger_tokens(text)) {
    tokens.emplace_back(text::slice(text, token));
  }
  EXPECT_EQ(tokens, (std::vector<std::string>{"Dr", ".", "Ann", "O'Neil-Smith", ",", "3.14", "%", "王", "明", "。"}));
  EXPECT_TRUE(tagger_tokens(" \n").empty());
}

TEST(SpanTagger, LearnsSpansInAMomentAndIsSureOfWhatItKnows) {
  const auto trained = SpanTagger::train(lessons(60, 1), {});
  ASSERT_TRUE(trained.quality);
  EXPECT_GT(trained.quality->exact.value, 0.95);
  const std::string text = "No 7: Carla Díaz works at Globex Inc, they say.";
  const auto found = trained.tagger.suggest(text, "learned");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->answer.spans.size(), 2U);
  EXPECT_EQ(found->answer.spans[0].start, 6);
  EXPECT_EQ(found->answer.spans[0].end, 16);
  EXPECT_EQ(found->answer.spans[0].label, "PER");
  EXPECT_EQ(found->answer.spans[1].label, "ORG");
  EXPECT_GT(found->score, 0.8);
  for (const Uncertainty kind : {Uncertainty::kLeastConfidence, Uncertainty::kMargin, Uncertainty::kEntropy}) {
    EXPECT_LT(trained.tagger.uncertainty(text, kind), trained.tagger.uncertainty("Whom Zork sees Quux near Blip works", kind)) << name_of(kind);
  }
  EXPECT_EQ(trained.tagger.uncertainty("", Uncertainty::kMargin), 0);
  EXPECT_FALSE(trained.tagger.suggest("", "learned"));
}

TEST(SpanTagger, TheSameLessonsGiveTheSameTagger) {
  const auto a = SpanTagger::train(lessons(30, 2), {});
  const auto b = SpanTagger::train(lessons(30, 2), {});
  EXPECT_EQ(a.tagger.scale(), b.tagger.scale());
  const std::string text = "Somebody works at Acme, Bob says.";
  EXPECT_EQ(a.tagger.uncertainty(text, Uncertainty::kEntropy), b.tagger.uncertainty(text, Uncertainty::kEntropy));
}

TEST(SpanTagger, OddSpansAreLearntAsWordsTheLongerOneOfTwo) {
  SpanTagger::Lesson odd{"Annabelle Lee sings", {{"1", 0, 4, "X"}, {"2", 0, 13, "PER"}, {"3", 90, 99, "X"}, {"4", 5, 5, "X"}, {"5", 15, 17, "ACT"}}};
  const auto trained = SpanTagger::train(std::vector<SpanTagger::Lesson>(5, odd), {});
  EXPECT_FALSE(trained.quality);  // too few to hold any out
  const auto found = trained.tagger.suggest("Annabelle Lee sings", "t");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->answer.spans.size(), 2U);
  EXPECT_EQ(found->answer.spans[0].end, 13);
  EXPECT_EQ(found->answer.spans[1].start, 14);  // the whole word
  EXPECT_EQ(found->answer.spans[1].end, 19);
}

TEST(SpanTagger, WithoutSpansThereIsNothingToLearn) {
  EXPECT_THROW(SpanTagger::train(std::vector<SpanTagger::Lesson>(20, {"text", {}}), {}), base::Error);
  EXPECT_THROW(SpanTagger::train({}, {}), base::Error);
  SpanTagger::Options stopped;
  stopped.stop = [] { return true; };
  EXPECT_THROW(SpanTagger::train(lessons(5, 1), stopped), base::Error);
}

}  // namespace
}  // namespace slipway::data
