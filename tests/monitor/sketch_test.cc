#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "monitor/reference.h"
#include "monitor/traffic.h"
#include "support/support.h"

namespace slipway::monitor {
namespace {

const std::vector<std::string> kLabels = {"negative", "positive"};

ReferenceSketch small_sketch() {
  auto rows = tests::made_up(80, {}, 1);
  rows[0].text = "She was great, he was not. She stayed.";
  rows[1].text = "他很好";
  ReferenceSketch sketch = build_sketch(rows, kLabels, {.max_rows = 60, .max_embeddings = 40});
  sketch.model = "movie-sentiment/1";
  sketch.meta = {{"split", "test"}};
  return sketch;
}

TEST(Sketch, CountsAllRowsAndKeepsASample) {
  const ReferenceSketch sketch = small_sketch();
  EXPECT_EQ(sketch.rows_given, 80);
  EXPECT_EQ(sketch.rows.size(), 60U);
  EXPECT_EQ(sketch.embedding_rows(), 40);
  EXPECT_EQ(sketch.dim, 8);
  EXPECT_EQ(sketch.languages.at("zh"), 1);
  EXPECT_EQ(sketch.groups.at("gender:female").rows, 1);
  EXPECT_GE(sketch.groups.at("gender:male").rows, 1);
  ASSERT_FALSE(sketch.vocabulary.empty());
  EXPECT_TRUE(std::is_sorted(sketch.word_counts.rbegin(), sketch.word_counts.rend()));
  EXPECT_GE(sketch.word_counts.back(), 2);  // no word that only one place has
}

TEST(Sketch, RoundTripsThroughItsFile) {
  const ReferenceSketch sketch = small_sketch();
  const base::TempDir dir;
  save_sketch(sketch, dir.path() / "a.sketch");
  const ReferenceSketch back = load_sketch(dir.path() / "a.sketch");
  EXPECT_EQ(serialize_sketch(back), serialize_sketch(sketch));
  EXPECT_EQ(back.model, "movie-sentiment/1");
  EXPECT_EQ(back.embeddings, sketch.embeddings);
  EXPECT_EQ(back.rows[7].vocabulary, sketch.rows[7].vocabulary);
  EXPECT_EQ(back.meta, sketch.meta);
}

TEST(Sketch, SameRowsAndSeedGiveTheSameBytes) {
  EXPECT_EQ(serialize_sketch(small_sketch()), serialize_sketch(small_sketch()));
}

TEST(Sketch, RefusesRowsThatDoNotFit) {
  auto rows = tests::made_up(60, {}, 1);
  EXPECT_THROW(build_sketch(std::span(rows).first(30), kLabels), base::Error);
  rows[5].scores = {1};
  EXPECT_THROW(build_sketch(rows, kLabels), base::Error);
  rows[5].error = true;  // a failed request is left out
  EXPECT_EQ(build_sketch(rows, kLabels).rows_given, 59);
  rows[6].embedding.pop_back();
  EXPECT_THROW(build_sketch(rows, kLabels), base::Error);
}

void expect_refused(const std::string& bytes, const char* what) {
  try {
    parse_sketch(bytes, "test.sketch");
    ADD_FAILURE() << what;
  } catch (const base::Error& e) {
    EXPECT_EQ(e.code(), base::Code::kIntegrity) << what << ": " << e.what();
  }
}

std::string with_header(const std::string& header) {
  std::string bytes = "SLIPSK01";
  const uint64_t size = header.size();
  bytes.append(reinterpret_cast<const char*>(&size), 8);
  return bytes + header;
}

TEST(Sketch, RefusesBrokenFiles) {
  const std::string good = serialize_sketch(small_sketch());
  expect_refused("", "empty");
  expect_refused("SLIPSK02" + good.substr(8), "wrong magic");
  for (const size_t cut : {size_t{7}, size_t{12}, size_t{100}, good.size() - 1}) {
    expect_refused(good.substr(0, cut), "truncated");
  }
  expect_refused(good + "x", "trailing byte");
  std::string huge = good;
  std::memset(huge.data() + 8, 0x7f, 8);
  expect_refused(huge, "header of 2^62 bytes");
  expect_refused(with_header("[]"), "not an object");
  expect_refused(with_header("{\"labels\":[1]}"), "labels that are not texts");

  uint64_t size = 0;
  std::memcpy(&size, good.data() + 8, 8);
  const auto header = base::parse_json(std::string_view(good).substr(16, size), "test");
  const std::string tail = good.substr(16 + size);
  const auto changed = [&](const char* pointer, const base::Json& value) {
    auto copy = header;
    copy[base::Json::json_pointer(pointer)] = value;
    return with_header(base::dump_json(copy)) + tail;
  };
  expect_refused(changed("/embeddings/dim", 1 << 30), "dim");
  expect_refused(changed("/embeddings/rows", -1), "rows");
  expect_refused(changed("/rows/label/3", 2), "label out of range");
  expect_refused(changed("/rows/vocabulary/3", {99999}), "word out of range");
  expect_refused(changed("/rows/length", {1, 2}), "columns of different length");
  expect_refused(changed("/word_counts", {1}), "counts");
  EXPECT_NO_THROW(parse_sketch(changed("/model", "other"), "test"));
}

}  // namespace
}  // namespace slipway::monitor
