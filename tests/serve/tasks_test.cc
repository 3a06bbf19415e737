// The tasks of encoders over HTTP: Hugging Face's pipelines and text-embeddings-inference's ranking.
#include "serve/fixture.h"
#include "support/tiny_encoder.h"

namespace slipway::serve {
namespace {

using base::Json;

class ServeTasks : public ServeTest {
 protected:
  // A server of one of the tiny models of tests/gold/tasks.json.
  void serve(const std::string& name) {
    const auto path = tests::source_dir() / "tests" / "gold" / "tasks.json";
    gold_ = base::parse_json(base::read_file(path), path.string());
    serve_model(name, gold_.at("models").at(name));
  }
  void serve_model(const std::string& name, const Json& model) {
    const auto folder = dir_.path() / name;
    tests::write_task_model(folder, model);
    start(folder.string());
  }
  Json gold_;
};

TEST_F(ServeTasks, TheHeadIsTheTask) {
  serve("token");
  const Json& ner = gold_.at("ner").at(0);
  const Json got = post("/", {{"inputs", ner.at("text")}});
  ASSERT_EQ(got.size(), ner.at("simple").size());
  EXPECT_EQ(got[0]["entity_group"], ner.at("simple")[0]["entity_group"]);
  EXPECT_NEAR(got[0]["score"].get<double>(), ner.at("simple")[0]["score"].get<double>(), 1e-4);
  EXPECT_EQ(post("/models/token", {{"inputs", ner.at("text")}}), got);
  EXPECT_EQ(post("/pipeline/ner", {{"inputs", {ner.at("text"), "the film"}}})[0], got);
  post("/models/other", {{"inputs", "x"}}, 404);
  EXPECT_NE(
      post("/pipeline/fill-mask", {{"inputs", "a [MASK]"}}, 400)["error"].get<std::string>().find("one for token"),
      std::string::npos);
  post("/pipeline/dance", {{"inputs", "x"}}, 400);
  post("/", {{"text", "x"}}, 400);
  post("/", {{"inputs", "x"}, {"parameters", 3}}, 400);
  post("/", {{"inputs", 3}}, 400);
  EXPECT_EQ(store_->predictions().count(""), 0);
}

TEST_F(ServeTasks, ClassesArePredictionsThatAreKept) {
  serve("nli");
  const Json& pair = gold_.at("pairs").at(0);
  const Json got = post("/", {{"inputs", {{"text", pair.at("text")}, {"text_pair", pair.at("text_pair")}}}});
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0][0]["label"], pair.at("result")[0]["label"]);
  EXPECT_NEAR(got[0][0]["score"].get<double>(), pair.at("result")[0]["score"].get<double>(), 1e-4);
  EXPECT_EQ(post("/", {{"inputs", {"a good film", "bad"}}, {"parameters", {{"top_k", 1}}}}).size(), 2U);
  EXPECT_EQ(store_->predictions().count(""), 3);
  const Json labels = post("/", {{"inputs", "a film"}, {"parameters", {{"candidate_labels", {"good", "bad"}}}}});
  ASSERT_EQ(labels.size(), 2U);
  EXPECT_NEAR(labels[0]["score"].get<double>() + labels[1]["score"].get<double>(), 1, 1e-5);
  EXPECT_EQ(post("/rerank", {{"query", "a"}, {"texts", {"b"}}}, 424)["error_type"], "Backend");
}

TEST_F(ServeTasks, QuestionsAndMasks) {
  serve("qa");
  const Json& one = gold_.at("qa").at(0);
  const Json inputs = {{"question", one.at("question")}, {"context", one.at("context")}};
  const Json got = post("/", {{"inputs", inputs}, {"parameters", {{"max_answer_len", one.at("max_answer_len")}}}});
  EXPECT_EQ(got["start"], one.at("token_start"));
  EXPECT_NEAR(got["score"].get<double>(), one.at("score").get<double>(), 1e-4);
  post("/", {{"inputs", {{"question", "x"}}}}, 400);
}

TEST_F(ServeTasks, RankersRankAndEncodersCompare) {
  serve("token");
  Json ranker = gold_.at("models").at("nli");
  ranker["config"]["id2label"] = {{"0", "LABEL_0"}};
  ranker["config"]["label2id"] = {{"LABEL_0", 0}};
  ranker["tensors"]["classifier.weight"] = {1, 32};
  ranker["tensors"]["classifier.bias"] = {1};
  serve_model("ranker", ranker);
  EXPECT_EQ(get("/info")["model_type"]["reranker"]["id2label"]["0"], "LABEL_0");
  const Json body = {{"query", "good film"}, {"texts", {"awful plot", "a very good film"}}, {"return_text", true}};
  const Json ranks = post("/rerank", body);
  ASSERT_EQ(ranks.size(), 2U);
  EXPECT_GE(ranks[0]["score"].get<double>(), ranks[1]["score"].get<double>());
  EXPECT_LE(ranks[0]["score"].get<double>(), 1);
  EXPECT_EQ(ranks[0]["text"], body.at("texts").at(ranks[0]["index"].get<size_t>()));
  EXPECT_EQ(post("/rerank", {{"texts", {"a"}}}, 422)["error_type"], "Validation");
  EXPECT_EQ(post("/rerank", {{"query", "a"}, {"texts", "b"}}, 422)["error_type"], "Validation");
  const Json pair = post("/predict", {{"inputs", {"good film", "awful plot"}}});
  const Json& other = ranks[0]["index"] == 0 ? ranks[0] : ranks[1];
  EXPECT_NEAR(pair[0]["score"].get<double>(), other["score"].get<double>(), 1e-6);

  serve_model("encoder", tests::tiny_encoder_gold("bert").at("heads").at("none"));
  const Json cosines =
      post("/similarity", {{"inputs", {{"source_sentence", "a film"}, {"sentences", {"bad plot", "a film"}}}}});
  ASSERT_EQ(cosines.size(), 2U);
  EXPECT_NEAR(cosines[1].get<double>(), 1, 1e-5);
  EXPECT_EQ(post("/", {{"inputs", {{"source_sentence", "a film"}, {"sentences", {"bad plot", "a film"}}}}}), cosines);
  EXPECT_EQ(post("/rerank", {{"query", "a film"}, {"texts", {"bad plot", "a film"}}})[0]["index"], 1);
  const Json all = post("/embed_all", {{"inputs", "a film"}});
  ASSERT_EQ(all[0].size(), 4U);  // [CLS] a film [SEP]
  EXPECT_EQ(all[0][0].size(), 32U);
  EXPECT_EQ(post("/", {{"inputs", "a film"}})[0].size(), 32U);
  post("/similarity", {{"inputs", "a film"}}, 422);
}

}  // namespace
}  // namespace slipway::serve
