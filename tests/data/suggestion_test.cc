// What served models are asked and what their answers suggest: each protocol's shapes, broken ones too.
#include "data/suggestion_services.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "data/suggestion_fit.h"

namespace slipway::data {
namespace {

using base::Json;
using record::AnnotationService;
using record::Question;
using record::ServiceProtocol;

record::AnnotationScheme scheme(std::vector<Question> questions) {
  record::AnnotationScheme made;
  made.questions = std::move(questions);
  made.classes = {{"good", "", ""}, {"bad", "", ""}};
  made.spans = {{"WHO", "", ""}, {"ORG", "", ""}};
  made.relations = {{"founded", "", ""}};
  return made;
}

record::Task task(std::string text) {
  record::Task made;
  made.id = 7;
  made.key = "k";
  made.text = std::move(text);
  return made;
}

const std::string kText = "😀 Larry Page founded Google.";

AnnotationService service(ServiceProtocol protocol) {
  AnnotationService made;
  made.url = "http://models.example:8080/predict";
  made.protocol = protocol;
  made.labels = {{"PER", "WHO"}, {"MISC", ""}};
  return made;
}

std::optional<record::Suggestion> said(ServiceProtocol protocol, const std::string& body, std::vector<Question> questions, const std::string& text = kText) {
  return service_answer(service(protocol), scheme(std::move(questions)), task(text), body);
}

std::string spans_of(const std::optional<record::Suggestion>& suggestion) {
  std::string all;
  for (const record::Span& span : suggestion ? suggestion->answer.spans : std::vector<record::Span>()) {
    all += std::to_string(span.start) + "-" + std::to_string(span.end) + " " + span.label + ";";
  }
  return all;
}

TEST(Suggestions, PipelinesTellClassesTheBestThatTheProjectHas) {
  for (const char* body : {R"([[{"label":"neutral","score":0.5},{"label":"GOOD","score":0.4},{"label":"bad","score":0.1}]])",
                           R"([{"label":"bad","score":0.1},{"label":"good","score":0.4}])",
                           R"({"model":"m","version":"3","predictions":[{"id":"x","label":"good","score":0.4,"scores":{"good":0.4}}]})"}) {
    const auto one = said(ServiceProtocol::kPredict, body, {Question::kClass});
    ASSERT_TRUE(one) << body;
    EXPECT_EQ(one->source, "models.example:8080");
    EXPECT_EQ(one->answer.classes, std::vector<std::string>{"good"}) << body;
    EXPECT_DOUBLE_EQ(one->score, 0.4) << body;
  }
  const auto several = said(ServiceProtocol::kPredict, R"([{"label":"good","score":0.9},{"label":"bad","score":0.7}])", {Question::kClasses});
  EXPECT_EQ(several->answer.classes.size(), 2U);
  EXPECT_DOUBLE_EQ(several->score, 0.8);
  EXPECT_FALSE(said(ServiceProtocol::kPredict, R"([{"label":"else","score":0.9}])", {Question::kClass}));
  EXPECT_FALSE(said(ServiceProtocol::kPredict, "[]", {Question::kClass}));
}

TEST(Suggestions, PipelinesTellSpansGroupedOrByTokens) {
  const auto grouped = said(ServiceProtocol::kPredict,
                            R"([{"entity_group":"PER","score":0.9,"word":"Larry Page","start":2,"end":12},
                                {"entity_group":"MISC","score":1,"word":"x","start":13,"end":15},
                                {"entity_group":"ORG","score":0.7,"word":"Google","start":21,"end":27},
                                {"entity_group":"ORG","score":0.8,"word":"?","start":27,"end":99}])",
                            {Question::kSpans});
  EXPECT_EQ(spans_of(grouped), "2-12 WHO;21-27 ORG;");  // of the others one is left out by the settings, one is outside the text
  const auto tokens = said(ServiceProtocol::kPredict,
                           R"([{"entity":"B-PER","score":0.9,"index":1,"word":"Lar","start":2,"end":5},
                               {"entity":"I-PER","score":0.7,"index":2,"word":"##ry","start":5,"end":7},
                               {"entity":"I-PER","score":0.8,"index":3,"word":"Page","start":8,"end":12},
                               {"entity":"O","score":1,"start":13,"end":20},
                               {"entity":"B-ORG","score":0.8,"start":21,"end":27}])",
                           {Question::kSpans});
  EXPECT_EQ(spans_of(tokens), "2-12 WHO;21-27 ORG;");
  EXPECT_NEAR(tokens->score, 0.8, 1e-12);
}

TEST(Suggestions, GeneratedTextsAnswerATextOrNameAClass) {
  const auto text = said(ServiceProtocol::kPredict, R"([{"summary_text":"He founded it."}])", {Question::kText});
  EXPECT_EQ(text->answer.texts, std::vector<std::string>{"He founded it."});
  EXPECT_EQ(said(ServiceProtocol::kPredict, R"([{"generated_text":" Good.\n"}])", {Question::kClass})->answer.classes, std::vector<std::string>{"good"});
}

TEST(Suggestions, TheOpenInferenceProtocolTellsLabelsTextsAndJson) {
  const auto label = said(ServiceProtocol::kKserve,
                          R"({"model_name":"m","outputs":[{"name":"prediction_id","datatype":"BYTES","shape":[1],"data":["abc"]},
                              {"name":"label","datatype":"BYTES","shape":[1],"data":["good"]},{"name":"score","datatype":"FP32","shape":[1],"data":[0.75]}]})",
                          {Question::kClass});
  EXPECT_EQ(label->answer.classes, std::vector<std::string>{"good"});
  EXPECT_EQ(label->score, 0.75);
  const std::string entities = R"([{"entity_group":"ORG","score":0.5,"start":21,"end":27}])";
  const Json body = {{"outputs", {{{"name", "entities"}, {"datatype", "BYTES"}, {"shape", {1}}, {"data", {entities}}}}}};
  EXPECT_EQ(spans_of(said(ServiceProtocol::kKserve, body.dump(), {Question::kSpans})), "21-27 ORG;");
  const Json ask = Json::parse(service_request(service(ServiceProtocol::kKserve), scheme({Question::kClass}), task("t")));
  EXPECT_EQ(ask.dump(), R"({"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["t"]}]})");
}

TEST(Suggestions, ChatModelsAnswerWithJsonWhoseSpansAreFoundInTheText) {
  const std::string said_text = "Sure!\n```json\n{\"spans\": [{\"text\": \"Larry Page\", \"label\": \"PER\"}, {\"text\": \"Google\", \"label\": \"ORG\"},"
                                "{\"text\": \"Apple\", \"label\": \"ORG\"}], \"relations\": [{\"from\": \"Larry Page\", \"to\": \"Google\", \"label\": \"founded\"},"
                                "{\"from\": \"Apple\", \"to\": \"Google\", \"label\": \"founded\"}], \"classes\": [\"Good\"]}\n```";
  const Json body = {{"choices", {{{"message", {{"role", "assistant"}, {"content", said_text}}},
                                   {"logprobs", {{"content", {{{"token", "a"}, {"logprob", -0.1}}, {{"token", "b"}, {"logprob", -0.3}}}}}}}}}};
  const auto made = said(ServiceProtocol::kOpenAi, body.dump(), {Question::kSpans, Question::kRelations, Question::kClass});
  ASSERT_TRUE(made);
  EXPECT_EQ(spans_of(made), "2-12 WHO;21-27 ORG;");
  ASSERT_EQ(made->answer.relations.size(), 1U);
  EXPECT_EQ(made->answer.relations[0].from, made->answer.spans[0].id);
  EXPECT_EQ(made->answer.classes, std::vector<std::string>{"good"});
  EXPECT_NEAR(made->score, std::exp(-0.2), 1e-12);
  // The same text twice: the second is the next place.
  const Json twice = {{"choices", {{{"message", {{"content", R"({"spans":[{"text":"a","label":"WHO"},{"text":"a","label":"WHO"}]})"}}}}}}};
  EXPECT_EQ(spans_of(said(ServiceProtocol::kOpenAi, twice.dump(), {Question::kSpans}, "a b a")), "0-1 WHO;4-5 WHO;");
  AnnotationService asked = service(ServiceProtocol::kOpenAi);
  asked.model = "small";
  asked.prompt = "Say {text} again";
  const Json ask = Json::parse(service_request(asked, scheme({Question::kText}), task("hello")));
  EXPECT_EQ(ask["messages"][0]["content"], "Say hello again");
  EXPECT_EQ(ask["model"], "small");
  asked.prompt.clear();
  const std::string question = Json::parse(service_request(asked, scheme({Question::kClass, Question::kSpans}), task("hello")))["messages"][0]["content"];
  for (const char* part : {"good, bad", "WHO, ORG", "hello"}) {
    EXPECT_NE(question.find(part), std::string::npos) << part;
  }
}

TEST(Suggestions, LabelStudiosBackendsTellAllThatItsFilesHave) {
  const std::string body = R"({"results":[{"model_version":"v2","score":0.6,"result":[
      {"id":"a","from_name":"label","to_name":"text","type":"labels","value":{"start":2,"end":12,"text":"Larry Page","labels":["PER"]}},
      {"id":"b","from_name":"label","to_name":"text","type":"labels","value":{"start":21,"end":27,"text":"Google","labels":["ORG"]}},
      {"from_id":"a","to_id":"b","type":"relation","labels":["founded"]},
      {"from_name":"c","to_name":"text","type":"choices","value":{"choices":["good"]}}]}]})";
  const auto made = said(ServiceProtocol::kLabelStudio, body, {Question::kSpans, Question::kRelations, Question::kClass});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->source, "models.example:8080@v2");
  EXPECT_EQ(made->score, 0.6);
  EXPECT_EQ(spans_of(made), "2-12 WHO;21-27 ORG;");
  EXPECT_EQ(made->answer.relations.size(), 1U);
  EXPECT_EQ(made->answer.classes, std::vector<std::string>{"good"});
  EXPECT_FALSE(said(ServiceProtocol::kLabelStudio, R"({"results":[]})", {Question::kSpans}));
  const Json ask = Json::parse(service_request(service(ServiceProtocol::kLabelStudio), scheme({Question::kSpans}), task("hello")));
  EXPECT_EQ(ask["tasks"][0]["data"]["text"], "hello");
  EXPECT_NE(ask["label_config"].get<std::string>().find("<Label value=\"WHO\""), std::string::npos) << ask["label_config"];
}

TEST(Suggestions, WhatIsNotOfTheProtocolIsTold) {
  const std::vector<std::pair<ServiceProtocol, std::string>> broken = {
      {ServiceProtocol::kPredict, ""},
      {ServiceProtocol::kPredict, "<html>"},
      {ServiceProtocol::kPredict, "7"},
      {ServiceProtocol::kPredict, "[1,2]"},
      {ServiceProtocol::kPredict, R"([{"x":1}])"},
      {ServiceProtocol::kPredict, R"({"error":"model is loading"})"},
      {ServiceProtocol::kPredict, std::string(1000, '[') + std::string(1000, ']')},
      {ServiceProtocol::kKserve, "{}"},
      {ServiceProtocol::kKserve, R"({"outputs":[{"name":"logits","data":[1,2]}]})"},
      {ServiceProtocol::kOpenAi, R"({"choices":[]})"},
      {ServiceProtocol::kOpenAi, R"({"choices":[{"message":{"content":null}}]})"},
      {ServiceProtocol::kOpenAi, R"({"error":{"message":"no such model"}})"},
      {ServiceProtocol::kLabelStudio, R"({"results":7})"},
  };
  for (const auto& [protocol, body] : broken) {
    EXPECT_THROW(said(protocol, body, {Question::kClass}), base::Error) << body.substr(0, 100);
  }
  try {
    said(ServiceProtocol::kPredict, R"({"error":"model is loading"})", {Question::kClass});
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find("model is loading"), std::string::npos) << error.what();
  }
}

TEST(Suggestions, AreMadeToFitWhatIsAsked) {
  record::AnnotationScheme flat = scheme({Question::kSpans, Question::kRating});
  flat.overlapping = false;
  record::Suggestion made{"m", 7, {}};
  made.answer.spans = {{"1", 5, 9, "WHO"}, {"2", 0, 6, "WHO"}, {"3", 0, 3, "ORG"}, {"4", 9, 12, "ORG"}, {"5", 9, 12, "ORG"}};
  made.answer.relations = {{"2", "4", "founded"}};
  made.answer.rating = 9;
  made.answer.classes = {"good"};
  const auto fitted = fit_suggestion(made, flat, task("abcdefghijklmnop"));
  ASSERT_TRUE(fitted);
  EXPECT_EQ(spans_of(fitted), "0-6 WHO;9-12 ORG;");
  EXPECT_TRUE(fitted->answer.relations.empty());  // nobody asks for them
  EXPECT_FALSE(fitted->answer.rating);
  EXPECT_TRUE(fitted->answer.classes.empty());
  EXPECT_EQ(fitted->score, 1);
  EXPECT_FALSE(fit_suggestion({"m", 1, {}}, flat, task("a")));
}

}  // namespace
}  // namespace slipway::data
