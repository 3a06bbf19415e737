#include "data/row_diff.h"

#include <fmt/format.h>
#include <map>

#include "base/hash.h"
#include "base/input.h"
#include "data/helpers.h"
#include "data/version_files.h"

namespace slipway::data {
namespace {

VersionDiff diff(const TestVersion& before, const TestVersion& after, const std::vector<std::string>& key = {},
                 uint64_t memory = 1 << 20, int64_t rows = 20) {
  TestContext test;
  base::TempDir work;
  DiffOptions options;
  options.key = key;
  options.memory_bytes = memory;
  options.rows = rows;
  options.work = work.path() / "work";
  return diff_versions(before.files(), after.files(), options, test.context);
}

TEST(RowFile, FormatsAreToldByTheName) {
  EXPECT_EQ(row_format("a/b.jsonl.zst"), RowFormat::kJsonl);
  EXPECT_EQ(row_format("B.CSV.GZ"), RowFormat::kCsv);
  EXPECT_EQ(row_format("x.tsv"), RowFormat::kTsv);
  EXPECT_EQ(row_format("notes.txt"), RowFormat::kText);
  EXPECT_EQ(row_format("a.parquet"), RowFormat::kParquet);
  EXPECT_EQ(row_format("manifest.json"), RowFormat::kNone);
  EXPECT_EQ(row_format(".jsonl"), RowFormat::kNone);
}

TEST(RowFile, WritesWhatItReadsPlainAndCompressed) {
  base::TempDir dir;
  for (const char* name : {"a.jsonl", "a.jsonl.zst", "a.jsonl.gz"}) {
    RowFileWriter writer(dir.path() / name, name);
    std::string expected;
    for (int i = 0; i < 50000; ++i) {  // more than one frame
      const std::string line = fmt::format("{{\"id\":{},\"text\":\"row number {}\"}}", i, i);
      writer.write(line);
      expected += line + "\n";
    }
    writer.finish();
    EXPECT_EQ(base::read_decompressed(dir.path() / name), expected) << name;
  }
}

TEST(RowFile, ColumnsOfOneNameAndRaggedRowsHaveNames) {
  base::TempDir dir;
  base::write_file_atomic(dir.path() / "a.csv", "id,x,x\n1,2,3\n4,\"5,\n6\",7,8\n");
  RowFileReader reader(dir.path() / "a.csv", "a.csv");
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.json().dump(), R"({"id":"1","x":"2","x_2":"3"})");
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.json().dump(), R"({"id":"4","x":"5,\n6","x_2":"7","column_4":"8"})");
  EXPECT_EQ(reader.text(), "4,\"5,\n6\",7,8");
  EXPECT_EQ(reader.line(), 3U);
  EXPECT_FALSE(reader.next());
}

TEST(RowHash, IsOfValuesNotOfTheirWriting) {
  const RowHasher hasher({"id"});
  const RowHash hash = hasher.of_json(R"({"id":1,"a":{"x":[1,2],"y":"é"}})");
  EXPECT_TRUE(hash.keyed);
  EXPECT_EQ(hash.row, hasher.of_json(R"({ "a" : {"y":"\u00e9","x":[1.0,2]}, "id":1 })").row);
  EXPECT_EQ(hash.key, hasher.of_json(R"({"id":1,"other":true})").key);
  for (const char* other : {R"({"id":1,"a":{"x":[2,1],"y":"é"}})", R"({"id":1,"a":{"x":[1,2],"y":"e"}})", R"({"id":"1","a":{"x":[1,2],"y":"é"}})",
                            R"({"id":1,"a":{"x":[1,2]},"y":"é"})", R"({"id":1,"a":{"x":[[1],2],"y":"é"}})", R"({"id":1,"a":null})"}) {
    EXPECT_NE(hash.row, hasher.of_json(other).row) << other;
  }
  EXPECT_FALSE(hasher.of_json(R"({"ID":1})").keyed);
  EXPECT_FALSE(hasher.of_json(R"({"a":{"id":1}})").keyed);  // not of the outer object
  for (const char* broken : {"", "[1]", "{\"id\":1", "{\"id\":\"\xff\"}", "nonsense"}) {
    EXPECT_TRUE(hasher.of_json(broken).broken) << broken;
  }
  EXPECT_TRUE(hasher.of_json("{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}").broken);
  // A row of CSV is the object of its columns.
  const std::vector<std::string> columns = {"id", "a"};
  const std::vector<std::string> swapped = {"a", "id"};
  EXPECT_EQ(hasher.of_fields(columns, std::vector<std::string_view>{"1", "x"}).row, hasher.of_fields(swapped, std::vector<std::string_view>{"x", "1"}).row);
  EXPECT_EQ(hasher.of_fields(columns, std::vector<std::string_view>{"1", "x"}).key, hasher.of_fields(swapped, std::vector<std::string_view>{"y", "1"}).key);
}

TEST(RowDiff, TellsAddedRemovedAndChangedRowsByKey) {
  const TestVersion before = version_of({{"a.jsonl", R"({"id":1,"t":"one"}
{"id":2,"t":"two"}
{"id":3,"t":"three","n":1}
)"}, {"same.jsonl", "{\"id\":9}\n"}, {"readme.md", "x"}});
  const TestVersion after = version_of({{"b.jsonl", R"({"t":"three","id":3}
{"id":4,"t":"four"}

{"t":"one","id":1}
)"}, {"same.jsonl", "{\"id\":9}\n"}, {"readme.md", "y"}});
  const VersionDiff result = diff(before, after, {"id"});
  EXPECT_EQ(result.added, 1);
  EXPECT_EQ(result.removed, 1);
  EXPECT_EQ(result.changed, 1);
  EXPECT_EQ(result.unchanged, 1);
  EXPECT_EQ(result.same_files, 1);
  EXPECT_EQ(result.before_rows, 3);
  EXPECT_EQ(result.fields, (std::map<std::string, int64_t>{{"n", 1}}));
  ASSERT_EQ(result.examples.size(), 3U);
  EXPECT_EQ(result.examples[0].change, "removed");
  EXPECT_EQ(result.examples[0].before_at, "a.jsonl:2");
  EXPECT_EQ(result.examples[1].change, "changed");
  EXPECT_EQ(result.examples[1].before_at, "a.jsonl:3");
  EXPECT_EQ(result.examples[1].after_at, "b.jsonl:1");
  EXPECT_EQ(result.examples[1].before["n"], 1);
  EXPECT_EQ(result.examples[2].after_at, "b.jsonl:2");
  ASSERT_EQ(result.files.size(), 3U);
  EXPECT_EQ(result.files[0].change, "removed");
  EXPECT_EQ(result.files[1].change, "added");
  EXPECT_EQ(result.files[2].path, "readme.md");
  EXPECT_EQ(result.to_json()["rows"][1]["fields"][0], "n");
}

TEST(RowDiff, WithoutAKeyRowsAreAMultisetOfContents) {
  const TestVersion before = version_of({{"a.txt", "x\nx\ny\n"}});
  const TestVersion after = version_of({{"a.txt", "y\nx\nz\nz\n"}});
  const VersionDiff result = diff(before, after);
  EXPECT_EQ(result.added, 2);
  EXPECT_EQ(result.removed, 1);
  EXPECT_EQ(result.changed, 0);
  EXPECT_EQ(result.unchanged, 2);
  EXPECT_EQ(result.repeated_keys, 0);
}

TEST(RowDiff, RepeatedKeysArePairedAndRowsWithoutOneComparedByContent) {
  const TestVersion before = version_of({{"a.jsonl", "{\"id\":1,\"t\":\"a\"}\n{\"id\":1,\"t\":\"b\"}\n{\"t\":\"c\"}\nbroken\n"}});
  const TestVersion after = version_of({{"a.jsonl", "{\"id\":1,\"t\":\"b\"}\n{\"id\":1,\"t\":\"z\"}\n{\"id\":1,\"t\":\"y\"}\n{\"t\":\"c\"}\nbroken too\n"}});
  const VersionDiff result = diff(before, after, {"id"});
  EXPECT_EQ(result.repeated_keys, 3);
  EXPECT_EQ(result.without_key, 4);
  EXPECT_EQ(result.broken, 2);
  EXPECT_EQ(result.changed, 1);    // a -> z
  EXPECT_EQ(result.added, 2);      // y, "broken too"
  EXPECT_EQ(result.removed, 1);    // "broken"
  EXPECT_EQ(result.unchanged, 2);  // b, c
}

TEST(RowDiff, FilesThatWereRenamedAreNotRead) {
  const TestVersion before = version_of({{"a.jsonl", "{\"id\":1}\n"}, {"copy.jsonl", "{\"id\":1}\n"}});
  const TestVersion after = version_of({{"b.jsonl", "{\"id\":1}\n"}});
  const VersionDiff result = diff(before, after, {"id"});
  ASSERT_EQ(result.files.size(), 2U);
  EXPECT_EQ(result.files[0].change, "renamed");
  EXPECT_EQ(result.files[0].from, "a.jsonl");
  EXPECT_EQ(result.files[1].change, "removed");
  EXPECT_EQ(result.before_rows, 1);  // the copy that has no counterpart
  EXPECT_EQ(result.removed, 1);
  EXPECT_TRUE(diff(before, before).empty());
}

// Against a map, with memory that makes it sort on disk.
TEST(RowDiff, EqualsAComparisonInMemoryWhateverTheMemory) {
  const uint64_t seed = 20261129;
  base::Rng rng(seed);
  std::map<int, int> sides[2];
  std::string text[2];
  for (int i = 0; i < 20000; ++i) {
    const auto dice = rng.below(10);
    for (const int side : {0, 1}) {
      if ((side == 0 && dice == 0) || (side == 1 && dice == 1)) {
        continue;
      }
      sides[side][i] = side == 1 && dice == 2 ? -i - 1 : i;
    }
  }
  for (const int side : {0, 1}) {
    for (const auto& [id, value] : sides[side]) {
      text[side] += fmt::format("{{\"id\":{},\"v\":{}}}\n", id, value);
    }
  }
  int64_t added = 0;
  int64_t removed = 0;
  int64_t changed = 0;
  for (const auto& [id, value] : sides[0]) {
    const auto it = sides[1].find(id);
    removed += it == sides[1].end() ? 1 : 0;
    changed += it != sides[1].end() && it->second != value ? 1 : 0;
  }
  for (const auto& [id, value] : sides[1]) {
    added += sides[0].contains(id) ? 0 : 1;
  }
  const TestVersion before = version_of({{"a.jsonl.zst", text[0]}});
  const TestVersion after = version_of({{"a.jsonl.zst", text[1]}});
  Json first;
  for (const uint64_t memory : {uint64_t{1} << 16U, uint64_t{1} << 26U}) {
    const VersionDiff result = diff(before, after, {"id"}, memory, 3);
    EXPECT_EQ(result.added, added) << seed;
    EXPECT_EQ(result.removed, removed);
    EXPECT_EQ(result.changed, changed);
    EXPECT_EQ(result.examples.size(), 9U);
    if (first.is_null()) {
      first = result.to_json();
    }
    EXPECT_EQ(result.to_json(), first);
  }
}

TEST(RowDiff, DamagedFilesAreToldWithTheirName) {
  const TestVersion good = version_of({{"a.csv", "id,t\n1,x\n"}});
  const TestVersion open_quote = version_of({{"a.csv", "id,t\n1,\"x\n"}});
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { diff(good, open_quote); }), "never closes");
  TestVersion cut = version_of({{"a.jsonl.zst", std::string(5000, 'x')}});
  cut.truncate("a.jsonl.zst");
  error_of(base::Code::kIntegrity, [&] { diff(good, cut); });
}

TEST(RowDiff, ParquetIsComparedByItsRowsWithOtherFormatsToo) {
  const std::string file = base::read_file("tests/gold/parquet/plain.parquet");
  const std::string rows = base::read_file("tests/gold/parquet/simple.jsonl");
  const VersionDiff same = diff(version_of({{"a.parquet", file}}), version_of({{"b.jsonl", rows}}));
  EXPECT_EQ(same.added + same.removed + same.changed, 0);
  EXPECT_GT(same.unchanged, 0);
  const size_t first = rows.find('\n') + 1;
  const VersionDiff less = diff(version_of({{"a.parquet", file}}), version_of({{"b.jsonl", rows.substr(first)}}));
  EXPECT_EQ(less.removed, 1);
  ASSERT_EQ(less.examples.size(), 1U);
  EXPECT_EQ(less.examples[0].before_at, "a.parquet:1");
}

}  // namespace
}  // namespace slipway::data
