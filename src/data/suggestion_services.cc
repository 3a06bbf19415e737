#include "data/suggestion_services.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "data/annotation_source.h"
#include "data/suggestion_fit.h"

namespace slipway::data {
namespace {

using record::AnnotationScheme;
using record::AnnotationService;
using record::Question;
using record::ServiceProtocol;
using record::Suggestion;
using record::Task;

constexpr int kMaxDepth = 64;
constexpr size_t kMaxFound = 100'000;  // entities or classes of an answer
constexpr int kMaxTokens = 2000;       // of a written answer

[[noreturn]] void wrong(const std::string& what) { throw base::Error(base::Code::kInvalid, "the service's answer " + what); }

std::optional<double> number_in(const Json& object, const char* key) {
  const Json* value = member(object, key);
  return value != nullptr && value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
}

// {"error": "…"}, {"error": {"message": …}}, {"detail": …}: what servers say that refuse with 200.
void refuse_error(const Json& json) {
  for (const char* key : {"error", "detail"}) {
    const Json* error = member(json, key);
    if (error == nullptr) {
      continue;
    }
    const std::string* text = error->is_string() ? error->get_ptr<const std::string*>() : text_member(*error, "message");
    if (text != nullptr) {
      wrong(fmt::format("is an error: {}", text->substr(0, 300)));
    }
  }
}

// Rows of {"label", "score"}: those that the project has, the best first. One where one is asked for, else those from 1/2 up.
std::optional<Suggestion> of_classes(const Json& rows, const std::string& source, const AnnotationScheme& scheme, const Task& task, const LabelNames& labels) {
  std::vector<std::pair<double, std::string>> found;
  for (size_t i = 0; i < std::min(rows.size(), kMaxFound); ++i) {
    const std::string* label = text_member(rows[i], "label");
    if (label == nullptr) {
      continue;
    }
    if (const auto name = class_named(*label, scheme, labels)) {
      found.emplace_back(number_in(rows[i], "score").value_or(0), *name);
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (found.empty()) {
    return std::nullopt;
  }
  Suggestion made{source, found[0].first, {}};
  if (!asks(scheme, Question::kClasses)) {
    made.answer.classes = {found[0].second};
    return fit_suggestion(std::move(made), scheme, task);
  }
  double sum = 0;
  for (const auto& [score, name] : found) {
    if (score >= 0.5) {
      made.answer.classes.push_back(name);
    }
    sum += std::max(score, 1 - score);
  }
  made.score = sum / static_cast<double>(found.size());
  return fit_suggestion(std::move(made), scheme, task);
}

std::optional<Suggestion> of_entities(const Json& rows, const std::string& source, const AnnotationScheme& scheme, const Task& task, const LabelNames& labels) {
  std::vector<FoundEntity> found;
  for (size_t i = 0; i < std::min(rows.size(), kMaxFound); ++i) {
    const Json& row = rows[i];
    const std::string* group = text_member(row, "entity_group");
    const std::string* label = group != nullptr ? group : text_member(row, "entity");
    const Json* start = member(row, "start");
    const Json* end = member(row, "end");
    if (label == nullptr || *label == "O" || start == nullptr || end == nullptr || !integer_in(*start) || !integer_in(*end)) {
      continue;
    }
    found.push_back({*integer_in(*start), *integer_in(*end), *label, number_in(row, "score").value_or(0)});
  }
  auto made = suggestion_of_entities(std::move(found), source);
  return made ? fit_suggestion(std::move(*made), scheme, task, labels) : std::nullopt;
}

// What pipelines answer for one text, told by its first row; a list of one list is the list.
std::optional<Suggestion> of_pipeline(const Json& answer, const std::string& source, const AnnotationScheme& scheme, const Task& task, const LabelNames& labels) {
  const Json* rows = member(answer, "predictions");
  rows = rows == nullptr ? &answer : rows;
  const Json one = rows->is_object() ? Json::array({*rows}) : Json();
  rows = one.is_array() ? &one : rows;
  while (rows->is_array() && rows->size() == 1 && (*rows)[0].is_array()) {
    rows = &(*rows)[0];
  }
  if (!rows->is_array() || (!rows->empty() && !(*rows)[0].is_object())) {
    wrong("is no list of {\"label\", \"score\"}, {\"entity_group\", \"start\", \"end\"} or {\"generated_text\"}");
  }
  if (rows->empty()) {
    return std::nullopt;
  }
  const Json& first = (*rows)[0];
  for (const char* key : {"generated_text", "summary_text", "translation_text"}) {
    if (const std::string* text = text_member(first, key)) {
      return written_answer(*text, number_in(first, "score").value_or(0), source, scheme, task, labels);
    }
  }
  if (member(first, "entity_group") != nullptr || member(first, "entity") != nullptr) {
    return of_entities(*rows, source, scheme, task, labels);
  }
  if (member(first, "label") == nullptr) {
    wrong("has rows without \"label\", \"entity_group\", \"entity\" or \"generated_text\"");
  }
  return of_classes(*rows, source, scheme, task, labels);
}

// Outputs of text say a class, a text, or JSON of a pipeline; those of numbers beside them its score.
std::optional<Suggestion> of_kserve(const Json& answer, const std::string& source, const AnnotationScheme& scheme, const Task& task, const LabelNames& labels) {
  const Json* outputs = member(answer, "outputs");
  if (outputs == nullptr || !outputs->is_array()) {
    wrong("has no \"outputs\", as the Open Inference Protocol has");
  }
  double score = 0;
  const std::string* said = nullptr;
  for (const Json& output : *outputs) {
    const std::string* name = text_member(output, "name");
    const Json* data = member(output, "data");
    if (data == nullptr || !data->is_array() || data->empty()) {
      continue;
    }
    const Json& first = (*data)[0];
    const bool id = name != nullptr && name->ends_with("id");
    if (first.is_string() && said == nullptr && !id) {
      said = first.get_ptr<const std::string*>();
    } else if (first.is_number() && name != nullptr && (*name == "score" || *name == "scores")) {
      for (const Json& one : *data) {
        score = one.is_number() ? std::max(score, one.get<double>()) : score;
      }
    }
  }
  if (said == nullptr) {
    wrong("has no output of text (BYTES)");
  }
  if (said->starts_with("[")) {
    try {
      return of_pipeline(base::parse_json(*said, "the service's answer", {kMaxServiceAnswer, kMaxDepth}), source, scheme, task, labels);
    } catch (const base::Error&) {  // a text that begins with a bracket
    }
  }
  return written_answer(*said, score, source, scheme, task, labels);
}

// exp of the mean log-probability of the tokens; 0 where they are not told.
double score_of_tokens(const Json& choice) {
  const Json* logprobs = member(choice, "logprobs");
  const Json* content = logprobs == nullptr ? nullptr : member(*logprobs, "content");
  if (content == nullptr || !content->is_array() || content->empty()) {
    return 0;
  }
  double sum = 0;
  for (const Json& token : *content) {
    sum += number_in(token, "logprob").value_or(0);
  }
  return std::exp(std::min(0.0, sum / static_cast<double>(content->size())));
}

std::optional<Suggestion> of_openai(const Json& answer, const std::string& source, const AnnotationScheme& scheme, const Task& task, const LabelNames& labels) {
  const Json* choices = member(answer, "choices");
  if (choices == nullptr || !choices->is_array() || choices->empty()) {
    wrong("has no \"choices\", as /v1/chat/completions has");
  }
  const Json& choice = (*choices)[0];
  const Json* message = member(choice, "message");
  const std::string* said = message == nullptr ? text_member(choice, "text") : text_member(*message, "content");
  if (said == nullptr) {
    wrong("has no message with text");
  }
  return written_answer(*said, score_of_tokens(choice), source, scheme, task, labels);
}

// Its results are those of predictions in Label Studio's files, so its reader takes them.
std::optional<Suggestion> of_label_studio(const Json& answer, const std::string& source, const AnnotationScheme& scheme, const Task& task, const LabelNames& labels) {
  const Json* results = member(answer, "results");
  if (results == nullptr || !results->is_array()) {
    wrong("has no \"results\", as the /predict of an ML backend has");
  }
  if (results->empty()) {
    return std::nullopt;
  }
  const Json& first = (*results)[0];
  Json data = {{"text", task.text}};
  if (!task.messages.empty()) {
    for (const record::Message& message : task.messages) {
      data["messages"].push_back({{"role", message.role}, {"content", message.content}});
    }
  }
  const Json record = {{"id", 1}, {"data", std::move(data)}, {"predictions", first.is_array() ? first : Json::array({first})}};
  Notes notes;
  std::string pointer;
  AnnotationReadOptions options;
  options.text_field = "text";
  record::AnnotatedTask read = make_label_studio_codec(options)->read(record, "the service's answer", notes, pointer);
  if (read.suggestions.empty()) {
    return std::nullopt;
  }
  Suggestion made = std::move(read.suggestions.front());
  made.source = made.source == "prediction" || made.source.empty() ? source : source + "@" + made.source.substr(0, 100);
  return fit_suggestion(std::move(made), scheme, task, labels);
}

}  // namespace

std::string service_name(const AnnotationService& service) {
  if (!service.name.empty()) {
    return service.name;
  }
  const size_t begin = service.url.find("://") + 3;
  return service.url.substr(begin, service.url.find_first_of("/?#", begin) - begin);
}

std::string service_request(const AnnotationService& service, const AnnotationScheme& scheme, const Task& task) {
  Json body;
  switch (service.protocol) {
    case ServiceProtocol::kPredict: body = {{"inputs", task.text}}; break;
    case ServiceProtocol::kKserve:
      body = {{"inputs", Json::array({{{"name", "text"}, {"shape", Json::array({1})}, {"datatype", "BYTES"}, {"data", Json::array({task.text})}}})}};
      break;
    case ServiceProtocol::kOpenAi:
      body = {{"messages", Json::array({{{"role", "user"}, {"content", written_question(service.prompt, scheme, task)}}})},
              {"temperature", 0},
              {"max_tokens", kMaxTokens},
              {"logprobs", true}};
      if (!service.model.empty()) {
        body["model"] = service.model;
      }
      break;
    case ServiceProtocol::kLabelStudio: {
      Json data = {{"text", task.text}};
      for (const record::Message& message : task.messages) {
        data["messages"].push_back({{"role", message.role}, {"content", message.content}});
      }
      body = {{"tasks", Json::array({{{"id", task.id}, {"data", std::move(data)}}})},
              {"project", "1"},
              {"label_config", label_config_of(scheme)},
              {"params", Json::object()}};
      break;
    }
  }
  return base::dump_json(body);
}

std::optional<Suggestion> service_answer(const AnnotationService& service, const AnnotationScheme& scheme, const Task& task, std::string_view body) {
  const Json answer = base::parse_json(body, "the service's answer", {kMaxServiceAnswer, kMaxDepth});
  refuse_error(answer);
  const std::string source = service_name(service);
  switch (service.protocol) {
    case ServiceProtocol::kPredict: return of_pipeline(answer, source, scheme, task, service.labels);
    case ServiceProtocol::kKserve: return of_kserve(answer, source, scheme, task, service.labels);
    case ServiceProtocol::kOpenAi: return of_openai(answer, source, scheme, task, service.labels);
    case ServiceProtocol::kLabelStudio: return of_label_studio(answer, source, scheme, task, service.labels);
  }
  return std::nullopt;
}

}  // namespace slipway::data
