#include "record/annotation.h"

#include <functional>
#include <gtest/gtest.h>

#include "base/error.h"
#include "record/annotation_stores.h"

namespace slipway::record {
namespace {

using base::Json;

// The message of what `action` throws, which is to be kInvalid.
std::string fault(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalid);
    return error.what();
  }
  return "nothing was thrown";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

AnnotationScheme everything() {
  AnnotationScheme scheme;
  scheme.questions = {Question::kClasses, Question::kSpans,      Question::kRelations, Question::kText,
                      Question::kRating,  Question::kPreference, Question::kChatReview};
  scheme.classes = {{"news", "#1f77b4", "1"}, {"sport", "", ""}};
  scheme.spans = {{"ORG", "", "o"}, {"PER", "#ff0000", ""}};
  scheme.relations = {{"works for", "", ""}};
  scheme.rating_max = 7;
  return scheme;
}

Task chat() {
  Task task;
  task.id = 3;
  task.key = "doc-3";
  task.text = "Zoë of 東京😀 Ltd";  // 14 characters
  task.candidates = {"yes", "no"};
  task.messages = {{"user", "hello"}, {"assistant", "hi"}};
  task.meta = {{"url", "https://example.org"}, {"n", 4}};
  return task;
}

Answer full() {
  Answer answer;
  answer.classes = {"news", "sport"};
  answer.spans = {{"a", 0, 3, "PER"}, {"b", 7, 14, "ORG"}};
  answer.relations = {{"a", "b", "works for"}};
  answer.texts = {"translated"};
  answer.rating = 7;
  answer.preferred = -1;
  answer.message_ratings = {0, 7};
  return answer;
}

TEST(Annotation, QuestionsHaveNames) {
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(question_named(name_of(static_cast<Question>(i))), static_cast<Question>(i));
  }
  EXPECT_TRUE(has(fault([] { question_named("boxes"); }), "chat-review, not 'boxes'"));
}

TEST(Annotation, ValuesComeBackFromTheirJson) {
  const AnnotationScheme scheme = everything();
  EXPECT_EQ(scheme_from_json(to_json(scheme), "x"), scheme);
  EXPECT_EQ(answer_from_json(to_json(full()), "x"), full());
  EXPECT_EQ(to_json(Answer()).dump(), "{}");
  const Json task = to_json(chat());
  EXPECT_EQ(to_json(task_from_json(task, "x")), task);
  const Json suggestion = to_json(Suggestion{"ner@3", 0.25, full()});
  EXPECT_EQ(to_json(suggestion_from_json(suggestion, "x")), suggestion);
  const Json annotation = to_json(Annotation{9, 3, "ann", full(), true, true, "unsure", 4.5, 1000, 2000});
  EXPECT_EQ(to_json(annotation_from_json(annotation, "x")), annotation);
}

TEST(Annotation, SchemesTellWhatIsWrong) {
  const auto of = [](const char* text) {
    return fault([&] { scheme_from_json(Json::parse(text), "project"); });
  };
  EXPECT_TRUE(has(of(R"([])"), "project: a scheme is a JSON object"));
  EXPECT_TRUE(has(of(R"({})"), "'questions' is to be a list of one or more of classification"));
  EXPECT_TRUE(has(of(R"({"question": []})"), "has no 'question'; it has questions"));
  EXPECT_TRUE(has(of(R"({"questions": ["spans"]})"), "'spans' is to be a list of the labels"));
  EXPECT_TRUE(has(of(R"({"questions": ["classification", "multi-label"], "classes": ["a"]})"), "not both"));
  EXPECT_TRUE(has(of(R"({"questions": ["text", "text"]})"), "has 'text' once"));
  EXPECT_TRUE(has(of(R"({"questions": ["relations"], "relations": ["r"]})"), "spans are to be asked for too"));
  EXPECT_TRUE(has(of(R"({"questions": ["classification"], "classes": ["a", "a"]})"), "and 'a' is none"));
  EXPECT_TRUE(has(of(R"({"questions": ["classification"], "classes": [{"name": "a", "hotkey": "ab"}]})"), "one character"));
  EXPECT_TRUE(has(of(R"({"questions": ["classification"], "classes": [{"name": "a", "hotkey": "1"}, {"name": "b", "hotkey": "1"}]})"), "of two"));
  EXPECT_TRUE(has(of(R"({"questions": ["classification"], "classes": [{"name": "a", "color": "red"}]})"), "like #1f77b4"));
  EXPECT_TRUE(has(of(R"({"questions": ["rating"], "rating_max": 1})"), "from 2 to 100"));
  EXPECT_TRUE(has(of(R"({"questions": ["rating"], "rating_max": 18446744073709551615})"), "from 2 to 100"));
  const AnnotationScheme by_hand = scheme_from_json(Json::parse(R"({"questions": ["classification"], "classes": ["a", "b"]})"), "x");
  EXPECT_EQ(by_hand.classes[1].name, "b");
  EXPECT_EQ(by_hand.rating_max, 5);
}

TEST(Annotation, AnswersAndTasksTellWhatIsWrong) {
  const auto answer = [](const char* text) {
    return fault([&] { answer_from_json(Json::parse(text), "x"); });
  };
  EXPECT_TRUE(has(answer(R"({"class": "a"})"), "has no 'class'"));
  EXPECT_TRUE(has(answer(R"({"classes": "a"})"), "a list of at most"));
  EXPECT_TRUE(has(answer(R"({"spans": [{"id": "a", "label": "b", "start": 3}]})"), "the end after the start"));
  EXPECT_TRUE(has(answer(R"({"spans": [{"id": "a", "label": "b", "start": 3, "end": 3}]})"), "the end after the start"));
  EXPECT_TRUE(has(answer(R"({"spans": [{"id": "a", "label": "b", "start": 1.0, "end": 3}]})"), "'start' is to be a whole number"));
  EXPECT_TRUE(has(answer(R"({"relations": [{"from": "a", "label": "b"}]})"), "'to' is to be"));
  EXPECT_TRUE(has(answer(R"({"rating": 0})"), "from 1 to 100"));
  EXPECT_TRUE(has(answer(R"({"preferred": -2})"), "from -1"));
  const auto task = [](const Json& json) {
    return fault([&] { task_from_json(json, "x"); });
  };
  EXPECT_TRUE(has(task(Json::object()), "has a text, candidates or messages"));
  EXPECT_TRUE(has(task({{"text", std::string((16 << 20) + 1, 'a')}}), "at most 16777216 bytes"));
  EXPECT_TRUE(has(task({{"text", "a"}, {"meta", {{"big", std::string((1 << 20) + 1, 'a')}}}}), "an object of at most"));
  EXPECT_TRUE(has(fault([] { suggestion_from_json({{"source", "m"}, {"score", 1.5}}, "x"); }), "a number from 0 to 1"));
  EXPECT_TRUE(has(fault([] { annotation_from_json({{"seconds", -1}}, "x"); }), "'seconds'"));
}

TEST(Annotation, AnAnswerIsCheckedAgainstSchemeAndTask) {
  const AnnotationScheme scheme = everything();
  const Task task = chat();
  EXPECT_EQ(length_of(task.text), 14);
  check(full(), scheme, task);
  check(Answer(), scheme, task);
  const auto of = [&](const std::function<void(Answer&)>& change, const AnnotationScheme& to) {
    Answer answer = full();
    change(answer);
    return fault([&] { check(answer, to, task); });
  };
  EXPECT_TRUE(has(of([](Answer& a) { a.classes = {"other"}; }, scheme), "'other' is no label of classes"));
  EXPECT_TRUE(has(of([](Answer& a) { a.classes = {"news", "news"}; }, scheme), "there twice"));
  EXPECT_TRUE(has(of([](Answer& a) { a.spans[1].end = 15; }, scheme), "which has 14 characters"));
  EXPECT_TRUE(has(of([](Answer& a) { a.spans[1].id = "a"; }, scheme), "there twice"));
  EXPECT_TRUE(has(of([](Answer& a) { a.spans[1].label = "news"; }, scheme), "no label of spans"));
  EXPECT_TRUE(has(of([](Answer& a) { a.relations[0].to = "c"; }, scheme), "of the span 'c'"));
  EXPECT_TRUE(has(of([](Answer& a) { a.relations[0].label = "c"; }, scheme), "no label of relations"));
  EXPECT_TRUE(has(of([](Answer& a) { a.rating = 8; }, scheme), "8 is not from 1 to 7"));
  EXPECT_TRUE(has(of([](Answer& a) { a.preferred = 2; }, scheme), "there are 2"));
  EXPECT_TRUE(has(of([](Answer& a) { a.message_ratings = {1}; }, scheme), "the chat has 2"));
  AnnotationScheme flat = scheme;
  flat.overlapping = false;
  EXPECT_TRUE(has(of([](Answer& a) { a.spans.push_back({"c", 6, 8, "ORG"}); }, flat), "6 to 8 and 7 to 14 overlap"));
  flat.questions = {Question::kClass};
  EXPECT_TRUE(has(of([](Answer&) {}, flat), "2 classes; this project asks for one"));
  EXPECT_TRUE(has(of([](Answer& a) { a.classes = {}; }, flat), "has spans, which this project does not ask for"));
}

TEST(AnnotationSettings, ComeBackFromTheirJsonAndTellWhatIsWrong) {
  const Json json = Json::parse(R"({"scheme":{"questions":["classification","spans"],"classes":["good","bad"],"spans":["PER"]},"overlap":2,
    "label_model":"one-coin","rules":[{"label":"good","name":"f","terms":["joy"]},{"label":"bad","pattern":"x","case_sensitive":true}],
    "services":[{"url":"https://h:8443/v1/chat/completions","model":"m","prompt":"{text}","token":"A_1","labels":{"A":"PER","B":""},"timeout_ms":50},
                {"url":"http://h/v2/models/m/infer","name":"n"},{"url":"http://h/predict"},{"url":"http://h/predict","protocol":"label-studio"}]})");
  const AnnotationSettings settings = annotation_settings_from_json(json, "the settings");
  EXPECT_EQ(annotation_settings_from_json(to_json(settings), "the settings"), settings);
  EXPECT_EQ(settings.rules[0].name, "f");
  ASSERT_EQ(settings.services.size(), 4U);
  EXPECT_EQ(settings.services[0].protocol, ServiceProtocol::kOpenAi);  // by the address
  EXPECT_EQ(settings.services[1].protocol, ServiceProtocol::kKserve);
  EXPECT_EQ(settings.services[2].protocol, ServiceProtocol::kPredict);
  EXPECT_EQ(settings.services[3].protocol, ServiceProtocol::kLabelStudio);
  EXPECT_EQ(settings.services[0].labels.at("B"), "");
  const auto of = [&](const char* key, const char* value) {
    return fault([&] {
      Json changed = json;
      changed[key] = Json::parse(value);
      annotation_settings_from_json(changed, "the settings");
    });
  };
  EXPECT_TRUE(has(of("services", R"([{"url":"https://me:pw@h/"}])"), "'url' is to be an address"));
  EXPECT_TRUE(has(of("services", R"([{"name":"n"}])"), "a list of objects with a url"));
  EXPECT_TRUE(has(of("services", R"([{"url":"https://h","token":"lower"}])"), "'token' is to be NAME"));
  EXPECT_TRUE(has(of("services", R"([{"url":"https://h","timeout_ms":60001}])"), "from 10 to 60000"));
  EXPECT_TRUE(has(of("services", R"([{"url":"https://h","x":1}])"), "'x' is to be left out"));
  EXPECT_TRUE(has(of("label_model", R"("oracle")"), "majority, dawid-skene"));
  EXPECT_TRUE(has(of("scheme", R"({"questions":["spans"],"spans":["PER"]})"), "no single class is asked for"));
}

}  // namespace
}  // namespace slipway::record
