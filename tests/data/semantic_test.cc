// Semantic deduplication against numpy and scikit-learn (tests/gold/make_semantic_gold.py), and its promises.
#include "data/semantic.h"

#include <cmath>
#include <map>
#include <set>

#include "base/hash.h"
#include "data/dedup_corpus.h"
#include "data/helpers.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;

using Drops = std::map<int64_t, int64_t>;  // document -> the one before it

void normalise(std::vector<float>& row) {
  double square = 0;
  for (const float value : row) {
    square += static_cast<double>(value) * static_cast<double>(value);
  }
  for (float& value : row) {
    value = static_cast<float>(static_cast<double>(value) / std::sqrt(square));
  }
}

void write_vectors(const fs::path& file, const std::vector<std::vector<float>>& rows) {
  RecordFileWriter out(file, static_cast<uint32_t>(rows.front().size() * sizeof(float)));
  for (const std::vector<float>& row : rows) {
    out.write(row.data(), 1);
  }
  out.commit();
}

Drops drops_of(const std::vector<std::vector<float>>& rows, const SemanticOptions& options, uint64_t memory, int threads) {
  TestContext test(threads);
  base::TempDir folder;
  write_vectors(folder.path() / "vectors.rec", rows);
  VectorFile vectors(folder.path() / "vectors.rec", static_cast<int>(rows.front().size()));
  Drops drops;
  semantic_duplicates(vectors, options, {folder.path() / "work", memory, &test.pool}, test.context,
                      [&](int64_t document, int64_t before, float) { EXPECT_TRUE(drops.emplace(document, before).second); });
  return drops;
}

std::vector<std::vector<float>> made_up(size_t count, size_t width, uint64_t seed) {
  base::Rng rng(seed);
  std::vector<std::vector<float>> rows;
  for (size_t i = 0; i < count; ++i) {
    std::vector<float> row(width);
    const std::vector<float>* from = i % 3 == 2 ? &rows[rng.below(rows.size())] : nullptr;
    for (size_t d = 0; d < width; ++d) {
      row[d] = static_cast<float>(from == nullptr ? rng.normal() : static_cast<double>((*from)[d]) + 0.02 * rng.normal());
    }
    normalise(row);
    rows.push_back(row);
  }
  return rows;
}

TEST(Semantic, DropsWhatNumpyAndScikitLearnDrop) {
  const fs::path file = tests::source_dir() / "tests/gold/semantic.json";
  const base::Json gold = base::parse_json(base::read_file(file), file.string());
  auto rows = gold.at("vectors").get<std::vector<std::vector<float>>>();
  for (std::vector<float>& row : rows) {
    normalise(row);
  }
  for (const base::Json& one : gold.at("cases")) {
    SemanticOptions options;
    options.groups = one.at("groups").get<int64_t>();
    options.threshold = one.at("threshold").get<double>();
    const std::string keep = one.at("keep").get<std::string>();
    options.keep = keep == "farthest" ? SemanticKeep::kFarthest : keep == "closest" ? SemanticKeep::kClosest : SemanticKeep::kFirst;
    Drops want;
    for (const base::Json& pair : one.at("dropped")) {
      want[pair.at(0).get<int64_t>()] = pair.at(1).get<int64_t>();
    }
    ASSERT_FALSE(want.empty());
    EXPECT_EQ(drops_of(rows, options, uint64_t{64} << 20U, 2), want) << options.groups << ' ' << keep << ' ' << options.threshold;
  }
}

TEST(Semantic, FindsEveryPairOfAGroupWithAnyMemoryAndThreads) {
  const auto rows = made_up(2500, 24, 11);  // three tiles of the largest size
  SemanticOptions options;
  options.groups = 1;
  options.keep = SemanticKeep::kFirst;
  options.threshold = 0.97;
  Drops want;
  for (size_t i = 1; i < rows.size(); ++i) {
    float best = -2;
    for (size_t j = 0; j < i; ++j) {
      double cosine = 0;
      for (size_t d = 0; d < rows[i].size(); ++d) {
        cosine += static_cast<double>(rows[i][d]) * static_cast<double>(rows[j][d]);
      }
      if (static_cast<float>(cosine) > best + 1e-6F) {
        best = static_cast<float>(cosine);
        if (best >= 0.97F) {
          want[static_cast<int64_t>(i)] = static_cast<int64_t>(j);
        }
      }
    }
  }
  ASSERT_GT(want.size(), 400U);
  EXPECT_EQ(drops_of(rows, options, uint64_t{64} << 20U, 2), want);
  EXPECT_EQ(drops_of(rows, options, uint64_t{1} << 16U, 1), want);  // tiles of 64
  EXPECT_EQ(drops_of(rows, options, uint64_t{1} << 20U, 3), want);
}

TEST(Semantic, GroupsAreTheSameOnAnyNumberOfThreads) {
  const auto rows = made_up(3000, 16, 5);
  for (const int64_t groups : {7, 300}) {
    SemanticOptions options;
    options.groups = groups;
    const Drops one = drops_of(rows, options, uint64_t{8} << 20U, 1);
    EXPECT_EQ(drops_of(rows, options, uint64_t{8} << 20U, 4), one);
    EXPECT_GT(one.size(), 500U);  // of about 1,000 copies, those that fell into the group of what they copy
  }
}

TEST(Semantic, GroupsOfEqualVectorsLeaveOne) {
  const std::vector<std::vector<float>> rows(50, {1, 0, 0});
  SemanticOptions options;
  options.groups = 3;  // two of them stay empty
  EXPECT_EQ(drops_of(rows, options, uint64_t{64} << 20U, 2).size(), 49U);
}

// Counts of words by hash: near for texts that share most words.
std::vector<float> bag_of_words(std::span<const std::string> texts) {
  constexpr size_t kWidth = 64;
  std::vector<float> all;
  for (const std::string& text : texts) {
    std::vector<float> row(kWidth, 0.01F);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find(' ', begin), text.size());
      row[base::xxh64(std::string_view(text).substr(begin, end - begin)) % kWidth] += 1;
      begin = end + 1;
    }
    normalise(row);
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

struct Corpus {
  base::TempDir folder;
  std::set<std::string> copies;  // ids of later copies

  Corpus() {
    base::Rng rng(3);
    std::vector<std::string> texts;
    std::string lines;
    for (int i = 0; i < 4000; ++i) {
      std::string text = random_text(rng, 80);
      if (i % 4 == 3) {
        text = texts[rng.below(texts.size())] + " more";
        copies.insert(std::to_string(i));
      } else {
        texts.push_back(text);
      }
      lines += "{\"id\":" + std::to_string(i) + ",\"text\":\"" + text + "\"}\n";
      if (i == 17) {
        lines += "no document\n";
      }
    }
    base::write_file_atomic(folder.path() / "in.jsonl", lines);
  }
  DedupOptions options(const std::string& name) const {
    DedupOptions options;
    options.method = DedupMethod::kSemantic;
    options.inputs = {folder.path() / "in.jsonl"};
    options.out = folder.path() / name;
    options.clusters = folder.path() / (name + ".clusters");
    options.memory_bytes = uint64_t{64} << 20U;
    options.compress = false;
    options.semantic.embedder = "bag of words";
    options.semantic.dimension = 64;
    options.semantic.embed = bag_of_words;
    options.semantic.threshold = 0.98;
    options.semantic.keep = SemanticKeep::kFirst;
    return options;
  }
};

TEST(Semantic, CorpusLosesCopiesAndTellsClusters) {
  const Corpus corpus;
  TestContext test;
  const DedupOptions options = corpus.options("out");
  const DedupSummary summary = dedup_corpus(options, test.context);
  EXPECT_EQ(summary.corpus.documents, 4000U);
  EXPECT_EQ(summary.corpus.bad_lines, 1U);
  EXPECT_EQ(summary.duplicates, corpus.copies.size());
  EXPECT_EQ(summary.corpus.dropped.at("semantic_duplicate"), corpus.copies.size());
  const std::string clusters = base::read_file(options.clusters);
  size_t kept = 0;
  for (size_t at = clusters.find("\"kept\":true"); at != std::string::npos; at = clusters.find("\"kept\":true", at + 1)) {
    ++kept;
  }
  EXPECT_EQ(kept, summary.clusters);
  const std::string out = base::read_file(options.out / "00000.jsonl");
  for (const std::string& id : corpus.copies) {
    EXPECT_EQ(out.find("{\"id\":" + id + ","), std::string::npos) << id;
  }
}

TEST(Semantic, GoesOnWhereItWasStoppedAndSharesWork) {
  const Corpus corpus;
  TestContext test;
  const DedupOptions whole = corpus.options("whole");
  dedup_corpus(whole, test.context);
  const std::string want = base::read_file(whole.out / "00000.jsonl") + base::read_file(whole.clusters);

  DedupOptions stopped = corpus.options("stopped");
  size_t embedded = 0;
  stopped.semantic.embed = [&](std::span<const std::string> texts) {
    if (embedded > 1500) {
      throw base::Error(base::Code::kInterrupted, "killed");
    }
    embedded += texts.size();
    return bag_of_words(texts);
  };
  error_of(base::Code::kInterrupted, [&] { dedup_corpus(stopped, test.context); });
  const size_t before = embedded;
  ASSERT_GT(before, 1500U);
  stopped.semantic.embed = [&](std::span<const std::string> texts) {
    embedded += texts.size();
    return bag_of_words(texts);
  };
  dedup_corpus(stopped, test.context);
  EXPECT_EQ(embedded, 4000U);  // nothing twice
  EXPECT_EQ(base::read_file(stopped.out / "00000.jsonl") + base::read_file(stopped.clusters), want);

  DedupOptions shared = corpus.options("shared");
  shared.shards = 2;
  shared.shard = 2;
  EXPECT_TRUE(dedup_corpus(shared, test.context).waiting);
  shared.shard = 1;
  EXPECT_FALSE(dedup_corpus(shared, test.context).waiting);
  EXPECT_EQ(base::read_file(shared.out / "00000.jsonl") + base::read_file(shared.clusters), want);
}

TEST(Semantic, SaysWhatIsWrong) {
  const Corpus corpus;
  TestContext test;
  DedupOptions options = corpus.options("out");
  options.semantic.embed = nullptr;
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { dedup_corpus(options, test.context); }), "needs a model of embeddings");
  options = corpus.options("out");
  options.semantic.dimension = 32;
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { dedup_corpus(options, test.context); }), "bag of words gave");
  options = corpus.options("other");
  dedup_corpus(options, test.context);
  options.semantic.embedder = "another";
  error_of(base::Code::kConflict, [&] { dedup_corpus(options, test.context); });
}

}  // namespace
}  // namespace slipway::data
