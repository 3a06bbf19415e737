#include "record/annotation_stores.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <tuple>

#include "base/error.h"

namespace slipway::record {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr size_t kMaxGuidelines = size_t{1} << 20;
constexpr size_t kMaxRules = 10000;
constexpr size_t kMaxTerms = 100000;  // of a rule
constexpr size_t kMaxTerm = 1000;     // bytes; of patterns too
constexpr int kMaxOverlap = 100;
constexpr int kMaxKeepMinutes = 60 * 24 * 30;
constexpr int kMaxRetrainEvery = 1000000;

constexpr std::array<std::string_view, 6> kOrders = {"given", "random", "least-confidence", "margin", "entropy", "diversity"};
constexpr std::array<std::string_view, 4> kStates = {"new", "begun", "answered", "reviewed"};

template <class Enum, size_t N>
Enum named(const std::array<std::string_view, N>& names, std::string_view name, const char* what) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw Error(Code::kInvalid, fmt::format("{} is one of {}, not '{}'", what, fmt::join(names, ", "), name.substr(0, 100)));
  }
  return static_cast<Enum>(found - names.begin());
}

[[noreturn]] void wrong(std::string_view source, std::string_view key, const std::string& wanted) {
  throw Error(Code::kInvalid, fmt::format("{}: '{}' is to be {}", source, key, wanted));
}

int integer(const Json& value, std::string_view source, const std::string& key, int min, int max) {
  if (!value.is_number_integer() || value.get<double>() < min || value.get<double>() > max) {
    wrong(source, key, fmt::format("a whole number from {} to {}", min, max));
  }
  return value.get<int>();
}

std::string text(const Json& value, std::string_view source, const std::string& key, size_t max) {
  if (!value.is_string() || value.get_ref<const std::string&>().size() > max) {
    wrong(source, key, fmt::format("text of at most {} bytes", max));
  }
  return value.get<std::string>();
}

bool has_label(const AnnotationScheme& scheme, const std::string& name) {
  const auto in = [&](const std::vector<Label>& labels) {
    return std::any_of(labels.begin(), labels.end(), [&](const Label& label) { return label.name == name; });
  };
  return in(scheme.classes) || in(scheme.spans);
}

LabelRule rule_from_json(const Json& json, const AnnotationScheme& scheme, std::string_view source) {
  if (!json.is_object()) {
    wrong(source, "rules", "a list of objects with a label, and terms or a pattern");
  }
  LabelRule rule;
  for (auto it = json.begin(); it != json.end(); ++it) {
    if (it.key() == "label") {
      rule.label = text(*it, source, "label", kMaxTerm);
    } else if (it.key() == "pattern") {
      rule.pattern = text(*it, source, "pattern", kMaxTerm);
    } else if (it.key() == "case_sensitive" && it->is_boolean()) {
      rule.case_sensitive = it->get<bool>();
    } else if (it.key() == "terms" && it->is_array() && it->size() <= kMaxTerms) {
      for (const Json& term : *it) {
        rule.terms.push_back(text(term, source, "terms", kMaxTerm));
        if (rule.terms.back().empty()) {
          wrong(source, "terms", "texts that are not empty");
        }
      }
    } else {
      wrong(source, it.key().substr(0, 100), "left out: a rule has label, terms (a list), pattern, case_sensitive");
    }
  }
  if (!has_label(scheme, rule.label)) {
    wrong(source, "rules", fmt::format("of labels of classes or spans in the scheme, and '{}' is none", rule.label));
  }
  if (rule.terms.empty() && rule.pattern.empty()) {
    wrong(source, "rules", fmt::format("with terms or a pattern; that of '{}' has neither", rule.label));
  }
  return rule;
}

// F1 of two sets, or 1 when both are empty.
template <class Set>
double f1(const Set& a, const Set& b) {
  if (a.empty() && b.empty()) {
    return 1;
  }
  const auto shared = std::count_if(a.begin(), a.end(), [&](const auto& one) { return b.contains(one); });
  return 2.0 * static_cast<double>(shared) / static_cast<double>(a.size() + b.size());
}

using Place = std::tuple<int64_t, int64_t, std::string_view>;  // of a span

std::set<Place> places(const Answer& answer) {
  std::set<Place> all;
  for (const Span& span : answer.spans) {
    all.emplace(span.start, span.end, span.label);
  }
  return all;
}

// Ids of spans are each answer's own, so relations are compared by the places of their ends.
std::set<std::tuple<Place, Place, std::string_view>> links(const Answer& answer) {
  std::map<std::string_view, Place> by_id;
  for (const Span& span : answer.spans) {
    by_id.emplace(span.id, Place(span.start, span.end, span.label));
  }
  std::set<std::tuple<Place, Place, std::string_view>> all;
  for (const Relation& relation : answer.relations) {
    all.emplace(by_id[relation.from], by_id[relation.to], relation.label);
  }
  return all;
}

double jaccard(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const std::set<std::string_view> first(a.begin(), a.end());
  const std::set<std::string_view> second(b.begin(), b.end());
  std::set<std::string_view> all = first;
  all.insert(second.begin(), second.end());
  const auto shared = std::count_if(first.begin(), first.end(), [&](std::string_view one) { return second.contains(one); });
  return all.empty() ? 1 : static_cast<double>(shared) / static_cast<double>(all.size());
}

double likeness(const Answer& a, const Answer& b, Question question) {
  switch (question) {
    case Question::kClass: return a.classes == b.classes ? 1 : 0;
    case Question::kClasses: return jaccard(a.classes, b.classes);
    case Question::kSpans: return f1(places(a), places(b));
    case Question::kRelations: return f1(links(a), links(b));
    case Question::kText: return a.texts == b.texts ? 1 : 0;
    case Question::kRating: return a.rating == b.rating ? 1 : 0;
    case Question::kPreference: return a.preferred == b.preferred ? 1 : 0;
    case Question::kChatReview: return a.message_ratings == b.message_ratings ? 1 : 0;
  }
  return 0;
}

}  // namespace

std::string_view name_of(TaskOrder order) noexcept { return kOrders[static_cast<size_t>(order)]; }
TaskOrder task_order_named(std::string_view name) { return named<TaskOrder>(kOrders, name, "an order of tasks"); }
std::string_view name_of(TaskState state) noexcept { return kStates[static_cast<size_t>(state)]; }
TaskState task_state_named(std::string_view name) { return named<TaskState>(kStates, name, "the state of a task"); }

Json to_json(const AnnotationSettings& settings) {
  Json rules = Json::array();
  for (const LabelRule& rule : settings.rules) {
    Json json = {{"label", rule.label}};
    if (!rule.terms.empty()) {
      json["terms"] = rule.terms;
    }
    if (!rule.pattern.empty()) {
      json["pattern"] = rule.pattern;
    }
    json["case_sensitive"] = rule.case_sensitive;
    rules.push_back(std::move(json));
  }
  return {{"scheme", to_json(settings.scheme)},       {"guidelines", settings.guidelines},
          {"overlap", settings.overlap},              {"order", name_of(settings.order)},
          {"keep_minutes", settings.keep_minutes},    {"retrain_every", settings.retrain_every},
          {"rules", std::move(rules)}};
}

AnnotationSettings annotation_settings_from_json(const Json& json, std::string_view source) {
  if (!json.is_object() || !json.contains("scheme")) {
    throw Error(Code::kInvalid, fmt::format("{}: the settings of a project are a JSON object with a 'scheme'", source));
  }
  AnnotationSettings settings;
  settings.scheme = scheme_from_json(json.at("scheme"), source);
  for (auto it = json.begin(); it != json.end(); ++it) {
    const std::string& key = it.key();
    if (key == "guidelines") {
      settings.guidelines = text(*it, source, key, kMaxGuidelines);
    } else if (key == "overlap") {
      settings.overlap = integer(*it, source, key, 1, kMaxOverlap);
    } else if (key == "order") {
      settings.order = task_order_named(text(*it, source, key, kMaxTerm));
    } else if (key == "keep_minutes") {
      settings.keep_minutes = integer(*it, source, key, 1, kMaxKeepMinutes);
    } else if (key == "retrain_every") {
      settings.retrain_every = integer(*it, source, key, 0, kMaxRetrainEvery);
    } else if (key == "rules") {
      if (!it->is_array() || it->size() > kMaxRules) {
        wrong(source, key, fmt::format("a list of at most {}", kMaxRules));
      }
      for (const Json& rule : *it) {
        settings.rules.push_back(rule_from_json(rule, settings.scheme, source));
      }
    } else if (key != "scheme") {
      wrong(source, key.substr(0, 100), "left out: settings are scheme, guidelines, overlap, order, keep_minutes, retrain_every, rules");
    }
  }
  return settings;
}

double likeness(const Answer& a, const Answer& b, const AnnotationScheme& scheme) {
  double sum = 0;
  for (const Question question : scheme.questions) {
    sum += likeness(a, b, question);
  }
  return scheme.questions.empty() ? 1 : sum / static_cast<double>(scheme.questions.size());
}

Json to_json(const AnnotationCounts& counts) {
  return {{"tasks", counts.tasks()},       {"new", counts.fresh},           {"begun", counts.begun},
          {"answered", counts.answered},   {"reviewed", counts.reviewed},   {"annotations", counts.annotations},
          {"skipped", counts.skipped}};
}

Json to_json(const KeptAnnotation& kept) {
  Json json = to_json(kept.annotation);
  json["revision"] = kept.revision;
  return json;
}

Json to_json(const AnnotationChange& change) {
  const Annotation& one = change.annotation;
  return {{"id", change.id},
          {"time_ms", change.time_ms},
          {"who", change.who},
          {"action", change.action},
          {"annotation", one.id},
          {"annotator", one.annotator},
          {"ground_truth", one.ground_truth},
          {"answer", change.removed ? Json() : to_json(one.answer)},
          {"skipped", one.skipped},
          {"note", one.note},
          {"seconds", one.seconds},
          {"revision", change.revision}};
}

Json to_json(const AnnotatorProgress& progress) {
  return {{"annotator", progress.annotator}, {"annotations", progress.annotations}, {"skipped", progress.skipped},
          {"seconds", progress.seconds},     {"last_ms", progress.last_ms},         {"decided", progress.decided},
          {"reviewed", progress.reviewed},   {"accepted", progress.accepted}};
}

}  // namespace slipway::record
