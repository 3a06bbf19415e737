// What generators are asked in words, and what their words suggest.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>

#include "base/error.h"
#include "data/annotation_source.h"
#include "data/suggestion_fit.h"
#include "data/suggestion_services.h"

namespace slipway::data {
namespace {

using record::Question;
using record::Suggestion;

constexpr size_t kMaxFound = 1000;  // spans and relations of an answer

std::string names_of(const std::vector<record::Label>& labels) {
  std::string all;
  for (const record::Label& label : labels) {
    all += (all.empty() ? "" : ", ") + label.name;
  }
  return all;
}

// The outermost object in the text, if it is one: models like to say something before and after it.
std::optional<Json> object_in(std::string_view said) {
  const size_t begin = said.find('{');
  const size_t end = said.rfind('}');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return std::nullopt;
  }
  try {
    Json json = base::parse_json(said.substr(begin, end + 1 - begin), "the answer", {kMaxServiceAnswer, 32});
    return json.is_object() ? std::optional(std::move(json)) : std::nullopt;
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

// Calls each(entry) for the entries of a member that is a list, as far as the limit.
template <class Each>
void each_of(const Json& json, const char* key, const Each& each) {
  const Json* list = member(json, key);
  if (list == nullptr || !list->is_array()) {
    return;
  }
  for (size_t i = 0; i < std::min(list->size(), kMaxFound); ++i) {
    each((*list)[i]);
  }
}

// Finds texts again: each time the next place that was not taken by the same text.
class Places {
 public:
  Places(const std::string& text) : text_(text), positions_(text) {}
  std::optional<std::pair<int64_t, int64_t>> find(const std::string& part) {
    if (part.empty()) {
      return std::nullopt;
    }
    size_t& from = next_[part];
    const size_t at = text_.find(part, from);
    if (at == std::string::npos) {
      return std::nullopt;
    }
    from = at + part.size();
    return std::pair(positions_.of_byte(at), positions_.of_byte(at + part.size()));
  }

 private:
  const std::string& text_;
  Positions positions_;
  std::map<std::string, size_t> next_;
};

void read_object(const Json& json, const record::Task& task, record::Answer& answer) {
  for (const char* key : {"classes", "labels"}) {
    each_of(json, key, [&](const Json& one) {
      if (one.is_string()) {
        answer.classes.push_back(one.get<std::string>());
      }
    });
  }
  for (const char* key : {"class", "label"}) {
    if (const std::string* name = text_member(json, key)) {
      answer.classes.push_back(*name);
    }
  }
  Places places(task.text);
  std::map<std::string, std::string> ids;  // of the first span with that text
  for (const char* key : {"spans", "entities"}) {
    each_of(json, key, [&](const Json& one) {
      const std::string* part = text_member(one, "text");
      const std::string* label = text_member(one, "label");
      if (part == nullptr || label == nullptr) {
        return;
      }
      if (const auto place = places.find(*part)) {
        const std::string id = fmt::format("s{}", answer.spans.size() + 1);
        ids.try_emplace(*part, id);
        answer.spans.push_back({id, place->first, place->second, *label});
      }
    });
  }
  each_of(json, "relations", [&](const Json& one) {
    const std::string* from = text_member(one, "from");
    const std::string* to = text_member(one, "to");
    const std::string* label = text_member(one, "label");
    if (from != nullptr && to != nullptr && label != nullptr && ids.contains(*from) && ids.contains(*to)) {
      answer.relations.push_back({ids[*from], ids[*to], *label});
    }
  });
  if (const std::string* text = text_member(json, "text")) {
    answer.texts = {*text};
  }
  if (const Json* rating = member(json, "rating"); rating != nullptr && integer_in(*rating)) {
    answer.rating = static_cast<int>(std::clamp<int64_t>(*integer_in(*rating), 0, 1000));
  }
  if (const Json* preferred = member(json, "preferred"); preferred != nullptr && integer_in(*preferred)) {
    answer.preferred = static_cast<int>(std::clamp<int64_t>(*integer_in(*preferred), 0, 1000)) - 1;  // people count from 1; 0: a tie
  }
}

}  // namespace

std::optional<Suggestion> written_answer(std::string_view said, double score, const std::string& source, const record::AnnotationScheme& scheme,
                                         const record::Task& task, const LabelNames& labels) {
  Suggestion made{source, score, {}};
  if (const auto object = object_in(said)) {
    read_object(*object, task, made.answer);
    if (const Json* told = member(*object, "score"); told != nullptr && told->is_number()) {
      made.score = told->get<double>();
    }
    for (std::string& name : made.answer.classes) {
      name = class_named(name, scheme, labels).value_or(name);
    }
  } else if (const auto name = class_named(said, scheme, labels)) {
    made.answer.classes = {*name};
  } else if (asks(scheme, Question::kText)) {
    made.answer.texts = {std::string(said)};
  }
  return fit_suggestion(std::move(made), scheme, task, labels);
}

std::string written_question(const std::string& prompt, const record::AnnotationScheme& scheme, const record::Task& task) {
  constexpr std::string_view kText = "{text}";
  if (!prompt.empty()) {
    std::string asked = prompt;
    const size_t at = asked.find(kText);
    return at == std::string::npos ? asked + "\n\n" + task.text : asked.replace(at, kText.size(), task.text);
  }
  std::string asked = "Answer with one JSON object and nothing else. Its keys:\n";
  if (asks(scheme, Question::kClass)) {
    asked += fmt::format("\"classes\": a list of the one class that fits the text best, of: {}\n", names_of(scheme.classes));
  }
  if (asks(scheme, Question::kClasses)) {
    asked += fmt::format("\"classes\": a list of all classes that fit the text, of: {}\n", names_of(scheme.classes));
  }
  if (asks(scheme, Question::kSpans)) {
    asked += fmt::format("\"spans\": a list of {{\"text\": words copied from the text, in its order, \"label\": one of: {}}}\n", names_of(scheme.spans));
  }
  if (asks(scheme, Question::kRelations)) {
    asked += fmt::format("\"relations\": a list of {{\"from\": text of a span, \"to\": text of a span, \"label\": one of: {}}}\n", names_of(scheme.relations));
  }
  if (asks(scheme, Question::kText)) {
    asked += "\"text\": what is to be written\n";
  }
  if (asks(scheme, Question::kRating)) {
    asked += fmt::format("\"rating\": a whole number from 1 to {}\n", scheme.rating_max);
  }
  if (asks(scheme, Question::kPreference)) {
    asked += "\"preferred\": the number of the better reply, 0 if they are as good\n";
  }
  asked += "\nText:\n" + task.text;
  for (size_t i = 0; i < task.candidates.size(); ++i) {
    asked += fmt::format("\n\nReply {}:\n{}", i + 1, task.candidates[i]);
  }
  return asked;
}

}  // namespace slipway::data
