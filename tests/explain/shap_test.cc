#include "explain/shap.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "explain/bag_of_words.h"
#include "support/support.h"

namespace slipway::explain {
namespace {

using base::Json;
using tests::BagOfWords;
using tests::QuietContext;

// A game with pairwise interactions, whose Shapley values are linear part + half of each interaction.
struct Game {
  size_t words;
  std::vector<double> linear;
  std::vector<double> pair;  // [words, words], upper triangle
  Game(size_t n, uint64_t seed) : words(n), linear(n), pair(n * n, 0) {
    base::Rng rng(seed);
    for (double& v : linear) {
      v = rng.normal();
    }
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = i + 1; j < n; ++j) {
        pair[i * n + j] = rng.normal();
      }
    }
  }
  double operator()(const Mask& mask) const {
    double sum = 0.25;
    for (size_t i = 0; i < words; ++i) {
      sum += mask[i] ? linear[i] : 0;
      for (size_t j = i + 1; j < words; ++j) {
        sum += mask[i] && mask[j] ? pair[i * words + j] : 0;
      }
    }
    return sum;
  }
  double shapley(size_t i) const {
    double value = linear[i];
    for (size_t j = 0; j < words; ++j) {
      value += 0.5 * (i < j ? pair[i * words + j] : pair[j * words + i]);
    }
    return value;
  }
  AskMasks ask() const {
    return [this](const std::vector<Mask>& masks) {
      std::vector<double> out;
      for (const Mask& mask : masks) {
        out.push_back((*this)(mask));
      }
      return out;
    };
  }
};

std::vector<TreeNode> tree_of(size_t words) { return partition_tree(std::vector<std::string>(words, "w")); }

TEST(Shapley, EqualsTheClosedFormOfPairwiseGames) {
  const Game game(7, 1);
  const ShapValues exact = shapley_values(7, game.ask());
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_NEAR(exact.values[i], game.shapley(i), 1e-12);
  }
  EXPECT_EQ(exact.samples, 128);
  EXPECT_THROW(shapley_values(kMaxExactWords + 1, game.ask()), base::Error);
  EXPECT_THROW(shapley_values(0, game.ask()), base::Error);
}

TEST(Owen, EqualsShapleyWhenInteractionsArePairwise) {
  // Each interaction of two is split in half wherever the tree separates them.
  const Game game(8, 2);
  const ShapValues owen = owen_values(8, tree_of(8), game.ask(), {.max_evals = 100000});
  EXPECT_TRUE(owen.complete);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(owen.values[i], game.shapley(i), 1e-10);
  }
}

TEST(Owen, AddsUpHoweverSmallTheBudget) {
  const Game game(40, 3);
  for (const int budget : {0, 1, 2, 7, 64, 500}) {
    const ShapValues owen = owen_values(40, tree_of(40), game.ask(), {.max_evals = budget});
    EXPECT_FALSE(owen.complete);
    EXPECT_LE(owen.samples, budget + 3);
    EXPECT_NEAR(std::accumulate(owen.values.begin(), owen.values.end(), owen.base), owen.full, 1e-9) << budget;
  }
}

TEST(Owen, DoesNotDependOnTheBatchWhenTheBudgetSuffices) {
  const Game game(9, 4);
  const ShapValues small = owen_values(9, tree_of(9), game.ask(), {.max_evals = 100000, .batch_size = 2});
  const ShapValues large = owen_values(9, tree_of(9), game.ask(), {.max_evals = 100000, .batch_size = 1000});
  for (size_t i = 0; i < 9; ++i) {
    EXPECT_NEAR(small.values[i], large.values[i], 1e-12);
  }
}

TEST(Owen, HandlesOneWord) {
  const Game game(1, 5);
  const ShapValues owen = owen_values(1, {}, game.ask(), {});
  EXPECT_NEAR(owen.values[0], game.linear[0], 1e-12);
  EXPECT_TRUE(owen.complete);
}

TEST(PartitionTree, JoinsNeighboursAndKeepsBracketsAndClauses) {
  const std::vector<std::string> words = {"fine", ",", "but", "slow", "."};
  const auto tree = partition_tree(words);
  ASSERT_EQ(tree.size(), 4U);
  EXPECT_EQ(tree.back().size, 5U);
  EXPECT_EQ(tree[0].left, 0U);  // "fine ,"
  EXPECT_EQ(tree[0].right, 1U);
  EXPECT_TRUE(partition_tree(std::vector<std::string>{"one"}).empty());
  EXPECT_TRUE(partition_tree(std::vector<std::string>{}).empty());
}

TEST(PartitionTree, EqualsThePackages) {
  SLIPWAY_NEEDS_SHARED(shared);
  const Json gold = base::parse_json(base::read_file(shared / "reference/gold/explain.json"), "gold");
  for (const Json& row : gold["partition_tree"]) {
    const auto tree = partition_tree(row["tokens"].get<std::vector<std::string>>(),
                                     row["special_tokens"].get<std::vector<std::string>>());
    const Json& expected = row["expected_linkage"];
    ASSERT_EQ(tree.size(), expected.size());
    for (size_t k = 0; k < tree.size(); ++k) {
      EXPECT_EQ(static_cast<double>(tree[k].left), expected[k][0].get<double>()) << row["tokens"] << k;
      EXPECT_EQ(static_cast<double>(tree[k].right), expected[k][1].get<double>());
      EXPECT_EQ(tree[k].height, expected[k][2].get<double>());
      EXPECT_EQ(static_cast<double>(tree[k].size), expected[k][3].get<double>());
    }
  }
}

// The gold answers are doubles; ours pass through float logits: 1e-6 covers that.
TEST(Shap, EqualsThePackageOnItsTexts) {
  SLIPWAY_NEEDS_SHARED(shared);
  const Json gold = base::parse_json(base::read_file(shared / "reference/gold/explain.json"), "gold");
  QuietContext quiet;
  for (const Json& row : gold["shap_text"]) {
    BagOfWords model;
    const Output output = row["model"] == "logit" ? Output::kLogit : Output::kProbability;
    Answers answers(model, 1, output, quiet.context);
    const MaskedText text(row["text"].get<std::string>());
    const Explanation result = explain_shap(answers, text, {});
    const Explanation exact = explain_shap(answers, text, {.exact = true});
    ASSERT_EQ(result.words.size(), row["tokens"].size());
    EXPECT_NEAR(result.base_value, row["expected"]["base_value"].get<double>(), 1e-6);
    for (size_t i = 0; i < result.words.size(); ++i) {
      EXPECT_NEAR(result.words[i].value, row["expected"]["values"][i].get<double>(), 1e-6) << row["text"] << i;
      EXPECT_NEAR(exact.words[i].value, row["exact_shapley"][i].get<double>(), 1e-6) << row["text"] << i;
    }
    EXPECT_LT(*result.completeness_error, 1e-9);
    EXPECT_TRUE(result.complete);
    EXPECT_LT(result.evaluations, result.samples + 1);
  }
}

TEST(MaskedTextTest, CutsAndReplacesWords) {
  const MaskedText text("It's \"good\", 真好!");
  ASSERT_EQ(text.size(), 4U);
  EXPECT_EQ(text.without({true, false, true, true}), "It's \"\", 真好!");
  EXPECT_EQ(text.without({true, true, true, true}), text.text());
  EXPECT_EQ(text.replaced({true, false, false, true}, "...", true), "It's \" ... 好!");
  EXPECT_EQ(text.replaced({false, false, false, false}, "...", true), "... !");
  EXPECT_EQ(text.replaced({true, false, false, true}, "[MASK]", false), "It's \" [MASK] [MASK] 好!");
}

TEST(MaskedTextTest, KeepsWordsBeyondTheLimit) {
  const MaskedText text("one two three", 2);
  EXPECT_EQ(text.size(), 2U);
  EXPECT_EQ(text.without({false, false}), "  three");
}

TEST(AnswersTest, RefusesModelsWithoutLabels) {
  QuietContext quiet;
  BagOfWords model;
  EXPECT_THROW(Answers(model, 2, Output::kProbability, quiet.context), base::Error);
  EXPECT_THROW(Answers(model, -1, Output::kProbability, quiet.context), base::Error);
}

TEST(AnswersTest, StopsWhenAsked) {
  QuietContext quiet;
  BagOfWords model;
  Answers answers(model, 1, Output::kLogit, quiet.context);
  EXPECT_NEAR(answers.value("great"), 1.5, 1e-6);
  quiet.stop.request_stop();
  EXPECT_THROW(answers.value("good"), base::Error);
}

}  // namespace
}  // namespace slipway::explain
