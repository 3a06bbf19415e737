// Beam search of decoders: transformers' texts (tests/gold/decoder_beams.py), and pages that may not show.
#include <cmath>
#include <future>
#include <gtest/gtest.h>

#include "engine/decoder.h"
#include "engine/fake_decoder.h"
#include "engine/scheduler.h"
#include "kernels/decoder_ops.h"
#include "support/tiny_decoder.h"

namespace slipway::engine {
namespace {

using tests::FakeDecoder;
using tests::LetterTokenizer;

std::future<GenerateResult> submit(Scheduler& scheduler, GenerateRequest request) {
  auto promise = std::make_shared<std::promise<GenerateResult>>();
  request.on_done = [promise](const GenerateResult& result) { promise->set_value(result); };
  scheduler.submit(std::move(request));
  return promise->get_future();
}

std::vector<std::vector<int32_t>> texts_of(const GenerateResult& result) {
  std::vector<std::vector<int32_t>> texts = {result.ids};
  for (const GenerateResult& other : result.others) {
    texts.push_back(other.ids);
  }
  return texts;
}

GenerateRequest request_of_gold(const base::Json& one, const std::vector<int32_t>& prompt) {
  GenerateRequest request;
  request.ids = prompt;
  for (const auto& [key, value] : one.at("generate").items()) {
    if (key == "max_new_tokens") {
      request.max_tokens = value.get<int>();
    } else if (key == "min_new_tokens") {
      request.sampling.min_tokens = value.get<int>();
    } else if (key == "repetition_penalty") {
      request.sampling.repetition_penalty = value.get<double>();
    } else if (key == "early_stopping") {
      request.beams.early_stopping = value.is_boolean() ? (value.get<bool>() ? "true" : "false") : "never";
    } else {
      base::FieldTable table;
      request.beams.describe(table);
      table.apply({{key, value}}, "gold");
    }
  }
  request.sampling.stop_token_ids = one.at("end_ids").get<std::vector<int32_t>>();
  return request;
}

// Several at once and a cache that holds some of them only: some searches begin anew.
TEST(DecoderBeams, TextsAreTransformersTokenForToken) {
  const auto path = tests::source_dir() / "tests" / "gold" / "decoder_beams.json";
  const base::Json gold = base::parse_json(base::read_file(path), path.string());
  base::Pool pool(2);
  std::map<std::string, std::vector<base::Json>> families;
  for (const base::Json& one : gold.at("cases")) {
    families[one.at("family").get<std::string>()].push_back(one);
  }
  ASSERT_EQ(families.size(), 6U);
  for (const auto& [family, cases] : families) {
    base::TempDir folder;
    const base::Json model = tests::tiny_decoder_gold(family);
    tests::write_tiny_decoder(folder.path() / "model", model);
    constexpr int kPages = 24;  // not enough for all at once
    Decoder decoder(model::open_decoder(folder.path() / "model"),
                    {.isa = base::select_isa(),
                     .kv_type = kernels::KvType::kF32,
                     .page_tokens = 16,
                     .kv_pages = kPages,
                     .context_length = 96},
                    pool);
    const LetterTokenizer tokenizer;
    Scheduler scheduler(
        decoder, tokenizer,
        {.max_batch_tokens = 9,
         .max_sequences = 16,
         .context_length = 96,
         .kv_pages = kPages,
         .page_tokens = 16,
         .eos_ids = {}},
        pool);
    std::vector<std::future<GenerateResult>> results;
    results.reserve(cases.size());
    for (const base::Json& one : cases) {
      results.push_back(submit(scheduler, request_of_gold(one, model.at("ids").get<std::vector<int32_t>>())));
    }
    for (size_t i = 0; i < cases.size(); ++i) {
      const GenerateResult result = results[i].get();
      if (result.error) {
        std::rethrow_exception(result.error);
      }
      EXPECT_EQ(texts_of(result), cases[i].at("sequences").get<std::vector<std::vector<int32_t>>>())
          << family << " case " << i;
      const auto scores = cases[i].at("scores").get<std::vector<float>>();
      // Sums of up to 40 f32 log-probabilities of logits that agree to 1e-4.
      EXPECT_NEAR(result.score, scores[0], 2e-3 * std::max(1.0F, std::abs(scores[0]))) << family << " case " << i;
    }
  }
}

// The search over the fake model without pages.
std::vector<Hypothesis> expected(const GenerateRequest& request, int context) {
  const int longest = std::min(context, static_cast<int>(request.ids.size()) + request.max_tokens);
  BeamSearch search(beam_options(request.beams, longest, {LetterTokenizer::kEnd}), request.ids);
  for (;;) {
    std::vector<float> all;
    for (const Hypothesis& one : search.running()) {
      std::vector<float> row = FakeDecoder::logits_after(one.ids);
      kernels::log_softmax(base::select_isa(), LetterTokenizer::kVocab, row.data());
      all.insert(all.end(), row.begin(), row.end());
    }
    if (!search.step(all, LetterTokenizer::kVocab)) {
      return search.best(request.beams.num_return_sequences);
    }
  }
}

GenerateRequest random_request(base::Rng& rng) {
  GenerateRequest request;
  request.ids.assign(rng.below(14), static_cast<int32_t>(rng.below(2)));
  for (size_t n = 1 + rng.below(4); n > 0; --n) {
    request.ids.push_back(static_cast<int32_t>(rng.below(26)));
  }
  request.max_tokens = static_cast<int>(1 + rng.below(20));
  request.sampling.seed = rng.next();
  if (rng.below(4) > 0) {
    request.beams.num_beams = static_cast<int>(2 + rng.below(4));
    request.beams.num_return_sequences =
        static_cast<int>(1 + rng.below(static_cast<uint64_t>(request.beams.num_beams)));
    request.beams.length_penalty = static_cast<double>(rng.below(5)) - 1.0;
    request.beams.early_stopping = std::vector<std::string>{"false", "true", "never"}[rng.below(3)];
  }
  return request;
}

// Copies of pages, pages shared with others' prompts, searches begun anew: the texts are those of a search alone.
TEST(DecoderBeams, PagesDoNotShow) {
  base::Rng rng(5);
  const LetterTokenizer tokenizer;
  base::Pool pool(2);
  for (const int pages : {48, 64, 400}) {
    FakeDecoder decoder(pages, 4);
    Scheduler scheduler(decoder, tokenizer,
                        {.max_batch_tokens = 12,
                         .max_sequences = 8,
                         .context_length = 32,
                         .kv_pages = pages,
                         .page_tokens = 4,
                         .speculate = 3,
                         .eos_ids = {LetterTokenizer::kEnd}},
                        pool);
    for (int round = 0; round < 6; ++round) {
      std::vector<GenerateRequest> requests;
      std::vector<std::future<GenerateResult>> results;
      for (int i = 0; i < 10; ++i) {
        requests.push_back(random_request(rng));
        results.push_back(submit(scheduler, requests.back()));
      }
      for (size_t i = 0; i < requests.size(); ++i) {
        const GenerateResult result = results[i].get();
        ASSERT_FALSE(result.error);
        if (requests[i].beams.num_beams == 1) {
          ASSERT_EQ(result.ids,
                    FakeDecoder::expected(requests[i], *requests[i].sampling.seed, {LetterTokenizer::kEnd}, 32));
          continue;
        }
        const std::vector<Hypothesis> best = expected(requests[i], 32);
        const auto prompt = static_cast<std::ptrdiff_t>(requests[i].ids.size());
        const std::vector<std::vector<int32_t>> texts = texts_of(result);
        ASSERT_EQ(texts.size(), best.size());
        for (size_t t = 0; t < texts.size(); ++t) {
          ASSERT_EQ(texts[t], std::vector<int32_t>(best[t].ids.begin() + prompt, best[t].ids.end())) << pages;
        }
        const bool ended = texts[0].back() == LetterTokenizer::kEnd;
        ASSERT_EQ(result.text, tokenizer.decode(texts[0], true));
        ASSERT_EQ(result.text_tail, result.text);
        ASSERT_EQ(result.finish_reason, ended ? FinishReason::kStop : FinishReason::kLength);
        ASSERT_EQ(result.usage.completion_tokens, static_cast<int>(texts[0].size()));
      }
    }
    EXPECT_GT(decoder.copies, 0);
    const GeneratorStats stats = scheduler.stats();
    EXPECT_EQ(stats.kv_pages_free + stats.kv_pages_cached, stats.kv_pages);  // none is lost
  }
}

TEST(DecoderBeams, RefusesWhatDoesNotGoTogether) {
  const LetterTokenizer tokenizer;
  base::Pool pool(1);
  FakeDecoder decoder(16, 4);
  Scheduler scheduler(decoder, tokenizer,
                      {.max_batch_tokens = 6,
                       .max_sequences = 8,
                       .context_length = 32,
                       .kv_pages = 16,
                       .page_tokens = 4,
                       .eos_ids = {}},
                      pool);
  const auto refused = [&](const std::string& word, const std::function<void(GenerateRequest&)>& change) {
    GenerateRequest request;
    request.ids = {1, 2, 3};
    request.max_tokens = 4;
    request.beams.num_beams = 3;
    change(request);
    try {
      scheduler.submit(request);
      ADD_FAILURE() << word;
    } catch (const base::Error& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  refused("num_return_sequences", [](GenerateRequest& r) { r.beams.num_return_sequences = 4; });
  refused("at most 6 hypotheses", [](GenerateRequest& r) { r.beams.num_beams = 7; });
  refused("max_tokens", [](GenerateRequest& r) { r.max_tokens = 0; });
  refused("stop texts", [](GenerateRequest& r) { r.sampling.stop = {"x"}; });
  refused("log-probabilities", [](GenerateRequest& r) { r.sampling.top_logprobs = 0; });
  refused("presence", [](GenerateRequest& r) { r.sampling.presence_penalty = 1; });
  refused("kv_cache_mb", [](GenerateRequest& r) { r.max_tokens = 29; });
  refused("no_repeat_ngram_size", [](GenerateRequest& r) {
    r.beams.num_beams = 1;
    r.beams.no_repeat_ngram_size = 2;
  });
}

}  // namespace
}  // namespace slipway::engine
