// What helps annotators: rules that suggest, a classifier that is trained in a moment.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "data/label_rules.h"
#include "data/light_classifier.h"

namespace slipway::data {
namespace {

record::AnnotationScheme scheme(bool overlapping = true) {
  record::AnnotationScheme made;
  made.questions = {record::Question::kClass, record::Question::kSpans};
  made.classes = {{"good", "", ""}, {"bad", "", ""}};
  made.spans = {{"ART", "", ""}, {"LONG", "", ""}};
  made.overlapping = overlapping;
  return made;
}

std::vector<record::Suggestion> suggest(const std::vector<record::LabelRule>& rules, const std::string& text, bool overlapping = true) {
  record::Task task;
  task.text = text;
  return LabelRules(rules, scheme(overlapping)).suggest(task);
}

TEST(LabelRules, TermsAreWholeWordsWhateverTheirCase) {
  const auto found = suggest({{"ART", {"art"}, "", false}}, "Party ART; art-house, ärt Art");
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(found[0].answer.spans.size(), 2U);  // "art-house" is one word
  EXPECT_EQ(found[0].answer.spans[0].start, 6);
  EXPECT_EQ(found[0].answer.spans[1].start, 26);
  EXPECT_TRUE(suggest({{"ART", {"ART"}, "", true}}, "art").empty());
}

TEST(LabelRules, OfOverlappingSpansTheLongestStaysWhereNoneMayOverlap) {
  const std::vector<record::LabelRule> rules = {{"ART", {"modern art"}, "", false}, {"LONG", {"modern art museum"}, "", false}};
  EXPECT_EQ(suggest(rules, "a modern art museum").at(0).answer.spans.size(), 2U);
  const auto one = suggest(rules, "a modern art museum", false).at(0).answer.spans;
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].label, "LONG");
}

TEST(LabelRules, TheClassOfMostMatchesIsSuggestedWithItsShare) {
  const auto found = suggest({{"good", {}, "joy|fun", false}, {"bad", {}, "bor(e|ing)", false}}, "Joy and fun, a bit boring, joy");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].answer.classes, (std::vector<std::string>{"good"}));
  EXPECT_DOUBLE_EQ(found[0].score, 0.75);
}

TEST(LabelRules, ABrokenExpressionIsTold) {
  try {
    suggest({{"good", {}, "(open", false}}, "x");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalid);
    EXPECT_NE(std::string(error.what()).find("good"), std::string::npos);
  }
}

TEST(LightClassifier, LearnsWordsAndGivesTheSameWeightsAgain) {
  std::vector<std::string> texts;
  std::vector<std::vector<int>> labels;
  for (int i = 0; i < 60; ++i) {
    texts.push_back(fmt::format("{} number {}", i % 3 == 0 ? "wonderful film" : i % 3 == 1 ? "dreadful film" : "wooden table", i));
    labels.push_back({i % 3});
  }
  const auto first = LightClassifier::train(texts, labels, 3, {});
  const auto second = LightClassifier::train(texts, labels, 3, {});
  const auto p = first.probabilities(text_features("a wonderful evening", first.bits()));
  EXPECT_EQ(p, second.probabilities(text_features("a wonderful evening", second.bits())));
  EXPECT_GT(p[0], 0.6);
  EXPECT_NEAR(p[0] + p[1] + p[2], 1, 1e-9);
}

TEST(LightClassifier, ATextMayHaveSeveralClassesOrNone) {
  std::vector<std::string> texts;
  std::vector<std::vector<int>> labels;
  for (int i = 0; i < 40; ++i) {
    const bool a = i % 2 == 0;
    const bool b = i % 4 < 2;
    texts.push_back(fmt::format("{} {} text", a ? "apple" : "stone", b ? "banana" : "brick"));
    labels.emplace_back();
    if (a) {
      labels.back().push_back(0);
    }
    if (b) {
      labels.back().push_back(1);
    }
  }
  LightClassifier::Options options;
  options.several = true;
  const auto made = LightClassifier::train(texts, labels, 2, options);
  const auto both = made.probabilities(text_features("apple banana text", made.bits()));
  const auto none = made.probabilities(text_features("stone brick text", made.bits()));
  EXPECT_GT(std::min(both[0], both[1]), 0.5);
  EXPECT_LT(std::max(none[0], none[1]), 0.5);
}

TEST(LightClassifier, WhatCannotBeLearntIsTold) {
  const std::vector<std::string> texts = {"a"};
  const std::vector<std::vector<int>> labels = {{2}};
  EXPECT_THROW(LightClassifier::train(texts, labels, 2, {}), base::Error);
  EXPECT_THROW(LightClassifier::train({}, {}, 2, {}), base::Error);
}

}  // namespace
}  // namespace slipway::data
