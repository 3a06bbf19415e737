#include "data/arrow.h"

#include <cstring>
#include <fmt/format.h>

#include "base/file.h"
#include "base/random.h"
#include "data/helpers.h"
#include "data/line_blocks.h"

namespace slipway::data {
namespace {

struct Rows {
  std::vector<std::string> rows, faults;
};

Rows read_rows(std::string_view file) {
  Rows all;
  ArrowRows reader(file);
  std::string line;
  for (TableRows::Step step = reader.next(line); step != TableRows::Step::kEnd; step = reader.next(line)) {
    (step == TableRows::Step::kRow ? all.rows : all.faults).push_back(line);
  }
  return all;
}

std::string gold(const std::string& name) { return base::read_file("tests/gold/arrow/" + name); }

std::vector<Json> lines_of(const std::string& name) {
  std::vector<Json> all;
  std::istringstream in(gold(name));
  for (std::string line; std::getline(in, line);) {
    all.push_back(base::parse_json(line, name));
  }
  return all;
}

// Files and streams, every codec, type and nesting, as pyarrow reads what it wrote.
TEST(Arrow, ReadsWhatPyarrowReads) {
  size_t rows = 0;
  for (const std::string name : {"file", "stream", "lz4", "zstd", "slice", "empty", "types", "types_zstd", "nested", "dictionary"}) {
    const bool simple = name == "file" || name == "stream" || name == "lz4" || name == "zstd";
    const std::vector<Json> wanted = lines_of((simple ? "simple" : name == "types_zstd" ? "types" : name) + ".jsonl");
    const Rows got = read_rows(gold(name + ".arrow"));
    ASSERT_EQ(got.faults, std::vector<std::string>{}) << name;
    ASSERT_EQ(got.rows.size(), wanted.size()) << name;
    for (size_t i = 0; i < wanted.size(); ++i, ++rows) {
      EXPECT_EQ(base::parse_json(got.rows[i], name), wanted[i]) << name << " row " << i;
    }
  }
  EXPECT_GT(rows, 550U);
}

TEST(Arrow, NamesItsColumns) {
  const std::string file = gold("stream.arrow");
  EXPECT_EQ(ArrowRows(file).columns(), (std::vector<std::string>{"id", "text", "score", "good"}));
  EXPECT_TRUE(looks_like_arrow(file));
  EXPECT_TRUE(looks_like_arrow(gold("file.arrow")));
  EXPECT_FALSE(looks_like_arrow("{\"text\":\"ARROW1\"}\n"));
}

// Where each message of a stream begins.
std::vector<size_t> messages(const std::string& file) {
  std::vector<size_t> all;
  for (size_t at = 0; (at = file.find("\xFF\xFF\xFF\xFF", at)) != std::string::npos; at += 4) {
    uint32_t size = 0;
    std::memcpy(&size, file.data() + at + 4, 4);
    if (at % 8 == 0 && size > 0 && size < 5000 && size % 8 == 0) {
      all.push_back(at);
    }
  }
  return all;
}

TEST(Arrow, ABrokenBatchCostsItsRowsAlone) {
  const std::string sound = gold("stream.arrow");  // 120 rows in batches of 50
  const std::vector<size_t> begins = messages(sound);
  ASSERT_EQ(begins.size(), 4U);
  std::string metadata = sound;
  std::fill_n(metadata.begin() + static_cast<std::ptrdiff_t>(begins[2]) + 8, 64, '\xEE');
  std::string mark = sound;
  mark[begins[2]] = 'x';
  for (const std::string& file : {metadata, mark}) {
    const Rows got = read_rows(file);
    EXPECT_EQ(got.rows.size(), 70U);
    ASSERT_EQ(got.faults.size(), 1U);
  }
  const std::string packed = gold("zstd.arrow");
  const std::vector<size_t> places = messages(packed);
  ASSERT_EQ(places.size(), 4U);
  std::string body = packed;  // the end of the second batch's bytes
  std::fill_n(body.begin() + static_cast<std::ptrdiff_t>(places[3]) - 40, 40, '\xEE');
  const Rows got = read_rows(body);
  EXPECT_EQ(got.rows.size(), 70U);
  ASSERT_EQ(got.faults.size(), 1U);
  EXPECT_HAS(got.faults[0], "batch 2");
}

TEST(Arrow, WhatItCannotReadItSays) {
  const std::string file = gold("stream.arrow");
  const auto message = [](const std::string& bytes) -> std::string {
    try {
      read_rows(bytes);
    } catch (const BrokenFile& broken) {
      return broken.what();
    }
    return "";
  };
  EXPECT_HAS(message("ARROW1"), "does not begin with a schema");
  EXPECT_HAS(message(std::string(100, 'x')), "no message where one should begin");
  EXPECT_HAS(message(file.substr(0, 100)), "ends in the middle");
  const Rows cut = read_rows(file.substr(0, file.size() - 600));
  EXPECT_EQ(cut.rows.size(), 100U);
  ASSERT_EQ(cut.faults.size(), 1U);
  EXPECT_HAS(cut.faults[0], "longer than the file");
}

// Any byte changed, any end cut off: rows that are JSON, or a fault, and an end.
TEST(Arrow, DamageNeverHarms) {
  base::Rng random(20261129);
  for (const std::string name : {"stream", "lz4", "zstd", "nested", "types", "dictionary"}) {
    const std::string sound = gold(name + ".arrow");
    for (int i = 0; i < 150; ++i) {
      std::string file = sound;
      for (uint64_t n = random.below(4) + 1; n > 0; --n) {
        file[random.below(file.size())] = static_cast<char>(random.below(256));
      }
      try {
        ArrowRows reader(i % 10 == 0 ? std::string_view(file).substr(0, random.below(file.size())) : std::string_view(file));
        std::string line;
        int rows = 0;
        for (TableRows::Step step = reader.next(line); step != TableRows::Step::kEnd && ++rows < 1000; step = reader.next(line)) {
          if (step == TableRows::Step::kRow) {
            base::parse_json(line, name);
          }
        }
      } catch (const BrokenFile&) {
      }
    }
  }
}

TEST(Arrow, RowsAreLinesOfACorpusAndOfASource) {
  base::TempDir dir;
  base::write_file_atomic(dir.path() / "data-00000-of-00001.arrow", gold("stream.arrow"));
  LineBlocks reader({dir.path() / "data-00000-of-00001.arrow"}, 1000, 1 << 20);
  Block block;
  size_t lines = 0;
  while (reader.next(block)) {
    lines += block.lines.size();
  }
  EXPECT_EQ(lines, 120U);
  const ReadResult result = read_all({{"id", "a"}, {"path", "."}, {"licence", "MIT"}, {"max_bad", 1}}, dir.path());
  ASSERT_EQ(result.documents.size(), 96U);
  EXPECT_EQ(result.counts.bad.at("missing_text"), 24);
  const Json& meta = result.documents[0].meta;
  EXPECT_EQ(meta.at("licence"), "MIT");
  EXPECT_EQ(meta.at("digest"), base::digest_of(R"({"id":1,"text":"text 1 文 \"quoted\"","score":0.125,"good":false})"));
  EXPECT_FALSE(meta.at("time").get<std::string>().empty());
}

}  // namespace
}  // namespace slipway::data
