// Prodigy's JSON Lines: an answer a line; several annotators are several lines with one _input_hash. Positions are code points.
#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "data/annotation_source.h"

namespace slipway::data {
namespace {

using record::Answer;

class ProdigyCodec final : public JsonCodec {
 public:
  explicit ProdigyCodec(const AnnotationReadOptions& options) : text_field_(options.text_field) {}
  AnnotationFormat format() const noexcept override { return AnnotationFormat::kProdigy; }
  JsonStyle default_style() const override { return {}; }

  record::AnnotatedTask read(const Json& record, const std::string& where, Notes& notes, std::string& pointer) const override {
    std::string key = !pointer.empty() ? Json::json_pointer(pointer).back() : text_field_.empty() ? "text" : text_field_;
    const std::string* text = text_member(record, key.c_str());
    if (text == nullptr || text->empty()) {
      bad_record(where, fmt::format("has no text '{}'", key));
    }
    pointer = (Json::json_pointer() / key).to_string();
    record::AnnotatedTask task;
    task.task.text = *text;
    if (const Json* hash = member(record, "_input_hash"); hash != nullptr) {
      task.task.key = id_text(*hash);
    }
    if (const Json* meta = member(record, "meta"); meta != nullptr && meta->is_object()) {
      task.task.meta = *meta;
      task.task.meta.erase(kSourceKey);
    }
    Answer answer = read_answer(record, where, record::length_of(*text), notes);
    const std::string* decision = text_member(record, "answer");
    if (decision == nullptr) {
      if (!(answer == Answer())) {  // what a model or rules said, not answered yet
        const std::string* view = text_member(record, "_view_id");
        const Json* score = member(record, "score");
        task.suggestions.push_back({view == nullptr ? "prodigy" : *view, score != nullptr && score->is_number() ? std::clamp(score->get<double>(), 0.0, 1.0) : 0, std::move(answer)});
      }
      return task;
    }
    record::Annotation& annotation = task.annotations.emplace_back();
    annotation.skipped = *decision == "ignore";
    if (*decision == "reject") {  // of what was proposed: nothing is known instead
      annotation.note = "rejected";
    } else {
      annotation.answer = std::move(answer);
    }
    for (const char* who : {"_annotator_id", "_session_id"}) {
      const Json* value = member(record, who);
      if (annotation.annotator.empty() && value != nullptr) {
        annotation.annotator = id_text(*value);
      }
    }
    if (const Json* time = member(record, "_timestamp"); time != nullptr && time->is_number() && time->get<double>() > 0 && time->get<double>() < 1e11) {
      annotation.created_ms = annotation.updated_ms = static_cast<int64_t>(time->get<double>() * 1000);
    }
    return task;
  }

  std::vector<Json> write(const record::AnnotatedTask& task, const Json* original, const std::string& pointer, Notes& notes) const override {
    record::AnnotatedTask before;
    if (original != nullptr) {
      Notes ignored;
      std::string known = pointer;
      before = read(*original, "the source", ignored, known);
    }
    std::vector<Json> records;
    for (const record::Annotation& annotation : task.annotations) {
      if (!before.annotations.empty() && same_annotation(annotation, before.annotations[0])) {
        records.push_back(*original);
        continue;
      }
      Json record = original != nullptr ? *original : new_record(task.task);
      put(annotation.answer, task.task, record, notes);
      record["answer"] = annotation.skipped ? "ignore" : annotation.note == "rejected" ? "reject" : "accept";
      if (!annotation.annotator.empty()) {
        record["_annotator_id"] = annotation.annotator;
      }
      if (annotation.updated_ms > 0) {
        record["_timestamp"] = annotation.updated_ms / 1000;
      }
      records.push_back(std::move(record));
    }
    if (records.empty()) {
      Json record = original != nullptr ? *original : new_record(task.task);
      const bool same = task.suggestions.empty() ? original == nullptr || (before.suggestions.empty() && before.annotations.empty())
                                                 : !before.suggestions.empty() && same_suggestion(task.suggestions[0], before.suggestions[0]);
      if (!same) {
        put(task.suggestions.empty() ? Answer() : task.suggestions[0].answer, task.task, record, notes);
        record.erase("answer");
      }
      if (task.suggestions.size() > 1) {
        ++notes["suggestions but the first"];
      }
      records.push_back(std::move(record));
    }
    return records;
  }

 private:
  using Place = std::pair<int64_t, int64_t>;

  static std::optional<Place> place_of(const Json& span) {
    const Json* start = member(span, "start");
    const Json* end = member(span, "end");
    const auto from = start == nullptr ? std::nullopt : integer_in(*start);
    const auto to = end == nullptr ? std::nullopt : integer_in(*end);
    return from && to ? std::optional(Place(*from, *to)) : std::nullopt;
  }

  static Answer read_answer(const Json& record, const std::string& where, int64_t length, Notes& notes) {
    Answer answer;
    std::map<Place, std::string> by_place;
    std::map<int64_t, std::string> by_token;  // the last token, Prodigy's head of a span
    if (const Json* spans = member(record, "spans"); spans != nullptr && spans->is_array()) {
      for (const Json& span : *spans) {
        const auto place = place_of(span);
        const std::string* label = text_member(span, "label");
        if (!place || label == nullptr || label->empty()) {
          bad_record(where, "a span is to have start, end and label");
        }
        if (place->first < 0 || place->first >= place->second || place->second > length) {
          ++notes["spans outside the text"];
          continue;
        }
        const std::string id = fmt::format("s{}", answer.spans.size() + 1);
        by_place.emplace(*place, id);
        if (const Json* token = member(span, "token_end"); token != nullptr && integer_in(*token)) {
          by_token.emplace(*integer_in(*token), id);
        }
        answer.spans.push_back({id, place->first, place->second, *label});
      }
    }
    if (const Json* relations = member(record, "relations"); relations != nullptr && relations->is_array()) {
      for (const Json& relation : *relations) {
        const std::string* label = text_member(relation, "label");
        const std::string from = end_of(relation, "head_span", "head", by_place, by_token);
        const std::string to = end_of(relation, "child_span", "child", by_place, by_token);
        if (label == nullptr || label->empty() || from.empty() || to.empty()) {
          ++notes["relations of tokens that are no spans"];
        } else {
          answer.relations.push_back({from, to, *label});
        }
      }
    }
    if (const Json* accept = member(record, "accept"); accept != nullptr && accept->is_array()) {
      for (const Json& id : *accept) {
        if (!id_text(id).empty()) {
          answer.classes.push_back(id_text(id));
        }
      }
    } else if (const std::string* label = text_member(record, "label"); label != nullptr && !label->empty()) {
      answer.classes.push_back(*label);
    }
    if (const std::string* written = text_member(record, "user_input"); written != nullptr) {
      answer.texts.push_back(*written);
    }
    return answer;
  }

  static std::string end_of(const Json& relation, const char* span_key, const char* token_key, const std::map<Place, std::string>& by_place,
                            const std::map<int64_t, std::string>& by_token) {
    if (const Json* span = member(relation, span_key); span != nullptr) {
      const auto place = place_of(*span);
      const auto found = place ? by_place.find(*place) : by_place.end();
      if (found != by_place.end()) {
        return found->second;
      }
    }
    const Json* token = member(relation, token_key);
    const auto index = token == nullptr ? std::nullopt : integer_in(*token);
    const auto found = index ? by_token.find(*index) : by_token.end();
    return found == by_token.end() ? "" : found->second;
  }

  static Json new_record(const record::Task& task) {
    Json record = {{"text", task.text}};
    if (Json meta = plain_meta(task); !meta.empty()) {
      record["meta"] = std::move(meta);
    }
    return record;
  }

  // The numbers of the tokens that a span covers, when the record has its tokens and the span's ends are theirs.
  static void put_tokens(const Json& record, Json& span) {
    const Json* tokens = member(record, "tokens");
    if (tokens == nullptr || !tokens->is_array()) {
      return;
    }
    for (const Json& token : *tokens) {
      const auto place = place_of(token);
      const Json* id = member(token, "id");
      if (!place || id == nullptr) {
        continue;
      }
      if (place->first == span["start"].get<int64_t>()) {
        span["token_start"] = *id;
      }
      if (place->second == span["end"].get<int64_t>() && span.contains("token_start")) {
        span["token_end"] = *id;
        return;
      }
    }
  }

  static void put(const Answer& answer, const record::Task&, Json& record, Notes& notes) {
    std::map<std::string, Json> by_id;
    if (!answer.spans.empty() || record.contains("spans")) {
      Json spans = Json::array();
      for (const record::Span& span : answer.spans) {
        Json json = {{"start", span.start}, {"end", span.end}};
        put_tokens(record, json);
        json["label"] = span.label;
        by_id[span.id] = json;
        spans.push_back(std::move(json));
      }
      record["spans"] = std::move(spans);
    }
    if (!answer.relations.empty() || record.contains("relations")) {
      Json relations = Json::array();
      for (const record::Relation& relation : answer.relations) {
        const Json& from = by_id[relation.from];
        const Json& to = by_id[relation.to];
        Json json = Json::object();
        if (from.contains("token_end") && to.contains("token_end")) {
          json["head"] = from["token_end"];
          json["child"] = to["token_end"];
        }
        json["head_span"] = from;
        json["child_span"] = to;
        json["label"] = relation.label;
        relations.push_back(std::move(json));
      }
      record["relations"] = std::move(relations);
    }
    const bool binary = record.contains("label") && !record.contains("accept") && answer.classes.size() <= 1;
    if (binary && answer.classes.size() == 1) {
      record["label"] = answer.classes[0];
    } else if (!binary && (!answer.classes.empty() || record.contains("accept"))) {
      record["accept"] = answer.classes;
    }
    if (!answer.texts.empty()) {
      record["user_input"] = answer.texts[0];
    }
    if (answer.rating || answer.preferred || !answer.message_ratings.empty()) {
      ++notes["ratings and preferences"];
    }
  }

  std::string text_field_;
};

}  // namespace

std::unique_ptr<JsonCodec> make_prodigy_codec(const AnnotationReadOptions& options) { return std::make_unique<ProdigyCodec>(options); }

}  // namespace slipway::data
