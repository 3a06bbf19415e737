#include "engine/decoder.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <gtest/gtest.h>

#include "engine/fake_decoder.h"
#include "engine/scheduler.h"
#include "support/tiny_decoder.h"

namespace slipway::engine {
namespace {

constexpr int kPageTokens = 16;
constexpr int kPages = 24;
constexpr int kContext = 96;

DecoderOptions options_for(base::Isa isa, kernels::KvType type = kernels::KvType::kF32) {
  return {.isa = isa, .kv_type = type, .page_tokens = kPageTokens, .kv_pages = kPages, .context_length = kContext};
}

// A sequence with pages of its own.
struct Text {
  std::vector<int32_t> ids;
  std::vector<int32_t> pages;
  int done = 0;

  PassRows rows(int count, bool logits) {
    PassRows part{std::span(ids).subspan(static_cast<size_t>(done), static_cast<size_t>(count)), done, pages,
                  logits ? 0 : count};
    done += count;
    return part;
  }
};

Text text_of(const std::vector<int32_t>& ids, int first_page, int pages = 6) {
  Text text{ids, {}, 0};
  for (int i = 0; i < pages; ++i) {
    text.pages.push_back(first_page + pages - 1 - i);  // not in the order of memory
  }
  return text;
}

class TinyDecoder : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    gold = tests::tiny_decoder_gold(GetParam());
    tests::write_tiny_decoder(folder.path() / "model", gold);
    opened = model::open_decoder(folder.path() / "model");
    ids = gold.at("ids").get<std::vector<int32_t>>();
  }
  std::vector<float> logits_of(Decoder& decoder, const std::vector<int32_t>& of, int first_page = 0) {
    Text text = text_of(of, first_page);
    const PassRows rows = text.rows(static_cast<int>(of.size()), true);
    std::vector<float> logits;
    decoder.forward({&rows, 1}, logits);
    return logits;
  }

  base::TempDir folder;
  base::Pool pool{2};
  base::Json gold;
  model::OpenedDecoder opened;
  std::vector<int32_t> ids;
};

std::vector<base::Isa> machine_isas() {
  std::vector<base::Isa> isas;
  for (const base::Isa isa : {base::Isa::kScalar, base::Isa::kAvx2, base::Isa::kAvx512, base::Isa::kAvx512Vnni}) {
    if (isa <= base::select_isa()) {
      isas.push_back(isa);
    }
  }
  return isas;
}

// 1e-4 of the largest logit: f32 sums of some hundred terms in another order, over three or four layers.
TEST_P(TinyDecoder, LogitsAreTransformers) {
  for (const base::Isa isa : machine_isas()) {
    Decoder decoder(opened, options_for(isa), pool);
    const std::vector<float> logits = logits_of(decoder, ids);
    const auto vocab = static_cast<size_t>(decoder.vocab_size());
    const auto positions = gold.at("positions").get<std::vector<size_t>>();
    const auto expected = gold.at("logits").get<std::vector<std::vector<float>>>();
    for (size_t p = 0; p < positions.size(); ++p) {
      float largest = 0;
      for (const float x : expected[p]) {
        largest = std::max(largest, std::abs(x));
      }
      for (size_t i = 0; i < vocab; ++i) {
        ASSERT_NEAR(logits[positions[p] * vocab + i], expected[p][i], 1e-4F * largest)
            << base::isa_name(isa) << " position " << positions[p] << " token " << i;
      }
    }
  }
}

TEST_P(TinyDecoder, GreedyTextIsTransformersTokenForToken) {
  Decoder decoder(opened, options_for(base::select_isa()), pool);
  const tests::LetterTokenizer tokenizer;
  Scheduler scheduler(decoder, tokenizer,
                      {.max_batch_tokens = 7,  // the prompt in pieces
                       .context_length = kContext,
                       .kv_pages = kPages,
                       .page_tokens = kPageTokens,
                       .eos_ids = {}},
                      pool);
  const auto expected = gold.at("greedy").get<std::vector<int32_t>>();
  std::promise<GenerateResult> promise;
  GenerateRequest request;
  request.ids = ids;
  request.max_tokens = static_cast<int>(expected.size());
  request.sampling.temperature = 0;
  request.on_done = [&](const GenerateResult& result) { promise.set_value(result); };
  scheduler.submit(std::move(request));
  EXPECT_EQ(promise.get_future().get().ids, expected);
}

// The promise that everything above builds on: a row's bits do not depend on how its text was cut, what else is in the
// pass, where its pages lie, or how many threads compute.
TEST_P(TinyDecoder, ARowDependsOnItsTextAlone) {
  Decoder decoder(opened, options_for(base::select_isa(), kernels::KvType::kF16), pool);
  const auto vocab = static_cast<size_t>(decoder.vocab_size());
  const std::vector<float> whole = logits_of(decoder, ids);
  std::vector<int32_t> other_ids(ids.rbegin(), ids.rend());
  const std::vector<float> other_whole = logits_of(decoder, other_ids);
  base::Pool one(1);
  Decoder alone(opened, options_for(base::select_isa(), kernels::KvType::kF16), one);
  EXPECT_EQ(logits_of(alone, ids, 6), whole);
  for (const int piece : {1, 3, 10}) {
    Text text = text_of(ids, 12);
    Text other = text_of(other_ids, 0);
    std::vector<float> got;
    std::vector<float> other_got;
    while (text.done < static_cast<int>(ids.size())) {
      const int count = std::min(piece, static_cast<int>(ids.size()) - text.done);
      const int other_count = std::min(piece % 3 + 1, static_cast<int>(other_ids.size()) - other.done);
      std::vector<PassRows> rows;
      if (other_count > 0) {
        rows.push_back(other.rows(other_count, true));
      }
      rows.push_back(text.rows(count, true));
      std::vector<float> logits;
      decoder.forward(rows, logits);
      const auto middle = logits.begin() + static_cast<std::ptrdiff_t>(vocab) * other_count;
      other_got.insert(other_got.end(), logits.begin(), middle);
      got.insert(got.end(), middle, logits.end());
    }
    EXPECT_EQ(got, whole) << piece;
    EXPECT_TRUE(std::equal(other_got.begin(), other_got.end(), other_whole.begin())) << piece;
  }
}

// Weights turned into smaller types stay near: relative error of the logits as a whole.
TEST_P(TinyDecoder, SmallerWeightsGiveNearbyLogits) {
  Decoder exact(opened, options_for(base::select_isa()), pool);
  const std::vector<float> expected = logits_of(exact, ids);
  const auto error_of = [&](const std::string& type, kernels::KvType kv) {
    DecoderOptions options = options_for(base::select_isa(), kv);
    options.weight_type = type;
    Decoder decoder(opened, options, pool);
    const std::vector<float> got = logits_of(decoder, ids);
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      difference += (got[i] - expected[i]) * (got[i] - expected[i]);
      size += expected[i] * expected[i];
    }
    return std::sqrt(difference / size);
  };
  // Random weights are the worst case: no structure that survives rounding. Measured at most 0.0014, 0.0028, 0.022,
  // 0.074 and 0.59; unrelated logits would be at 1.4.
  EXPECT_LT(error_of("f32", kernels::KvType::kF16), 0.002);
  EXPECT_LT(error_of("f16", kernels::KvType::kF16), 0.004);
  EXPECT_LT(error_of("f32", kernels::KvType::kI8), 0.05);
  EXPECT_LT(error_of("bf16", kernels::KvType::kF16), 0.03);
  EXPECT_LT(error_of("q8_0", kernels::KvType::kF16), 0.11);
  EXPECT_LT(error_of("q4_1", kernels::KvType::kF16), 0.8);
}

INSTANTIATE_TEST_SUITE_P(Families, TinyDecoder, ::testing::ValuesIn(tests::tiny_decoder_names()),
                         [](const auto& family) { return family.param; });

TEST(Decoder, RefusesAnUnknownWeightType) {
  const base::TempDir folder;
  tests::write_tiny_decoder(folder.path() / "model", tests::tiny_decoder_gold("llama"));
  base::Pool pool(1);
  DecoderOptions options = options_for(base::select_isa());
  options.weight_type = "q3";
  EXPECT_THROW(Decoder(model::open_decoder(folder.path() / "model"), options, pool), base::Error);
}

}  // namespace
}  // namespace slipway::engine
