// The real all-MiniLM-L6-v2 against embeddings that transformers gave (tests/gold/make_minilm_gold.py).
#include <chrono>

#include "base/json.h"
#include "engine/engine.h"
#include "engine/helpers.h"
#include "support/support.h"

namespace slipway::engine {
namespace {

TEST(MiniLm, EmbeddingsEqualTransformers) {
  const auto folder = tests::cached("minilm");
  if (!folder) {
    GTEST_SKIP() << "skipped: no minilm in the cache";
  }
  const auto gold = base::parse_json(base::read_file(tests::source_dir() / "tests/gold/minilm.json"), "minilm.json");
  base::Pool pool(2);
  for (const char* isa : {"avx2", "avx512"}) {
    const auto engine = Engine::load(*folder, {.precision = "float32", .isa = isa}, pool);
    for (const auto& row : gold["texts"]) {
      const auto ids = engine->encode(row["text"].get<std::string>());
      ASSERT_EQ(ids, row["ids"].get<std::vector<int32_t>>());
      const Output out = engine->forward(std::span(&ids, 1));
      double worst = 0;
      for (size_t j = 0; j < row["embedding"].size(); ++j) {
        worst = std::max(worst, std::abs(out.embeddings.values[j] - row["embedding"][j].get<double>()));
      }
      EXPECT_LT(worst, 1e-5) << row["text"];
    }
  }
}

}  // namespace
}  // namespace slipway::engine
