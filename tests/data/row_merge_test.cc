#include "data/row_merge.h"

#include <fmt/format.h>
#include <map>
#include <set>

#include "base/input.h"
#include "data/helpers.h"
#include "data/parquet.h"
#include "data/parquet_copy.h"
#include "data/version_files.h"

namespace slipway::data {
namespace {

struct Outcome {
  VersionMerge merge;
  std::map<std::string, std::string> files;  // of the outcome: their content
};

Outcome merge(const TestVersion& base, const TestVersion& ours, const TestVersion& theirs, Prefer prefer = Prefer::kNeither,
              const std::vector<std::string>& key = {"id"}, uint64_t memory = 1 << 20) {
  TestContext test;
  base::TempDir work;
  MergeOptions options;
  options.key = key;
  options.prefer = prefer;
  options.memory_bytes = memory;
  options.work = work.path();
  Outcome outcome;
  outcome.merge = merge_versions(base.files(), ours.files(), theirs.files(), options, test.context);
  for (const record::FolderFile& file : outcome.merge.kept) {
    for (const TestVersion* version : {&ours, &theirs}) {
      for (const record::FolderFile& known : version->files().files) {
        if (known.digest == file.digest) {
          outcome.files[file.path] = base::read_decompressed(version->files().place(known));
        }
      }
    }
  }
  for (const record::DataSource& file : outcome.merge.written) {
    outcome.files[file.path] = base::read_decompressed(file.place);
  }
  return outcome;
}

std::string row(int id, const std::string& text) { return fmt::format("{{\"id\":{},\"t\":\"{}\"}}\n", id, text); }

TEST(RowMerge, DoesToOursWhatTheirsDid) {
  const TestVersion base = version_of({{"a.jsonl", row(1, "a") + row(2, "b") + row(3, "c") + row(4, "d")}});
  const TestVersion ours = version_of({{"a.jsonl", row(1, "a") + row(2, "B") + row(3, "c") + row(4, "d") + row(5, "ours")}});
  const TestVersion theirs = version_of({{"a.jsonl", row(1, "A") + row(2, "b") + row(4, "d") + row(6, "theirs")}, {"new.jsonl", row(7, "n")}});
  Outcome outcome = merge(base, ours, theirs);
  EXPECT_EQ(outcome.merge.conflicts, 0);
  EXPECT_EQ(outcome.merge.changed, 1);
  EXPECT_EQ(outcome.merge.removed, 1);
  EXPECT_EQ(outcome.merge.added, 2);
  EXPECT_EQ(outcome.files, (std::map<std::string, std::string>{
                               {"a.jsonl", row(1, "A") + row(2, "B") + row(4, "d") + row(5, "ours") + row(6, "theirs")}, {"new.jsonl", row(7, "n")}}));
}

TEST(RowMerge, TheSameOnBothSidesIsNoConflict) {
  const TestVersion base = version_of({{"a.jsonl", row(1, "a") + row(2, "b")}});
  const TestVersion ours = version_of({{"a.jsonl", row(1, "x") + row(3, "n")}});
  const TestVersion theirs = version_of({{"a.jsonl", row(3, "n") + row(1, "x")}});
  Outcome outcome = merge(base, ours, theirs);
  EXPECT_EQ(outcome.merge.conflicts, 0);
  EXPECT_TRUE(outcome.merge.written.empty());
  EXPECT_EQ(outcome.files["a.jsonl"], row(1, "x") + row(3, "n"));
}

TEST(RowMerge, ConflictsAreToldAndDecidedOnRequest) {
  const TestVersion base = version_of({{"a.jsonl", row(1, "a") + row(2, "b") + row(3, "c")}, {"m.json", "0"}});
  const TestVersion ours = version_of({{"a.jsonl", row(1, "o") + row(3, "o") + row(4, "o")}, {"m.json", "1"}});
  const TestVersion theirs = version_of({{"a.jsonl", row(1, "t") + row(2, "t") + row(4, "t")}, {"m.json", "2"}});
  const Outcome neither = merge(base, ours, theirs);
  EXPECT_EQ(neither.merge.conflicts, 5);
  ASSERT_EQ(neither.merge.told.size(), 5U);
  EXPECT_EQ(neither.merge.told[0].what, "file");
  EXPECT_EQ(neither.merge.told[1].ours["t"], "o");
  EXPECT_EQ(neither.merge.told[1].base_at, "a.jsonl:1");
  EXPECT_EQ(neither.merge.told[1].theirs["t"], "t");
  EXPECT_TRUE(neither.files.empty());
  const Outcome mine = merge(base, ours, theirs, Prefer::kOurs);
  EXPECT_EQ(mine.files, (std::map<std::string, std::string>{{"a.jsonl", row(1, "o") + row(3, "o") + row(4, "o")}, {"m.json", "1"}}));
  const Outcome yours = merge(base, ours, theirs, Prefer::kTheirs);
  EXPECT_EQ(yours.files, (std::map<std::string, std::string>{{"a.jsonl", row(1, "t") + row(4, "t") + row(2, "t")}, {"m.json", "2"}}));
}

TEST(RowMerge, RepeatedKeysAndNoKeyMergeAsMultisets) {
  const TestVersion base = version_of({{"a.txt", "x\nx\ny\n"}});
  const TestVersion ours = version_of({{"a.txt", "x\nx\nz\n"}});
  const TestVersion theirs = version_of({{"a.txt", "x\ny\nx\nx\nw\n"}});
  Outcome outcome = merge(base, ours, theirs, Prefer::kNeither, {});
  EXPECT_EQ(outcome.merge.conflicts, 0);
  EXPECT_EQ(outcome.files["a.txt"], "x\nx\nz\nx\nw\n");
}

TEST(RowMerge, FilesComeAndGo) {
  const TestVersion base = version_of({{"gone.jsonl", row(1, "a")}, {"kept.jsonl", row(2, "b")}, {"pic.png", "1"}, {"old.bin", "1"}});
  const TestVersion ours = version_of({{"gone.jsonl", row(1, "a")}, {"kept.jsonl", row(2, "b")}, {"pic.png", "1"}, {"old.bin", "1"}, {"mine.bin", "m"}});
  const TestVersion theirs = version_of({{"kept.jsonl", row(2, "b")}, {"pic.png", "2"}, {"their.bin", "t"}});
  Outcome outcome = merge(base, ours, theirs);
  EXPECT_EQ(outcome.merge.files, 3);
  EXPECT_EQ(outcome.merge.removed, 1);
  EXPECT_EQ(outcome.files, (std::map<std::string, std::string>{{"kept.jsonl", row(2, "b")}, {"mine.bin", "m"}, {"pic.png", "2"}, {"their.bin", "t"}}));
}

TEST(RowMerge, RecordsOfCsvKeepTheColumnsOfOurs) {
  const TestVersion base = version_of({{"a.csv", "id,t\n1,a\n2,b\n"}});
  const TestVersion ours = version_of({{"a.csv", "id,t\n1,\"x, y\"\n2,b\n"}});
  const TestVersion theirs = version_of({{"a.csv", "t,id\na,1\n\"two\nlines\",2\nnew,3\n"}});
  Outcome outcome = merge(base, ours, theirs);
  EXPECT_EQ(outcome.files["a.csv"], "id,t\n1,\"x, y\"\n2,\"two\nlines\"\n3,new\n");
  const TestVersion wider = version_of({{"a.csv", "id,t,more\n1,a,\n2,c,1\n"}});
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { merge(base, ours, wider, Prefer::kTheirs); }), "more");
}

TEST(RowMerge, EqualsAMergeInMemoryWhateverTheMemory) {
  const uint64_t seed = 7;
  base::Rng rng(seed);
  std::string sides[3];
  std::map<int, std::string> expected;
  for (int id = 0; id < 20000; ++id) {
    const std::string base = row(id, "base");
    const auto ours = rng.below(6);    // 0 changed, 1 removed
    const auto theirs = ours < 2 ? 9 : rng.below(6);  // only one side changes a row
    sides[0] += base;
    sides[1] += ours == 0 ? row(id, "ours") : ours == 1 ? "" : base;
    sides[2] += theirs == 0 ? row(id, "theirs") : theirs == 1 ? "" : base;
    expected[id] = ours == 0 ? row(id, "ours") : theirs == 0 ? row(id, "theirs") : ours == 1 || theirs == 1 ? "" : base;
  }
  std::string all;
  for (const auto& [id, line] : expected) {
    all += line;
  }
  const TestVersion base = version_of({{"a.jsonl.zst", sides[0]}});
  const TestVersion ours = version_of({{"a.jsonl.zst", sides[1]}});
  const TestVersion theirs = version_of({{"a.jsonl.zst", sides[2]}});
  for (const uint64_t memory : {uint64_t{1} << 16U, uint64_t{1} << 26U}) {
    EXPECT_EQ(merge(base, ours, theirs, Prefer::kNeither, {"id"}, memory).files["a.jsonl.zst"], all) << memory;
  }
}

// Parquet without the rows whose numbers are in `left_out`.
std::string parquet_without(const std::set<size_t>& left_out) {
  const std::string file = base::read_file("tests/gold/parquet/plain.parquet");
  const base::TempDir dir;
  ParquetCopyReader reader(file);
  ParquetCopyWriter writer(dir.path() / "out", file);
  std::string record;
  for (size_t i = 0; reader.next(record); ++i) {
    if (!left_out.contains(i)) {
      writer.write(record);
    }
  }
  writer.finish();
  return base::read_file(dir.path() / "out");
}

std::vector<std::string> parquet_rows(const std::string& file) {
  std::vector<std::string> rows;
  ParquetRows reader(file);
  for (std::string line; reader.next(line) == TableRows::Step::kRow;) {
    rows.push_back(line);
  }
  return rows;
}

TEST(RowMerge, RowsOfParquetGoWithTheirTypes) {
  const TestVersion base = version_of({{"a.parquet", parquet_without({4})}});
  const TestVersion ours = version_of({{"a.parquet", parquet_without({1, 4})}});
  const TestVersion theirs = version_of({{"a.parquet", parquet_without({2})}});
  Outcome outcome = merge(base, ours, theirs, Prefer::kNeither, {});
  EXPECT_EQ(outcome.merge.added, 1);
  EXPECT_EQ(outcome.merge.removed, 1);
  std::vector<std::string> wanted = parquet_rows(parquet_without({1, 2, 4}));
  wanted.push_back(parquet_rows(parquet_without({}))[4]);
  EXPECT_EQ(parquet_rows(outcome.files.at("a.parquet")), wanted);
  const TestVersion other = version_of({{"a.parquet", base::read_file("tests/gold/parquet/types.parquet")}});
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { merge(base, ours, other, Prefer::kTheirs, {}); }), "schema of 'a.parquet'");
  TestVersion broken = version_of({{"a.parquet", parquet_without({2})}});
  broken.truncate("a.parquet");
  EXPECT_HAS(error_of(base::Code::kIntegrity, [&] { merge(base, ours, broken, Prefer::kNeither, {}); }), "a.parquet");
}

}  // namespace
}  // namespace slipway::data
