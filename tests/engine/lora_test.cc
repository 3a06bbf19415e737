// LoRA adapters beside a decoder: peft's numbers, any mixture of adapters in one pass, no sharing of keys and values.
#include <algorithm>
#include <cmath>
#include <future>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/decoder.h"
#include "engine/fake_decoder.h"
#include "engine/scheduler.h"
#include "support/tiny_lora.h"

namespace slipway::engine {
namespace {

constexpr int kPageTokens = 16;
constexpr int kPages = 24;
constexpr int kContext = 96;

class TinyLora : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    gold = tests::tiny_decoder_gold(GetParam());
    lora = tests::tiny_lora_gold(GetParam());
    tests::write_tiny_decoder(folder.path() / "model", gold);
    opened = model::open_decoder(folder.path() / "model");
    ids = gold.at("ids").get<std::vector<int32_t>>();
    for (const float scale : {1.0F, -1.5F}) {
      const auto path = folder.path() / std::to_string(adapters.size());
      tests::write_tiny_lora(path, lora.at("config"), lora.at("tensors"), scale);
      adapters.push_back(model::read_lora(path, opened.spec));
    }
  }
  std::unique_ptr<Decoder> decoder_on(base::Isa isa, base::Pool& on, const std::string& weight_type = "auto") const {
    auto decoder = std::make_unique<Decoder>(opened,
                                             DecoderOptions{.isa = isa,
                                                            .weight_type = weight_type,
                                                            .kv_type = kernels::KvType::kF32,
                                                            .page_tokens = kPageTokens,
                                                            .kv_pages = kPages,
                                                            .context_length = kContext},
                                             on);
    for (const model::LoraAdapter& adapter : adapters) {
      EXPECT_GT(decoder->add_adapter(adapter), 0);
    }
    return decoder;
  }
  // Logits of all ids, on pages of their own.
  std::vector<float> alone(Decoder& decoder, int adapter) const {
    const std::vector<int32_t> pages = {0, 1};
    const PassRows rows{ids, 0, pages, 0, adapter};
    std::vector<float> logits;
    decoder.forward({&rows, 1}, logits);
    return logits;
  }

  base::TempDir folder;
  base::Pool pool{2};
  base::Json gold;
  base::Json lora;
  model::OpenedDecoder opened;
  std::vector<int32_t> ids;
  std::vector<model::LoraAdapter> adapters;  // the gold's, and another one
};

// 1e-4 of the largest logit, as without an adapter.
TEST_P(TinyLora, LogitsArePefts) {
  for (const base::Isa isa : {base::Isa::kScalar, base::Isa::kAvx2, base::select_isa()}) {
    if (isa > base::select_isa()) {
      continue;
    }
    const auto decoder = decoder_on(isa, pool);
    const std::vector<float> logits = alone(*decoder, 0);
    const auto vocab = static_cast<size_t>(decoder->vocab_size());
    const auto positions = gold.at("positions").get<std::vector<size_t>>();
    const auto expected = lora.at("logits").get<std::vector<std::vector<float>>>();
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

TEST_P(TinyLora, WithoutAnAdapterTheModelIsItself) {
  const auto decoder = decoder_on(base::select_isa(), pool);
  const std::vector<float> with = alone(*decoder, -1);
  adapters.clear();
  EXPECT_EQ(alone(*decoder_on(base::select_isa(), pool), -1), with);
}

// Rows of both adapters and of none, in one pass and in pieces: the bits of each are those of a pass of its own.
TEST_P(TinyLora, ARowDependsOnItsTextAndItsAdapterAlone) {
  for (const char* type : {"auto", "q8_0"}) {
    const auto decoder = decoder_on(base::select_isa(), pool, type);
    const auto vocab = static_cast<size_t>(decoder->vocab_size());
    const std::vector<int> order = {0, -1, 1, 0, -1};
    std::vector<std::vector<float>> expected;
    for (const int adapter : order) {
      expected.push_back(alone(*decoder, adapter));
    }
    EXPECT_NE(expected[0], expected[1]);
    EXPECT_NE(expected[0], expected[2]);
    EXPECT_EQ(expected[0], expected[3]);
    std::vector<std::vector<int32_t>> pages;
    for (int32_t i = 0; i < static_cast<int32_t>(order.size()); ++i) {
      pages.push_back({2 * i + 1, 2 * i});
    }
    std::vector<std::vector<float>> got(order.size());
    std::vector<size_t> done(order.size());
    for (size_t step = 0; std::any_of(done.begin(), done.end(), [&](size_t d) { return d < ids.size(); }); ++step) {
      std::vector<PassRows> rows;
      std::vector<size_t> who;
      for (size_t s = 0; s < order.size(); ++s) {
        const size_t count = std::min((step * 5 + s * 3) % 7, ids.size() - done[s]);
        if (count > 0) {
          rows.push_back({std::span(ids).subspan(done[s], count), static_cast<int>(done[s]), pages[s], 0, order[s]});
          who.push_back(s);
          done[s] += count;
        }
      }
      std::vector<float> logits;
      if (!rows.empty()) {
        decoder->forward(rows, logits);
      }
      auto at = logits.begin();
      for (size_t i = 0; i < rows.size(); ++i) {
        const auto end = at + static_cast<std::ptrdiff_t>(rows[i].ids.size() * vocab);
        got[who[i]].insert(got[who[i]].end(), at, end);
        at = end;
      }
    }
    for (size_t s = 0; s < order.size(); ++s) {
      EXPECT_EQ(got[s], expected[s]) << type << " sequence " << s;
    }
  }
}

// Greedy texts token for token, with prompts that are equal: pages of one adapter must not serve another.
TEST_P(TinyLora, GreedyTextsArePeftsBesideEachOther) {
  const auto decoder = decoder_on(base::select_isa(), pool);
  const tests::LetterTokenizer tokenizer;
  Scheduler scheduler(*decoder, tokenizer,
                      {.max_batch_tokens = 11,
                       .context_length = kContext,
                       .kv_pages = kPages,
                       .page_tokens = kPageTokens,
                       .speculate = 2,
                       .eos_ids = {},
                       .adapters = {"first", "second"}},
                      pool);
  const auto base_text = gold.at("greedy").get<std::vector<int32_t>>();
  const auto lora_text = lora.at("greedy").get<std::vector<int32_t>>();
  ASSERT_NE(base_text, lora_text);
  const auto start = [&](const std::string& adapter) {
    auto promise = std::make_shared<std::promise<GenerateResult>>();
    GenerateRequest request;
    request.ids = ids;
    request.adapter = adapter;
    request.max_tokens = static_cast<int>(lora_text.size());
    request.sampling.temperature = 0;
    request.on_done = [promise](const GenerateResult& result) { promise->set_value(result); };
    auto future = promise->get_future();
    scheduler.submit(std::move(request));
    return future;
  };
  for (int round = 0; round < 2; ++round) {  // the second one finds pages of the first
    std::vector<std::pair<std::string, std::future<GenerateResult>>> all;
    for (const char* adapter : {"first", "", "second", "first", ""}) {
      all.emplace_back(adapter, start(adapter));
    }
    for (auto& [adapter, future] : all) {
      const GenerateResult result = future.get();
      if (adapter != "second") {
        EXPECT_EQ(result.ids, adapter.empty() ? base_text : lora_text) << round << adapter;
      }
      if (round == 1) {
        EXPECT_EQ(result.usage.cached_tokens, kPageTokens) << adapter;
      }
    }
  }
  try {
    start("third");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kNotFound);
    EXPECT_NE(std::string(error.what()).find("first, second"), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Families, TinyLora, ::testing::ValuesIn(tests::tiny_decoder_names()),
                         [](const auto& family) { return family.param; });

}  // namespace
}  // namespace slipway::engine
