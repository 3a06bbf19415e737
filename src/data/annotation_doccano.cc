// doccano's JSON Lines and JSON: classes, spans, relations, written texts, and intents with slots. Plain rows {"text", "label"} are of it, too.
#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

#include "data/annotation_source.h"

namespace slipway::data {
namespace {

using record::Answer;

class DoccanoCodec final : public JsonCodec {
 public:
  explicit DoccanoCodec(const AnnotationReadOptions& options) : text_field_(options.text_field), written_(options.written_answers) {}
  AnnotationFormat format() const noexcept override { return AnnotationFormat::kDoccano; }
  JsonStyle default_style() const override { return {}; }

  record::AnnotatedTask read(const Json& record, const std::string& where, Notes& notes, std::string& pointer) const override {
    std::string key = text_field_;
    if (!pointer.empty()) {
      key = Json::json_pointer(pointer).back();
    } else if (key.empty()) {
      key = record.contains("text") ? "text" : "data";
    }
    const std::string* text = text_member(record, key.c_str());
    if (text == nullptr || text->empty()) {
      bad_record(where, fmt::format("has no text '{}'", key));
    }
    pointer = (Json::json_pointer() / key).to_string();
    record::AnnotatedTask task;
    task.task.text = *text;
    record::Annotation annotation;
    for (auto it = record.begin(); it != record.end(); ++it) {
      const std::string& name = it.key();
      if (name == key) {
        continue;
      }
      if (name == "id") {
        task.task.key = id_text(*it);
        task.task.id = std::max<int64_t>(0, integer_in(*it).value_or(0));
      } else if (name == "label" || name == "labels" || name == "cats") {
        labels(*it, where, annotation.answer);
      } else if (name == "entities") {
        labels(*it, where, annotation.answer);
      } else if (name == "relations") {
        relations(*it, where, annotation.answer);
      } else if (name == "Comments" || name == "comments") {
        comments(*it, annotation.note);
      } else if (name != kSourceKey) {
        task.task.meta[name] = *it;
      }
    }
    check(annotation.answer, record::length_of(*text), notes);
    if (!(annotation.answer == Answer()) || !annotation.note.empty()) {
      task.annotations.push_back(std::move(annotation));
    }
    return task;
  }

  std::vector<Json> write(const record::AnnotatedTask& task, const Json* original, const std::string& pointer, Notes& notes) const override {
    const record::Annotation* chosen = chosen_annotation(task);
    const record::Annotation now = chosen == nullptr ? record::Annotation() : *chosen;
    if (task.annotations.size() > 1) {
      ++notes["answers of other annotators"];
    }
    if (!task.suggestions.empty()) {
      ++notes["suggestions"];
    }
    Json record = Json::object();
    if (original != nullptr) {
      record = *original;
      Notes ignored;
      std::string known = pointer;
      const record::AnnotatedTask before = read(*original, "the source", ignored, known);
      const record::Annotation then = before.annotations.empty() ? record::Annotation() : before.annotations[0];
      if (then.answer == now.answer && then.note == now.note) {
        return {std::move(record)};
      }
    } else {
      if (task.task.id > 0) {
        record["id"] = task.task.id;
      } else if (!task.task.key.empty()) {
        record["id"] = task.task.key;
      }
      record["text"] = task.task.text;
      const Json meta = plain_meta(task.task);
      for (auto it = meta.begin(); it != meta.end(); ++it) {
        if (!record.contains(it.key()) && it.key() != "label") {
          record[it.key()] = *it;
        }
      }
    }
    put(now, record, notes);
    return {std::move(record)};
  }

 private:
  void labels(const Json& value, const std::string& where, Answer& answer) const {
    if (value.is_null()) {
      return;
    }
    if (!value.is_array()) {
      const std::string one = id_text(value);
      if (one.empty() && !value.is_string()) {
        bad_record(where, "'label' is to be a list of labels or spans");
      }
      if (!one.empty()) {
        (written_ ? answer.texts : answer.classes).push_back(value.is_string() ? value.get<std::string>() : one);
      }
      return;
    }
    for (const Json& entry : value) {
      if (entry.is_array() || entry.is_object()) {
        span(entry, where, answer);
      } else if (entry.is_string()) {
        (written_ ? answer.texts : answer.classes).push_back(entry.get<std::string>());
      } else if (!id_text(entry).empty()) {
        answer.classes.push_back(id_text(entry));
      } else {
        bad_record(where, "a label is to be a text, [start, end, label] or an object of them");
      }
    }
  }

  static void span(const Json& entry, const std::string& where, Answer& answer) {
    const bool list = entry.is_array() && entry.size() == 3;
    const Json* start = list ? &entry[0] : member(entry, "start_offset");
    const Json* end = list ? &entry[1] : member(entry, "end_offset");
    const Json* label = list ? &entry[2] : member(entry, "label");
    const auto from = start == nullptr ? std::nullopt : integer_in(*start);
    const auto to = end == nullptr ? std::nullopt : integer_in(*end);
    const std::string name = label == nullptr ? "" : id_text(*label);
    if (!from || !to || name.empty()) {
      bad_record(where, "a span is to be [start, end, label] or {\"start_offset\", \"end_offset\", \"label\"}");
    }
    const Json* id = list ? nullptr : member(entry, "id");
    std::string given = id == nullptr ? "" : id_text(*id);
    answer.spans.push_back({given.empty() ? fmt::format("s{}", answer.spans.size() + 1) : std::move(given), *from, *to, name});
  }

  static void relations(const Json& value, const std::string& where, Answer& answer) {
    if (!value.is_array()) {
      bad_record(where, "'relations' is to be a list");
    }
    for (const Json& entry : value) {
      const Json* from = member(entry, "from_id");
      const Json* to = member(entry, "to_id");
      const std::string* type = text_member(entry, "type");
      if (from == nullptr || to == nullptr || type == nullptr || id_text(*from).empty() || id_text(*to).empty() || type->empty()) {
        bad_record(where, "a relation is to be {\"from_id\", \"to_id\", \"type\"}");
      }
      answer.relations.push_back({id_text(*from), id_text(*to), *type});
    }
  }

  static void comments(const Json& value, std::string& note) {
    if (!value.is_array()) {
      return;
    }
    for (const Json& entry : value) {
      const std::string* text = entry.is_string() ? entry.get_ptr<const std::string*>() : text_member(entry, "text");
      if (text != nullptr) {
        note += (note.empty() ? "" : "\n") + *text;
      }
    }
  }

  static void check(Answer& answer, int64_t length, Notes& notes) {
    notes["spans outside the text"] += static_cast<int64_t>(std::erase_if(
        answer.spans, [&](const record::Span& span) { return span.start < 0 || span.start >= span.end || span.end > length; }));
    std::unordered_set<std::string_view> ids;
    for (const record::Span& span : answer.spans) {
      ids.insert(span.id);
    }
    notes["relations of no span"] += static_cast<int64_t>(
        std::erase_if(answer.relations, [&](const record::Relation& r) { return !ids.contains(r.from) || !ids.contains(r.to); }));
    std::erase_if(notes, [](const auto& note) { return note.second == 0; });
  }

  // An id as doccano has it where it can be one.
  static Json id_json(const std::string& id) {
    const bool number = !id.empty() && id.size() < 18 && id.find_first_not_of("0123456789") == std::string::npos && (id[0] != '0' || id.size() == 1);
    return number ? Json(std::stoll(id)) : Json(id);
  }

  static void put(const record::Annotation& annotation, Json& record, Notes& notes) {
    const Answer& answer = annotation.answer;
    Json triples = Json::array();
    Json objects = Json::array();
    for (const record::Span& span : answer.spans) {
      triples.push_back({span.start, span.end, span.label});
      objects.push_back({{"id", id_json(span.id)}, {"label", span.label}, {"start_offset", span.start}, {"end_offset", span.end}});
    }
    const char* old_label = record.contains("labels") ? "labels" : "label";
    if (!answer.relations.empty() || record.contains("relations")) {
      Json relations = Json::array();
      for (const record::Relation& relation : answer.relations) {
        relations.push_back({{"id", relations.size() + 1}, {"from_id", id_json(relation.from)}, {"to_id", id_json(relation.to)}, {"type", relation.label}});
      }
      record["entities"] = std::move(objects);
      record["relations"] = std::move(relations);
      if (!answer.classes.empty()) {
        record["cats"] = answer.classes;
      }
    } else if (record.contains("cats") || record.contains("entities") || (!answer.classes.empty() && !answer.spans.empty())) {
      record["entities"] = std::move(triples);
      record["cats"] = answer.classes;
    } else if (!answer.spans.empty()) {
      record[old_label] = std::move(triples);
    } else {
      record[old_label] = answer.texts.empty() ? answer.classes : answer.texts;
    }
    if (!answer.texts.empty() && (!answer.classes.empty() || !answer.spans.empty())) {
      ++notes["texts beside classes or spans"];
    }
    if (answer.rating || answer.preferred || !answer.message_ratings.empty()) {
      ++notes["ratings and preferences"];
    }
    const char* comments = record.contains("comments") ? "comments" : "Comments";
    if (!annotation.note.empty() || record.contains(comments)) {
      record[comments] = annotation.note.empty() ? Json::array() : Json::array({annotation.note});
    }
  }

  std::string text_field_;
  bool written_;
};

}  // namespace

std::unique_ptr<JsonCodec> make_doccano_codec(const AnnotationReadOptions& options) { return std::make_unique<DoccanoCodec>(options); }

}  // namespace slipway::data
