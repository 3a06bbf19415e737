// LSTM and GRU against torch.nn (tests/gold/recurrent_models.py).
#include <cmath>
#include <future>
#include <gtest/gtest.h>
#include <numeric>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/fake_decoder.h"
#include "engine/helpers.h"
#include "engine/recurrent_decoder.h"
#include "engine/scheduler.h"
#include "support/support.h"
#include "support/tiny_encoder.h"

namespace slipway::engine {
namespace {

base::Json gold_of(const std::string& name) {
  const auto path = tests::source_dir() / "tests" / "gold" / ("recurrent_" + name + ".json");
  return base::parse_json(base::read_file(path), path.string());
}

std::vector<Input> inputs_of(const base::Json& gold) {
  std::vector<Input> inputs;
  for (const auto& ids : gold.at("texts").get<std::vector<std::vector<int32_t>>>()) {
    inputs.push_back({.ids = ids, .hidden = true});
  }
  return inputs;
}

class RecurrentText : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    gold = gold_of(GetParam());
    tests::write_tiny_decoder(folder.path(), gold);
    base::write_file_atomic(folder.path() / model::kTokenizerFile, tests::tiny_tokenizer_json());
  }
  base::TempDir folder;
  base::Json gold;
};

// 1e-4, absolutely: states are within [-1, 1], logits of a few.
TEST_P(RecurrentText, LogitsAndStatesAreTorchs) {
  const std::vector<Input> inputs = inputs_of(gold);
  const auto positions = gold.at("positions").get<std::vector<std::vector<int>>>();
  const auto hidden = gold.at("hidden").get<std::vector<std::vector<std::vector<float>>>>();
  double worst = 0;
  for (const char* isa : {"scalar", "avx2", "avx512"}) {
    for (const int threads : {1, 3}) {
      base::Pool pool(threads);
      const auto engine = Engine::load(folder.path(), {.isa = isa}, pool);
      const Output out = engine->forward(inputs);
      const auto near = [&](float got, float want) {
        worst = std::max(worst, static_cast<double>(std::abs(got - want)));
        ASSERT_NEAR(got, want, 1e-4F) << isa << " threads " << threads;
      };
      for (size_t i = 0; i < inputs.size(); ++i) {
        for (size_t p = 0; p < positions[i].size(); ++p) {
          for (size_t j = 0; j < hidden[i][p].size(); ++j) {
            near(out.hidden[i].row(positions[i][p])[j], hidden[i][p][j]);
          }
        }
        if (gold.contains("logits")) {
          const auto want = gold.at("logits").at(i).get<std::vector<float>>();
          ASSERT_EQ(engine->labels().size(), want.size());
          for (size_t j = 0; j < want.size(); ++j) {
            near(out.logits.row(static_cast<int>(i))[j], want[j]);
          }
        }
      }
    }
  }
  std::printf("%s: largest difference %.1e\n", GetParam().c_str(), worst);
}

TEST_P(RecurrentText, ATextsBitsDoNotDependOnItsNeighbours) {
  const std::vector<Input> inputs = inputs_of(gold);
  base::Pool pool(2);
  base::Pool one(1);
  const auto engine = Engine::load(folder.path(), {}, pool);
  const auto alone = Engine::load(folder.path(), {.max_tokens = 1}, one);
  const Output together = engine->forward(inputs);
  const auto values = [](std::span<const float> row) { return std::vector<float>(row.begin(), row.end()); };
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto row = static_cast<int>(i);
    const Output single = alone->forward(std::span(&inputs[i], 1));
    EXPECT_EQ(single.hidden[0].values, together.hidden[i].values) << i;
    EXPECT_EQ(values(single.logits.row(0)), values(together.logits.row(row))) << i;
    EXPECT_EQ(values(single.embeddings.row(0)), values(together.embeddings.row(row))) << i;
  }
}

TEST_P(RecurrentText, EmbeddingsArePooledAndOfLengthOne) {
  const std::vector<Input> inputs = inputs_of(gold);
  base::Pool pool(2);
  const auto engine = Engine::load(folder.path(), {}, pool);
  const Output out = engine->forward(inputs);
  const std::string pooling = gold.at("config").value("pooling", "last");
  const int hidden = gold.at("config").at("hidden_size").get<int>();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const model::Matrix& states = out.hidden[i];
    std::vector<double> pooled(static_cast<size_t>(states.cols));
    double length = 0;
    for (int j = 0; j < states.cols; ++j) {
      double& value = pooled[static_cast<size_t>(j)];
      if (pooling == "last") {
        value = states.row(j < hidden ? states.rows - 1 : 0)[static_cast<size_t>(j)];
      } else {
        value = pooling == "max" ? -2 : 0;
        for (int r = 0; r < states.rows; ++r) {
          const double x = states.row(r)[static_cast<size_t>(j)];
          value = pooling == "max" ? std::max(value, x) : value + x / states.rows;
        }
      }
      length += value * value;
    }
    for (size_t j = 0; j < pooled.size(); ++j) {
      EXPECT_NEAR(out.embeddings.row(static_cast<int>(i))[j], pooled[j] / std::sqrt(length), 1e-5) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentText,
                         ::testing::Values("lstm_last", "lstm_max", "gru_mean", "gru_last", "lstm_encoder"),
                         [](const auto& name) { return name.param; });

TEST(RecurrentEncoder, Int8IsRefused) {
  const base::TempDir folder;
  tests::write_tiny_decoder(folder.path(), gold_of("gru_last"));
  base::write_file_atomic(folder.path() / model::kTokenizerFile, tests::tiny_tokenizer_json());
  base::Pool pool(1);
  EXPECT_THROW(Engine::load(folder.path(), {.precision = "int8"}, pool), base::Error);
}

constexpr int kPageTokens = 8;
constexpr int kPages = 24;
constexpr int kContext = 96;

class RecurrentModel : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    gold = gold_of(GetParam());
    tests::write_tiny_decoder(folder.path() / "model", gold);
    opened = model::open_recurrent_lm(folder.path() / "model");
    ids = gold.at("ids").get<std::vector<int32_t>>();
  }
  RecurrentDecoder decoder(base::Isa isa, base::Pool& on, const std::string& weight_type = "auto") const {
    return {opened, {.isa = isa, .weight_type = weight_type, .page_tokens = kPageTokens, .pages = kPages}, on};
  }
  static PassRows rows(const std::vector<int32_t>& of, int first, int count, const std::vector<int32_t>& pages) {
    return {std::span(of).subspan(static_cast<size_t>(first), static_cast<size_t>(count)), first, pages, 0};
  }
  GenerateRequest greedy(int max_tokens) const {
    GenerateRequest request;
    request.ids = ids;
    request.max_tokens = max_tokens;
    request.sampling.temperature = 0;
    return request;
  }
  static GenerateResult run(Scheduler& scheduler, GenerateRequest request) {
    std::promise<GenerateResult> promise;
    request.on_done = [&](const GenerateResult& result) { promise.set_value(result); };
    scheduler.submit(std::move(request));
    return promise.get_future().get();
  }
  SchedulerLimits limits(int pages = kPages) const {
    return {.max_batch_tokens = 7,  // the prompt in pieces
            .context_length = kContext,
            .kv_pages = pages,
            .page_tokens = kPageTokens,
            .eos_ids = {}};
  }

  base::TempDir folder;
  base::Pool pool{2};
  base::Json gold;
  model::OpenedRecurrent opened;
  std::vector<int32_t> ids;
  const tests::LetterTokenizer tokenizer;
};

TEST_P(RecurrentModel, LogitsAreTorchs) {
  const auto positions = gold.at("positions").get<std::vector<size_t>>();
  const auto expected = gold.at("logits").get<std::vector<std::vector<float>>>();
  const std::vector<int32_t> pages = {5, 1, 2};
  for (const base::Isa isa : {base::Isa::kScalar, base::select_isa()}) {
    RecurrentDecoder model = decoder(isa, pool);
    const PassRows part = rows(ids, 0, static_cast<int>(ids.size()), pages);
    std::vector<float> logits;
    model.forward({&part, 1}, logits);
    const auto vocab = static_cast<size_t>(model.vocab_size());
    for (size_t p = 0; p < positions.size(); ++p) {
      for (size_t i = 0; i < vocab; ++i) {
        ASSERT_NEAR(logits[positions[p] * vocab + i], expected[p][i], 1e-4F) << positions[p] << " token " << i;
      }
    }
  }
}

// Whatever pieces a text comes in, alone or beside another one, on any pages: the same bits.
TEST_P(RecurrentModel, ARowDependsOnItsTextAlone) {
  const std::vector<int32_t> other(ids.rbegin(), ids.rend());
  const std::vector<int32_t> pages = {5, 1, 2};
  const std::vector<int32_t> other_pages = {0, 9, 7};
  const auto size = static_cast<int>(ids.size());
  std::vector<float> whole;
  base::Pool one(1);
  RecurrentDecoder alone = decoder(base::select_isa(), one);
  const PassRows all = rows(ids, 0, size, pages);
  alone.forward({&all, 1}, whole);
  for (const int piece : {1, 3, 8, 10}) {
    RecurrentDecoder model = decoder(base::select_isa(), pool);
    std::vector<float> got;
    std::vector<float> logits;
    for (int first = 0; first < size; first += piece) {
      const int count = std::min(piece, size - first);
      const PassRows both[] = {rows(other, first, count, other_pages), rows(ids, first, count, pages)};
      model.forward(both, logits);
      got.insert(got.end(), logits.begin() + static_cast<std::ptrdiff_t>(logits.size() / 2), logits.end());
    }
    EXPECT_EQ(got, whole) << piece;
  }
}

TEST_P(RecurrentModel, GreedyTextIsTorchsTokenForToken) {
  RecurrentDecoder model = decoder(base::select_isa(), pool);
  Scheduler scheduler(model, tokenizer, limits(), pool);
  const auto expected = gold.at("greedy").get<std::vector<int32_t>>();
  EXPECT_EQ(run(scheduler, greedy(static_cast<int>(expected.size()))).ids, expected);
}

// A text that begins like an earlier one goes on from that one's state, and says the same.
TEST_P(RecurrentModel, StatesOfEqualBeginningsAreShared) {
  RecurrentDecoder model = decoder(base::select_isa(), pool);
  Scheduler scheduler(model, tokenizer, limits(), pool);
  const GenerateResult first = run(scheduler, greedy(20));
  const GenerateResult again = run(scheduler, greedy(20));
  EXPECT_EQ(first.usage.cached_tokens, 0);
  EXPECT_EQ(again.usage.cached_tokens, 16);  // of 24, whole pages before the last token
  EXPECT_EQ(again.ids, first.ids);
}

// Three texts that together need more pages than there are: some are pushed out, computed again, and say the same.
TEST_P(RecurrentModel, TextsPushedOutSayTheSame) {
  RecurrentDecoder model = decoder(base::select_isa(), pool);
  SchedulerLimits few = limits(14);
  few.prefix_cache = false;
  Scheduler scheduler(model, tokenizer, few, pool);
  const GenerateResult alone = run(scheduler, greedy(60));
  std::vector<std::promise<GenerateResult>> promises(3);
  for (auto& promise : promises) {
    GenerateRequest request = greedy(60);
    request.on_done = [&promise](const GenerateResult& result) { promise.set_value(result); };
    scheduler.submit(std::move(request));
  }
  for (auto& promise : promises) {
    EXPECT_EQ(promise.get_future().get().ids, alone.ids);
  }
}

TEST_P(RecurrentModel, SmallerWeightsAreNear) {
  const std::vector<int32_t> pages = {0, 1, 2};
  const PassRows part = rows(ids, 0, static_cast<int>(ids.size()), pages);
  std::vector<float> exact;
  std::vector<float> logits;
  decoder(base::select_isa(), pool).forward({&part, 1}, exact);
  for (const char* type : {"f16", "bf16", "q8_0"}) {
    decoder(base::select_isa(), pool, type).forward({&part, 1}, logits);
    EXPECT_GT(tests::cosine(logits, exact), 0.99) << type;
    EXPECT_NE(logits, exact) << type;
  }
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentModel, ::testing::Values("lstm_lm", "gru_lm"),
                         [](const auto& name) { return name.param; });

TEST(RecurrentGenerator, LoadsWhatTorchNamesAndScores) {
  const base::TempDir folder;
  const base::Json gold = gold_of("lstm_lm");
  tests::write_tiny_decoder(folder.path(), gold);
  base::write_file_atomic(folder.path() / model::kTokenizerFile, tests::tiny_tokenizer_json());
  base::Pool pool(2);
  const auto generator = load_generator(folder.path(), {}, pool);
  EXPECT_EQ(generator->info().architecture, "lstm");
  EXPECT_EQ(generator->info().eos_ids, std::vector<int32_t>{2});
  GenerateRequest request;
  request.ids = gold.at("ids").get<std::vector<int32_t>>();
  request.max_tokens = 24;
  request.sampling.temperature = 0;
  request.sampling.ignore_eos = true;
  EXPECT_EQ(generate(*generator, request).ids, gold.at("greedy").get<std::vector<int32_t>>());
  // log p of the last token from the gold logits at the one before the greedy text's first.
  std::vector<int32_t> longer = request.ids;
  longer.push_back(gold.at("greedy").at(0).get<int32_t>());
  const auto logits = gold.at("logits").at(2).get<std::vector<double>>();
  double sum = 0;
  for (const double x : logits) {
    sum += std::exp(x);
  }
  const std::vector<float> scores = score(*generator, longer);
  EXPECT_NEAR(scores.back(), logits[static_cast<size_t>(longer.back())] - std::log(sum), 1e-4);
  // Beams go on from copies of states: each text's score is what reading it gives.
  request.beams = {.num_beams = 4, .num_return_sequences = 3};
  const GenerateResult found = generate(*generator, request);
  ASSERT_EQ(found.others.size(), 2U);
  std::vector<GenerateResult> all = found.others;
  all.push_back(found);
  for (const GenerateResult& one : all) {
    std::vector<int32_t> text = request.ids;
    text.insert(text.end(), one.ids.begin(), one.ids.end());
    const std::vector<float> read = score(*generator, text);
    const double total = std::accumulate(read.end() - std::ssize(one.ids), read.end(), 0.0);
    EXPECT_NEAR(one.score, total / static_cast<double>(one.ids.size()), 1e-4);
    EXPECT_LE(one.score, found.score);
  }
  EXPECT_THROW(load_generator(folder.path(), {.speculate = 4}, pool), base::Error);
}

}  // namespace
}  // namespace slipway::engine
