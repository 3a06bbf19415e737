// Argilla's records: the JSON of 2.x (Dataset.records.to_json), of 1.x feedback datasets, and of 1.x text, token classification and text to
// text. A record says values, not what kind of question they answer: a text is a class unless it is long or has lines.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "data/annotation_source.h"

namespace slipway::data {
namespace {

using record::Answer;

constexpr size_t kMaxClass = 200;  // bytes: a longer text is written, not chosen

void add_spans(const Json& list, int64_t length, Answer& answer, Notes& notes) {
  for (const Json& entry : list) {
    const Json* start = member(entry, "start");
    const Json* end = member(entry, "end");
    const std::string* label = text_member(entry, "label");
    const auto from = start == nullptr ? std::nullopt : integer_in(*start);
    const auto to = end == nullptr ? std::nullopt : integer_in(*end);
    if (!from || !to || label == nullptr || label->empty() || *from < 0 || *from >= *to || *to > length) {
      ++notes["spans that are not within the text"];
      continue;
    }
    answer.spans.push_back({fmt::format("s{}", answer.spans.size() + 1), *from, *to, *label});
  }
}

class ArgillaCodec final : public JsonCodec {
 public:
  explicit ArgillaCodec(const AnnotationReadOptions& options) : text_field_(options.text_field) {}
  AnnotationFormat format() const noexcept override { return AnnotationFormat::kArgilla; }
  JsonStyle default_style() const override { return {.array = true, .indent = 0, .spaces = true, .ascii = true}; }

  record::AnnotatedTask read(const Json& record, const std::string& where, Notes& notes, std::string& pointer) const override {
    record::AnnotatedTask task;
    const Json* fields = member(record, "fields");
    const bool feedback = fields != nullptr && fields->is_object();
    feedback ? read_fields(*fields, where, task.task, pointer) : read_text(record, where, task.task, pointer);
    for (const char* key : {"external_id", "id"}) {
      if (const Json* id = member(record, key); id != nullptr && !id_text(*id).empty()) {
        task.task.key = id_text(*id);
      }
    }
    if (const Json* meta = member(record, "metadata"); meta != nullptr && meta->is_object()) {
      task.task.meta = *meta;
      task.task.meta.erase(kSourceKey);
    }
    const Values values{task.task, fields, notes};
    if (!feedback) {
      read_old(record, values, task);
      return task;
    }
    if (const Json* responses = member(record, "responses"); responses != nullptr) {
      read_responses(*responses, values, task);
    }
    if (const Json* suggestions = member(record, "suggestions"); suggestions != nullptr) {
      read_suggestions(*suggestions, values, task);
    }
    return task;
  }

  std::vector<Json> write(const record::AnnotatedTask& task, const Json* original, const std::string& pointer, Notes& notes) const override {
    if (original == nullptr) {
      return {new_record(task, nullptr, notes)};
    }
    Notes ignored;
    std::string known = pointer;
    const record::AnnotatedTask before = read(*original, "the source", ignored, known);
    const auto same = [](const auto& a, const auto& b, auto equal) { return std::equal(a.begin(), a.end(), b.begin(), b.end(), equal); };
    const bool answers = same(task.annotations, before.annotations, same_annotation);
    const bool suggested = same(task.suggestions, before.suggestions, same_suggestion);
    if (!(answers && suggested) && !original->contains("fields")) {
      return {new_record(task, original, notes)};
    }
    Json record = *original;
    if (!answers) {
      record["responses"] = responses_json(task, record["fields"], names_of(record), notes);
    }
    if (!suggested) {
      record["suggestions"] = suggestions_json(task, record["fields"], names_of(record), notes);
    }
    return {std::move(record)};
  }

 private:
  enum Kind : size_t { kClasses, kSpans, kTexts, kRating, kPreferred, kKinds };
  using Names = std::array<std::string, kKinds>;  // the question of each kind

  struct Values {
    const record::Task& task;
    const Json* fields;
    Notes& notes;

    // Adds the value of a question to an answer; the kind that it seems to be of, or kKinds.
    Kind add(const Json& value, Answer& answer) const {
      if (value.is_string()) {
        const std::string& text = value.get_ref<const std::string&>();
        const bool written = text.size() > kMaxClass || text.find('\n') != std::string::npos;
        (written ? answer.texts : answer.classes).push_back(text);
        return written ? kTexts : kClasses;
      }
      if (const auto number = integer_in(value); number && *number >= 1 && *number <= 100) {
        answer.rating = static_cast<int>(*number);
        return kRating;
      }
      if (!value.is_array() || value.empty()) {
        if (!value.is_null() && !value.is_array()) {
          ++notes["values of an unknown kind"];
        }
        return kKinds;
      }
      if (value[0].is_string()) {
        for (const Json& entry : value) {
          if (entry.is_string()) {
            answer.classes.push_back(entry.get<std::string>());
          }
        }
        return kClasses;
      }
      if (member(value[0], "start") != nullptr) {
        add_spans(value, record::length_of(task.text), answer, notes);
        return kSpans;
      }
      return add_ranking(value, answer);
    }

    Kind add_ranking(const Json& value, Answer& answer) const {
      std::vector<size_t> best;
      for (size_t i = 0; i < value.size(); ++i) {
        const Json* rank = member(value[i], "rank");
        if (rank != nullptr && integer_in(*rank) == 1) {
          const std::string* name = text_member(value[i], "value");
          const std::string* text = name == nullptr || fields == nullptr ? nullptr : text_member(*fields, name->c_str());
          const auto found = text == nullptr ? task.candidates.end() : std::find(task.candidates.begin(), task.candidates.end(), *text);
          best.push_back(found == task.candidates.end() ? i : static_cast<size_t>(found - task.candidates.begin()));
        }
      }
      if (best.empty() || best[0] >= task.candidates.size()) {
        ++notes["rankings of what is no field"];
        return kKinds;
      }
      answer.preferred = best.size() == 1 ? static_cast<int>(best[0]) : -1;
      return kPreferred;
    }
  };

  void read_fields(const Json& fields, const std::string& where, record::Task& task, std::string& pointer) const {
    std::string key = !pointer.empty() ? Json::json_pointer(pointer).back() : text_field_;
    for (auto it = fields.begin(); it != fields.end() && key.empty(); ++it) {
      if (it->is_string() && (fields.contains("text") ? it.key() == "text" : true)) {
        key = it.key();
      }
    }
    const std::string* text = key.empty() ? nullptr : text_member(fields, key.c_str());
    if (text != nullptr) {
      task.text = *text;
      pointer = (Json::json_pointer("/fields") / key).to_string();
    }
    for (auto it = fields.begin(); it != fields.end(); ++it) {
      if (it.key() == key) {
        continue;
      }
      if (it->is_string()) {
        task.candidates.push_back(it->get<std::string>());
      } else if (it->is_array() && task.messages.empty()) {
        for (const Json& entry : *it) {
          const std::string* role = text_member(entry, "role");
          const std::string* content = text_member(entry, "content");
          if (role != nullptr && content != nullptr && !role->empty()) {
            task.messages.push_back({*role, *content});
          }
        }
      }
    }
    if (task.candidates.size() < 2) {
      task.candidates.clear();
    }
    if (task.text.empty() && task.candidates.empty() && task.messages.empty()) {
      bad_record(where, "'fields' has no text");
    }
  }

  void read_text(const Json& record, const std::string& where, record::Task& task, std::string& pointer) const {
    const Json* inputs = member(record, "inputs");
    const bool nested = text_member(record, "text") == nullptr && inputs != nullptr && inputs->is_object();
    const Json& from = nested ? *inputs : record;
    std::string key = !pointer.empty() ? Json::json_pointer(pointer).back() : text_field_.empty() ? "text" : text_field_;
    if (nested && text_member(from, key.c_str()) == nullptr && !from.empty()) {
      key = from.begin().key();
    }
    const std::string* text = text_member(from, key.c_str());
    if (text == nullptr || text->empty()) {
      bad_record(where, fmt::format("has no text '{}'", key));
    }
    task.text = *text;
    pointer = ((nested ? Json::json_pointer("/inputs") : Json::json_pointer()) / key).to_string();
  }

  static void read_responses(const Json& responses, const Values& values, record::AnnotatedTask& task) {
    const auto of = [&](const std::string& user) -> record::Annotation& {
      for (record::Annotation& annotation : task.annotations) {
        if (annotation.annotator == user) {
          return annotation;
        }
      }
      task.annotations.emplace_back().annotator = user;
      return task.annotations.back();
    };
    const auto user_of = [](const Json& response) {
      const Json* user = member(response, "user_id");
      return user == nullptr ? std::string() : id_text(*user);
    };
    if (responses.is_object()) {  // 2.x: a list for each question
      for (const Json& question : responses) {
        for (const Json& response : question.is_array() ? question : Json::array()) {
          if (const Json* value = member(response, "value"); value != nullptr) {
            values.add(*value, of(user_of(response)).answer);
          }
        }
      }
    } else if (responses.is_array()) {  // 1.x: a response a user
      for (const Json& response : responses) {
        record::Annotation& annotation = task.annotations.emplace_back();
        annotation.annotator = user_of(response);
        const std::string* status = text_member(response, "status");
        annotation.skipped = status != nullptr && *status == "discarded";
        const Json* given = member(response, "values");
        if (given != nullptr && given->is_object()) {
          for (const Json& question : *given) {
            if (const Json* value = member(question, "value"); value != nullptr) {
              values.add(*value, annotation.answer);
            }
          }
        }
      }
    }
  }

  static void add_suggestion(const Json& suggestion, const Values& values, record::AnnotatedTask& task) {
    const Json* value = member(suggestion, "value");
    if (value == nullptr || value->is_null()) {
      return;
    }
    const std::string* agent = text_member(suggestion, "agent");
    const std::string source = agent == nullptr || agent->empty() ? "suggestion" : *agent;
    const Json* score = member(suggestion, "score");
    const double sure = score != nullptr && score->is_number() ? std::clamp(score->get<double>(), 0.0, 1.0) : 0;
    auto found = std::find_if(task.suggestions.begin(), task.suggestions.end(), [&](const record::Suggestion& s) { return s.source == source; });
    if (found == task.suggestions.end()) {
      task.suggestions.push_back({source, sure, {}});
      found = task.suggestions.end() - 1;
    }
    values.add(*value, found->answer);
  }

  static void read_suggestions(const Json& suggestions, const Values& values, record::AnnotatedTask& task) {
    if (suggestions.is_structured()) {  // 2.x by question, 1.x a list
      for (const Json& suggestion : suggestions) {
        add_suggestion(suggestion, values, task);
      }
    }
  }

  // [label], [[label, score]], [[label, start, end]], a label.
  static void old_answer(const Json& value, bool spans, bool written, const Values& values, Answer& answer) {
    if (value.is_string()) {
      (written ? answer.texts : answer.classes).push_back(value.get<std::string>());
    }
    for (const Json& entry : value.is_array() ? value : Json::array()) {
      if (entry.is_string()) {
        (written ? answer.texts : answer.classes).push_back(entry.get<std::string>());
      } else if (spans && entry.is_array() && entry.size() >= 3) {
        add_spans(Json::array({{{"label", entry[0]}, {"start", entry[1]}, {"end", entry[2]}}}), record::length_of(values.task.text), answer, values.notes);
      } else if (entry.is_array() && !entry.empty() && entry[0].is_string()) {
        (written ? answer.texts : answer.classes).push_back(entry[0].get<std::string>());
      }
    }
  }

  static void read_old(const Json& record, const Values& values, record::AnnotatedTask& task) {
    const bool spans = record.contains("tokens");
    const bool written = !spans && !record.contains("inputs") && !record.contains("multi_label");
    const auto agent = [&](const char* key, const char* fallback) {
      const std::string* name = text_member(record, key);
      return name == nullptr || name->empty() ? std::string(fallback) : *name;
    };
    const std::string* status = text_member(record, "status");
    const bool discarded = status != nullptr && *status == "Discarded";
    const Json* annotation = member(record, "annotation");
    if (discarded || (annotation != nullptr && !annotation->is_null())) {
      record::Annotation& made = task.annotations.emplace_back();
      made.annotator = agent("annotation_agent", "");
      made.skipped = discarded;
      if (annotation != nullptr) {
        old_answer(*annotation, spans, written, values, made.answer);
      }
    }
    const Json* prediction = member(record, "prediction");
    if (prediction == nullptr || !prediction->is_array() || prediction->empty()) {
      return;
    }
    record::Suggestion& suggestion = task.suggestions.emplace_back();
    suggestion.source = agent("prediction_agent", "prediction");
    const Json* multi = member(record, "multi_label");
    const bool one = !spans && !(multi != nullptr && multi->is_boolean() && multi->get<bool>());
    // Scores of all classes: the first is the best, of several those that are more likely than not.
    for (const Json& entry : *prediction) {
      const Json* score = entry.is_array() && entry.size() == (spans ? 4U : 2U) ? &entry.back() : nullptr;
      const double sure = score != nullptr && score->is_number() ? std::clamp(score->get<double>(), 0.0, 1.0) : 0;
      if (one || spans || sure >= 0.5) {
        old_answer(Json::array({entry}), spans, written, values, suggestion.answer);
        suggestion.score = std::max(suggestion.score, sure);
      }
      if (one) {
        break;
      }
    }
  }

  // The questions of a record, by what their values look like.
  static Names names_of(const Json& record) {
    Names names = {"class", "spans", "text", "rating", "preference"};
    Notes ignored;
    record::Task task;
    task.text = std::string(1 << 12, ' ');
    const Values values{task, nullptr, ignored};
    const auto see = [&](const std::string& question, const Json& value) {
      Answer answer;
      const Kind kind = value.is_array() && !value.empty() && member(value[0], "rank") != nullptr ? kPreferred : values.add(value, answer);
      if (kind != kKinds) {
        names[kind] = question;
      }
    };
    const Json* suggestions = member(record, "suggestions");
    for (const Json* by_question : {suggestions, member(record, "responses")}) {
      if (by_question == nullptr || !by_question->is_object()) {
        continue;
      }
      for (auto it = by_question->begin(); it != by_question->end(); ++it) {
        const Json* first = it->is_array() && !it->empty() ? &(*it)[0] : &*it;
        if (const Json* value = member(*first, "value"); value != nullptr) {
          see(it.key(), *value);
        }
      }
    }
    return names;
  }

  // Calls each(question, value) for what an answer says.
  template <class Each>
  static void values_of(const Answer& answer, const record::Task& task, const Json& fields, const Names& names, Notes& notes, Each each) {
    if (answer.classes.size() == 1) {
      each(names[kClasses], Json(answer.classes[0]));
    } else if (!answer.classes.empty()) {
      each(names[kClasses], Json(answer.classes));
    }
    if (!answer.spans.empty()) {
      Json spans = Json::array();
      for (const record::Span& span : answer.spans) {
        spans.push_back({{"label", span.label}, {"start", span.start}, {"end", span.end}});
      }
      each(names[kSpans], std::move(spans));
    }
    if (!answer.texts.empty()) {
      each(names[kTexts], Json(answer.texts[0]));
    }
    if (answer.rating) {
      each(names[kRating], Json(*answer.rating));
    }
    if (answer.preferred) {
      Json ranking = Json::array();
      for (size_t i = 0; i < task.candidates.size(); ++i) {
        std::string name;
        for (auto it = fields.begin(); it != fields.end() && name.empty(); ++it) {
          name = *it == task.candidates[i] ? it.key() : "";
        }
        ranking.push_back({{"value", name}, {"rank", *answer.preferred < 0 || *answer.preferred == static_cast<int>(i) ? 1 : 2}});
      }
      each(names[kPreferred], std::move(ranking));
    }
    if (!answer.relations.empty() || !answer.message_ratings.empty()) {
      ++notes["relations and ratings of messages"];
    }
  }

  static Json responses_json(const record::AnnotatedTask& task, const Json& fields, const Names& names, Notes& notes) {
    Json responses = Json::object();
    for (const record::Annotation& annotation : task.annotations) {
      if (annotation.skipped) {
        ++notes["skipped answers"];
        continue;
      }
      values_of(annotation.answer, task.task, fields, names, notes, [&](const std::string& question, Json value) {
        responses[question].push_back({{"value", std::move(value)}, {"user_id", annotation.annotator}});
      });
    }
    return responses;
  }

  static Json suggestions_json(const record::AnnotatedTask& task, const Json& fields, const Names& names, Notes& notes) {
    Json suggestions = Json::object();
    for (const record::Suggestion& suggestion : task.suggestions) {
      values_of(suggestion.answer, task.task, fields, names, notes, [&](const std::string& question, Json value) {
        if (suggestions.contains(question)) {
          ++notes["suggestions but the first of a question"];
        } else {
          suggestions[question] = {{"value", std::move(value)}, {"score", suggestion.score}, {"agent", suggestion.source}};
        }
      });
    }
    return suggestions;
  }

  // A record of 2.x; of an older record what it says.
  static Json new_record(const record::AnnotatedTask& task, const Json* older, Notes& notes) {
    Json fields = Json::object();
    if (!task.task.text.empty()) {
      fields["text"] = task.task.text;
    }
    for (size_t i = 0; i < task.task.candidates.size(); ++i) {
      fields[fmt::format("candidate{}", i + 1)] = task.task.candidates[i];
    }
    for (const record::Message& message : task.task.messages) {
      fields["chat"].push_back({{"role", message.role}, {"content", message.content}});
    }
    if (older != nullptr) {
      ++notes["records of 1.x, written as 2.x"];
    }
    const Names names = {"class", "spans", "text", "rating", "preference"};
    Json suggestions = suggestions_json(task, fields, names, notes);
    Json responses = responses_json(task, fields, names, notes);
    return {{"id", task.task.key},
            {"fields", std::move(fields)},
            {"metadata", plain_meta(task.task)},
            {"suggestions", std::move(suggestions)},
            {"responses", std::move(responses)},
            {"vectors", Json::object()},
            {"_server_id", nullptr}};
  }

  std::string text_field_;
};

}  // namespace

std::unique_ptr<JsonCodec> make_argilla_codec(const AnnotationReadOptions& options) { return std::make_unique<ArgillaCodec>(options); }

}  // namespace slipway::data
