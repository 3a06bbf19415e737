#include "engine/seq2seq.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <future>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/fake_decoder.h"
#include "engine/seq2seq_model.h"
#include "engine/seq2seq_scheduler.h"
#include "support/tiny_seq2seq.h"

namespace slipway::engine {
namespace {

constexpr int kPages = 64;
constexpr int kContext = 64;

class TinySeq2Seq : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    gold = tests::tiny_seq2seq_gold(GetParam());
    tests::write_tiny_decoder(folder.path() / "model", gold);
    opened = model::open_seq2seq(folder.path() / "model");
    ids = gold.at("ids").get<std::vector<int32_t>>();
  }
  Seq2SeqModel make(base::Isa isa, base::Pool& with, const std::string& type = "auto") const {
    return Seq2SeqModel(opened, {.isa = isa, .weight_type = type, .pages = kPages}, with);
  }
  static std::vector<float> states_of(Seq2SeqModel& model, const std::vector<int32_t>& text) {
    const std::span<const int32_t> one = text;
    std::vector<float> states;
    model.encode({&one, 1}, &states);
    return states;
  }
  // The logits after each of `fed`, one token a pass.
  static std::vector<float> logits_of(Seq2SeqModel& model, const std::vector<int32_t>& source,
                                      const std::vector<int32_t>& fed) {
    const std::span<const int32_t> text = source;
    const auto memory = model.encode({&text, 1}).front();
    std::vector<int32_t> pages;
    std::vector<float> all;
    std::vector<float> logits;
    for (size_t i = 0; i < fed.size(); ++i) {
      if (i % Seq2SeqModel::kPageTokens == 0) {
        pages.push_back(static_cast<int32_t>(7 - pages.size()));
      }
      const HypothesisRow row{fed[i], static_cast<int>(i), pages, memory.get()};
      model.decode({&row, 1}, logits);
      all.insert(all.end(), logits.begin(), logits.end());
    }
    return all;
  }
  Seq2SeqLimits limits() const {
    return {.max_batch_tokens = 50,  // the second source waits for another pass
            .max_sequences = 20,
            .context_length = kContext - 1,
            .pages = kPages,
            .memory_bytes = int64_t{1} << 24,
            .decoder_start_id = opened.spec.decoder_start_id,
            .eos_ids = opened.spec.eos_ids};
  }
  Seq2SeqRequest request_of(const base::Json& settings, std::promise<Seq2SeqResult>& promise) const {
    Seq2SeqRequest request;
    request.ids = ids;
    request.params.apply(settings, "the case", false);
    request.on_done = [&promise](const Seq2SeqResult& result) { promise.set_value(result); };
    return request;
  }

  base::TempDir folder;
  base::Pool pool{2};
  base::Json gold;
  model::OpenedSeq2Seq opened;
  std::vector<int32_t> ids;
};

// `part` of rows `rows` of `got`, against the gold's numbers: 1e-4 of the largest.
void expect_near(const char* what, const std::vector<float>& got, const base::Json& rows, const base::Json& expected) {
  const auto at = rows.get<std::vector<size_t>>();
  const auto values = expected.get<std::vector<std::vector<float>>>();
  const size_t width = values.front().size();
  float worst = 0;
  for (size_t r = 0; r < at.size(); ++r) {
    float largest = 0;
    float difference = 0;
    for (size_t i = 0; i < width; ++i) {
      largest = std::max(largest, std::abs(values[r][i]));
      difference = std::max(difference, std::abs(values[r][i] - got[at[r] * width + i]));
    }
    EXPECT_LE(difference, 1e-4F * largest) << "row " << at[r];
    worst = std::max(worst, difference / largest);
  }
  ::testing::Test::RecordProperty(what, fmt::format("{:.2e}", worst));  // of the largest value
}

TEST_P(TinySeq2Seq, StatesAndLogitsAreTransformers) {
  for (const base::Isa isa : {base::Isa::kScalar, base::select_isa()}) {
    SCOPED_TRACE(base::isa_name(isa));
    Seq2SeqModel model = make(isa, pool);
    expect_near("states", states_of(model, ids), gold.at("encoder_rows"), gold.at("encoder"));
    const auto fed = gold.at("decoder_ids").get<std::vector<int32_t>>();
    expect_near("logits", logits_of(model, ids, fed), gold.at("positions"), gold.at("logits"));
  }
}

TEST_P(TinySeq2Seq, GreedyAndBeamTextsAreTransformersTokenForToken) {
  Seq2SeqModel model = make(base::select_isa(), pool);
  const tests::LetterTokenizer tokenizer;
  Seq2SeqScheduler scheduler(model, tokenizer, limits(), pool);
  const base::Json& cases = gold.at("cases");
  // All at once: requests of different kinds share passes.
  std::vector<std::promise<Seq2SeqResult>> promises(cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    scheduler.submit(request_of(cases[i].at("settings"), promises[i]));
  }
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(base::dump_json(cases[i].at("settings")));
    const Seq2SeqResult result = promises[i].get_future().get();
    ASSERT_FALSE(result.error);
    const auto expected = cases[i].at("ids").get<std::vector<std::vector<int32_t>>>();
    ASSERT_EQ(result.sequences.size(), expected.size());
    for (size_t s = 0; s < expected.size(); ++s) {
      EXPECT_EQ(result.sequences[s].ids, expected[s]) << "sequence " << s;
      if (cases[i].contains("scores")) {
        const float score = cases[i].at("scores")[s].get<float>();
        EXPECT_NEAR(result.sequences[s].score, score, 1e-4F * std::max(1.0F, std::abs(score)));
      }
    }
  }
  const Seq2SeqStats stats = scheduler.stats();
  EXPECT_EQ(stats.source_tokens, cases.size() * ids.size());
  EXPECT_EQ(stats.encoder_passes, cases.size());  // 37 tokens each, 50 a pass
}

// A text's states, memory and logits are the same bits beside others, on one thread, and in any order.
TEST_P(TinySeq2Seq, ATextDependsOnItselfAlone) {
  Seq2SeqModel model = make(base::select_isa(), pool);
  const auto fed = gold.at("decoder_ids").get<std::vector<int32_t>>();
  const std::vector<float> states = states_of(model, ids);
  const std::vector<float> logits = logits_of(model, ids, fed);
  base::Pool one(1);
  Seq2SeqModel alone = make(base::select_isa(), one);
  EXPECT_EQ(states_of(alone, ids), states);
  EXPECT_EQ(logits_of(alone, ids, fed), logits);
  // Three texts in one pass, the middle one ours; then hypotheses of all, with one forked along the way.
  const std::vector<int32_t> shorter(ids.begin() + 5, ids.begin() + 9);
  std::vector<int32_t> longer(ids.rbegin(), ids.rend());
  longer.insert(longer.end(), ids.begin(), ids.begin() + 20);
  const std::span<const int32_t> texts[] = {longer, ids, shorter};
  std::vector<float> together;
  const auto memories = model.encode(texts, &together);
  const auto hidden = static_cast<size_t>(opened.spec.hidden_size);
  EXPECT_TRUE(
      std::equal(states.begin(), states.end(), together.begin() + static_cast<std::ptrdiff_t>(longer.size() * hidden)));
  const auto vocab = static_cast<size_t>(opened.spec.decoder_vocab_size);
  std::vector<std::vector<int32_t>> pages = {{0}, {1}, {2}};
  std::vector<float> got;
  for (size_t i = 0; i < fed.size(); ++i) {
    std::vector<HypothesisRow> rows;
    for (size_t text = 0; text < 3; ++text) {
      if (i > 0 && i % Seq2SeqModel::kPageTokens == 0) {
        pages[text].push_back(static_cast<int32_t>(3 * (i / Seq2SeqModel::kPageTokens) + text));
      }
      rows.push_back({fed[i], static_cast<int>(i), pages[text], memories[text].get()});
    }
    if (i == 9) {  // go on from a copy
      model.copy_page(pages[1][0], 60);
      pages[1][0] = 60;
      rows[1].pages = pages[1];
    }
    model.decode(rows, together);
    got.insert(got.end(), together.begin() + static_cast<std::ptrdiff_t>(vocab),
               together.begin() + static_cast<std::ptrdiff_t>(2 * vocab));
  }
  EXPECT_EQ(got, logits);
}

TEST_P(TinySeq2Seq, SmallerWeightsGiveNearbyLogits) {
  Seq2SeqModel exact = make(base::select_isa(), pool);
  const std::vector<int32_t> fed = gold.at("decoder_ids").get<std::vector<int32_t>>();
  const std::vector<float> expected = logits_of(exact, ids, fed);
  // T5's scores are not scaled by the size of a head: with random weights they are sharp, and rounding moves more.
  // Measured at most 0.19 and 0.40 there, 0.05 and 0.15 elsewhere; unrelated logits would be at 1.4.
  const bool sharp = !opened.spec.scaled_scores;
  for (const auto& [type, bound] : {std::pair{"bf16", sharp ? 0.25 : 0.05}, std::pair{"q8_0", sharp ? 0.5 : 0.15}}) {
    Seq2SeqModel smaller = make(base::select_isa(), pool, type);
    const std::vector<float> got = logits_of(smaller, ids, fed);
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      difference += (got[i] - expected[i]) * (got[i] - expected[i]);
      size += expected[i] * expected[i];
    }
    EXPECT_LT(std::sqrt(difference / size), bound) << type;
    EXPECT_GT(difference, 0) << type;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, TinySeq2Seq, ::testing::ValuesIn(tests::tiny_seq2seq_names()),
                         [](const auto& family) { return family.param; });

class Seq2SeqService : public ::testing::Test {
 protected:
  void SetUp() override {
    gold = tests::tiny_seq2seq_gold("bart");
    tests::write_tiny_decoder(folder.path(), gold);
    tests::write_tiny_tokenizer(folder.path(), 100, {{1, "<pad>"}, {2, "<s>"}, {81, "</s>"}});
  }
  std::unique_ptr<Seq2Seq> load(Seq2SeqOptions options = {}) { return load_seq2seq(folder.path(), options, pool); }
  base::TempDir folder;
  base::Pool pool{2};
  base::Json gold;
};

TEST_F(Seq2SeqService, DrawnTextsDependOnTheSeedAlone) {
  const auto model = load();
  std::vector<Seq2SeqRequest> requests(4);
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].ids = gold.at("ids").get<std::vector<int32_t>>();
    requests[i].params.do_sample = true;
    requests[i].params.num_return_sequences = 2;
    requests[i].params.max_new_tokens = 12;
    requests[i].params.seed = i < 3 ? 7 : 8;
  }
  requests[1].params.num_return_sequences = 1;
  const std::vector<Seq2SeqResult> results = generate(*model, requests);
  EXPECT_EQ(results[0].sequences[0].ids, results[1].sequences[0].ids);
  EXPECT_EQ(results[0].sequences[1].ids, results[2].sequences[1].ids);
  EXPECT_NE(results[0].sequences[0].ids, results[0].sequences[1].ids);
  EXPECT_NE(results[0].sequences[0].ids, results[3].sequences[0].ids);
}

TEST_F(Seq2SeqService, RefusesWhatItCannotDo) {
  const auto model = load({.max_queue = 2, .context_length = 40});
  const auto refused = [&](const std::function<void(Seq2SeqRequest&)>& change) {
    Seq2SeqRequest request;
    request.ids = {5, 6};
    request.params.max_new_tokens = 4;
    change(request);
    try {
      model->submit(request);
      return std::string("taken");
    } catch (const base::Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(refused([](Seq2SeqRequest&) {}), "taken");
  EXPECT_NE(refused([](Seq2SeqRequest& r) { r.ids.clear(); }).find("between 1 and 40"), std::string::npos);
  EXPECT_NE(refused([](Seq2SeqRequest& r) { r.ids.resize(41, 5); }).find("41 tokens"), std::string::npos);
  EXPECT_NE(refused([](Seq2SeqRequest& r) { r.ids = {100}; }).find("token 100"), std::string::npos);
  EXPECT_NE(refused([](Seq2SeqRequest& r) { r.params.max_new_tokens = 41; }).find("41 tokens"), std::string::npos);
  EXPECT_NE(refused([](Seq2SeqRequest& r) { r.params.num_return_sequences = 2; }).find("num_beams"), std::string::npos);
  EXPECT_NE(refused([](Seq2SeqRequest& r) {
              r.params.do_sample = true;
              r.params.num_beams = 2;
            }).find("do_sample"),
            std::string::npos);
  EXPECT_NE(refused([](Seq2SeqRequest& r) { r.params.forced_bos_token_id = 100; }).find("forced_bos"),
            std::string::npos);
  EXPECT_NE(refused([](Seq2SeqRequest& r) { r.params.num_beams = 65; }).find("max_sequences"), std::string::npos);
  model->drain(std::chrono::seconds(10));
  EXPECT_NE(refused([](Seq2SeqRequest&) {}).find("unloaded"), std::string::npos);
}

TEST_F(Seq2SeqService, CancelledRequestsEndAndLeaveTheOthersAlone) {
  const auto model = load();
  const auto ids = gold.at("ids").get<std::vector<int32_t>>();
  Seq2SeqRequest request;
  request.ids = ids;
  request.params.apply(gold.at("cases")[2].at("settings"), "case", false);
  const auto expected = generate(*model, {request}).front().sequences.front().ids;
  std::promise<Seq2SeqResult> gone;
  Seq2SeqRequest other;
  other.ids = ids;
  other.params.max_new_tokens = 60;
  other.params.min_new_tokens = 60;
  other.params.num_beams = 8;
  other.on_done = [&](const Seq2SeqResult& result) { gone.set_value(result); };
  const uint64_t handle = model->submit(other);
  EXPECT_TRUE(model->cancel(handle));
  EXPECT_EQ(generate(*model, {request}).front().sequences.front().ids, expected);
  EXPECT_TRUE(gone.get_future().get().cancelled);
  EXPECT_FALSE(model->cancel(handle));
  EXPECT_EQ(model->stats().running, 0);
}

TEST_F(Seq2SeqService, ManyRequestsShareASmallCache) {
  // 1 MB: a dozen hypotheses of 60 tokens; the others wait and all end.
  const auto model = load({.max_sequences = 12, .kv_cache_mb = 1});
  std::vector<Seq2SeqRequest> requests(30);
  const auto ids = gold.at("ids").get<std::vector<int32_t>>();
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].ids.assign(ids.begin(), ids.begin() + 1 + static_cast<std::ptrdiff_t>(i));
    requests[i].params.num_beams = 1 + static_cast<int>(i % 4);
    requests[i].params.max_new_tokens = 10 + static_cast<int>(i);
  }
  const std::vector<Seq2SeqResult> together = generate(*model, requests);
  for (size_t i = 0; i < requests.size(); i += 7) {
    EXPECT_EQ(generate(*model, {requests[i]}).front().sequences.front().ids, together[i].sequences.front().ids) << i;
  }
  EXPECT_LT(model->stats().decoder_passes, model->stats().generated_tokens / 3);
}

TEST_F(Seq2SeqService, ReadsWhatGenerationConfigSays) {
  base::write_file_atomic(folder.path() / "generation_config.json",
                          R"({"num_beams": 3, "early_stopping": true, "max_length": 9, "forced_bos_token_id": [5],
                              "eos_token_id": [81, 6], "bad_words_ids": [[7]], "transformers_version": "5.0"})");
  const auto model = load();
  const Seq2SeqParams& params = model->info().defaults;
  EXPECT_EQ(params.num_beams, 3);
  EXPECT_EQ(params.early_stopping, "true");
  EXPECT_EQ(params.max_length, 9);
  EXPECT_EQ(params.forced_bos_token_id, 5);
  EXPECT_EQ(model->info().eos_ids, (std::vector<int32_t>{81, 6}));
  for (const char* broken :
       {R"({"num_beams": "many"})", R"({"num_beams": 0})", R"({"eos_token_id": 100})", R"({"bad_words_ids": 7})",
        R"({"num_beam_groups": 2})", R"({"forced_bos_token_id": [1, 2]})", R"({"early_stopping": "soon"})"}) {
    base::write_file_atomic(folder.path() / "generation_config.json", broken);
    EXPECT_THROW(load(), base::Error) << broken;
  }
}

TEST(Seq2SeqParams, TellsUnknownNames) {
  Seq2SeqParams params;
  try {
    params.apply({{"num_beam", 2}}, "the request", false);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find("num_beams"), std::string::npos) << error.what();
  }
  EXPECT_NO_THROW(params.apply({{"num_beam", 2}}, "a file", true));
}

}  // namespace
}  // namespace slipway::engine
