#include <atomic>
#include <numeric>

#include "base/base64.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/suggest.h"
#include "support/support.h"

namespace slipway::base {
namespace {

TEST(Hash, KnowsTheStandardVectors) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(xxh64("", 0), 0xef46db3751d8e999ULL);
  EXPECT_TRUE(is_digest(digest_of("x")));
  EXPECT_FALSE(is_digest("sha256:../../etc/passwd"));
}

TEST(Hash, MerkleRootDependsOnOrderAndContent) {
  const std::vector<std::string> ab = {sha256_hex("a"), sha256_hex("b"), sha256_hex("c")};
  const std::vector<std::string> ba = {ab[1], ab[0], ab[2]};
  EXPECT_NE(merkle_root(ab), merkle_root(ba));
  EXPECT_EQ(merkle_root(std::vector<std::string>{ab[0]}), ab[0]);
}

TEST(Base64, KnowsTheStandardVectorsAndRefusesOtherText) {
  for (const auto& [bytes, text] : std::map<std::string, std::string>{
           {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {"\xFB\xFF", "+/8="}}) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
  EXPECT_EQ(base64_decode("Zm8"), "fo");
  EXPECT_FALSE(base64_decode("Z"));
  EXPECT_FALSE(base64_decode("Zm 8"));
}

TEST(Rng, RepeatsAndResumes) {
  Rng a(7);
  Rng b(7);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(a.next(), b.next());
  }
  a.normal();
  const auto state = a.state();
  const double x = a.normal();
  Rng c(1);
  c.set_state(state);
  EXPECT_EQ(c.normal(), x);
  EXPECT_NE(Rng(7, "split").next(), Rng(7, "shuffle").next());
}

TEST(Rng, BelowIsUniform) {
  Rng rng(3);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) {
    ++counts[rng.below(7)];
  }
  for (const int count : counts) {
    EXPECT_NEAR(count, 10000, 500);  // five standard deviations
  }
}

TEST(Pool, RunsEveryItemOnceAndRethrows) {
  Pool pool(3);
  std::vector<std::atomic<int>> seen(1000);
  for (int round = 0; round < 50; ++round) {
    pool.parallel_for(1000, [&](int64_t i) { ++seen[static_cast<size_t>(i)]; });
  }
  for (const auto& count : seen) {
    EXPECT_EQ(count, 50);
  }
  EXPECT_THROW(pool.parallel_for(10, [](int64_t i) {
    if (i == 5) {
      throw Error(Code::kInvalid, "five");
    }
  }),
               Error);
  int64_t sum = 0;
  pool.parallel_for(1, [&](int64_t) { pool.parallel_for(10, [&](int64_t i) { sum += i; }); });
  EXPECT_EQ(sum, 45);
}

TEST(Json, RefusesDepthBombsAndNamesTheByte) {
  EXPECT_THROW(parse_json(std::string(100000, '['), "bomb"), Error);
  EXPECT_THROW(parse_json("{\"a\": 1e400}", "number"), Error);
  try {
    parse_json("{\"a\": 1,}", "file.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("file.json: not valid JSON at byte 9"), std::string::npos) << error.what();
  }
  EXPECT_EQ(canonical_json(Json{{"b", 1}, {"a", 2}}), R"({"a":2,"b":1})");
}

TEST(Fields, UnknownKeyNamesTheNearestAndNothingIsSet) {
  int epochs = 3;
  double rate = 0.1;
  FieldTable table;
  table.add("epochs", epochs, "passes over the data", {1, 100});
  table.add("learning_rate", rate, "peak learning rate", {0, 1});
  try {
    table.apply(Json{{"epochs", 5}, {"learning_rat", 0.2}}, "train");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "train: unknown key 'learning_rat'; did you mean 'learning_rate'?");
  }
  EXPECT_THROW(table.apply(Json{{"epochs", 5}, {"learning_rate", 7}}, "train"), Error);
  EXPECT_EQ(epochs, 3);
  table.set_text("epochs", "9", "flag");
  EXPECT_EQ(epochs, 9);
}

TEST(Suggest, FindsSwappedLetters) { EXPECT_EQ(edit_distance("tran", "tarn"), 1U); }

TEST(Log, WritesTypedFields) {
  std::string line;
  Log log([&](std::string_view text) { line = text; }, LogLevel::kInfo, Log::Format::kJson);
  log.info("loaded model", {{"name", "m"}, {"seconds", 1.5}});
  const Json parsed = parse_json(line, "log");
  EXPECT_EQ(parsed["name"], "m");
  EXPECT_EQ(parsed["seconds"], 1.5);
}

TEST(Cpu, LimitLowersAndUnknownNameIsAnError) {
  EXPECT_EQ(select_isa("scalar"), Isa::kScalar);
  EXPECT_THROW(select_isa("sse9"), Error);
}

}  // namespace
}  // namespace slipway::base
