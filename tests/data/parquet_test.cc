#include "data/parquet.h"

#include <cstring>
#include <fmt/format.h>

#include "base/file.h"
#include "base/random.h"
#include "data/helpers.h"
#include "data/line_blocks.h"
#include "data/parquet_copy.h"

namespace slipway::data {
namespace {

struct Rows {
  std::vector<std::string> rows, faults;
};

Rows read_rows(std::string_view file) {
  Rows all;
  ParquetRows reader(file);
  std::string line;
  for (TableRows::Step step = reader.next(line); step != TableRows::Step::kEnd; step = reader.next(line)) {
    (step == TableRows::Step::kRow ? all.rows : all.faults).push_back(line);
  }
  return all;
}

std::string gold(const std::string& name) { return base::read_file("tests/gold/parquet/" + name); }

std::vector<Json> lines_of(const std::string& name) {
  std::vector<Json> all;
  std::istringstream in(gold(name));
  for (std::string line; std::getline(in, line);) {
    all.push_back(base::parse_json(line, name));
  }
  return all;
}

// Every codec, encoding, version of pages, type and nesting, as pyarrow reads what it wrote.
TEST(Parquet, ReadsWhatPyarrowReads) {
  size_t rows = 0;
  for (const std::string name : {"none", "snappy", "gzip", "brotli", "zstd", "lz4", "version2", "version2_plain", "plain", "deltas", "types", "int96",
                                 "nested", "empty"}) {
    const bool own = name == "deltas" || name == "types" || name == "int96" || name == "nested" || name == "empty";
    const std::vector<Json> wanted = lines_of(own ? name + ".jsonl" : "simple.jsonl");
    const Rows got = read_rows(gold(name + ".parquet"));
    ASSERT_EQ(got.faults, std::vector<std::string>{}) << name;
    ASSERT_EQ(got.rows.size(), wanted.size()) << name;
    for (size_t i = 0; i < wanted.size(); ++i, ++rows) {
      EXPECT_EQ(base::parse_json(got.rows[i], name), wanted[i]) << name << " row " << i;
    }
  }
  EXPECT_GT(rows, 2000U);
}

TEST(Parquet, NamesItsColumns) {
  const std::string file = gold("none.parquet");
  EXPECT_EQ(ParquetRows(file).columns(), (std::vector<std::string>{"id", "text", "score", "good"}));
}

TEST(Parquet, ABrokenPageCostsItsRowGroupAlone) {
  std::string file = gold("zstd.parquet");  // 200 rows in groups of 80
  ParquetMeta meta;
  read_parquet_meta(file, meta);
  ASSERT_EQ(meta.groups.size(), 3U);
  const ParquetChunk& chunk = meta.groups[1].chunks[1];
  std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(chunk.begin), chunk.size, '\xEE');
  const Rows got = read_rows(file);
  EXPECT_EQ(got.rows.size(), 120U);
  ASSERT_EQ(got.faults.size(), 1U);
  EXPECT_NE(got.faults[0].find("row group 2"), std::string::npos) << got.faults[0];
  EXPECT_NE(got.faults[0].find("80 rows are lost"), std::string::npos) << got.faults[0];
}

TEST(Parquet, WhatItCannotReadItSays) {
  const std::string file = gold("none.parquet");
  const auto message = [](const std::string& bytes) -> std::string {
    try {
      read_rows(bytes);
    } catch (const BrokenFile& broken) {
      return broken.what();
    }
    return "";
  };
  EXPECT_EQ(message("PAR1"), "not a Parquet file");
  EXPECT_EQ(message(file.substr(0, file.size() - 1)), "its end is missing: Parquet files end in PAR1");
  EXPECT_EQ(message(file.substr(0, file.size() - 4) + "PARE"), "the footer is encrypted");
  std::string lies = file;
  const uint32_t size = 0x7FFFFFFF;
  std::memcpy(lies.data() + lies.size() - 8, &size, 4);
  EXPECT_EQ(message(lies), "a footer of 2147483647 bytes");
}

// Any byte changed, any end cut off: rows, or a fault, never more rows than there were by much, and an end.
TEST(Parquet, DamageNeverHarms) {
  base::Rng random(20260401);
  for (const std::string name : {"snappy", "deltas", "nested", "types", "version2"}) {
    const std::string sound = gold(name + ".parquet");
    for (int i = 0; i < 150; ++i) {
      std::string file = sound;
      for (uint64_t n = random.below(4) + 1; n > 0; --n) {
        file[random.below(file.size())] = static_cast<char>(random.below(256));
      }
      try {
        const Rows got = read_rows(file);
        EXPECT_LT(got.faults.size(), 1000U);
      } catch (const BrokenFile&) {
      }
    }
  }
}

TEST(Parquet, RowsAreLinesOfACorpus) {
  base::TempDir dir;
  base::write_file_atomic(dir.path() / "a.jsonl", "{\"text\":\"one\"}\n");
  base::write_file_atomic(dir.path() / "b.parquet", gold("none.parquet"));
  std::string broken = gold("zstd.parquet");
  base::write_file_atomic(dir.path() / "c.parquet", broken.substr(0, broken.size() / 2));
  LineBlocks reader({dir.path() / "a.jsonl", dir.path() / "b.parquet", dir.path() / "c.parquet"}, 1000, 1 << 20);
  Block block;
  size_t lines = 0;
  std::vector<std::string> faults;
  while (reader.next(block)) {
    for (const BlockLine& line : block.lines) {
      const std::string_view bytes = std::string_view(block.bytes).substr(line.begin, line.size);
      if (!fault_of(line).empty()) {
        faults.emplace_back(bytes);
        continue;
      }
      EXPECT_TRUE(base::parse_json(bytes, "line").contains("text"));
      ++lines;
    }
  }
  EXPECT_EQ(lines, 201U);
  EXPECT_EQ(faults, std::vector<std::string>{"its end is missing: Parquet files end in PAR1"});
}

// Rows copied as they are into a file of our own are the same rows, whatever their types, nesting, pages and codecs.
TEST(ParquetCopy, KeepsWhatItDoesNotLeaveOut) {
  for (const std::string name : {"types", "nested", "int96", "deltas", "version2", "version2_plain", "plain", "snappy", "gzip", "brotli", "lz4", "none", "zstd", "empty"}) {
    const std::string file = gold(name + ".parquet");
    const Rows all = read_rows(file);
    for (const size_t every : {size_t{1}, size_t{3}}) {
      const base::TempDir dir;
      ParquetCopyReader reader(file);
      ParquetCopyWriter writer(dir.path() / "out.parquet", file);
      std::vector<std::string> wanted;
      std::string record;
      for (size_t i = 0; reader.next(record); ++i) {
        if (i % every == 0) {
          writer.write(record);
          wanted.push_back(all.rows[i]);
        }
      }
      writer.finish();
      const std::string copy = base::read_file(dir.path() / "out.parquet");
      const Rows found = read_rows(copy);
      EXPECT_EQ(found.rows, wanted) << name;
      EXPECT_TRUE(found.faults.empty()) << name;
      EXPECT_EQ(parquet_schema(copy), parquet_schema(file)) << name;
    }
  }
}

TEST(ParquetCopy, RefusesRowsOfAnotherSchemaAndBrokenFiles) {
  const base::TempDir dir;
  const std::string file = gold("plain.parquet");
  const std::string types = gold("types.parquet");
  ParquetCopyReader other(types);
  ParquetCopyWriter writer(dir.path() / "out.parquet", file);
  std::string record;
  ASSERT_TRUE(other.next(record));
  EXPECT_THROW(writer.write(record), BrokenFile);
  EXPECT_THROW(writer.write("x"), BrokenFile);
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "out.parquet"));
  EXPECT_THROW(ParquetCopyReader(std::string_view(file).substr(0, file.size() / 2)), BrokenFile);
}

}  // namespace
}  // namespace slipway::data
