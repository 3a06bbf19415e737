#include "data/label_folds.h"

#include <set>

#include "data/helpers.h"
#include "data/label_errors.h"

namespace slipway::data {
namespace {

TEST(LabelFolds, FindsChangedLabelsAndIsTheSameOnAnyNumberOfThreads) {
  const std::vector<std::vector<std::string>> words = {{"game", "team", "goal", "match", "player"}, {"soup", "bread", "taste", "cook", "salt"}, {"law", "court", "judge", "vote", "state"}};
  base::Rng rng(5);
  std::vector<std::string> texts;
  std::vector<int> labels;
  std::set<int64_t> changed;
  for (int i = 0; i < 600; ++i) {
    const int label = static_cast<int>(rng.below(3));
    std::string text;
    for (int w = 0; w < 9; ++w) {
      // Most words are the class' own.
      text += words[rng.below(10) < 7 ? static_cast<size_t>(label) : rng.below(3)][rng.below(5)] + " ";
    }
    texts.push_back(text);
    labels.push_back(label);
    if (i % 12 == 0) {
      labels.back() = (label + 1) % 3;
      changed.insert(i);
    }
  }
  std::vector<double> probabilities[2];
  for (const int threads : {1, 3}) {
    TestContext test(threads);
    probabilities[threads == 1 ? 0 : 1] = out_of_fold(texts, labels, 3, {}, test.context);
  }
  EXPECT_EQ(probabilities[0], probabilities[1]);
  const std::vector<LabelError> errors = find_label_errors(labels, probabilities[0], 3);
  int64_t hits = 0;
  for (const LabelError& error : errors) {
    hits += changed.contains(error.row) ? 1 : 0;
  }
  EXPECT_GE(hits, 45);  // of 50
  EXPECT_LE(static_cast<int64_t>(errors.size()) - hits, 10);
}

TEST(LabelFolds, WhatCannotBeLearnedIsSaid) {
  TestContext test;
  const std::vector<std::string> texts = {"a", "b", "c"};
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { out_of_fold(texts, std::vector<int>{0, 0, 1}, 2, {}, test.context); }), "class 1 has 1 row");
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { out_of_fold(texts, std::vector<int>{0, 0, 0}, 1, {}, test.context); }), "two classes");
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { out_of_fold(texts, std::vector<int>{0, 0, 7}, 2, {}, test.context); }), "row 2 has class 7");
}

}  // namespace
}  // namespace slipway::data
