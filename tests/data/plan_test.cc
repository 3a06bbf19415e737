// The assignment of a folder's documents: grouping of near duplicates, pinned sources, labels and their order.
#include "data/plan.h"

#include "data/helpers.h"

namespace slipway::data {
namespace {

class Plan : public testing::Test {
 protected:
  SplitPlan plan(const std::vector<Document>& documents) {
    TestContext test;
    write_documents(dir_.path(), documents, test.pool);
    return plan_splits(dir_.path(), options_, test.context);
  }

  DataOptions with_pins(const std::string& a, const std::string& b) {
    DataOptions options;
    options.sources.resize(2);
    options.sources[0].id = "a";
    options.sources[0].split = a;
    options.sources[1].id = "b";
    options.sources[1].split = b;
    return options;
  }

  base::TempDir dir_;
  base::Rng rng_{17};
  DataOptions options_;
};

TEST_F(Plan, LabelsKeepTheConfiguredOrder) {
  options_.labels = {"z", "a"};
  const SplitPlan result = plan({make_document("one", "m"), make_document("two", "a"), make_document("three", ""),
                                 make_document("four", "b"), make_document("five", "z")});
  EXPECT_EQ(result.labels, (std::vector<std::string>{"z", "a", "b", "m", ""}));
  EXPECT_EQ(result.label_of, (std::vector<uint32_t>{3, 1, 4, 2, 0}));
}

TEST_F(Plan, CopiesFollowTheFirst) {
  options_.deduplicate.exact = options_.deduplicate.near = false;
  std::vector<Document> documents;
  for (int i = 0; i < 60; ++i) {
    const std::string text = random_text(rng_, 40);
    documents.push_back(make_document(text, "x"));
    documents.push_back(make_document(text + " " + random_text(rng_, 2), "y"));
  }
  const SplitPlan result = plan(documents);
  int outside_training = 0;
  for (size_t i = 0; i < documents.size(); i += 2) {
    EXPECT_EQ(result.splits[i], result.splits[i + 1]);
    EXPECT_EQ(result.splits[i], split_at(split_position(documents[i].id, 7), options_.split));
    outside_training += static_cast<int>(result.splits[i] != Split::kTrain);
  }
  EXPECT_GT(outside_training, 3);
}

TEST_F(Plan, WithoutGroupingEveryDocumentIsOnItsOwn) {
  options_.deduplicate.near = false;
  options_.split.group_jaccard = 0;
  EXPECT_EQ(plan_passes(options_), 1);
  std::vector<Document> documents;
  for (int i = 0; i < 40; ++i) {
    documents.push_back(
        make_document("one text and no other " + std::string(i % 2 == 0 ? "" : "."), "x", fmt::format("s{}", i)));
  }
  const SplitPlan result = plan(documents);
  EXPECT_NE(std::count(result.splits.begin(), result.splits.end(), Split::kTrain), 0);
  EXPECT_NE(std::count(result.splits.begin(), result.splits.end(), Split::kTrain), 40);
}

TEST_F(Plan, APassIsSavedWhenDeduplicationDidTheWork) {
  EXPECT_EQ(plan_passes(options_), 1);
  options_.deduplicate.jaccard = 0.9;  // copies between 0.8 and 0.9 are still there
  EXPECT_EQ(plan_passes(options_), 3);
}

TEST_F(Plan, PinnedSourcesStayAndDrawTheirCopies) {
  options_ = with_pins("test", "");
  options_.deduplicate.exact = options_.deduplicate.near = false;
  std::vector<Document> documents;
  for (int i = 0; i < 20; ++i) {
    const std::string text = random_text(rng_, 30);
    documents.push_back(make_document(text + " b", "x", "b"));  // free, and first in its cluster
    documents.push_back(make_document(text, "x", "a"));
  }
  const SplitPlan result = plan(documents);
  for (const Split split : result.splits) {
    EXPECT_EQ(split, Split::kTest);
  }
}

TEST_F(Plan, SourcesPinnedApartStayApart) {
  options_ = with_pins("train", "test");
  options_.deduplicate.exact = options_.deduplicate.near = false;
  const std::string text = random_text(rng_, 30);
  const SplitPlan result =
      plan({make_document(text, "x", "a"), make_document(text, "x", "b"), make_document(text, "x", "c")});
  EXPECT_EQ(result.splits, (std::vector<Split>{Split::kTrain, Split::kTest, Split::kTrain}));
}

TEST_F(Plan, ABrokenLineIsNamed) {
  TestContext test;
  base::make_dirs(dir_.path());
  FrameWriter writer(dir_.path() / kDocumentsFile, test.pool);
  writer.append("{\"text\":\"fine\"}\n{\"text\":\n");
  writer.finish();
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { plan_splits(dir_.path(), options_, test.context); }),
             "'documents.jsonl.zst' line 2: byte 9");
}

TEST_F(Plan, NoDocumentsNoSplits) {
  const SplitPlan result = plan({});
  EXPECT_TRUE(result.splits.empty());
  EXPECT_EQ(result.labels, (std::vector<std::string>{""}));
}

}  // namespace
}  // namespace slipway::data
