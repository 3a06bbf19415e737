// The steps one after the other: collect, clean, deduplicate, validate, build_dataset.
#include "data/steps.h"

#include "base/hash.h"
#include "base/input.h"
#include "data/dataset.h"
#include "data/helpers.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;

class Steps : public testing::Test {
 protected:
  // Reviews of made-up words, some of them copies, with labels by turns.
  void SetUp() override {
    base::Rng rng(12);
    std::string csv = "label,review\n";
    std::vector<std::string> texts;
    for (int i = 0; i < 300; ++i) {
      texts.push_back(i % 50 == 49 ? texts[static_cast<size_t>(i) - 7]
                                   : "the film was " + random_text(rng, 8 + rng.below(20)));
      csv += fmt::format("{},{}\n", i % 3 == 0 ? "negative" : "positive", texts.back());
    }
    csv += "positive,one\npositive,mail me at a.b@example.com if you liked the film\n";
    base::write_file_atomic(root_.path() / "reviews.csv", csv);
    section_ = {{"sources",
                 {{{"id", "reviews"},
                   {"path", "reviews.csv"},
                   {"text", "review"},
                   {"label", "label"},
                   {"licence", "CC0-1.0"}}}},
                {"clean", {"unicode", "whitespace", {{"length", {{"min", 2}}}}, "pii"}},
                {"validate", {{"label_balance", 0.2}}}};
  }

  DataOptions options() const {
    DataOptions options = parse_data_options(section_, "slipway.yaml: data");
    options.name = "movies";
    options.labels = {"negative", "positive"};
    return options;
  }

  Json run(const fs::path& work, int threads = 2) {
    TestContext test(threads);
    const DataOptions o = options();
    collected_ = collect(o, root_.path(), test.context, work / "collect");
    cleaned_ = clean(work / "collect", o, test.context, work / "clean");
    deduplicated_ = deduplicate(work / "clean", o, test.context, work / "dedup");
    report_ = validate(work / "dedup", o, test.context, work / "valid");
    return build_dataset(work / "dedup", o, test.context, work / "dataset", to_json(report_));
  }

  const Check& check(const std::string& name) const {
    for (const Check& item : report_.checks) {
      if (item.name == name) {
        return item;
      }
    }
    throw std::runtime_error("no check " + name);
  }

  base::TempDir root_;
  base::TempDir work_;
  Json section_;
  Json collected_;
  Json cleaned_;
  Json deduplicated_;
  ValidationReport report_;
};

TEST_F(Steps, MakeADatasetOutOfAFile) {
  const Json summary = run(work_.path());
  EXPECT_EQ(collected_["documents"], 302);
  EXPECT_EQ(cleaned_["dropped"]["too_short"], 1);
  EXPECT_EQ(cleaned_["masked"], 1);
  EXPECT_EQ(deduplicated_["exact"], 6);
  EXPECT_GE(deduplicated_["label_conflicts"], 1);
  EXPECT_TRUE(report_.passed()) << report_.summary();
  const Dataset dataset(work_.path() / "dataset", true);
  EXPECT_EQ(dataset.digest(), summary["digest"]);
  EXPECT_EQ(dataset.name(), "movies");
  EXPECT_EQ(dataset.labels(), (std::vector<std::string>{"negative", "positive"}));
  EXPECT_EQ(dataset.label_index("positive"), 1);
  EXPECT_EQ(dataset.label_index("other"), -1);
  int64_t rows = 0;
  for (int s = 0; s < kSplits; ++s) {
    const auto documents = dataset.load_split(static_cast<Split>(s));
    rows += static_cast<int64_t>(documents.size());
    for (const Document& document : documents) {
      EXPECT_EQ(split_at(split_position(document.id, 7), {}), static_cast<Split>(s));
    }
  }
  EXPECT_EQ(rows, 295);
  const Json& manifest = dataset.manifest();
  EXPECT_EQ(manifest["rows"], 295);
  EXPECT_EQ(manifest["licences"], Json({"CC0-1.0"}));
  EXPECT_EQ(manifest["sources"][0]["files"][0]["path"], "reviews.csv");
  EXPECT_EQ(manifest["sources"][0]["files"][0]["sha256"], base::sha256_file(root_.path() / "reviews.csv"));
  EXPECT_EQ(manifest["sources"][0]["files"][0]["rows"], 302);
  EXPECT_EQ(manifest["history"]["deduplicate"]["exact"], 6);
  EXPECT_TRUE(manifest["validation"]["passed"]);
  EXPECT_EQ(manifest["statistics"]["top_words"][0][1], 295);  // "the", "film" or "was"
  EXPECT_EQ(manifest["statistics"]["words"]["min"], 9);
}

TEST_F(Steps, GiveTheSameBytesOnAnyNumberOfThreads) {
  const Json one = run(work_.path() / "one", 1);
  const Json two = run(work_.path() / "two", 3);
  EXPECT_EQ(one["digest"], two["digest"]);
  for (const char* file :
       {"clean/documents.jsonl.zst", "clean/dropped.jsonl.zst", "dedup/dropped.jsonl.zst", "valid/validation.json"}) {
    EXPECT_EQ(base::sha256_file(work_.path() / "one" / file), base::sha256_file(work_.path() / "two" / file)) << file;
  }
}

TEST_F(Steps, RunAgainOverAnOldFolder) {
  const Json first = run(work_.path());
  base::write_file_atomic(work_.path() / "dataset" / "train-00007.jsonl.zst", "left by an earlier attempt");
  EXPECT_EQ(run(work_.path())["digest"], first["digest"]);
  EXPECT_FALSE(fs::exists(work_.path() / "dataset" / "train-00007.jsonl.zst"));
}

TEST_F(Steps, KeepWhatTheyDropWithTheReason) {
  run(work_.path());
  const auto cleaned = read_documents(work_.path() / "clean" / kDroppedFile);
  ASSERT_EQ(cleaned.size(), 1U);
  EXPECT_EQ(cleaned[0].text, "one");
  EXPECT_EQ(cleaned[0].meta["reason"], "too_short");
  const auto copies = read_documents(work_.path() / "dedup" / kDroppedFile);
  ASSERT_EQ(copies.size(), 6U);
  EXPECT_EQ(copies[0].meta["reason"], "exact_duplicate");
  EXPECT_EQ(copies[0].meta["duplicate_of"], copies[0].id);  // the same text of the same source has the same id
}

TEST_F(Steps, StopLeavesNoDocumentsFile) {
  TestContext test;
  test.stop.request_stop();
  EXPECT_THROW(collect(options(), root_.path(), test.context, work_.path() / "collect"), base::Error);
  EXPECT_FALSE(fs::exists(work_.path() / "collect" / kDocumentsFile));
}

TEST_F(Steps, PinnedSourcesThatShareTextsLeak) {
  base::Rng rng(2);
  std::string train = "text,label\n";
  std::string test_file = "text,label\n";
  for (int i = 0; i < 40; ++i) {
    const std::string text = random_text(rng, 30);
    train += fmt::format("{},{}\n", text, i % 2 == 0 ? "negative" : "positive");
    test_file +=
        fmt::format("{},{}\n", i < 4 ? "more " + text : random_text(rng, 30), i % 2 == 0 ? "negative" : "positive");
  }
  base::write_file_atomic(root_.path() / "train.csv", train);
  base::write_file_atomic(root_.path() / "test.csv", test_file);
  section_ = {{"sources",
               {{{"id", "a"}, {"path", "train.csv"}, {"label", "label"}, {"split", "train"}},
                {{"id", "b"}, {"path", "test.csv"}, {"label", "label"}, {"split", "test"}}}},
              {"deduplicate", false},
              {"split", {{"train", 0.9}, {"test", 0.1}}}};
  run(work_.path());
  EXPECT_FALSE(report_.passed());
  const Check& leak = check("leak:train/test");
  EXPECT_FALSE(leak.passed);
  EXPECT_NEAR(leak.value, 0.1, 1e-12);
  EXPECT_EQ(leak.evidence["examples"].size(), 4U);
  EXPECT_HAS(leak.evidence["examples"][0]["test"]["text"].get<std::string>(), "more");
  EXPECT_HAS(report_.summary(),
             "1 of 7 checks failed: leak:train/test: 4 of 40 documents of test have a near duplicate");
}

TEST_F(Steps, NearDuplicatesStayInOneSplitWithoutDeduplication) {
  section_["deduplicate"] = false;
  run(work_.path());
  EXPECT_TRUE(check("leak:train/test").passed);
  EXPECT_EQ(check("leak:train/test").value, 0);
}

TEST_F(Steps, ValidationMeasuresWhatIsMissingUnknownAndUnbalanced) {
  std::vector<Document> documents;
  base::Rng rng(3);
  for (int i = 0; i < 100; ++i) {
    documents.push_back(make_document(random_text(rng, 12), i < 5 ? "rare" : i < 8 ? "" : i < 10 ? "odd" : "common"));
  }
  documents.push_back(make_document(" ", "common"));
  TestContext test;
  write_documents(work_.path() / "in", documents, test.pool);
  DataOptions o = options();
  o.labels = {"common", "rare"};
  report_ = validate(work_.path() / "in", o, test.context, work_.path() / "valid");
  EXPECT_FALSE(check("missing_text").passed);
  EXPECT_NEAR(check("missing_text").value, 1 / 101.0, 1e-12);
  EXPECT_NEAR(check("missing_label").value, 3 / 101.0, 1e-12);
  EXPECT_EQ(check("missing_label").evidence["examples"].size(), 3U);
  EXPECT_EQ(check("unknown_labels").value, 2);
  EXPECT_EQ(check("unknown_labels").evidence["odd"], 2);
  EXPECT_NEAR(check("label_balance").value, 2 / 98.0, 1e-12);
  EXPECT_FALSE(check("label_balance").passed);
  EXPECT_FALSE(check("min_per_label").passed);
  EXPECT_TRUE(check("min_rows").passed);
  const Json stored = base::parse_json(base::read_file(work_.path() / "valid" / "validation.json"), "v");
  EXPECT_EQ(stored, to_json(report_));
}

TEST_F(Steps, AddedRowsDoNotMoveOldOnes) {
  run(work_.path() / "before");
  std::string csv = base::read_file(root_.path() / "reviews.csv");
  base::Rng rng(77);
  for (int i = 0; i < 200; ++i) {
    csv += fmt::format("positive,{}\n", random_text(rng, 15));
  }
  base::write_file_atomic(root_.path() / "reviews.csv", csv);
  run(work_.path() / "after");
  const Dataset before(work_.path() / "before" / "dataset");
  const Dataset after(work_.path() / "after" / "dataset");
  for (int s = 0; s < kSplits; ++s) {
    const auto old_rows = before.load_split(static_cast<Split>(s));
    const auto new_rows = after.load_split(static_cast<Split>(s));
    ASSERT_GE(new_rows.size(), old_rows.size());
    for (size_t i = 0; i < old_rows.size(); ++i) {
      EXPECT_EQ(old_rows[i].id, new_rows[i].id);  // new rows come behind
    }
  }
}

TEST_F(Steps, DatasetRefusesWhatWasTamperedWith) {
  run(work_.path());
  const fs::path folder = work_.path() / "dataset";
  const std::string manifest = base::read_file(folder / "manifest.json");
  const std::string shard = base::read_file(folder / "train-00000.jsonl.zst");
  const auto opens = [&](Code code, bool verify) { return error_of(code, [&] { Dataset(folder, verify); }); };

  std::string flipped = shard;
  flipped[flipped.size() / 2] ^= 1;
  base::write_file_atomic(folder / "train-00000.jsonl.zst", flipped);
  EXPECT_HAS(opens(Code::kIntegrity, true), "digest differs");
  base::write_file_atomic(folder / "train-00000.jsonl.zst", shard.substr(0, shard.size() - 1));
  EXPECT_HAS(opens(Code::kIntegrity, false), "is not what the manifest names");
  fs::remove(folder / "train-00000.jsonl.zst");
  EXPECT_HAS(opens(Code::kNotFound, false), "'train-00000.jsonl.zst' is missing");
  base::write_file_atomic(folder / "train-00000.jsonl.zst", shard);

  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = manifest;
    const size_t at = changed.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    base::write_file_atomic(folder / "manifest.json", changed.replace(at, from.size(), to));
  };
  with("\"merkle_root\": \"", "\"merkle_root\": \"0");
  EXPECT_HAS(opens(Code::kIntegrity, false), "merkle_root");
  with("train-00000.jsonl.zst", "../../etc/passwd");
  EXPECT_HAS(opens(Code::kInvalid, false), "not the plain name of a shard");
  with("slipway-dataset/1", "slipway-dataset/9");
  EXPECT_HAS(opens(Code::kInvalid, false), "slipway-dataset/9");
  with("\"rows\": 295", "\"rows\": \"x\"");
  Dataset readable(folder);  // the total is only information
  base::write_file_atomic(folder / "manifest.json", manifest.substr(0, manifest.size() / 2));
  EXPECT_HAS(opens(Code::kInvalid, false), "not valid JSON");
}

TEST(DataOptionsTest, UnknownKeysAtEveryLevel) {
  const auto parse = [](const Json& json) {
    return error_of(Code::kInvalid, [&] { parse_data_options(json, "f: data"); });
  };
  const Json sources = {{{"id", "a"}, {"path", "x"}}};
  EXPECT_HAS(parse({{"sources", sources}, {"deduplcate", true}}),
             "f: data: unknown key 'deduplcate'; did you mean 'deduplicate'?");
  EXPECT_HAS(parse({{"sources", sources}, {"validate", {{"leek", "x"}}}}), "f: data.validate: unknown key 'leek'");
  EXPECT_HAS(parse({{"sources", sources}, {"validate", {{"leak", "train"}}}}), "pairs of splits are wanted");
  EXPECT_HAS(parse({{"sources", sources}, {"split", 3}}), "f: data.split");
  EXPECT_HAS(parse(Json::object()), "'sources' needs a list");
  EXPECT_HAS(parse({{"sources", {sources[0], sources[0]}}}), "two sources are called 'a'");
}

TEST(DataOptionsTest, SurviveARoundTrip) {
  const Json json = {
      {"sources",
       {{{"id", "reviews"}, {"type", "csv"}, {"path", "data/reviews.tsv"}, {"text", "sentence"}, {"label", "label"}}}},
      {"clean",
       {"unicode", "boilerplate", {{"language", {"en", "zh"}}}, {{"length", {{"min", 2}, {"max", 512}}}}, "pii"}},
      {"deduplicate", {{"exact", true}, {"near", {{"jaccard", 0.8}}}}},
      {"validate", {{"max_missing", 0}, {"label_balance", 0.2}, {"leak", "train/test"}}},
      {"split", {{"train", 0.8}, {"validation", 0.1}, {"test", 0.1}, {"stratify", "label"}, {"seed", 7}}}};
  const DataOptions options = parse_data_options(json, "t");
  EXPECT_EQ(options.validate.label_balance, 0.2);
  EXPECT_EQ(to_json(parse_data_options(to_json(options), "t")), to_json(options));
}

TEST(Frames, ManyFramesReadBackInOrder) {
  base::TempDir dir;
  base::Rng rng(1);
  std::string all;
  std::vector<std::string> digests;
  for (const int threads : {1, 3}) {
    base::Pool pool(threads);
    FrameWriter writer(dir.path() / "x.zst", pool);
    base::Rng same(9);
    all.clear();
    for (int i = 0; i < 6000; ++i) {
      const std::string line = random_text(same, 100) + "\n";
      all += line;
      writer.append(line);
    }
    EXPECT_EQ(writer.raw_bytes(), all.size());
    const auto result = writer.finish();
    EXPECT_EQ(result.sha256, base::sha256_file(dir.path() / "x.zst"));
    EXPECT_EQ(result.size, fs::file_size(dir.path() / "x.zst"));
    digests.push_back(result.sha256);
  }
  EXPECT_EQ(digests[0], digests[1]);
  EXPECT_EQ(base::read_decompressed(dir.path() / "x.zst"), all);
}

}  // namespace
}  // namespace slipway::data
