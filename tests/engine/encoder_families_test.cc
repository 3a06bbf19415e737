// Every encoder family and head against transformers (tests/gold/encoder_models.py).
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/helpers.h"
#include "support/support.h"
#include "support/tiny_encoder.h"

namespace slipway::engine {
namespace {

constexpr const char* kHeads[] = {"none", "sequence", "token", "qa", "mlm"};

class EncoderFamily : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { gold = tests::tiny_encoder_gold(GetParam()); }

  std::filesystem::path write(const std::string& head) {
    tests::write_tiny_encoder(folder.path() / head, gold, head);
    return folder.path() / head;
  }
  std::vector<Input> inputs(const std::string& head) const {
    std::vector<Input> all;
    const base::Json& texts = gold.at("texts");
    for (const base::Json& text : texts) {
      Input input{.ids = text.at("ids").get<std::vector<int32_t>>()};
      if (text.contains("types")) {
        input.types = text.at("types").get<std::vector<int32_t>>();
      }
      input.hidden = head == "none";
      if (head != "none" && head != "sequence") {
        input.rows = text.at("positions").get<std::vector<int32_t>>();
      }
      all.push_back(std::move(input));
    }
    return all;
  }
  // What the head says of text i, as rows: one for a classifier, else one a kept position.
  std::vector<std::vector<float>> rows(const Output& out, const std::string& head, size_t i) const {
    std::vector<std::vector<float>> all;
    const auto add = [&](std::span<const float> row) { all.emplace_back(row.begin(), row.end()); };
    if (head == "sequence") {
      add(out.logits.row(static_cast<int>(i)));
    } else if (head == "none") {
      const base::Json& positions = gold.at("texts").at(i).at("positions");
      for (const base::Json& position : positions) {
        add(out.hidden[i].row(position.get<int>()));
      }
    } else {
      for (int r = 0; r < out.token_logits[i].rows; ++r) {
        add(out.token_logits[i].row(r));
      }
    }
    return all;
  }
  std::vector<std::vector<float>> expected(const std::string& head, size_t i) const {
    const base::Json& one = gold.at("heads").at(head).at(head == "none" ? "hidden" : "logits").at(i);
    if (head == "sequence") {
      return {one.get<std::vector<float>>()};
    }
    return one.get<std::vector<std::vector<float>>>();
  }

  base::TempDir folder;
  base::Json gold;
};

// All texts in one packed batch, on one thread and on several, with each instruction set. 1e-4 of the largest number.
TEST_P(EncoderFamily, EveryHeadIsTransformers) {
  double worst = 0;
  for (const std::string head : kHeads) {
    const auto path = write(head);
    const std::vector<Input> texts = inputs(head);
    for (const char* isa : {"scalar", "avx2", "avx512"}) {
      for (const int threads : {1, 3}) {
        base::Pool pool(threads);
        const auto engine = Engine::load(path, {.isa = isa}, pool);
        const Output out = engine->forward(texts);
        for (size_t i = 0; i < texts.size(); ++i) {
          const auto got = rows(out, head, i);
          const auto want = expected(head, i);
          ASSERT_EQ(got.size(), want.size());
          float largest = 1;
          for (const auto& row : want) {
            for (const float x : row) {
              largest = std::max(largest, std::abs(x));
            }
          }
          for (size_t r = 0; r < want.size(); ++r) {
            ASSERT_EQ(got[r].size(), want[r].size());
            for (size_t j = 0; j < want[r].size(); ++j) {
              worst = std::max(worst, static_cast<double>(std::abs(got[r][j] - want[r][j])) / largest);
              ASSERT_NEAR(got[r][j], want[r][j], 1e-4F * largest)
                  << head << " " << isa << " threads " << threads << " text " << i << " row " << r << " value " << j;
            }
          }
        }
      }
    }
  }
  RecordProperty("worst_relative_difference", std::to_string(worst));
  std::printf("%s: largest difference %.1e\n", GetParam().c_str(), worst);
}

TEST_P(EncoderFamily, ATextsBitsDoNotDependOnItsNeighbours) {
  for (const std::string head : {"sequence", "mlm"}) {
    const auto path = write(head);
    const std::vector<Input> texts = inputs(head);
    base::Pool pool(2);
    const auto engine = Engine::load(path, {}, pool);
    const Output together = engine->forward(texts);
    for (size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(rows(engine->forward(std::span(&texts[i], 1)), head, 0), rows(together, head, i)) << head << i;
      if (head == "sequence") {  // the shorter way, where no embeddings are wanted
        EXPECT_EQ(rows(engine->forward(std::span(&texts[i], 1), false), head, 0), rows(together, head, i)) << i;
      }
    }
  }
}

// Random weights lose more to int8 than trained ones: what is held is that each head's numbers point the same way.
TEST_P(EncoderFamily, Int8IsNear) {
  base::Pool pool(2);
  for (const std::string head : kHeads) {
    const auto path = write(head);
    tests::write_int8(path, true);
    const std::vector<Input> texts = inputs(head);
    const auto engine = Engine::load(path, {.precision = "int8"}, pool);
    EXPECT_EQ(engine->precision(), "int8");
    const Output out = engine->forward(texts);
    std::vector<float> got;
    std::vector<float> want;
    for (size_t i = 0; i < texts.size(); ++i) {
      for (const auto& row : rows(out, head, i)) {
        got.insert(got.end(), row.begin(), row.end());
      }
      for (const auto& row : expected(head, i)) {
        want.insert(want.end(), row.begin(), row.end());
      }
    }
    EXPECT_GT(tests::cosine(got, want), 0.98) << head;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EncoderFamily, ::testing::ValuesIn(tests::tiny_encoder_names()),
                         [](const auto& family) { return family.param; });

TEST(EncoderFamilies, AMaskedLanguageModelsEncoderAloneIsAnEncoder) {
  const base::TempDir folder;
  base::Json gold = tests::tiny_encoder_gold("mpnet");
  base::Json& encoder = gold["heads"]["none"];
  encoder["config"]["architectures"] = {"MPNetForMaskedLM"};
  tests::write_tiny_encoder(folder.path(), gold, "none");
  base::Pool pool(1);
  const auto engine = Engine::load(folder.path(), {}, pool);
  EXPECT_EQ(engine->spec().head, model::Head::kNone);
  EXPECT_THROW(engine->check({.ids = {1, 2}, .rows = {0}}), base::Error);
}

TEST(EncoderFamilies, EmbeddingsArePooledAsTheFolderSays) {
  const base::TempDir folder;
  tests::write_tiny_encoder(folder.path(), tests::tiny_encoder_gold("modernbert"), "none");
  base::write_file_atomic(folder.path() / "modules.json", R"([{"path": "1_Pooling", "type": "models.Pooling"}])");
  base::make_dirs(folder.path() / "1_Pooling");
  base::Pool pool(1);
  for (const bool last : {false, true}) {
    base::write_file_atomic(folder.path() / "1_Pooling" / "config.json",
                            last ? R"({"pooling_mode_lasttoken": true})" : R"({"pooling_mode_cls_token": true})");
    const auto engine = Engine::load(folder.path(), {}, pool);
    const Input input{.ids = {2, 7, 9, 30, 3}, .hidden = true};
    const Output out = engine->forward(std::span(&input, 1));
    const auto row = out.hidden[0].row(last ? 4 : 0);
    const auto embedding = out.embeddings.row(0);
    EXPECT_NEAR(tests::cosine(row, embedding), 1, 1e-6);
    double squares = 0;
    for (const float x : embedding) {
      squares += double{x} * x;
    }
    EXPECT_NEAR(squares, 1, 1e-5);
  }
}

TEST(EncoderFamilies, WhatIsAskedOfTokensIsChecked) {
  const base::TempDir folder;
  tests::write_tiny_encoder(folder.path(), tests::tiny_encoder_gold("bert"), "token");
  base::Pool pool(1);
  const auto engine = Engine::load(folder.path(), {}, pool);
  EXPECT_NO_THROW(engine->check({.ids = {1, 2}, .types = {0, 1}, .rows = {1, 0}}));
  EXPECT_THROW(engine->check({.ids = {1, 2}, .types = {0}}), base::Error);
  EXPECT_THROW(engine->check({.ids = {1, 2}, .types = {0, 2}}), base::Error);
  EXPECT_THROW(engine->check({.ids = {1, 2}, .rows = {2}}), base::Error);
  EXPECT_THROW(engine->check({.ids = {1, 2}, .rows = {1, 1}}), base::Error);
  EXPECT_TRUE(engine->labels().empty());
}

}  // namespace
}  // namespace slipway::engine
