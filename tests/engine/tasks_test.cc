// The tasks against transformers' pipelines over tiny models (tests/gold/make_tasks_gold.py).
#include "engine/tasks.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/task_json.h"
#include "support/support.h"
#include "support/tiny_encoder.h"

namespace slipway::engine {
namespace {

using base::Json;

class Tasks : public ::testing::Test {
 protected:
  static const Json& gold() {
    static const Json json =
        base::parse_json(base::read_file(tests::source_dir() / "tests" / "gold" / "tasks.json"), "tasks.json");
    return json;
  }
  EngineTaskModel& load(const std::string& name) { return load_json(name, gold().at("models").at(name)); }
  EngineTaskModel& load_json(const std::string& name, const Json& model) {
    const auto path = folder_.path() / name;
    tests::write_task_model(path, model);
    engine_ = Engine::load(path, {}, pool_);
    model_ = std::make_unique<EngineTaskModel>(*engine_);
    return *model_;
  }

 private:
  base::TempDir folder_;
  base::Pool pool_{2};
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<EngineTaskModel> model_;
};

// Numbers within 1e-4, all else equal; members that `expected` has.
void expect_like(const Json& got, const Json& expected, const std::string& where) {
  if (expected.is_number_float()) {
    ASSERT_TRUE(got.is_number()) << where;
    EXPECT_NEAR(got.get<double>(), expected.get<double>(), 1e-4) << where;
  } else if (expected.is_array()) {
    ASSERT_TRUE(got.is_array()) << where;
    ASSERT_EQ(got.size(), expected.size()) << where << " " << got.dump();
    for (size_t i = 0; i < expected.size(); ++i) {
      expect_like(got[i], expected[i], where + "[" + std::to_string(i) + "]");
    }
  } else if (expected.is_object()) {
    for (const auto& [key, value] : expected.items()) {
      ASSERT_TRUE(got.contains(key)) << where << "." << key << " in " << got.dump();
      expect_like(got.at(key), value, where + "." + key);
    }
  } else {
    EXPECT_EQ(got, expected) << where;
  }
}

std::string error_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const base::Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(Tasks, EntitiesOfEveryStrategyArePipelines) {
  EngineTaskModel& model = load("token");
  const Json& cases = gold().at("ner");
  for (const Json& one : cases) {
    for (const char* strategy : {"none", "simple", "first", "average", "max"}) {
      const Json got =
          run_task(model, Task::kTokenClassification, one.at("text"), {{"aggregation_strategy", strategy}});
      expect_like(got, one.at(strategy), one.at("text").get<std::string>() + " " + strategy);
    }
  }
}

TEST_F(Tasks, AListOfTextsGivesAListOfResults) {
  EngineTaskModel& model = load("token");
  const Json& cases = gold().at("ner");
  Json texts = Json::array();
  Json expected = Json::array();
  for (const Json& one : cases) {
    texts.push_back(one.at("text"));
    expected.push_back(one.at("simple"));
  }
  expect_like(run_task(model, Task::kTokenClassification, texts, nullptr), expected, "all");
}

TEST_F(Tasks, MasksAreFilledAsThePipelineDoes) {
  EngineTaskModel& model = load("mlm");
  const Json& cases = gold().at("mask");
  for (const Json& one : cases) {
    expect_like(run_task(model, Task::kFillMask, one.at("text"), one.at("parameters")), one.at("result"),
                one.at("text").get<std::string>());
  }
  EXPECT_NE(error_of([&] { run_task(model, Task::kFillMask, "no mask", {}); }).find("[MASK]"), std::string::npos);
}

TEST_F(Tasks, ZeroShotAndPairsArePipelines) {
  EngineTaskModel& model = load("nli");
  const Json& zero_shot = gold().at("zero_shot");
  for (const Json& one : zero_shot) {
    Json parameters = one.at("parameters");
    parameters["candidate_labels"] = "good, bad,very awful";
    Json expected = one;
    expected.erase("parameters");
    expect_like(run_task(model, Task::kZeroShotClassification, "this film was great", parameters), expected,
                one.at("parameters").dump());
  }
  const Json& pairs = gold().at("pairs");
  for (const Json& one : pairs) {
    const Json input = {{"text", one.at("text")}, {"text_pair", one.at("text_pair")}};
    expect_like(run_task(model, Task::kTextClassification, input, {}), one.at("result"), input.dump());
  }
  EXPECT_NE(error_of([&] { run_task(model, Task::kZeroShotClassification, "x", {}); }).find("candidate_labels"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              run_task(model, Task::kZeroShotClassification, "x",
                       {{"candidate_labels", "a"}, {"hypothesis_template", "none"}});
            }).find("{}"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              run_task(model, Task::kTextRanking, {{"query", "a"}, {"texts", {"b"}}}, {});
            }).find("cross-encoder"),
            std::string::npos);
}

TEST_F(Tasks, AnswersAreTheBestSpan) {
  EngineTaskModel& model = load("qa");
  const Json& cases = gold().at("qa");
  for (const Json& one : cases) {
    Json parameters = {{"max_answer_len", one.at("max_answer_len")}};
    const Json input = {{"question", one.at("question")}, {"context", one.at("context")}};
    const Json got = run_task(model, Task::kQuestionAnswering, input, parameters);
    EXPECT_NEAR(got.at("score").get<double>(), one.at("score").get<double>(), 1e-4);
    EXPECT_EQ(got.at("start"), one.at("token_start"));
    EXPECT_EQ(got.at("end"), one.at("token_end"));
    const auto context = one.at("context").get<std::string>();
    EXPECT_EQ(got.at("answer"), context.substr(got.at("start").get<size_t>(),
                                               got.at("end").get<size_t>() - got.at("start").get<size_t>()));
    parameters["handle_impossible_answer"] = true;
    parameters["top_k"] = 200;
    const Json all = run_task(model, Task::kQuestionAnswering, input, parameters);
    ASSERT_GT(all.size(), 5U);
    double last = 2;
    double none = -1;
    for (const Json& answer : all) {
      EXPECT_LE(answer.at("score").get<double>(), last);
      last = answer.at("score").get<double>();
      none = answer.at("answer") == "" ? last : none;
    }
    EXPECT_NEAR(none, one.at("null_score").get<double>(), 1e-4);
  }
}

// Windows see each token of a long context, and the answer's place is counted in the whole of it.
TEST_F(Tasks, LongContextsAreReadInWindows) {
  EngineTaskModel& model = load("qa");
  std::string context;
  for (int i = 0; i < 120; ++i) {
    context += i % 3 == 0 ? "the movie " : i % 3 == 1 ? "was great " : "i love it ";
  }
  const std::vector<FoundAnswer> answers =
      answer(model, "is it good", context, {.top_k = 50, .max_tokens = 40, .doc_stride = 10});
  ASSERT_GE(answers.size(), 10U);
  size_t furthest = 0;
  for (const FoundAnswer& one : answers) {
    EXPECT_EQ(context.substr(one.start, one.end - one.start), one.answer);
    furthest = std::max(furthest, one.end);
  }
  EXPECT_GT(furthest, context.size() / 2);
  EXPECT_NE(error_of([&] { answer(model, context, "the film", {}); }).find("the question has"), std::string::npos);
}

TEST_F(Tasks, RankingIsOfCrossEncodersOrEmbeddings) {
  Json model_json = gold().at("models").at("nli");
  model_json["config"]["id2label"] = {{"0", "LABEL_0"}};
  model_json["config"]["label2id"] = {{"LABEL_0", 0}};
  model_json["tensors"]["classifier.weight"] = {1, 32};
  model_json["tensors"]["classifier.bias"] = {1};
  const Json input = {{"query", "good film"}, {"texts", {"the plot was awful", "very good film", "a great movie"}}};
  {
    EngineTaskModel& cross = load_json("cross", model_json);
    const Json ranks = run_task(cross, Task::kTextRanking, input, {{"return_text", true}});
    ASSERT_EQ(ranks.size(), 3U);
    const Json raw = run_task(cross, Task::kTextRanking, input, {{"raw_scores", true}});
    for (size_t i = 0; i < 3; ++i) {
      const double logit = raw[i].at("score").get<double>();
      EXPECT_NEAR(ranks[i].at("score").get<double>(), 1 / (1 + std::exp(-logit)), 1e-6);
      EXPECT_EQ(ranks[i].at("text"), input.at("texts").at(ranks[i].at("index").get<size_t>()));
    }
    EXPECT_GE(raw[0].at("score"), raw[1].at("score"));
  }
  EngineTaskModel& embedder = load_json("embedder", tests::tiny_encoder_gold("mpnet").at("heads").at("none"));
  const Json same =
      run_task(embedder, Task::kTextRanking, {{"query", "a film"}, {"texts", {"bad plot", "a film"}}}, {});
  EXPECT_EQ(same[0].at("index"), 1);
  EXPECT_NEAR(same[0].at("score").get<double>(), 1, 1e-5);
}

TEST_F(Tasks, AModelWithoutTheHeadSaysWhichItHas) {
  EngineTaskModel& model = load("token");
  const std::string text = error_of([&] { run_task(model, Task::kFillMask, "a [MASK]", {}); });
  EXPECT_NE(text.find("fill-mask needs a head for fill-mask; this BERT has one for token-classification"),
            std::string::npos)
      << text;
  EXPECT_NE(error_of([] { task_from_name("dance"); }).find("question-answering"), std::string::npos);
  EXPECT_EQ(task_from_name("ner"), Task::kTokenClassification);
  EXPECT_EQ(default_task(model.spec()), Task::kTokenClassification);
  for (const Json& bad : {Json(3), Json{{"text", 1}}, Json::array({1})}) {
    EXPECT_NE(error_of([&] { run_task(model, Task::kTokenClassification, bad, {}); }), "no error") << bad.dump();
  }
  EXPECT_NE(error_of([&] {
              run_task(model, Task::kTokenClassification, "a", {{"aggregation_strategy", "most"}});
            }).find("average"),
            std::string::npos);
}

}  // namespace
}  // namespace slipway::engine
