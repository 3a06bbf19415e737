#include "data/clean_corpus.h"

#include <fmt/format.h>
#include <fstream>
#include <set>
#include <sstream>

#include "base/hash.h"
#include "base/input.h"
#include "data/helpers.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;

class CleanCorpus : public testing::Test {
 protected:
  void SetUp() override {
    base::Rng rng(21);
    std::string lines;
    for (int i = 0; i < 600; ++i) {
      std::string text = random_text(rng, rng.below(300)) + " that the sea and of ships.\n" + random_text(rng, 30);
      lines += Json{{"id", i}, {"text", text}, {"n", i}}.dump() + "\n";
      if (i % 100 == 50) {
        lines += "{broken\n\n";
      }
    }
    base::make_dirs(root_.path() / "in");
    base::write_file_atomic(root_.path() / "in/b.jsonl", lines.substr(0, lines.size() / 2));
    base::write_file_atomic(root_.path() / "in/c.jsonl.zst", base::zstd_compress(lines.substr(lines.size() / 2)));
    base::write_file_atomic(root_.path() / "in/notes.txt", "not a corpus");
  }

  CorpusOptions options(const std::string& name) const {
    CorpusOptions options;
    options.inputs = {root_.path() / "in"};
    options.out = root_.path() / name / "kept";
    options.exclusions = root_.path() / name / "dropped";
    options.quality = quality_preset("gopher");
    options.shard_bytes = 60000;
    options.max_line_bytes = 20000;
    return options;
  }

  static CorpusSummary run(const CorpusOptions& options, int threads) {
    TestContext test(threads);
    return clean_corpus(options, test.context);
  }

  // Names and digests of all files of a run, but for what tells how it was run.
  std::string digest(const std::string& name) const {
    std::vector<std::string> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root_.path() / name)) {
      if (entry.is_regular_file() && entry.path().filename() != "run.json" && entry.path().parent_path().filename() != "through") {
        files.push_back(fs::relative(entry.path(), root_.path() / name).string() + " " +
                        base::sha256_file(entry.path()));
      }
    }
    std::sort(files.begin(), files.end());
    return fmt::format("{}", fmt::join(files, "\n"));
  }

  std::string read(const std::string& file) const { return base::read_decompressed(root_.path() / file); }

  base::TempDir root_;
};

TEST_F(CleanCorpus, EveryDocumentIsKeptDroppedOrQuarantined) {
  const CorpusSummary summary = run(options("a"), 2);
  uint64_t dropped = 0;
  for (const auto& [reason, count] : summary.dropped) {
    dropped += count;
  }
  EXPECT_GT(summary.kept, 50U);
  EXPECT_GT(dropped, 10U);
  EXPECT_EQ(summary.documents, summary.kept + dropped);
  EXPECT_GT(summary.shards, 5U);
  std::set<int> ids;
  uint64_t bad = 0;
  for (const char* folder : {"a/kept", "a/dropped", "a/kept/quarantine"}) {
    for (const fs::directory_entry& entry : fs::directory_iterator(root_.path() / folder)) {
      if (!entry.path().filename().string().starts_with("part-")) {
        continue;
      }
      base::LineReader lines(entry.path());
      for (std::string_view line; lines.next(line);) {
        const Json row = base::parse_json(line, "part");
        if (row.contains("raw")) {
          EXPECT_EQ(row["reason"], row["raw"] == "{broken" ? "invalid_json" : row["reason"]);
          ++bad;
        } else {
          EXPECT_TRUE(ids.insert(row["id"].get<int>()).second);
          EXPECT_EQ(row.contains("filter_reason"), std::string_view(folder) == "a/dropped");
        }
      }
    }
  }
  EXPECT_EQ(bad, summary.bad_lines);
  // The line that the cut between the two files tore is two bad lines.
  EXPECT_GE(ids.size(), 599U);
  EXPECT_EQ(ids.size(), summary.documents);
}

TEST_F(CleanCorpus, TheBytesDoNotDependOnThreads) {
  CorpusOptions one = options("one");
  one.write_signals = one.quality.all_signals = true;
  CorpusOptions many = options("many");
  many.write_signals = many.quality.all_signals = true;
  run(one, 1);
  run(many, 4);
  EXPECT_EQ(digest("one"), digest("many"));
}

TEST_F(CleanCorpus, GoesOnWhereARunWasStopped) {
  const CorpusSummary whole = run(options("whole"), 2);
  run(options("torn"), 2);
  // As if it had been killed: some shards never finished, one in the middle of being written.
  for (const char* name : {"part-00002.json", "part-00005.json"}) {
    fs::remove(root_.path() / "torn/kept/state" / name);
  }
  fs::remove(root_.path() / "torn/kept/part-00002.jsonl.zst");
  fs::remove(root_.path() / "torn/kept/summary.json");
  const CorpusSummary again = run(options("torn"), 2);
  EXPECT_EQ(again.resumed_shards, whole.shards - 2);
  EXPECT_EQ(again.to_json(), whole.to_json());
  EXPECT_EQ(digest("whole"), digest("torn"));
}

TEST_F(CleanCorpus, ShardsOfTheWorkGiveTheBytesOfOneProcess) {
  const CorpusSummary whole = run(options("whole"), 2);
  for (const int shards : {2, 3, 40}) {  // 40: more than there are blocks
    const std::string name = "shards" + std::to_string(shards);
    CorpusOptions part = options(name);
    part.shards = shards;
    CorpusSummary last;
    for (part.shard = shards; part.shard >= 1; --part.shard) {
      last = run(part, 2);
      EXPECT_EQ(last.waiting, part.shard > 1) << shards;
    }
    EXPECT_EQ(last.to_json(), whole.to_json()) << shards;
    EXPECT_EQ(digest(name), digest("whole")) << shards;
  }
}

TEST_F(CleanCorpus, AShardThatWasStoppedIsDoneAgainAndThenAllAreSummedUp) {
  const CorpusSummary whole = run(options("whole"), 2);
  CorpusOptions part = options("torn");
  part.shards = 2;
  part.shard = 2;
  run(part, 2);
  fs::remove(root_.path() / "torn/kept/state/through/2-of-2.json");  // as if it had been killed in its last block
  fs::remove(root_.path() / "torn/kept/state/part-00003.json");
  std::ofstream(root_.path() / "torn/kept/.part-00003.jsonl.zst.1.7.tmp") << "half";
  part.shard = 1;
  EXPECT_TRUE(run(part, 2).waiting);
  EXPECT_FALSE(fs::exists(root_.path() / "torn/kept/summary.json"));
  part.shard = 2;
  const CorpusSummary again = run(part, 2);
  EXPECT_FALSE(again.waiting);
  EXPECT_EQ(again.to_json(), whole.to_json());
  EXPECT_EQ(digest("torn"), digest("whole"));
}

TEST_F(CleanCorpus, AStreamHasTheLinesOfTheShardsInTheirOrder) {
  run(options("files"), 2);
  std::string want;
  std::set<fs::path> parts;
  for (const fs::directory_entry& entry : fs::directory_iterator(root_.path() / "files/kept")) {
    if (entry.path().filename().string().starts_with("part-")) {
      parts.insert(entry.path());
    }
  }
  for (const fs::path& file : parts) {
    want += base::read_decompressed(file);
  }
  CorpusOptions given = options("stream");
  given.out = "-";
  given.exclusions.clear();
  std::ostringstream stream;
  given.stream = &stream;
  for (const int threads : {1, 4}) {
    stream.str("");
    run(given, threads);
    EXPECT_EQ(stream.str(), want) << threads;
  }
  EXPECT_FALSE(fs::exists("-"));
  given.shards = 2;
  EXPECT_HAS(error_of(Code::kInvalid, [&] { run(given, 1); }), "cannot be shared among shards");
}

TEST_F(CleanCorpus, OtherOptionsDoNotMixWithAnEarlierRun) {
  run(options("a"), 1);
  CorpusOptions other = options("a");
  other.quality.set("min_doc_words", "10", "test");
  EXPECT_HAS(error_of(Code::kConflict, [&] { run(other, 1); }), "other inputs or options");
}

TEST_F(CleanCorpus, ALineThatIsTooLongIsToldAndNotHeld) {
  std::string lines = Json{{"text", "short"}}.dump() + "\n" + Json{{"text", std::string(50000, 'x')}}.dump() +
                      "\n{\"text\":\"\xFF\"}\n" + Json{{"text", "last"}}.dump();
  base::write_file_atomic(root_.path() / "long.jsonl", lines);
  CorpusOptions given = options("long");
  given.inputs = {root_.path() / "long.jsonl"};
  const CorpusSummary summary = run(given, 1);
  EXPECT_EQ(summary.documents, 2U);
  EXPECT_EQ(summary.bad.at("line_too_long"), 1U);
  EXPECT_EQ(summary.bad.at("invalid_utf8"), 1U);
  const std::string quarantine = read("long/kept/quarantine/part-00000.jsonl.zst");
  EXPECT_HAS(quarantine, "\"line\":2,\"offset\":17,\"size\":50011,\"reason\":\"line_too_long\"}");
  EXPECT_HAS(quarantine, "\"line\":3,");
  EXPECT_HAS(quarantine, "\"raw_base64\":");
}

TEST_F(CleanCorpus, MemoryThatHoldsNoShardIsRefused) {
  CorpusOptions given = options("small");
  given.memory_bytes = 1000;
  EXPECT_HAS(error_of(Code::kInvalid, [&] { run(given, 1); }), "--memory 1000 is too small");
}

TEST_F(CleanCorpus, NoInputIsAnError) {
  CorpusOptions given = options("none");
  given.inputs = {root_.path() / "nothing.jsonl"};
  EXPECT_HAS(error_of(Code::kNotFound, [&] { run(given, 1); }), "there is no");
  base::make_dirs(root_.path() / "empty");
  given.inputs = {root_.path() / "empty"};
  EXPECT_HAS(error_of(Code::kNotFound, [&] { run(given, 1); }), "holds no .jsonl");
}

TEST_F(CleanCorpus, KeptAndDroppedNeedFoldersOfTheirOwn) {
  CorpusOptions given = options("same");
  given.exclusions = given.out;
  EXPECT_HAS(error_of(Code::kInvalid, [&] { run(given, 1); }), "cannot go where");
}

}  // namespace
}  // namespace slipway::data
