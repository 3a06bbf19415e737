// Training, against what Hugging Face's BpeTrainer learns (tests/gold/make_tokenizer_family_gold.py).
#include "text/bpe_trainer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "support/support.h"
#include "text/tokenizer.h"

namespace slipway::text {
namespace {

using base::Json;

TEST(BpeTrainer, LearnsTheSameMergesAndIds) {
  const std::string file = "tests/gold/tokenizer_families.json";
  const Json all = base::parse_json(base::read_file(tests::source_dir() / file), file);
  const auto texts = all["texts"].get<std::vector<std::string>>();
  ASSERT_EQ(all["training"].size(), 3U);
  for (const Json& one : all["training"]) {
    BpeTrainerOptions options;
    options.vocab_size = one["vocab_size"].get<int>();
    options.min_frequency = one["min_frequency"].get<int64_t>();
    options.special_tokens = one["special_tokens"].get<std::vector<std::string>>();
    BpeTrainer trainer(options);
    for (int i = 0; i < one["repeat"].get<int>(); ++i) {
      for (const std::string& text : texts) {
        trainer.add(text);
      }
    }
    base::SilentProgress silent;
    const TrainedBpe trained = trainer.train(silent);
    std::vector<std::vector<std::string>> merges;
    for (const auto& [left, right] : trained.merges) {
      merges.push_back({trained.tokens[static_cast<size_t>(left)], trained.tokens[static_cast<size_t>(right)]});
    }
    EXPECT_EQ(merges, one["merges"].get<std::vector<std::vector<std::string>>>()) << options.vocab_size;
    ASSERT_EQ(trained.tokens.size(), one["vocab"].size());
    for (size_t id = 0; id < trained.tokens.size(); ++id) {
      ASSERT_TRUE(one["vocab"].contains(trained.tokens[id])) << trained.tokens[id];
      EXPECT_EQ(one["vocab"][trained.tokens[id]].get<size_t>(), id);
    }
    // What it writes is a tokenizer that gives texts back.
    const auto tokenizer = parse_tokenizer(trained_tokenizer_json(trained, options), "trained");
    Encoding out;
    for (const std::string& text : texts) {
      if (text.find("<s>") == std::string::npos) {
        tokenizer->encode(text, {false, false, 0}, out);
        EXPECT_EQ(tokenizer->decode(out.ids, false), text);
      }
    }
  }
}

TEST(BpeTrainer, WantsRoomForTheBytes) {
  BpeTrainerOptions options;
  options.vocab_size = 256;
  EXPECT_NO_THROW(BpeTrainer{options});
  options.special_tokens = {"<s>"};
  EXPECT_THROW(BpeTrainer{options}, base::Error);
}

}  // namespace
}  // namespace slipway::text
