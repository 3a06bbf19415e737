// The whole way over real text, by configuration alone: English snippets that leak into one another, Chinese reviews.
#include "data/dataset.h"
#include "data/helpers.h"
#include "data/steps.h"

namespace slipway::data {
namespace {

const Json kBins = {{{"max", -0.5}, {"label", "negative"}}, {{"min", 0.5}, {"label", "positive"}}};

const Check& find_check(const ValidationReport& report, const std::string& name) {
  for (const Check& check : report.checks) {
    if (check.name == name) {
      return check;
    }
  }
  throw std::runtime_error("no check " + name);
}

TEST(Real, SentencesOfOneSetAreFoundInTheOther) {
  SLIPWAY_NEEDS_SHARED(shared);
  base::TempDir work;
  TestContext test;
  // SST's sentences are the snippets, tokenised and lower-cased: training on one and testing on the other is a leak.
  const Json section = {{"sources",
                         {{{"id", "sst"},
                           {"path", "data/sentiment-en/sst2.dev.tsv.zst"},
                           {"text", 1},
                           {"label", 2},
                           {"split", "test"},
                           {"label_map", {{"0", "negative"}, {"1", "positive"}}}},
                          {{"id", "movies"},
                           {"type", "tsv"},
                           {"path", "data/sentiment-en/movieReviewSnippets_GroundTruth.txt.zst"},
                           {"text", 3},
                           {"split", "train"},
                           {"label_from", {{"column", 2}, {"bins", kBins}}}}}},
                        {"clean", {"unicode", "whitespace"}},
                        {"deduplicate", false},
                        {"split", {{"train", 0.9}, {"test", 0.1}}}};
  DataOptions options = parse_data_options(section, "data");
  collect(options, shared, test.context, work.path() / "collect");
  clean(work.path() / "collect", options, test.context, work.path() / "clean");
  const ValidationReport report = validate(work.path() / "clean", options, test.context, work.path() / "valid");
  const Check& leak = find_check(report, "leak:train/test");
  EXPECT_FALSE(leak.passed);
  EXPECT_GT(leak.value, 0.5) << leak.message;  // the others were neutral or are phrased otherwise
  EXPECT_EQ(leak.evidence["rows"], 872);
}

TEST(Real, ChineseReviewsBecomeADataset) {
  SLIPWAY_NEEDS_SHARED(shared);
  base::TempDir work;
  TestContext test;
  const Json section = {{"sources",
                         {{{"id", "hotels"},
                           {"path", "data/sentiment-zh/ChnSentiCorp_htl_all.csv.zst"},
                           {"text", "review"},
                           {"label", "label"},
                           {"label_map", {{"0", "negative"}, {"1", "positive"}}}}}},
                        {"clean",
                         {"unicode",
                          "entities",
                          "whitespace",
                          "boilerplate",
                          {{"language", {"en", "zh"}}},
                          {{"length", {{"min", 2}, {"max", 512}}}},
                          "pii"}},
                        {"validate", {{"label_balance", 0.2}, {"leak", "train/test, train/validation"}}}};
  DataOptions options = parse_data_options(section, "data");
  options.labels = {"negative", "positive"};
  collect(options, shared, test.context, work.path() / "collect");
  const Json cleaned = clean(work.path() / "collect", options, test.context, work.path() / "clean");
  EXPECT_LT(cleaned["dropped"].value("language:ja", 0), 3);
  const Json kept = deduplicate(work.path() / "clean", options, test.context, work.path() / "dedup");
  EXPECT_EQ(kept["exact"].get<int>() + kept["near"].get<int>(), 3);
  const ValidationReport report = validate(work.path() / "dedup", options, test.context, work.path() / "valid");
  EXPECT_TRUE(report.passed()) << report.summary();
  EXPECT_EQ(report.checks.size(), 8U);
  const Json summary =
      build_dataset(work.path() / "dedup", options, test.context, work.path() / "dataset", to_json(report));
  const Dataset dataset(work.path() / "dataset", true);
  EXPECT_EQ(dataset.digest(), summary["digest"]);
  EXPECT_GT(dataset.split(Split::kTrain).labels.at("negative"), 1500);
  EXPECT_GT(dataset.manifest()["statistics"]["languages"]["zh"], 7000);
}

}  // namespace
}  // namespace slipway::data
