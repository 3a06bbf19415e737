#include "engine/vector_encoder.h"

#include <cmath>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "engine/engine.h"
#include "engine/tasks.h"

namespace slipway::engine {
namespace {

constexpr const char* kVectors =
    "6 3\n"
    "film 1 0 0\n"
    "good 0 2 0\n"
    "bad 0 -2 0\n"
    "Berlin 0 0 4\n"
    "电影 3 0 4\n"
    "好 0 1 0\n";

class Vectors : public ::testing::Test {
 protected:
  Vectors() {
    file = folder.path() / "words.vec";
    base::write_file_atomic(file, kVectors);
    engine = Engine::load(file, {}, pool);
  }
  std::vector<int32_t> ids(const std::string& text) const { return engine->encode(text); }
  std::vector<float> embedding(const std::string& text) const {
    const std::string one[] = {text};
    const model::Matrix out = engine->embed(one);
    return {out.row(0).begin(), out.row(0).end()};
  }

  base::TempDir folder;
  std::filesystem::path file;
  base::Pool pool{2};
  std::unique_ptr<Engine> engine;
};

TEST_F(Vectors, WordsAreFoundAsTheyStandThenInLowerCase) {
  EXPECT_EQ(ids("film, good!"), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(ids("FILM Berlin"), (std::vector<int32_t>{0, 3}));
  EXPECT_EQ(ids("berlin"), std::vector<int32_t>{6});  // the file has the name only
  EXPECT_EQ(ids(""), std::vector<int32_t>{6});
  EXPECT_EQ(ids(" ... "), std::vector<int32_t>{6});
}

TEST_F(Vectors, HanIsCutIntoTheLongestWordsOfTheFile) {
  EXPECT_EQ(ids("电影好"), (std::vector<int32_t>{4, 5}));
  EXPECT_EQ(ids("好电影"), (std::vector<int32_t>{5, 4}));
  EXPECT_EQ(ids("电好"), (std::vector<int32_t>{6, 5}));
}

TEST_F(Vectors, OffsetsCountCharacters) {
  text::Encoding out;
  engine->tokenizer().encode("好电影 good", {.with_offsets = true}, out);
  EXPECT_EQ(out.offsets, (std::vector<std::pair<uint32_t, uint32_t>>{{0, 1}, {1, 3}, {4, 8}}));
  engine->tokenizer().encode("good good bad", {.with_offsets = true, .max_length = 2, .truncate_left = true}, out);
  EXPECT_EQ(out.ids, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(out.offsets.size(), 2U);
  EXPECT_EQ(engine->tokenizer().decode(std::vector<int32_t>{0, 6, 1}, true), "film good");
  EXPECT_EQ(engine->tokenizer().id_to_token(7), "");
}

TEST_F(Vectors, EmbeddingsAreTheMeanOfLengthOne) {
  const float half = std::sqrt(0.5F);
  // (1, 2, 0) / 2 scaled to length 1.
  EXPECT_NEAR(embedding("film good unknown")[0], 1 / std::sqrt(5.0F), 1e-6);
  EXPECT_NEAR(embedding("film good unknown")[1], 2 / std::sqrt(5.0F), 1e-6);
  EXPECT_NEAR(embedding("Berlin")[2], 1, 1e-6);
  EXPECT_NEAR(embedding("good good Berlin")[1], half, 1e-6);
  EXPECT_NEAR(embedding("good good Berlin")[2], half, 1e-6);
  EXPECT_EQ(embedding("nothing known"), std::vector<float>(3, 0.0F));
  EXPECT_EQ(embedding("good bad"), std::vector<float>(3, 0.0F));
}

TEST_F(Vectors, HiddenStatesAreTheWordsVectors) {
  const Input input{.ids = ids("bad unknown film"), .hidden = true};
  const Output out = engine->forward(std::span(&input, 1));
  EXPECT_EQ(out.hidden[0].values, (std::vector<float>{0, -2, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(engine->spec().hidden_size, 3);
  EXPECT_EQ(engine->spec().parameter_count(), 18);
  EXPECT_EQ(engine->weight_bytes(), 72);
  EXPECT_TRUE(engine->labels().empty());
}

TEST_F(Vectors, OtherFilesAreRefused) {
  base::write_file_atomic(folder.path() / "x.vec", "this is a letter\nnot a list of words\n");
  EXPECT_THROW(Engine::load(folder.path() / "x.vec", {}, pool), base::Error);
  EXPECT_THROW(Engine::load(folder.path() / "absent.vec", {}, pool), base::Error);
}

}  // namespace
}  // namespace slipway::engine
