#include "engine/engine.h"

#include <thread>

#include "base/error.h"
#include "engine/helpers.h"
#include "engine/reference_bert.h"
#include "support/support.h"

namespace slipway::engine {
namespace {

using tests::TinyBert;

// Row strides, panels and heads that fill no vector exactly.
TinyBert odd_bert() { return {.hidden = 36, .layers = 3, .heads = 3, .intermediate = 75, .positions = 70}; }

void expect_reference(const Engine& engine, const std::filesystem::path& folder,
                      const std::vector<std::vector<int32_t>>& texts, const Output& out, double tolerance) {
  const tests::ReferenceBert reference(folder);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto expected = reference.run(texts[i]);
    const auto logits = out.logits.row(static_cast<int>(i));
    ASSERT_EQ(logits.size(), expected.logits.size());
    for (size_t j = 0; j < logits.size(); ++j) {
      EXPECT_NEAR(logits[j], expected.logits[j], tolerance) << "text " << i << " " << base::isa_name(engine.isa());
    }
    const auto embedding = out.embeddings.row(static_cast<int>(i));
    for (size_t j = 0; j < embedding.size(); ++j) {
      EXPECT_NEAR(embedding[j], expected.embedding[j], tolerance) << "text " << i;
    }
  }
}

TEST(Engine, EqualsTheReferenceOnEveryInstructionSet) {
  for (const TinyBert& tiny :
       {TinyBert{}, odd_bert(), TinyBert{.activation = "gelu_new"}, TinyBert{.activation = "relu"}}) {
    const base::TempDir folder;
    const auto spec = tests::write_tiny_bert(folder.path(), tiny);
    const auto texts = tests::random_texts(3, 6, tiny.positions, spec.vocab_size);
    base::Pool pool(2);
    for (const char* isa : {"scalar", "avx2", "avx512", "avx512_vnni"}) {
      const auto engine = Engine::load(folder.path(), {.isa = isa}, pool);
      expect_reference(*engine, folder.path(), texts, engine->forward(texts), 2e-5);
    }
  }
}

TEST(Engine, AnEncoderAloneGivesEmbeddings) {
  const base::TempDir folder;
  const auto spec = tests::write_tiny_bert(folder.path(), {.labels = {}, .pooler = false});
  base::Pool pool(1);
  const auto engine = Engine::load(folder.path(), {}, pool);
  const auto texts = tests::random_texts(4, 3, 20, spec.vocab_size);
  const Output out = engine->forward(texts);
  EXPECT_EQ(out.logits.cols, 0);
  EXPECT_TRUE(engine->labels().empty());
  expect_reference(*engine, folder.path(), texts, out, 2e-5);
}

// Bits, on purpose: what else is in the batch and how it is cut must not show.
void expect_same_bits_alone_and_together(const std::filesystem::path& folder, const EngineOptions& options) {
  base::Pool one(1);
  const auto engine = Engine::load(folder, options, one);
  const auto texts = tests::random_texts(5, 40, 60, engine->spec().vocab_size);
  const Output together = engine->forward(texts);
  for (size_t i = 0; i < texts.size(); ++i) {
    const Output alone = engine->forward(std::span(&texts[i], 1));
    const auto row = together.logits.row(static_cast<int>(i));
    ASSERT_EQ(alone.logits.values, std::vector<float>(row.begin(), row.end()));
    const auto embedding = together.embeddings.row(static_cast<int>(i));
    ASSERT_EQ(alone.embeddings.values, std::vector<float>(embedding.begin(), embedding.end()));
  }
  for (const int threads : {2, 3}) {
    base::Pool pool(threads);
    const auto threaded = Engine::load(folder, options, pool);
    const Output out = threaded->forward(texts);
    EXPECT_EQ(out.logits.values, together.logits.values);
    EXPECT_EQ(out.embeddings.values, together.embeddings.values);
    for (size_t i = 0; i < texts.size(); i += 7) {  // one text alone is shared by the threads
      const auto row = together.logits.row(static_cast<int>(i));
      EXPECT_EQ(threaded->forward(std::span(&texts[i], 1)).logits.values, std::vector<float>(row.begin(), row.end()));
    }
  }
}

TEST(Engine, ATextsBitsDependOnItAlone) {
  const base::TempDir folder;
  tests::write_tiny_bert(folder.path(), odd_bert());
  tests::write_int8(folder.path(), true);
  for (const char* precision : {"float32", "int8"}) {
    for (const char* isa : {"avx2", ""}) {
      expect_same_bits_alone_and_together(folder.path(), {.precision = precision, .isa = isa});
    }
  }
}

TEST(Engine, LongInputsAreCutWithoutChangingABit) {
  const base::TempDir folder;
  const auto spec = tests::write_tiny_bert(folder.path());
  const auto texts = tests::random_texts(6, 50, 40, spec.vocab_size);
  base::Pool pool(2);
  const auto whole = Engine::load(folder.path(), {}, pool);
  const auto cut = Engine::load(folder.path(), {.max_tokens = 64}, pool);
  EXPECT_EQ(whole->forward(texts).logits.values, cut->forward(texts).logits.values);
}

TEST(Engine, Int8FollowsF32) {
  for (const bool embeddings : {false, true}) {
    const base::TempDir folder;
    const auto spec = tests::write_tiny_bert(folder.path(), {.hidden = 64, .heads = 2, .intermediate = 128});
    tests::write_int8(folder.path(), embeddings);
    base::Pool pool(2);
    const auto exact = Engine::load(folder.path(), {.precision = "float32"}, pool);
    const auto texts = tests::random_texts(7, 12, 30, spec.vocab_size);
    const Output expected = exact->forward(texts);
    for (const char* isa : {"scalar", "avx2", "avx512", "avx512_vnni"}) {
      const auto engine = Engine::load(folder.path(), {.precision = "int8", .isa = isa}, pool);
      EXPECT_EQ(engine->precision(), "int8");
      EXPECT_LT(engine->weight_bytes(), exact->weight_bytes());
      const Output out = engine->forward(texts);
      for (int i = 0; i < out.embeddings.rows; ++i) {
        EXPECT_GT(tests::cosine(out.embeddings.row(i), expected.embeddings.row(i)), 0.995) << isa << " text " << i;
      }
    }
  }
}

TEST(Engine, LogitsAloneAreTheSameBitsAsEverything) {
  const base::TempDir folder;
  tests::write_tiny_bert(folder.path(), odd_bert());
  const std::vector<std::string> texts = {"a very good movie", "the plot was awful and bad , not good !", "film"};
  for (const int threads : {1, 2}) {
    base::Pool pool(threads);
    const auto engine = Engine::load(folder.path(), {}, pool);
    std::vector<std::vector<int32_t>> ids;
    for (const std::string& text : texts) {
      ids.push_back(engine->encode(text));
    }
    const Output out = engine->forward(ids);
    EXPECT_EQ(engine->logits(texts).values, out.logits.values);
    EXPECT_EQ(engine->embed(texts).values, out.embeddings.values);
    EXPECT_EQ(engine->logits(std::span(texts).first(1)).values,
              std::vector<float>(out.logits.values.begin(), out.logits.values.begin() + 2));
  }
}

TEST(Engine, AutoTakesInt8WhenItIsThere) {
  const base::TempDir folder;
  tests::write_tiny_bert(folder.path());
  base::Pool pool(1);
  EXPECT_EQ(Engine::load(folder.path(), {}, pool)->precision(), "float32");
  tests::write_int8(folder.path(), false);
  EXPECT_EQ(Engine::load(folder.path(), {}, pool)->precision(), "int8");
  EXPECT_EQ(Engine::load(folder.path(), {.precision = "float32"}, pool)->precision(), "float32");
}

TEST(Engine, Int8AloneNeedsNoFloatFile) {
  const base::TempDir folder;
  tests::write_tiny_bert(folder.path());
  tests::write_int8(folder.path(), true);
  std::filesystem::remove(folder.path() / model::kWeightsFile);
  base::Pool pool(1);
  EXPECT_EQ(Engine::load(folder.path(), {}, pool)->precision(), "int8");
}

base::Code code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const base::Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return base::Code::kFailure;
}

TEST(Engine, BadOptionsAndFoldersAreRefused) {
  const base::TempDir folder;
  tests::write_tiny_bert(folder.path());
  base::Pool pool(1);
  const auto load = [&](const EngineOptions& options) {
    return [&, options] { Engine::load(folder.path(), options, pool); };
  };
  EXPECT_EQ(code_of(load({.precision = "int8"})), base::Code::kNotFound);
  EXPECT_EQ(code_of(load({.precision = "float16"})), base::Code::kInvalid);
  EXPECT_EQ(code_of(load({.isa = "sse9"})), base::Code::kInvalid);
  EXPECT_EQ(code_of(load({.max_tokens = 0})), base::Code::kInvalid);
  EXPECT_EQ(code_of([&] { Engine::load(folder.path() / "none", {}, pool); }), base::Code::kNotFound);
}

TEST(Engine, BadTokensAreRefused) {
  const base::TempDir folder;
  const auto spec = tests::write_tiny_bert(folder.path());
  base::Pool pool(1);
  const auto engine = Engine::load(folder.path(), {}, pool);
  for (const std::vector<int32_t>& bad :
       {std::vector<int32_t>{}, {-1}, {spec.vocab_size}, std::vector<int32_t>(spec.max_positions + 1, 5)}) {
    EXPECT_EQ(code_of([&] { engine->forward(std::span(&bad, 1)); }), base::Code::kInvalid);
    EXPECT_EQ(code_of([&] { engine->check({.ids = bad}); }), base::Code::kInvalid);
  }
}

TEST(Engine, NoTextsGiveNoRows) {
  const base::TempDir folder;
  tests::write_tiny_bert(folder.path());
  base::Pool pool(2);
  const auto engine = Engine::load(folder.path(), {}, pool);
  EXPECT_EQ(engine->forward(std::span<const Input>{}).logits.rows, 0);
  EXPECT_EQ(engine->logits({}).rows, 0);
}

TEST(Engine, LongTextsAreTruncatedToTheModelsLength) {
  const base::TempDir folder;
  tests::write_tiny_bert(folder.path(), {.positions = 12});
  base::Pool pool(1);
  const auto engine = Engine::load(folder.path(), {}, pool);
  std::string text;
  for (int i = 0; i < 50; ++i) {
    text += "good ";
  }
  EXPECT_EQ(engine->encode(text).size(), 12U);
  EXPECT_EQ(engine->logits(std::span(&text, 1)).rows, 1);
}

TEST(Engine, CallsFromSeveralThreadsAreSafe) {
  const base::TempDir folder;
  const auto spec = tests::write_tiny_bert(folder.path());
  base::Pool pool(2);
  const auto engine = Engine::load(folder.path(), {}, pool);
  const auto texts = tests::random_texts(8, 10, 30, spec.vocab_size);
  const auto expected = engine->forward(texts).logits.values;
  std::vector<std::thread> threads;
  std::vector<std::vector<float>> results(3);
  for (auto& result : results) {
    threads.emplace_back([&] { result = engine->forward(texts).logits.values; });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& result : results) {
    EXPECT_EQ(result, expected);
  }
}

TEST(Engine, OptionsAreDescribed) {
  EngineOptions options;
  base::FieldTable table;
  options.describe(table);
  table.apply({{"precision", "int8"}, {"max_tokens", 128}}, "test");
  EXPECT_EQ(options.precision, "int8");
  EXPECT_EQ(options.max_tokens, 128);
  EXPECT_THROW(table.apply({{"precision", "int4"}}, "test"), base::Error);
  EXPECT_THROW(table.apply({{"max_tokens", 0}}, "test"), base::Error);
}

TEST(Engine, BodiesOfTheSamePoolMayCallIt) {
  const base::TempDir folder;
  const auto spec = tests::write_tiny_bert(folder.path());
  base::Pool pool(2);
  const auto engine = Engine::load(folder.path(), {}, pool);
  const auto texts = tests::random_texts(9, 6, 30, spec.vocab_size);
  const auto expected = engine->forward(texts).logits.values;
  std::thread other([&] { EXPECT_EQ(engine->forward(texts).logits.values, expected); });
  pool.parallel_for(8, [&](int64_t) { EXPECT_EQ(engine->forward(texts).logits.values, expected); });
  other.join();
}

}  // namespace
}  // namespace slipway::engine
