// The models before transformers through the same routes: recurrent classifiers, static word vectors, recurrent
// language models.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "serve/fixture.h"
#include "support/tiny_encoder.h"

namespace slipway::serve {
namespace {

using base::Json;

class OlderModels : public ServeTest {
 protected:
  // A model of tests/gold/recurrent_NAME.json with the tokenizer of tests/support/tiny_recurrent.py: the word w7 is 7.
  std::filesystem::path recurrent(const std::string& name) {
    const auto path = tests::source_dir() / "tests" / "gold" / ("recurrent_" + name + ".json");
    gold = base::parse_json(base::read_file(path), path.string());
    const auto folder = dir_.path() / name;
    tests::write_tiny_decoder(folder, gold);
    Json vocabulary = {{"<pad>", 0}, {"<s>", 1}, {"</s>", 2}};
    for (int i = 3; i < gold.at("config").at("vocab_size").get<int>(); ++i) {
      vocabulary["w" + std::to_string(i)] = i;
    }
    const Json tokenizer = {{"version", "1.0"},
                            {"added_tokens", Json::array()},
                            {"normalizer", nullptr},
                            {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
                            {"post_processor", nullptr},
                            {"decoder", nullptr},
                            {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "<pad>"}}}};
    base::write_file_atomic(folder / "tokenizer.json", tokenizer.dump());
    return folder;
  }
  Json gold;
};

TEST_F(OlderModels, ARecurrentClassifierAnswersAsEncodersDo) {
  start(recurrent("lstm_last").string());
  std::string text;
  const auto ids = gold.at("texts").at(3).get<std::vector<int>>();
  for (const int id : ids) {
    text += (text.empty() ? "" : " ") +
            (id < 3 ? std::vector<std::string>{"<pad>", "<s>", "</s>"}[id] : "w" + std::to_string(id));
  }
  auto logits = gold.at("logits").at(3).get<std::vector<double>>();
  double sum = 0;
  for (double& x : logits) {
    sum += x = std::exp(x);
  }
  const Json scores = post("/v1/classify", {{"inputs", text}}).at("predictions").at(0).at("scores");
  EXPECT_NEAR(scores.at("bad").get<double>(), logits[0] / sum, 1e-4);
  EXPECT_NEAR(scores.at("good").get<double>(), logits[2] / sum, 1e-4);
  const Json tei = post("/predict", {{"inputs", text}});
  EXPECT_NEAR(tei.at(0).at("score").get<double>(), *std::max_element(logits.begin(), logits.end()) / sum, 1e-4);
  EXPECT_EQ(post("/", {{"inputs", text}}).at(0).at(0).at("label"), tei.at(0).at("label"));
  const Json infer = post("/v2/models/lstm_last/infer",
                          {{"inputs", {{{"name", "text"}, {"shape", {1}}, {"datatype", "BYTES"}, {"data", {text}}}}}});
  EXPECT_FALSE(infer.at("outputs").empty());
  EXPECT_TRUE(get("/info").at("model_type").contains("classifier"));
}

TEST_F(OlderModels, WordVectorsEmbedAndCompare) {
  const auto file = dir_.path() / "words.vec";
  base::write_file_atomic(file, "4 3\nfilm 1 0 0\ngood 0 2 0\nbad 0 -2 0\nplot 1 0 0.5\n");
  start(file.string());
  EXPECT_EQ(post("/embed", {{"inputs", {"good GOOD unknown", "nothing"}}}), (Json{{0.0, 1.0, 0.0}, {0.0, 0.0, 0.0}}));
  const Json openai = post("/v1/embeddings", {{"input", "film"}});
  EXPECT_EQ(openai.at("data").at(0).at("embedding"), (Json{1.0, 0.0, 0.0}));
  const Json similar =
      post("/similarity", {{"inputs", {{"source_sentence", "a good film"}, {"sentences", {"film good", "bad"}}}}});
  EXPECT_NEAR(similar.at(0).get<double>(), 1, 1e-6);
  EXPECT_LT(similar.at(1).get<double>(), -0.8);
  EXPECT_TRUE(get("/info").at("model_type").contains("embedding"));
  EXPECT_EQ(post("/tokenize", {{"inputs", "a bad film"}}).at(0).size(), 3U);
  post("/v1/classify", {{"inputs", "film"}}, 400);
}

TEST_F(OlderModels, ARecurrentLanguageModelCompletes) {
  start(recurrent("gru_lm").string());
  std::string prompt;
  for (const int id : gold.at("ids").get<std::vector<int>>()) {
    prompt += (prompt.empty() ? "" : " ") + (id == 1 ? std::string("<s>") : "w" + std::to_string(id));
  }
  const Json answer =
      post("/v1/completions", {{"prompt", prompt}, {"max_tokens", 4}, {"temperature", 0}, {"ignore_eos", true}});
  std::string expected;
  for (int i = 0; i < 4; ++i) {
    expected += (i > 0 ? " w" : "w") + std::to_string(gold.at("greedy").at(i).get<int>());
  }
  const std::string text = answer.at("choices").at(0).at("text");
  EXPECT_EQ(text.substr(text.find('w')), expected);
}

}  // namespace
}  // namespace slipway::serve
