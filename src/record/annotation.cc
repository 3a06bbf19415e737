#include "record/annotation.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <initializer_list>
#include <unordered_set>

#include "base/error.h"

namespace slipway::record {
namespace {

using base::Code;
using base::Error;
using base::Json;

// What a server takes from anybody, so that one task fills no page and no memory.
constexpr size_t kMaxLabels = 10000;  // of a kind
constexpr size_t kMaxName = 500;      // bytes: of labels, annotators, keys of tasks, ids of spans, sources
constexpr size_t kMaxText = size_t{16} << 20;
constexpr size_t kMaxNote = 10000;
constexpr size_t kMaxSpans = 100000;  // and relations, of an answer
constexpr size_t kMaxTexts = 1000;    // written answers, candidates
constexpr size_t kMaxMessages = 10000;
constexpr size_t kMaxMeta = size_t{1} << 20;  // bytes of its JSON
constexpr int kMaxRating = 100;

constexpr std::array<std::string_view, 8> kQuestions = {"classification", "multi-label", "spans",      "relations",
                                                        "text",           "rating",      "preference", "chat-review"};

[[noreturn]] void wrong(std::string_view source, std::string_view key, std::string_view wanted) {
  throw Error(Code::kInvalid, fmt::format("{}: '{}' is to be {}", source, key.substr(0, 100), wanted));
}

[[noreturn]] void refuse(const std::string& what) { throw Error(Code::kInvalid, what); }

// The members of one object, each read once; those that it does not know are an error.
class Members {
 public:
  Members(const Json& json, std::string_view source, const char* what, std::initializer_list<std::string_view> keys)
      : json_(json), source_(source) {
    if (!json.is_object()) {
      throw Error(Code::kInvalid, fmt::format("{}: {} is a JSON object", source, what));
    }
    for (auto it = json.begin(); it != json.end(); ++it) {
      if (std::find(keys.begin(), keys.end(), it.key()) == keys.end()) {
        throw Error(Code::kInvalid, fmt::format("{}: {} has no '{}'; it has {}", source, what, it.key().substr(0, 100), fmt::join(keys.begin(), keys.end(), ", ")));
      }
    }
  }

  const Json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  void text(const char* key, std::string& out, size_t max_bytes) const {
    if (const Json* value = find(key); value != nullptr) {
      out = text_of(*value, key, max_bytes);
    }
  }
  void needed(const char* key, std::string& out, size_t max_bytes) const {
    text(key, out, max_bytes);
    if (out.empty()) {
      wrong(source_, key, "a text that is not empty");
    }
  }
  template <class Int>
  void integer(const char* key, Int& out, int64_t min, int64_t max) const {
    if (const Json* value = find(key); value != nullptr) {
      out = static_cast<Int>(integer_of(*value, key, min, max));
    }
  }
  void number(const char* key, double& out, double min, double max) const {
    if (const Json* value = find(key); value != nullptr) {
      if (!value->is_number() || !(value->get<double>() >= min && value->get<double>() <= max)) {
        wrong(source_, key, fmt::format("a number from {} to {}", min, max));
      }
      out = value->get<double>();
    }
  }
  void boolean(const char* key, bool& out) const {
    if (const Json* value = find(key); value != nullptr) {
      if (!value->is_boolean()) {
        wrong(source_, key, "true or false");
      }
      out = value->get<bool>();
    }
  }
  // Calls each(entry) for the entries of a list that may be left out.
  template <class Each>
  void list(const char* key, size_t max, Each each) const {
    const Json* value = find(key);
    if (value == nullptr) {
      return;
    }
    if (!value->is_array() || value->size() > max) {
      wrong(source_, key, fmt::format("a list of at most {}", max));
    }
    for (const Json& entry : *value) {
      each(entry);
    }
  }
  void texts(const char* key, std::vector<std::string>& out, size_t max, size_t max_bytes) const {
    list(key, max, [&](const Json& entry) { out.push_back(text_of(entry, key, max_bytes)); });
  }
  std::string text_of(const Json& value, const char* key, size_t max_bytes) const {
    if (!value.is_string() || value.get_ref<const std::string&>().size() > max_bytes) {
      wrong(source_, key, fmt::format("text of at most {} bytes", max_bytes));
    }
    return value.get<std::string>();
  }
  int64_t integer_of(const Json& value, const char* key, int64_t min, int64_t max) const {
    const bool whole = value.is_number_integer() && !(value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX});
    if (!whole || value.get<int64_t>() < min || value.get<int64_t>() > max) {
      wrong(source_, key, fmt::format("a whole number from {} to {}", min, max));
    }
    return value.get<int64_t>();
  }

 private:
  const Json& json_;
  std::string_view source_;
};

Json labels_json(const std::vector<Label>& labels) {
  Json list = Json::array();
  for (const Label& label : labels) {
    Json entry = {{"name", label.name}};
    if (!label.color.empty()) {
      entry["color"] = label.color;
    }
    if (!label.hotkey.empty()) {
      entry["hotkey"] = label.hotkey;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

bool is_color(std::string_view color) noexcept {
  return color.size() == 7 && color[0] == '#' &&
         color.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
}

void read_labels(const Members& scheme, const char* key, std::string_view source, std::vector<Label>& labels) {
  std::unordered_set<std::string> names;
  scheme.list(key, kMaxLabels, [&](const Json& entry) {
    Label label;
    if (entry.is_string()) {  // what people write by hand
      label.name = scheme.text_of(entry, key, kMaxName);
    } else {
      const Members members(entry, source, "a label", {"name", "color", "hotkey"});
      members.needed("name", label.name, kMaxName);
      members.text("color", label.color, 7);
      members.text("hotkey", label.hotkey, 4);
    }
    if (label.name.empty() || !names.insert(label.name).second) {
      wrong(source, key, fmt::format("a list of labels with names of their own, and '{}' is none", label.name));
    }
    if (!label.color.empty() && !is_color(label.color)) {
      wrong(source, "color", "like #1f77b4");
    }
    if (!label.hotkey.empty() && length_of(label.hotkey) != 1) {
      wrong(source, "hotkey", "one character");
    }
    labels.push_back(std::move(label));
  });
}

bool asks(const AnnotationScheme& scheme, Question question) noexcept {
  return std::find(scheme.questions.begin(), scheme.questions.end(), question) != scheme.questions.end();
}

// Throws for a scheme that asks for what it has no labels for, or has a key for two labels.
void check_whole(const AnnotationScheme& scheme, std::string_view source) {
  if (scheme.questions.empty()) {
    wrong(source, "questions", fmt::format("a list of one or more of {}", fmt::join(kQuestions, ", ")));
  }
  const bool one = asks(scheme, Question::kClass);
  const bool several = asks(scheme, Question::kClasses);
  if (one && several) {
    wrong(source, "questions", "classification or multi-label, not both");
  }
  if ((one || several) && scheme.classes.empty()) {
    wrong(source, "classes", "a list of the classes that are asked for");
  }
  if (asks(scheme, Question::kSpans) && scheme.spans.empty()) {
    wrong(source, "spans", "a list of the labels of spans that are asked for");
  }
  if (asks(scheme, Question::kRelations) && (scheme.relations.empty() || !asks(scheme, Question::kSpans))) {
    wrong(source, "relations", "a list of the labels of relations, and spans are to be asked for too");
  }
  std::unordered_set<std::string> keys;
  for (const auto* labels : {&scheme.classes, &scheme.spans, &scheme.relations}) {
    for (const Label& label : *labels) {
      if (!label.hotkey.empty() && !keys.insert(label.hotkey).second) {
        wrong(source, "hotkey", fmt::format("of one label, and '{}' is of two", label.hotkey));
      }
    }
  }
}

// The names of labels, to look many up.
class Names {
 public:
  explicit Names(const std::vector<Label>& labels) {
    for (const Label& label : labels) {
      names_.insert(label.name);
    }
  }
  void check(const std::string& name, const char* what) const {
    if (!names_.contains(name)) {
      refuse(fmt::format("'{}' is no label of {} in this project", name.substr(0, 100), what));
    }
  }

 private:
  std::unordered_set<std::string_view> names_;
};

void need(const AnnotationScheme& scheme, std::initializer_list<Question> questions, const char* what) {
  for (const Question question : questions) {
    if (asks(scheme, question)) {
      return;
    }
  }
  refuse(fmt::format("the answer has {}, which this project does not ask for", what));
}

void check_classes(const Answer& answer, const AnnotationScheme& scheme) {
  need(scheme, {Question::kClass, Question::kClasses}, "classes");
  if (answer.classes.size() > 1 && !asks(scheme, Question::kClasses)) {
    refuse(fmt::format("the answer has {} classes; this project asks for one", answer.classes.size()));
  }
  const Names names(scheme.classes);
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : answer.classes) {
    names.check(name, "classes");
    if (!seen.insert(name).second) {
      refuse(fmt::format("the class '{}' is there twice", name));
    }
  }
}

void check_spans(const Answer& answer, const AnnotationScheme& scheme, const Task& task) {
  need(scheme, {Question::kSpans}, "spans");
  const Names names(scheme.spans);
  const int64_t length = length_of(task.text);
  std::unordered_set<std::string_view> ids;
  for (const Span& span : answer.spans) {
    names.check(span.label, "spans");
    if (span.start < 0 || span.start >= span.end || span.end > length) {
      refuse(fmt::format("the span {} to {} ('{}') is not within the text, which has {} characters", span.start, span.end, span.label, length));
    }
    if (span.id.empty() || !ids.insert(span.id).second) {
      refuse(fmt::format("the id '{}' of a span is empty or there twice", span.id));
    }
  }
  if (!scheme.overlapping) {
    std::vector<std::pair<int64_t, int64_t>> places;
    for (const Span& span : answer.spans) {
      places.emplace_back(span.start, span.end);
    }
    std::sort(places.begin(), places.end());
    for (size_t i = 1; i < places.size(); ++i) {
      if (places[i].first < places[i - 1].second) {
        refuse(fmt::format("the spans {} to {} and {} to {} overlap, which this project does not allow", places[i - 1].first,
                           places[i - 1].second, places[i].first, places[i].second));
      }
    }
  }
}

void check_relations(const Answer& answer, const AnnotationScheme& scheme) {
  need(scheme, {Question::kRelations}, "relations");
  const Names names(scheme.relations);
  std::unordered_set<std::string_view> ids;
  for (const Span& span : answer.spans) {
    ids.insert(span.id);
  }
  for (const Relation& relation : answer.relations) {
    names.check(relation.label, "relations");
    for (const std::string& id : {relation.from, relation.to}) {
      if (!ids.contains(id)) {
        refuse(fmt::format("the relation '{}' is of the span '{}', which the answer does not have", relation.label, id.substr(0, 100)));
      }
    }
  }
}

void check_rating(int rating, int min, int max) {
  if (rating < min || rating > max) {
    refuse(fmt::format("the rating {} is not from {} to {}", rating, min, max));
  }
}

}  // namespace

int64_t length_of(std::string_view text) noexcept {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

std::string_view name_of(Question question) noexcept { return kQuestions[static_cast<size_t>(question)]; }

Question question_named(std::string_view name) {
  for (size_t i = 0; i < kQuestions.size(); ++i) {
    if (kQuestions[i] == name) {
      return static_cast<Question>(i);
    }
  }
  throw Error(Code::kInvalid, fmt::format("a project asks for {}, not '{}'", fmt::join(kQuestions, ", "), name.substr(0, 100)));
}

Json to_json(const AnnotationScheme& scheme) {
  Json questions = Json::array();
  for (const Question question : scheme.questions) {
    questions.push_back(name_of(question));
  }
  return {{"questions", std::move(questions)},
          {"classes", labels_json(scheme.classes)},
          {"spans", labels_json(scheme.spans)},
          {"relations", labels_json(scheme.relations)},
          {"rating_max", scheme.rating_max},
          {"overlapping", scheme.overlapping}};
}

Json to_json(const Answer& answer) {
  Json json = Json::object();
  if (!answer.classes.empty()) {
    json["classes"] = answer.classes;
  }
  if (!answer.spans.empty()) {
    Json& list = json["spans"] = Json::array();
    for (const Span& span : answer.spans) {
      list.push_back({{"id", span.id}, {"start", span.start}, {"end", span.end}, {"label", span.label}});
    }
  }
  if (!answer.relations.empty()) {
    Json& list = json["relations"] = Json::array();
    for (const Relation& relation : answer.relations) {
      list.push_back({{"from", relation.from}, {"to", relation.to}, {"label", relation.label}});
    }
  }
  if (!answer.texts.empty()) {
    json["texts"] = answer.texts;
  }
  if (answer.rating) {
    json["rating"] = *answer.rating;
  }
  if (answer.preferred) {
    json["preferred"] = *answer.preferred;
  }
  if (!answer.message_ratings.empty()) {
    json["message_ratings"] = answer.message_ratings;
  }
  return json;
}

Json to_json(const Task& task) {
  Json json = Json::object();
  if (task.id != 0) {
    json["id"] = task.id;
  }
  if (!task.key.empty()) {
    json["key"] = task.key;
  }
  json["text"] = task.text;
  if (!task.candidates.empty()) {
    json["candidates"] = task.candidates;
  }
  if (!task.messages.empty()) {
    Json& list = json["messages"] = Json::array();
    for (const Message& message : task.messages) {
      list.push_back({{"role", message.role}, {"content", message.content}});
    }
  }
  if (!task.meta.empty()) {
    json["meta"] = task.meta;
  }
  return json;
}

Json to_json(const Suggestion& suggestion) {
  return {{"source", suggestion.source}, {"score", suggestion.score}, {"answer", to_json(suggestion.answer)}};
}

Json to_json(const Annotation& annotation) {
  return {{"id", annotation.id},
          {"task", annotation.task},
          {"annotator", annotation.annotator},
          {"answer", to_json(annotation.answer)},
          {"skipped", annotation.skipped},
          {"ground_truth", annotation.ground_truth},
          {"note", annotation.note},
          {"seconds", annotation.seconds},
          {"created_ms", annotation.created_ms},
          {"updated_ms", annotation.updated_ms}};
}

AnnotationScheme scheme_from_json(const Json& json, std::string_view source) {
  const Members members(json, source, "a scheme", {"questions", "classes", "spans", "relations", "rating_max", "overlapping"});
  AnnotationScheme scheme;
  members.list("questions", kQuestions.size(), [&](const Json& entry) {
    const Question question = question_named(members.text_of(entry, "questions", kMaxName));
    if (asks(scheme, question)) {
      wrong(source, "questions", fmt::format("a list that has '{}' once", name_of(question)));
    }
    scheme.questions.push_back(question);
  });
  read_labels(members, "classes", source, scheme.classes);
  read_labels(members, "spans", source, scheme.spans);
  read_labels(members, "relations", source, scheme.relations);
  members.integer("rating_max", scheme.rating_max, 2, kMaxRating);
  members.boolean("overlapping", scheme.overlapping);
  check_whole(scheme, source);
  return scheme;
}

Answer answer_from_json(const Json& json, std::string_view source) {
  const Members members(json, source, "an answer", {"classes", "spans", "relations", "texts", "rating", "preferred", "message_ratings"});
  Answer answer;
  members.texts("classes", answer.classes, kMaxLabels, kMaxName);
  members.list("spans", kMaxSpans, [&](const Json& entry) {
    const Members fields(entry, source, "a span", {"id", "start", "end", "label"});
    Span& span = answer.spans.emplace_back();
    fields.needed("id", span.id, kMaxName);
    fields.needed("label", span.label, kMaxName);
    span.start = span.end = -1;
    fields.integer("start", span.start, 0, kMaxText);
    fields.integer("end", span.end, 0, kMaxText);
    if (span.start < 0 || span.end <= span.start) {
      wrong(source, "spans", "a list of spans with start and end, the end after the start");
    }
  });
  members.list("relations", kMaxSpans, [&](const Json& entry) {
    const Members fields(entry, source, "a relation", {"from", "to", "label"});
    Relation& relation = answer.relations.emplace_back();
    fields.needed("from", relation.from, kMaxName);
    fields.needed("to", relation.to, kMaxName);
    fields.needed("label", relation.label, kMaxName);
  });
  members.texts("texts", answer.texts, kMaxTexts, kMaxText);
  if (members.find("rating") != nullptr) {
    members.integer("rating", answer.rating.emplace(), 1, kMaxRating);
  }
  if (members.find("preferred") != nullptr) {
    members.integer("preferred", answer.preferred.emplace(), -1, kMaxTexts - 1);
  }
  members.list("message_ratings", kMaxMessages, [&](const Json& entry) {
    answer.message_ratings.push_back(static_cast<int>(members.integer_of(entry, "message_ratings", 0, kMaxRating)));
  });
  return answer;
}

Task task_from_json(const Json& json, std::string_view source) {
  const Members members(json, source, "a task", {"id", "key", "text", "candidates", "messages", "meta"});
  Task task;
  members.integer("id", task.id, 0, INT64_MAX);
  members.text("key", task.key, kMaxName);
  members.text("text", task.text, kMaxText);
  members.texts("candidates", task.candidates, kMaxTexts, kMaxText);
  members.list("messages", kMaxMessages, [&](const Json& entry) {
    const Members fields(entry, source, "a message", {"role", "content"});
    Message& message = task.messages.emplace_back();
    fields.needed("role", message.role, kMaxName);
    fields.text("content", message.content, kMaxText);
  });
  if (const Json* meta = members.find("meta"); meta != nullptr) {
    if (!meta->is_object() || base::dump_json(*meta).size() > kMaxMeta) {
      wrong(source, "meta", fmt::format("an object of at most {} bytes", kMaxMeta));
    }
    task.meta = *meta;
  }
  if (task.text.empty() && task.candidates.empty() && task.messages.empty()) {
    throw Error(Code::kInvalid, fmt::format("{}: a task has a text, candidates or messages", source));
  }
  return task;
}

Suggestion suggestion_from_json(const Json& json, std::string_view source) {
  const Members members(json, source, "a suggestion", {"source", "score", "answer"});
  Suggestion suggestion;
  members.needed("source", suggestion.source, kMaxName);
  members.number("score", suggestion.score, 0, 1);
  if (const Json* answer = members.find("answer"); answer != nullptr) {
    suggestion.answer = answer_from_json(*answer, source);
  }
  return suggestion;
}

Annotation annotation_from_json(const Json& json, std::string_view source) {
  const Members members(json, source, "an annotation",
                        {"id", "task", "annotator", "answer", "skipped", "ground_truth", "note", "seconds", "created_ms", "updated_ms"});
  Annotation annotation;
  members.integer("id", annotation.id, 0, INT64_MAX);
  members.integer("task", annotation.task, 0, INT64_MAX);
  members.text("annotator", annotation.annotator, kMaxName);
  if (const Json* answer = members.find("answer"); answer != nullptr) {
    annotation.answer = answer_from_json(*answer, source);
  }
  members.boolean("skipped", annotation.skipped);
  members.boolean("ground_truth", annotation.ground_truth);
  members.text("note", annotation.note, kMaxNote);
  members.number("seconds", annotation.seconds, 0, 1e9);
  members.integer("created_ms", annotation.created_ms, 0, INT64_MAX);
  members.integer("updated_ms", annotation.updated_ms, 0, INT64_MAX);
  return annotation;
}

void check(const Answer& answer, const AnnotationScheme& scheme, const Task& task) {
  if (!answer.classes.empty()) {
    check_classes(answer, scheme);
  }
  if (!answer.spans.empty()) {
    check_spans(answer, scheme, task);
  }
  if (!answer.relations.empty()) {
    check_relations(answer, scheme);
  }
  if (!answer.texts.empty()) {
    need(scheme, {Question::kText}, "text");
  }
  if (answer.rating) {
    need(scheme, {Question::kRating}, "a rating");
    check_rating(*answer.rating, 1, scheme.rating_max);
  }
  if (answer.preferred) {
    need(scheme, {Question::kPreference}, "a preference");
    if (*answer.preferred < -1 || *answer.preferred >= static_cast<int>(task.candidates.size())) {
      refuse(fmt::format("candidate {} is preferred; there are {}, counted from 0, and -1 is a tie", *answer.preferred, task.candidates.size()));
    }
  }
  if (!answer.message_ratings.empty()) {
    need(scheme, {Question::kChatReview}, "ratings of messages");
    if (answer.message_ratings.size() != task.messages.size()) {
      refuse(fmt::format("the answer rates {} messages; the chat has {}", answer.message_ratings.size(), task.messages.size()));
    }
    for (const int rating : answer.message_ratings) {
      check_rating(rating, 0, scheme.rating_max);
    }
  }
}

}  // namespace slipway::record
