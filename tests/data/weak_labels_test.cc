#include "data/weak_labels.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "data/active_learning.h"
#include "data/label_errors.h"
#include "data/labelling_functions.h"
#include "support/support.h"

namespace slipway::data {
namespace {

using base::Json;

Json gold(const char* key) { return base::parse_json(base::read_file(tests::source_dir() / "tests/gold/agreement.json"), "gold")[key]; }

VoteMatrix votes_of(const Json& one) {
  VoteMatrix votes;
  votes.classes = one["classes"].get<int>();
  for (const Json& row : one["votes"]) {
    ++votes.items;
    votes.voters = static_cast<int>(row.size());
    for (const Json& vote : row) {
      votes.votes.push_back(vote.get<int>());
    }
  }
  return votes;
}

void expect_near(const std::vector<double>& got, const Json& want, double tolerance) {
  std::vector<double> flat;
  for (const Json& x : want) {
    if (x.is_array()) {
      for (const Json& y : x) {
        flat.push_back(y.get<double>());
      }
    } else {
      flat.push_back(x.get<double>());
    }
  }
  ASSERT_EQ(got.size(), flat.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], flat[i], tolerance) << i;
  }
}

TEST(WeakLabels, ModelsEqualCrowdKitsAndPlainLoops) {
  const Json cases = gold("weak");
  ASSERT_EQ(cases.size(), 3U);
  for (const Json& one : cases) {
    const VoteMatrix votes = votes_of(one);
    LabelModelOptions options;
    options.iterations = one["iterations"].get<int>();
    options.tolerance = -1;
    for (const char* name : {"majority", "dawid-skene", "one-coin", "generative"}) {
      SCOPED_TRACE(name);
      const Json& want = one["expected"][name];
      const LabelModelResult got = fit_label_model(votes, label_model_named(name), options);
      expect_near(got.probabilities, want["probabilities"], 1e-6);
      if (want.contains("balance")) {
        expect_near(got.balance, want["balance"], 1e-6);
        EXPECT_EQ(got.iterations, options.iterations);
      }
    }
  }
}

TEST(WeakLabels, TheTableIsSnorkels) {
  for (const Json& one : gold("weak")) {
    const VoteSummary got = summarize_votes(votes_of(one), one["truth"].get<std::vector<int>>());
    const Json& want = one["summary"];
    for (size_t i = 0; i < got.voters.size(); ++i) {
      EXPECT_NEAR(got.voters[i].coverage, want["coverage"][i].get<double>(), 1e-12);
      EXPECT_NEAR(got.voters[i].overlaps, want["overlaps"][i].get<double>(), 1e-12);
      EXPECT_NEAR(got.voters[i].conflicts, want["conflicts"][i].get<double>(), 1e-12);
      EXPECT_NEAR(got.voters[i].accuracy, want["accuracy"][i].get<double>(), 1e-12);
    }
    EXPECT_NEAR(got.coverage, want["all"][0].get<double>(), 1e-12);
    EXPECT_NEAR(got.overlaps, want["all"][1].get<double>(), 1e-12);
    EXPECT_NEAR(got.conflicts, want["all"][2].get<double>(), 1e-12);
  }
}

TEST(WeakLabels, AnItemWithoutVotesHasTheBalance) {
  VoteMatrix votes{4, 2, 2, {0, 0, 0, kAbstain, 1, 1, kAbstain, kAbstain}};
  for (const char* name : {"majority", "dawid-skene", "one-coin"}) {
    const LabelModelResult got = fit_label_model(votes, label_model_named(name));
    EXPECT_NEAR(got.probabilities[6], got.balance[0], 1e-6) << name;
    EXPECT_GT(got.balance[0], 0.6) << name;
  }
  LabelModelOptions fixed;
  fixed.balance = {0.1, 0.9};
  EXPECT_NEAR(fit_label_model(votes, LabelModelKind::kDawidSkene, fixed).probabilities[7], 0.9, 1e-6);
}

// Of the items that it was fitted on, an item by itself has the probabilities of the fit.
TEST(WeakLabels, AnItemByItselfHasTheProbabilitiesOfTheFit) {
  for (const Json& one : gold("weak")) {
    const VoteMatrix votes = votes_of(one);
    LabelModelOptions options;
    options.iterations = 5000;
    options.tolerance = 1e-13;
    for (const char* name : {"majority", "dawid-skene", "one-coin", "generative"}) {
      SCOPED_TRACE(name);
      const LabelModelKind kind = label_model_named(name);
      const LabelModelResult fitted = fit_label_model(votes, kind, options);
      const auto voters = static_cast<size_t>(votes.voters);
      const auto classes = static_cast<size_t>(votes.classes);
      for (size_t i = 0; i < static_cast<size_t>(votes.items); ++i) {
        const std::span<const int> row = std::span<const int>(votes.votes).subspan(i * voters, voters);
        if (std::all_of(row.begin(), row.end(), [](int vote) { return vote == kAbstain; })) {
          continue;  // of generative, who abstains tells something
        }
        const std::vector<double> p = label_probabilities(fitted, kind, row);
        for (size_t c = 0; c < classes; ++c) {
          ASSERT_NEAR(p[c], fitted.probabilities[i * classes + c], 1e-6) << i;
        }
      }
      EXPECT_EQ(label_probabilities(fitted, kind, std::vector<int>(voters, kAbstain)), fitted.balance);
      EXPECT_THROW(label_probabilities(fitted, kind, std::vector<int>(voters + 1, kAbstain)), base::Error);
      EXPECT_THROW(label_probabilities(fitted, kind, std::vector<int>(voters, votes.classes)), base::Error);
    }
  }
}

TEST(WeakLabels, RefusesWhatAreNoVotes) {
  EXPECT_THROW(fit_label_model({1, 1, 2, {2}}, LabelModelKind::kMajority), base::Error);
  EXPECT_THROW(fit_label_model({1, 1, 1, {0}}, LabelModelKind::kMajority), base::Error);
  EXPECT_THROW(fit_label_model({2, 1, 2, {0}}, LabelModelKind::kMajority), base::Error);
  EXPECT_THROW(fit_label_model({1, 1, 2, {kAbstain}}, LabelModelKind::kMajority), base::Error);
  LabelModelOptions options;
  options.balance = {0.5, 0.6};
  EXPECT_THROW(fit_label_model({1, 1, 2, {0}}, LabelModelKind::kDawidSkene, options), base::Error);
  EXPECT_THROW(summarize_votes({1, 1, 2, {0}}, std::vector<int>{0, 1}), base::Error);
  EXPECT_THROW(label_model_named("triplet"), base::Error);
}

TEST(LabellingFunctions, VoteByExpressionsWordsAndDictionaries) {
  const base::TempDir folder;
  base::write_file_atomic(folder.path() / "clubs.txt", "# clubs\nReal Madrid\n曼联\n\nBVB\n");
  const std::vector<std::string> classes = {"sport", "money"};
  const LabellingFunctions functions(Json::parse(R"({"functions": [
    {"name": "sum", "label": "money", "regex": "(?i:\\$|usd) ?\\d+"},
    {"name": "words", "label": "sport", "keywords": ["Goal", "free kick"]},
    {"name": "clubs", "label": "sport", "dictionary": "clubs.txt"}]})"),
                                     classes, folder.path(), "labels.yaml");
  EXPECT_EQ(functions.names(), (std::vector<std::string>{"sum", "words", "clubs"}));
  VoteMatrix votes;
  for (const char* text : {"They paid USD 30 for a GOAL", "free-kick by real madrid!", "goals and kicks are free, say unreal madridistas", "昨晚曼联赢了", ""}) {
    functions.vote(text, votes);
  }
  EXPECT_EQ(votes.items, 5);
  EXPECT_EQ(votes.voters, 3);
  EXPECT_EQ(votes.classes, 2);
  const int x = kAbstain;
  EXPECT_EQ(votes.votes, (std::vector<int>{1, 0, x, x, x, 0, x, x, x, x, x, 0, x, x, x}));
}

TEST(LabellingFunctions, ConfigurationsTellWhatIsWrong) {
  const std::vector<std::string> classes = {"a"};
  const auto fault = [&](const char* text) {
    try {
      const LabellingFunctions functions(Json::parse(text), classes, ".", "labels.yaml");
    } catch (const base::Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_NE(fault("[]").find("an object with 'functions'"), std::string::npos);
  EXPECT_NE(fault(R"({"functions": [{"name": "x", "label": "b", "keywords": ["y"]}]})").find("labels.yaml, function 'x': 'b' is no class"), std::string::npos);
  EXPECT_NE(fault(R"({"functions": [{"name": "x", "label": "a"}]})").find("one of regex, keywords, dictionary"), std::string::npos);
  EXPECT_NE(fault(R"({"functions": [{"name": "x", "label": "a", "words": []}]})").find("there is no 'words'"), std::string::npos);
  EXPECT_NE(fault(R"({"functions": [{"name": "x", "label": "a", "regex": "("}]})").find("labels.yaml"), std::string::npos);
  EXPECT_NE(fault(R"({"functions": [{"name": "x", "label": "a", "keywords": ["!"]}]})").find("has no word"), std::string::npos);
  EXPECT_NE(fault(R"({"functions": [{"name": "x", "label": "a", "dictionary": "none.txt"}]})").find("none.txt"), std::string::npos);
}

TEST(LabelErrors, EqualCleanlabs) {
  const Json cases = gold("label_errors");
  ASSERT_EQ(cases.size(), 3U);
  for (const Json& one : cases) {
    const int classes = one["classes"].get<int>();
    const auto labels = one["labels"].get<std::vector<int>>();
    const auto probabilities = one["probabilities"].get<std::vector<double>>();
    expect_near(confident_thresholds(labels, probabilities, classes), one["thresholds"], 1e-12);
    EXPECT_EQ(confident_joint(labels, probabilities, classes), one["joint"].get<std::vector<int64_t>>());
    for (auto it = one["filters"].begin(); it != one["filters"].end(); ++it) {
      SCOPED_TRACE(it.key());
      LabelErrorOptions options;
      options.filter = label_error_filter_named(it.key());
      std::vector<int64_t> rows;
      for (const LabelError& error : find_label_errors(labels, probabilities, classes, options)) {
        rows.push_back(error.row);
        EXPECT_EQ(error.given, labels[static_cast<size_t>(error.row)]);
        EXPECT_NE(error.given, error.suggested);
      }
      EXPECT_EQ(rows, it->get<std::vector<int64_t>>());
    }
    LabelErrorOptions options;
    options.rank_by = LabelQuality::kNormalizedMargin;
    std::vector<int64_t> rows;
    for (const LabelError& error : find_label_errors(labels, probabilities, classes, options)) {
      rows.push_back(error.row);
    }
    EXPECT_EQ(rows, one["by_margin"].get<std::vector<int64_t>>());
    for (const char* name : {"self_confidence", "normalized_margin"}) {
      std::vector<double> scores = label_quality(labels, probabilities, classes, label_quality_named(name));
      scores.resize(10);
      expect_near(scores, one["quality"][name], 1e-12);
    }
  }
  EXPECT_THROW(find_label_errors(std::vector<int>{2}, std::vector<double>{0.5, 0.5}, 2), base::Error);
  EXPECT_THROW(find_label_errors(std::vector<int>{0}, std::vector<double>{0.5, std::nan("")}, 2), base::Error);
  EXPECT_THROW(find_label_errors({}, {}, 2), base::Error);
  EXPECT_THROW(label_error_filter_named("all"), base::Error);
}

TEST(ActiveLearning, ScoresAreThoseOfTheirFormulas) {
  const std::vector<double> p = {0.5, 0.5, 0, 0.7, 0.2, 0.1, 1, 0, 0};
  const std::vector<double> least = uncertainty(p, 3, Uncertainty::kLeastConfidence);
  EXPECT_NEAR(least[0], 0.5, 1e-12);
  EXPECT_NEAR(least[1], 0.3, 1e-12);
  EXPECT_NEAR(uncertainty(p, 3, Uncertainty::kMargin)[0], 1, 1e-12);
  EXPECT_NEAR(uncertainty(p, 3, Uncertainty::kMargin)[1], 0.5, 1e-12);
  EXPECT_NEAR(uncertainty(p, 3, Uncertainty::kEntropy)[0], std::log(2), 1e-12);
  EXPECT_NEAR(uncertainty(p, 3, Uncertainty::kEntropy)[2], 0, 1e-12);
  EXPECT_EQ(most_uncertain(std::vector<double>{1, 3, 3, 0}, 3), (std::vector<int64_t>{1, 2, 0}));
  EXPECT_EQ(most_uncertain(std::vector<double>{1}, 9).size(), 1U);
  EXPECT_THROW(uncertainty(std::vector<double>{0.5, 0.4}, 2, Uncertainty::kMargin), base::Error);
  EXPECT_THROW(uncertainty(std::vector<double>{1.5, -0.5}, 2, Uncertainty::kMargin), base::Error);
  EXPECT_THROW(uncertainty_named("bald"), base::Error);
}

TEST(ActiveLearning, DiversityTakesWhatIsFar) {
  // Three groups on a line: 0 to 2 near 0, 3 and 4 near 10, 5 at 100.
  const std::vector<float> line = {0, 1, 2, 10, 11, 100};
  const FeatureRows dense(line, 1);
  const std::vector<int64_t> known = {0};
  EXPECT_EQ(k_center(dense, {}, known, 3, 1), (std::vector<int64_t>{5, 4, 2}));
  EXPECT_EQ(k_center(dense, std::vector<int64_t>{0, 1, 3}, known, 9, 1), (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(k_center(dense, {}, {}, 6, 7), k_center(dense, {}, {}, 6, 7));
  const std::vector<int64_t> begins = {0, 0, 1, 2, 3, 4, 5};  // the same, sparse: row 0 is empty
  const std::vector<int32_t> columns = {4, 4, 4, 4, 4};
  const FeatureRows sparse(begins, columns, std::span(line).subspan(1));
  EXPECT_EQ(k_center(sparse, {}, known, 3, 1), (std::vector<int64_t>{5, 4, 2}));
  EXPECT_NEAR(sparse.distance(1, 5), 99.0 * 99, 1e-9);
  int far = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const std::vector<int64_t> drawn = k_means_pp(dense, {}, known, {}, 2, seed);
    ASSERT_EQ(drawn, k_means_pp(dense, {}, known, {}, 2, seed));
    far += drawn[0] == 5 ? 1 : 0;
  }
  EXPECT_GT(far, 44);  // its chance is 0.978 a draw
  EXPECT_EQ(k_means_pp(dense, {}, known, std::vector<double>{1, 1, 0, 0, 0, 0}, 1, 3), (std::vector<int64_t>{1}));
  EXPECT_EQ(k_means_pp(FeatureRows(std::vector<float>{1, 1, 1}, 1), {}, std::vector<int64_t>{0}, {}, 5, 3).size(), 2U);
  EXPECT_THROW(FeatureRows(line, 4), base::Error);
  EXPECT_THROW(k_center(dense, std::vector<int64_t>{6}, {}, 1, 1), base::Error);
}

}  // namespace
}  // namespace slipway::data
