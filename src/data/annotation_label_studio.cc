// Label Studio's JSON of tasks. Positions are code points since release 1.4 of its editor; older exports count UTF-16 units, which is
// told by the text that each span repeats.
#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <unordered_set>

#include "base/clock.h"
#include "data/annotation_source.h"

namespace slipway::data {
namespace {

using record::Annotation;
using record::Answer;
using record::Suggestion;

constexpr std::array<std::pair<const char*, const char*>, 4> kPairs = {
    {{"candidate1", "candidate2"}, {"text1", "text2"}, {"answer1", "answer2"}, {"response1", "response2"}}};
constexpr size_t kMaxCandidates = 100;

// The messages of a chat: objects with a role (or author) and a content (or text).
bool read_messages(const Json& list, std::vector<record::Message>& messages) {
  if (!list.is_array() || list.empty()) {
    return false;
  }
  for (const Json& entry : list) {
    const std::string* role = nullptr;
    for (const char* key : {"role", "author", "user", "speaker"}) {
      role = role == nullptr ? text_member(entry, key) : role;
    }
    const std::string* content = text_member(entry, "content");
    content = content == nullptr ? text_member(entry, "text") : content;
    if (role == nullptr || role->empty() || content == nullptr) {
      messages.clear();
      return false;
    }
    messages.push_back({*role, *content});
  }
  return true;
}

class Results {
 public:
  Results(const record::Task& task, const Positions& positions, Notes& notes) : task_(task), positions_(positions), notes_(notes) {}

  void read(const Json& results, Answer& answer) {
    if (!results.is_array()) {
      return;
    }
    for (const Json& result : results) {
      const std::string* type = text_member(result, "type");
      const Json* value = member(result, "value");
      if (type == nullptr) {
        ++notes_["results without a type"];
      } else if (*type == "relation") {
        relation(result, answer);
      } else if (value == nullptr) {
        ++notes_[fmt::format("results of type '{}' without a value", type->substr(0, 40))];
      } else if (*type == "labels" || *type == "hypertextlabels") {
        spans(result, *value, *type, answer);
      } else if (value->contains("start") && *type != "pairwise") {
        ++notes_[fmt::format("{} of a region", type->substr(0, 40))];
      } else {
        whole(result, *value, *type, answer);
      }
    }
  }

 private:
  void spans(const Json& result, const Json& value, const std::string& type, Answer& answer) {
    const Json* where = member(value, "globalOffsets");
    where = where != nullptr && where->is_object() ? where : &value;
    const Json* labels = member(value, type.c_str());
    const Json* start_at = member(*where, "start");
    const Json* end_at = member(*where, "end");
    auto start = start_at == nullptr ? std::nullopt : integer_in(*start_at);
    auto end = end_at == nullptr ? std::nullopt : integer_in(*end_at);
    if (!start || !end || labels == nullptr || !labels->is_array()) {
      ++notes_["spans without start, end and labels"];
      return;
    }
    if (const std::string* text = text_member(value, "text"); text != nullptr && positions_.astral() && positions_.slice(*start, *end) != *text) {
      const int64_t from = positions_.of_utf16(*start);
      const int64_t to = positions_.of_utf16(*end);
      if (positions_.slice(from, to) == *text) {
        start = from;
        end = to;
      }
    }
    if (*start < 0 || *start >= *end || *end > positions_.size()) {
      ++notes_["spans outside the text"];
      return;
    }
    const Json* given = member(result, "id");
    std::string id = given == nullptr ? "" : id_text(*given);
    if (id.empty()) {
      id = fmt::format("s{}", answer.spans.size() + 1);
    }
    int64_t number = 0;
    for (const Json& label : *labels) {
      if (label.is_string() && !label.get_ref<const std::string&>().empty()) {
        answer.spans.push_back({++number == 1 ? id : fmt::format("{}.{}", id, number), *start, *end, label.get<std::string>()});
      }
    }
  }

  void relation(const Json& result, Answer& answer) {
    const Json* from_id = member(result, "from_id");
    const Json* to_id = member(result, "to_id");
    std::string from = from_id == nullptr ? "" : id_text(*from_id);
    std::string to = to_id == nullptr ? "" : id_text(*to_id);
    if (from.empty() || to.empty()) {
      ++notes_["relations without from_id and to_id"];
      return;
    }
    if (const std::string* direction = text_member(result, "direction"); direction != nullptr && *direction == "left") {
      std::swap(from, to);
    }
    bool any = false;
    if (const Json* labels = member(result, "labels"); labels != nullptr && labels->is_array()) {
      for (const Json& label : *labels) {
        if (label.is_string() && !label.get_ref<const std::string&>().empty()) {
          answer.relations.push_back({from, to, label.get<std::string>()});
          any = true;
        }
      }
    }
    if (!any) {
      answer.relations.push_back({from, to, "related"});
    }
  }

  void whole(const Json& result, const Json& value, const std::string& type, Answer& answer) {
    if (type == "choices") {
      texts(value, "choices", answer.classes);
    } else if (type == "textarea") {
      texts(value, "text", answer.texts);
    } else if (type == "rating") {
      rating(result, value, answer);
    } else if (type == "pairwise") {
      const std::string* selected = text_member(value, "selected");
      if (selected != nullptr && task_.candidates.size() >= 2) {
        answer.preferred = *selected == "left" ? 0 : *selected == "right" ? 1 : -1;
      } else {
        ++notes_["pairwise choices of texts that were not found"];
      }
    } else {
      ++notes_[fmt::format("results of type '{}'", type.substr(0, 40))];
    }
  }

  void rating(const Json& result, const Json& value, Answer& answer) {
    const Json* given = member(value, "rating");
    const auto number = given == nullptr ? std::nullopt : integer_in(*given);
    if (!number || *number < 1 || *number > 100) {
      ++notes_["ratings that are not 1 to 100"];
      return;
    }
    const Json* item = member(result, "item_index");
    const auto index = item == nullptr ? std::nullopt : integer_in(*item);
    if (index && *index >= 0 && *index < static_cast<int64_t>(task_.messages.size())) {
      answer.message_ratings.resize(task_.messages.size());
      answer.message_ratings[static_cast<size_t>(*index)] = static_cast<int>(*number);
    } else {
      answer.rating = static_cast<int>(*number);
    }
  }

  void texts(const Json& value, const char* key, std::vector<std::string>& out) {
    const Json* list = member(value, key);
    if (list != nullptr && list->is_string()) {
      out.push_back(list->get<std::string>());
      return;
    }
    if (list == nullptr || !list->is_array()) {
      ++notes_[fmt::format("results without '{}'", key)];
      return;
    }
    for (const Json& entry : *list) {
      if (entry.is_string()) {
        out.push_back(entry.get<std::string>());
      } else {
        ++notes_["choices of a tree"];
      }
    }
  }

  const record::Task& task_;
  const Positions& positions_;
  Notes& notes_;
};

class LabelStudioCodec final : public JsonCodec {
 public:
  explicit LabelStudioCodec(const AnnotationReadOptions& options) : text_field_(options.text_field) {}
  AnnotationFormat format() const noexcept override { return AnnotationFormat::kLabelStudio; }
  JsonStyle default_style() const override { return {.array = true, .indent = 0, .spaces = true}; }

  record::AnnotatedTask read(const Json& record, const std::string& where, Notes& notes, std::string& pointer) const override {
    const Json* data = member(record, "data");
    if (data == nullptr || !data->is_object()) {
      bad_record(where, "a task of Label Studio has an object 'data'");
    }
    record::AnnotatedTask task;
    read_data(*data, where, task.task, pointer);
    if (const Json* id = member(record, "id"); id != nullptr) {
      task.task.key = id_text(*id);
      task.task.id = std::max<int64_t>(0, integer_in(*id).value_or(0));
    }
    const Positions positions(task.task.text);
    Results results(task.task, positions, notes);
    const Json* annotations = member(record, "annotations");
    annotations = annotations == nullptr ? member(record, "completions") : annotations;
    if (annotations != nullptr && annotations->is_array()) {
      for (const Json& entry : *annotations) {
        task.annotations.push_back(read_annotation(entry, results, notes));
      }
    }
    if (const Json* predictions = member(record, "predictions"); predictions != nullptr && predictions->is_array()) {
      for (const Json& entry : *predictions) {
        task.suggestions.push_back(read_prediction(entry, results));
      }
    }
    return task;
  }

  std::vector<Json> write(const record::AnnotatedTask& task, const Json* original, const std::string& pointer, Notes& notes) const override {
    Json record = original == nullptr ? new_record(task.task) : *original;
    record::AnnotatedTask before;
    if (original != nullptr) {
      Notes ignored;
      std::string known = pointer;
      before = read(*original, "the source", ignored, known);
    }
    const Names names = names_of(record);
    const char* key = record.contains("completions") && !record.contains("annotations") ? "completions" : "annotations";
    const Positions positions(task.task.text);
    const auto fill = [&](const char* list_key, const auto& now, const auto& then, auto same, auto make) {
      const Json* raw = member(record, list_key);
      const Json old = raw != nullptr && raw->is_array() ? *raw : Json::array();
      Json list = Json::array();
      std::vector<bool> used(then.size());
      size_t first = 0;  // not used yet
      for (const auto& value : now) {
        while (first < then.size() && used[first]) {
          ++first;
        }
        size_t i = first;
        while (i < then.size() && (used[i] || !same(value, then[i]))) {
          ++i;
        }
        if (i < then.size()) {
          used[i] = true;
          list.push_back(old.at(i));
        } else {
          list.push_back(make(value));
        }
      }
      if (raw != nullptr || !list.empty()) {
        record[list_key] = std::move(list);
      }
    };
    fill(key, task.annotations, before.annotations, same_annotation, [&](const Annotation& a) { return annotation_json(a, task.task, names, positions, notes); });
    fill("predictions", task.suggestions, before.suggestions, same_suggestion, [&](const Suggestion& s) {
      return Json{{"model_version", s.source}, {"score", s.score}, {"result", results_json(s.answer, task.task, names, positions)}};
    });
    return {std::move(record)};
  }

 private:
  struct Names {  // type -> from_name, to_name
    std::map<std::string, std::pair<std::string, std::string>> of;
  };

  void read_data(const Json& data, const std::string& where, record::Task& task, std::string& pointer) const {
    std::vector<std::string> taken;
    const auto take = [&](const std::string& key, std::string& out) {
      const std::string* text = text_member(data, key.c_str());
      if (text != nullptr) {
        out = *text;
        taken.push_back(key);
      }
      return text != nullptr;
    };
    const std::string known = pointer.empty() ? text_field_ : Json::json_pointer(pointer).back();
    const std::string wanted = known.empty() ? "text" : known;
    bool found = take(wanted, task.text);
    if (!text_field_.empty() && !found) {
      bad_record(where, fmt::format("'data' has no text '{}'", text_field_));
    }
    for (const auto& [first, second] : kPairs) {
      if (task.candidates.empty() && text_member(data, first) != nullptr && text_member(data, second) != nullptr) {
        task.candidates.resize(2);
        take(first, task.candidates[0]);
        take(second, task.candidates[1]);
        const std::string stem = std::string(first).substr(0, std::string(first).size() - 1);
        for (size_t i = 3; i <= kMaxCandidates && text_member(data, (stem + std::to_string(i)).c_str()) != nullptr; ++i) {
          take(stem + std::to_string(i), task.candidates.emplace_back());
        }
      }
    }
    for (const char* key : {"messages", "dialogue", "chat", "conversation"}) {
      const Json* list = member(data, key);
      if (list != nullptr && task.messages.empty() && read_messages(*list, task.messages)) {
        taken.push_back(key);
      }
    }
    for (auto it = data.begin(); it != data.end() && !found && task.candidates.empty() && task.messages.empty(); ++it) {
      if (it->is_string() && !it->get_ref<const std::string&>().empty()) {
        found = take(it.key(), task.text);
      }
    }
    if (!found && !task.candidates.empty()) {
      found = take("prompt", task.text) || take("question", task.text);
    }
    if (task.text.empty() && task.candidates.empty() && task.messages.empty()) {
      bad_record(where, "'data' has no text");
    }
    for (auto it = data.begin(); it != data.end(); ++it) {
      if (std::find(taken.begin(), taken.end(), it.key()) == taken.end() && it.key() != kSourceKey) {
        task.meta[it.key()] = *it;
      }
    }
    if (found) {
      pointer = (Json::json_pointer("/data") / (taken.front() == wanted || task.candidates.empty() ? taken.front() : taken.back())).to_string();
    }
  }

  static Annotation read_annotation(const Json& entry, Results& results, Notes& notes) {
    Annotation annotation;
    const auto number = [&](const char* key) {
      const Json* value = member(entry, key);
      return value == nullptr ? std::nullopt : integer_in(*value);
    };
    annotation.id = std::max<int64_t>(0, number("id").value_or(0));
    annotation.task = std::max<int64_t>(0, number("task").value_or(0));
    if (const Json* who = member(entry, "completed_by"); who != nullptr) {
      const std::string* email = text_member(*who, "email");
      const Json* id = member(*who, "id");
      annotation.annotator = email != nullptr && !email->empty() ? *email : id != nullptr ? id_text(*id) : id_text(*who);
    }
    const auto flag = [&](const char* key) {
      const Json* value = member(entry, key);
      return value != nullptr && value->is_boolean() && value->get<bool>();
    };
    annotation.skipped = flag("was_cancelled");
    annotation.ground_truth = flag("ground_truth");
    if (const Json* lead = member(entry, "lead_time"); lead != nullptr && lead->is_number()) {
      annotation.seconds = std::clamp(lead->get<double>(), 0.0, 1e9);
    }
    const auto time = [&](const char* key) {
      const std::string* text = text_member(entry, key);
      return text == nullptr ? 0 : std::max<int64_t>(0, parse_time_ms(*text).value_or(0));
    };
    annotation.created_ms = time("created_at");
    annotation.updated_ms = time("updated_at");
    if (const Json* list = member(entry, "result"); list != nullptr) {
      results.read(*list, annotation.answer);
    }
    drop_loose_relations(annotation.answer, notes);
    return annotation;
  }

  static void drop_loose_relations(Answer& answer, Notes& notes) {
    if (answer.relations.empty()) {
      return;
    }
    std::unordered_set<std::string_view> ids;
    for (const record::Span& span : answer.spans) {
      ids.insert(span.id);
    }
    const size_t before = answer.relations.size();
    std::erase_if(answer.relations, [&](const record::Relation& relation) { return !ids.contains(relation.from) || !ids.contains(relation.to); });
    if (answer.relations.size() < before) {
      notes["relations of regions that are no spans"] += static_cast<int64_t>(before - answer.relations.size());
    }
  }

  static Suggestion read_prediction(const Json& entry, Results& results) {
    Suggestion suggestion;
    const Json* version = member(entry, "model_version");
    suggestion.source = version == nullptr ? "" : id_text(*version);
    suggestion.source = suggestion.source.empty() ? "prediction" : suggestion.source;
    if (const Json* score = member(entry, "score"); score != nullptr && score->is_number()) {
      suggestion.score = std::clamp(score->get<double>(), 0.0, 1.0);
    }
    if (const Json* list = member(entry, "result"); list != nullptr) {
      results.read(*list, suggestion.answer);
    }
    Notes ignored;
    drop_loose_relations(suggestion.answer, ignored);
    return suggestion;
  }

  static Json new_record(const record::Task& task) {
    Json data = Json::object();
    if (!task.text.empty()) {
      data["text"] = task.text;
    }
    for (size_t i = 0; i < task.candidates.size(); ++i) {
      data[fmt::format("candidate{}", i + 1)] = task.candidates[i];
    }
    for (const record::Message& message : task.messages) {
      data["messages"].push_back({{"role", message.role}, {"content", message.content}});
    }
    const Json meta = plain_meta(task);
    for (auto it = meta.begin(); it != meta.end(); ++it) {
      if (!data.contains(it.key())) {
        data[it.key()] = *it;
      }
    }
    Json record = Json::object();
    if (task.id > 0) {
      record["id"] = task.id;
    }
    record["data"] = std::move(data);
    record["annotations"] = Json::array();
    record["predictions"] = Json::array();
    return record;
  }

  // The names of control tags that the source's results have.
  static Names names_of(const Json& record) {
    Names names;
    names.of = {{"choices", {"class", "text"}},   {"labels", {"label", "text"}},   {"textarea", {"answer", "text"}},
                {"rating", {"rating", "text"}}, {"pairwise", {"preference", "candidate1,candidate2"}}};
    for (const char* key : {"predictions", "completions", "annotations"}) {
      const Json* list = member(record, key);
      if (list == nullptr || !list->is_array()) {
        continue;
      }
      for (const Json& entry : *list) {
        const Json* results = member(entry, "result");
        if (results == nullptr || !results->is_array()) {
          continue;
        }
        for (const Json& result : *results) {
          const std::string* type = text_member(result, "type");
          const std::string* from = text_member(result, "from_name");
          const std::string* to = text_member(result, "to_name");
          if (type != nullptr && from != nullptr && to != nullptr && names.of.size() < 100) {
            names.of[*type] = {*from, *to};
          }
        }
      }
    }
    return names;
  }

  static Json annotation_json(const Annotation& annotation, const record::Task& task, const Names& names, const Positions& positions, Notes& notes) {
    Json json = Json::object();
    if (annotation.id > 0) {
      json["id"] = annotation.id;
    }
    const bool number = !annotation.annotator.empty() && annotation.annotator.size() < 18 &&
                        annotation.annotator.find_first_not_of("0123456789") == std::string::npos && annotation.annotator[0] != '0';
    if (number) {
      json["completed_by"] = std::stoll(annotation.annotator);
    } else if (!annotation.annotator.empty()) {
      json["completed_by"] = {{"email", annotation.annotator}};
    }
    json["result"] = results_json(annotation.answer, task, names, positions);
    json["was_cancelled"] = annotation.skipped;
    json["ground_truth"] = annotation.ground_truth;
    if (annotation.created_ms > 0) {
      json["created_at"] = base::iso8601(annotation.created_ms);
    }
    if (annotation.updated_ms > 0) {
      json["updated_at"] = base::iso8601(annotation.updated_ms);
    }
    json["lead_time"] = annotation.seconds;
    if (!annotation.note.empty()) {
      ++notes["notes of annotators"];
    }
    return json;
  }

  static Json results_json(const Answer& answer, const record::Task& task, const Names& names, const Positions& positions) {
    Json list = Json::array();
    const auto add = [&](const std::string& id, const char* type, Json value) -> Json& {
      const auto& [from, to] = names.of.at(type);
      list.push_back({{"id", id}, {"from_name", from}, {"to_name", to}, {"type", type}, {"value", std::move(value)}});
      return list.back();
    };
    if (!answer.classes.empty()) {
      add("class", "choices", {{"choices", answer.classes}});
    }
    for (const record::Span& span : answer.spans) {
      add(span.id, "labels", {{"start", span.start}, {"end", span.end}, {"text", positions.slice(span.start, span.end)}, {"labels", Json::array({span.label})}});
    }
    for (const record::Relation& relation : answer.relations) {
      list.push_back({{"from_id", relation.from}, {"to_id", relation.to}, {"type", "relation"}, {"direction", "right"}, {"labels", Json::array({relation.label})}});
    }
    if (!answer.texts.empty()) {
      add("answer", "textarea", {{"text", answer.texts}});
    }
    if (answer.rating) {
      add("rating", "rating", {{"rating", *answer.rating}});
    }
    if (answer.preferred) {
      const int better = *answer.preferred;
      add("preference", "pairwise", {{"selected", better == 0 ? "left" : better == 1 ? "right" : "none"}});
    }
    for (size_t i = 0; i < answer.message_ratings.size() && i < task.messages.size(); ++i) {
      if (answer.message_ratings[i] > 0) {
        add(fmt::format("message{}", i), "rating", {{"rating", answer.message_ratings[i]}})["item_index"] = i;
      }
    }
    return list;
  }

  std::string text_field_;
};

}  // namespace

std::unique_ptr<JsonCodec> make_label_studio_codec(const AnnotationReadOptions& options) { return std::make_unique<LabelStudioCodec>(options); }

}  // namespace slipway::data
