#include "data/dedup_corpus.h"

#include <map>
#include <set>

#include "base/input.h"
#include "data/bloom.h"
#include "data/helpers.h"
#include "data/near.h"
#include "data/web_minhash.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;

std::string line_of(const std::string& id, const std::string& text, const std::string& more = "") {
  std::string out = "{\"id\":\"" + id + "\",\"text\":";
  append_json_string(text, out);
  return out + more + "}\n";
}

DedupSummary run(DedupOptions options, int threads = 2) {
  TestContext test(threads);
  return dedup_corpus(options, test.context);
}

// The content of all shards and of the clusters' file.
std::string result_of(const DedupOptions& options) {
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(options.out)) {
    if (entry.is_regular_file() && entry.path().extension() != ".json") {
      files.insert(entry.path());
    }
  }
  std::string all;
  for (const fs::path& file : files) {
    all += file.filename().string() + "\n" + base::read_decompressed(file);
  }
  return all + (options.clusters.empty() ? "" : base::read_file(options.clusters));
}

// Documents of which every third is an earlier one with a word replaced.
std::string corpus(size_t documents, uint64_t seed) {
  base::Rng rng(seed);
  std::vector<std::string> texts;
  std::string out;
  for (size_t i = 0; i < documents; ++i) {
    if (i % 3 == 2) {
      std::string copy = texts[rng.below(texts.size())];
      copy.replace(copy.size() / 2, 3, " changed ");
      texts.push_back(copy);
    } else {
      texts.push_back(random_text(rng, 60 + rng.below(100)));
    }
    out += line_of(std::to_string(i), texts.back());
  }
  return out;
}

DedupOptions options_for(const fs::path& folder, const std::string& name, DedupMethod method) {
  DedupOptions options;
  options.method = method;
  options.inputs = {folder / "in.jsonl"};
  options.out = folder / name;
  options.clusters = folder / (name + ".clusters");
  options.memory_bytes = uint64_t{64} << 20U;
  options.shard_bytes = 20000;
  options.compress = false;
  return options;
}

struct Number {
  uint64_t value;
  uint64_t tag;
  auto operator<=>(const Number&) const = default;
};

TEST(Spill, SortsAsStdSortWithAnyMemory) {
  base::Pool pool(2);
  for (const uint64_t seed : {1, 2, 3}) {
    base::Rng rng(seed);
    std::vector<Number> want(5000);
    for (Number& number : want) {
      number = {rng.below(500), rng.below(3)};
    }
    for (const uint64_t memory : {1024, 20000, 1 << 20}) {
      base::TempDir folder;
      ExternalSorter<Number> sorter({folder.path() / "spill", memory, &pool}, "numbers", memory);
      for (const Number& number : want) {
        sorter.add(number);
      }
      std::vector<Number> sorted = want;
      std::sort(sorted.begin(), sorted.end());
      SortedStream<Number> stream = sorter.finish();
      Number number{};
      for (const Number& expected : sorted) {
        ASSERT_TRUE(stream.next(number)) << seed << ' ' << memory;
        ASSERT_EQ(number, expected) << seed << ' ' << memory;
      }
      EXPECT_FALSE(stream.next(number));
      sorter.remove_runs();
      EXPECT_TRUE(!fs::exists(folder.path() / "spill") || fs::is_empty(folder.path() / "spill"));
    }
  }
}

TEST(Spill, RefusesAFileThatIsCutShort) {
  base::TempDir folder;
  RecordFileWriter writer(folder.path() / "a.run", 8);
  const uint64_t values[] = {1, 2, 3};
  writer.write(values, 3);
  writer.commit();
  EXPECT_EQ(RecordFileReader(folder.path() / "a.run", 8).count(), 3U);
  fs::resize_file(folder.path() / "a.run", 40);
  error_of(base::Code::kIntegrity, [&] { RecordFileReader(folder.path() / "a.run", 8); });
  fs::resize_file(folder.path() / "a.run", 5);
  error_of(base::Code::kIntegrity, [&] { RecordFileReader(folder.path() / "a.run", 8); });
}

TEST(Components, StarsAndUnionFindAgree) {
  base::Pool pool(2);
  for (const uint64_t seed : {4, 5, 6}) {
    base::Rng rng(seed);
    std::vector<Edge> edges;
    for (int i = 0; i < 6000; ++i) {
      const uint64_t node = rng.below(9000);
      edges.push_back({node, i % 2 == 0 ? node + 1 : rng.below(9000)});  // chains, and others
    }
    std::vector<Edge> results[2];
    for (int way = 0; way < 2; ++way) {
      base::TempDir folder;
      Components components({folder.path() / "spill", way == 0 ? uint64_t{1} << 30U : 1, &pool});
      for (const Edge& edge : edges) {
        if (edge.a != edge.b) {
          components.add_edge(edge.a, edge.b);
        }
      }
      SortedStream<Edge> stream = components.finish();
      for (Edge edge{}; stream.next(edge);) {
        results[way].push_back(edge);
      }
    }
    EXPECT_EQ(results[0], results[1]) << seed;
    EXPECT_GT(results[0].size(), 5000U);
  }
}

// tests/gold/make_web_minhash_gold.py: datatrove 0.10.1.
TEST(WebMinhash, TextsWordsAndSignaturesAreThoseOfDatatrove) {
  const fs::path file = tests::source_dir() / "tests/gold/web_minhash.json";
  const base::Json gold = base::parse_json(base::read_file(file), file.string());
  const WebMinHasher hasher(112, 1);
  WebShingler shingler;
  for (const base::Json& one : gold) {
    const std::string text = one["text"];
    std::string simple;
    simplify_text(text, simple);
    EXPECT_EQ(simple, one["simple"].get<std::string>());
    std::vector<uint64_t> shingles;
    shingler.shingles(text, 5, shingles);
    const auto wanted = one["shingles"].get<std::vector<std::string>>();  // of some texts the first ones
    ASSERT_GE(shingles.size(), wanted.size()) << simple;
    EXPECT_TRUE(shingles.size() == wanted.size() || wanted.size() == 4) << simple;
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(std::to_string(shingles[i]), wanted[i]) << simple;
    }
    if (shingles.empty()) {
      continue;
    }
    std::vector<uint64_t> signature(112);
    hasher.sign(shingles, signature);
    for (size_t i = 0; i < one["signature"].size(); ++i) {
      EXPECT_EQ(std::to_string(signature[i]), one["signature"][i].get<std::string>()) << i;
    }
  }
}

TEST(DedupCorpus, MinhashIsTheSameForThreadsMemoryAndShards) {
  base::TempDir folder;
  base::write_file_atomic(folder.path() / "in.jsonl", corpus(900, 7));
  const DedupOptions one = options_for(folder.path(), "one", DedupMethod::kMinhash);
  const DedupSummary summary = run(one, 1);
  EXPECT_EQ(summary.corpus.documents, 900U);
  EXPECT_GT(summary.duplicates, 280U);
  EXPECT_EQ(summary.duplicates + summary.corpus.kept, 900U);
  const std::string want = result_of(one);
  DedupOptions more = options_for(folder.path(), "threads", DedupMethod::kMinhash);
  run(more, 4);
  EXPECT_EQ(result_of(more), want);
  for (const int shards : {2, 4}) {
    DedupOptions parts = options_for(folder.path(), "shards" + std::to_string(shards), DedupMethod::kMinhash);
    parts.shards = shards;
    for (parts.shard = shards; parts.shard >= 1; --parts.shard) {
      EXPECT_EQ(run(parts).waiting, parts.shard > 1);
    }
    EXPECT_EQ(result_of(parts), want) << shards;
  }
}

// Runs the stages of all shards, each stage's tasks from the last to the first; returns the last summary.
DedupSummary run_stages(DedupOptions options, int shards) {
  options.shards = shards;
  DedupSummary last;
  for (const DedupStage stage : {DedupStage::kSignatures, DedupStage::kBuckets, DedupStage::kClusters, DedupStage::kFilter}) {
    if (stage == DedupStage::kBuckets && options.method != DedupMethod::kMinhash) {
      continue;
    }
    options.stage = stage;
    for (options.shard = stage == DedupStage::kClusters ? 1 : shards; options.shard >= 1; --options.shard) {
      last = run(options);
      EXPECT_EQ(last.waiting, stage != DedupStage::kFilter || options.shard > 1);
    }
  }
  return last;
}

TEST(DedupCorpus, StagesOfManyShardsGiveTheBytesOfOneProcess) {
  base::TempDir folder;
  base::write_file_atomic(folder.path() / "in.jsonl", corpus(900, 17));
  for (const DedupMethod method : {DedupMethod::kMinhash, DedupMethod::kExact, DedupMethod::kSubstring}) {
    const std::string name = std::to_string(static_cast<int>(method));
    const DedupOptions one = options_for(folder.path(), "one" + name, method);
    const DedupSummary want = run(one);
    for (const int shards : {1, 3, 8}) {
      const DedupOptions parts = options_for(folder.path(), "stages" + name + "-" + std::to_string(shards), method);
      const DedupSummary got = run_stages(parts, shards);
      EXPECT_EQ(got.to_json(), want.to_json()) << name << ' ' << shards;
      EXPECT_EQ(result_of(parts), result_of(one)) << name << ' ' << shards;
      EXPECT_EQ(base::read_file(parts.out / "summary.json"), base::read_file(one.out / "summary.json"));
    }
  }
}

TEST(DedupCorpus, StagesMayBeRunAgainAndNotTooEarly) {
  base::TempDir folder;
  base::write_file_atomic(folder.path() / "in.jsonl", corpus(300, 18));
  const DedupOptions one = options_for(folder.path(), "one", DedupMethod::kMinhash);
  run(one);
  DedupOptions parts = options_for(folder.path(), "parts", DedupMethod::kMinhash);
  parts.shards = 2;
  const auto stage = [&](DedupStage which, int shard) {
    parts.stage = which;
    parts.shard = shard;
    return run(parts);
  };
  stage(DedupStage::kSignatures, 2);
  EXPECT_HAS(error_of(base::Code::kUnavailable, [&] { stage(DedupStage::kBuckets, 1); }), "run --stage signatures --shards 1/2");
  stage(DedupStage::kSignatures, 1);
  stage(DedupStage::kSignatures, 1);
  stage(DedupStage::kBuckets, 1);
  EXPECT_HAS(error_of(base::Code::kUnavailable, [&] { stage(DedupStage::kClusters, 1); }), "run --stage buckets --shards 2/2");
  EXPECT_HAS(error_of(base::Code::kUnavailable, [&] { stage(DedupStage::kFilter, 1); }), "run --stage clusters --shards 1/2");
  stage(DedupStage::kBuckets, 2);
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { stage(DedupStage::kClusters, 2); }), "of one process: --shards 1/2");
  stage(DedupStage::kClusters, 1);
  stage(DedupStage::kBuckets, 1);  // a task that a scheduler starts late
  EXPECT_FALSE(fs::exists(parts.out / "state/pairs"));
  EXPECT_TRUE(stage(DedupStage::kFilter, 1).waiting);
  EXPECT_FALSE(stage(DedupStage::kFilter, 2).waiting);
  fs::remove(parts.out / "00001.jsonl");  // killed before it was whole
  fs::remove(parts.out / "state/parts/00001.json");
  EXPECT_FALSE(stage(DedupStage::kFilter, 2).waiting);
  EXPECT_EQ(result_of(parts), result_of(one));
  parts.method = DedupMethod::kExact;
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { stage(DedupStage::kBuckets, 1); }), "a stage of minhash only");
  parts.method = DedupMethod::kBloom;
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { stage(DedupStage::kFilter, 1); }), "have no stages");
}

TEST(DedupCorpus, GoesOnWhereItWasStopped) {
  base::TempDir folder;
  base::write_file_atomic(folder.path() / "in.jsonl", corpus(300, 8));
  const DedupOptions options = options_for(folder.path(), "out", DedupMethod::kMinhash);
  run(options);
  const std::string want = result_of(options);
  fs::remove(options.out / "00001.jsonl");
  fs::remove(options.out / "state" / "parts" / "00001.json");
  fs::remove(options.clusters);
  const DedupSummary again = run(options);
  EXPECT_EQ(result_of(options), want);
  EXPECT_EQ(again.corpus.resumed_shards + 1, again.corpus.shards);
  DedupOptions other = options;
  other.jaccard = 0.5;
  EXPECT_HAS(error_of(base::Code::kConflict, [&] { run(other); }), "other inputs or options");
}

TEST(DedupCorpus, ExactKeepsTheFirstOrTheHighestPriority) {
  base::TempDir folder;
  base::write_file_atomic(folder.path() / "in.jsonl",
                          line_of("a", "Some  text", ",\"score\":1") + line_of("b", "other", ",\"score\":5") +
                              "no json\n" + line_of("c", "some text", ",\"score\":2.5") +
                              line_of("d", "SOME TEXT", ",\"score\":-3"));
  DedupOptions options = options_for(folder.path(), "first", DedupMethod::kExact);
  DedupSummary summary = run(options);
  EXPECT_EQ(summary.corpus.kept, 2U);
  EXPECT_EQ(summary.corpus.bad_lines, 1U);
  EXPECT_HAS(result_of(options), "\"id\":\"a\"");
  EXPECT_HAS(base::read_file(options.clusters), "\"cluster\":1,\"size\":3,\"kept\":true");
  options = options_for(folder.path(), "best", DedupMethod::kExact);
  options.priority = "score";
  options.exclusions = folder.path() / "dropped";
  run(options);
  const std::string kept = base::read_file(options.out / "00000.jsonl");
  EXPECT_HAS(kept, "\"id\":\"c\"");
  EXPECT_EQ(kept.find("\"id\":\"a\""), std::string::npos);
  EXPECT_HAS(base::read_file(options.exclusions / "00000.jsonl"), "in.jsonl:4\"");
}

TEST(DedupCorpus, SentencesThatStoodBeforeAreCutOut) {
  base::TempDir folder;
  const std::string shared = "This notice is on all pages. Please read it with care. It may not be changed by you.";
  base::write_file_atomic(folder.path() / "in.jsonl",
                          line_of("a", "The first page begins. " + shared + " The first page ends here.") +
                              line_of("b", "Another page begins now. " + shared + " It goes on. And it ends."));
  DedupOptions options = options_for(folder.path(), "out", DedupMethod::kSentence);
  options.min_doc_words = 3;
  const DedupSummary summary = run(options);
  EXPECT_EQ(summary.corpus.kept, 2U);
  EXPECT_EQ(summary.corpus.rewritten, 1U);
  EXPECT_HAS(result_of(options), "\"Another page begins now. It goes on. And it ends.\"");
  EXPECT_HAS(result_of(options), shared + " The first page ends here.");
}

// Every stretch of `length` bytes that stood before, marked by trying all of them.
std::vector<std::string> cut_slowly(const std::vector<std::string>& texts, size_t length) {
  std::set<std::string> seen;
  std::vector<std::string> out;
  for (const std::string& text : texts) {
    std::vector<bool> gone(text.size());
    for (size_t i = 0; i + length <= text.size(); ++i) {
      if (!seen.insert(text.substr(i, length)).second) {
        std::fill_n(gone.begin() + static_cast<std::ptrdiff_t>(i), length, true);
      }
    }
    std::string left;
    for (size_t i = 0; i < text.size(); ++i) {
      left += gone[i] ? "" : std::string(1, text[i]);
    }
    left.erase(0, std::min(left.find_first_not_of(" \t\r\n"), left.size()));
    out.push_back(left);
  }
  return out;
}

TEST(DedupCorpus, SubstringsAreThoseThatTryingAllOfThemFinds) {
  for (const uint64_t seed : {9, 10}) {
    base::Rng rng(seed);
    base::TempDir folder;
    std::vector<std::string> texts;
    std::string lines;
    for (int i = 0; i < 40; ++i) {
      std::string text = random_text(rng, 40);
      if (i > 0) {  // a piece of an earlier one, shorter and longer than the limit
        const std::string& from = texts[rng.below(texts.size())];
        const size_t size = std::min<size_t>(20 + rng.below(60), from.size());
        text.insert(rng.below(text.size()), from.substr(rng.below(from.size() - size + 1), size));
      }
      texts.push_back(text);
      lines += line_of(std::to_string(i), text);
    }
    base::write_file_atomic(folder.path() / "in.jsonl", lines);
    DedupOptions options = options_for(folder.path(), "out", DedupMethod::kSubstring);
    options.length_threshold = 32;
    options.min_doc_words = 0;
    options.shard_bytes = 1 << 20;
    run(options);
    std::string want;
    const std::vector<std::string> cut = cut_slowly(texts, 32);
    for (size_t i = 0; i < cut.size(); ++i) {
      want += line_of(std::to_string(i), cut[i]);
    }
    EXPECT_EQ(base::read_file(options.out / "00000.jsonl"), want) << seed;
  }
}

TEST(DedupCorpus, BloomDropsWhatWasSeenAlsoInAnEarlierRun) {
  base::TempDir folder;
  base::Rng rng(11);
  const std::string text = random_text(rng, 60);
  base::write_file_atomic(folder.path() / "in.jsonl", line_of("a", text) + line_of("b", random_text(rng, 60)) +
                                                          line_of("c", text) + line_of("d", "short"));
  DedupOptions options = options_for(folder.path(), "out", DedupMethod::kBloom);
  options.ngram = 13;
  options.bloom_expected = 1e5;
  options.bloom_file = folder.path() / "seen.bloom";
  DedupSummary summary = run(options);
  EXPECT_EQ(summary.corpus.dropped["seen"], 1U);
  options.out = folder.path() / "again";
  summary = run(options);
  EXPECT_EQ(summary.corpus.dropped["seen"], 3U);  // all but the one without a 13-gram
}

TEST(Bloom, KeepsItsRateAndItsFile) {
  BloomFilter filter(20000, 0.01);
  base::Rng rng(12);
  std::vector<uint64_t> in(20000);
  for (uint64_t& hash : in) {
    hash = rng.next();
    filter.add(hash);
  }
  int wrong = 0;
  for (int i = 0; i < 20000; ++i) {
    wrong += static_cast<int>(filter.has(rng.next()));
  }
  EXPECT_LT(wrong, 300);  // 200 expected; 7 standard deviations
  base::TempDir folder;
  filter.save(folder.path() / "f.bloom");
  const BloomFilter read = BloomFilter::load(folder.path() / "f.bloom", 1 << 20);
  EXPECT_EQ(read.added(), filter.added());
  for (const uint64_t hash : in) {
    ASSERT_TRUE(read.has(hash));
  }
  error_of(base::Code::kInvalid, [&] { BloomFilter::load(folder.path() / "f.bloom", 100); });
  fs::resize_file(folder.path() / "f.bloom", 1000);
  error_of(base::Code::kIntegrity, [&] { BloomFilter::load(folder.path() / "f.bloom", 1 << 20); });
}

TEST(DedupCorpus, DecontaminationNamesTheNgramAndTheSet) {
  base::TempDir folder;
  base::write_file_atomic(folder.path() / "eval.jsonl",
                          line_of("q", "How many of the 17 apples did she give to her brother on that day?"));
  base::write_file_atomic(folder.path() / "in.jsonl",
                          line_of("a", "He asked: how many of the 99 apples did she give to her brother, on that day") +
                              line_of("b", "how many of the apples did he give to his sister on that other day"));
  DedupOptions options = options_for(folder.path(), "out", DedupMethod::kDecontaminate);
  options.ngram = 12;
  options.against = {folder.path() / "eval.jsonl"};
  options.exclusions = folder.path() / "dropped";
  EXPECT_EQ(run(options).corpus.kept, 1U);
  const std::string dropped = base::read_file(options.exclusions / "00000.jsonl");
  EXPECT_HAS(dropped, "\"contaminated_ngram\":\"how many of the 0 apples did she give to her brother\"");
  EXPECT_HAS(dropped, "eval.jsonl\"");
}

}  // namespace
}  // namespace slipway::data
