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

constexpr size_t kMaxServices = 16;
constexpr size_t kMaxUrl = 2000;
constexpr size_t kMaxPrompt = 20000;
constexpr size_t kMaxServiceLabels = 10000;
constexpr int kMaxTimeoutMs = 60000;

constexpr std::array<std::string_view, 4> kProtocols = {"predict", "kserve", "openai", "label-studio"};
constexpr std::array<std::string_view, 4> kLabelModels = {"majority", "dawid-skene", "one-coin", "generative"};
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
    } else if (it.key() == "name") {
      rule.name = text(*it, source, "name", kMaxTerm);
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
      wrong(source, it.key().substr(0, 100), "left out: a rule has label, name, terms (a list), pattern, case_sensitive");
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

// What the address alone shows; who may be asked is the server's to say.
std::string checked_url(const Json& value, std::string_view source) {
  const std::string url = text(value, source, "url", kMaxUrl);
  const bool plain = std::none_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
  const size_t scheme = url.find("://");
  const std::string authority = scheme == std::string::npos ? "" : url.substr(scheme + 3, url.find_first_of("/?#", scheme + 3) - scheme - 3);
  if (!plain || (!url.starts_with("http://") && !url.starts_with("https://")) || authority.empty() || authority.find('@') != std::string::npos) {
    wrong(source, "url", "an address such as https://models.example.org/predict, without a name or password in it");
  }
  return url;
}

// A protocol that the address shows.
ServiceProtocol protocol_of(std::string_view url) {
  if (url.find("/v2/models/") != std::string_view::npos) {
    return ServiceProtocol::kKserve;
  }
  return url.find("/chat/completions") != std::string_view::npos ? ServiceProtocol::kOpenAi : ServiceProtocol::kPredict;
}

std::string checked_token(const Json& value, std::string_view source) {
  std::string token = text(value, source, "token", 100);
  if (!std::all_of(token.begin(), token.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; })) {
    wrong(source, "token", "NAME of A-Z, 0-9 and _: the token itself is in the server's environment as SLIPWAY_ANNOTATION_TOKEN_NAME");
  }
  return token;
}

AnnotationService service_from_json(const Json& json, std::string_view source) {
  if (!json.is_object() || !json.contains("url")) {
    wrong(source, "services", "a list of objects with a url");
  }
  AnnotationService service;
  service.url = checked_url(json.at("url"), source);
  service.protocol = protocol_of(service.url);
  for (auto it = json.begin(); it != json.end(); ++it) {
    if (it.key() == "name") {
      service.name = text(*it, source, "name", 200);
    } else if (it.key() == "protocol") {
      service.protocol = service_protocol_named(text(*it, source, "protocol", kMaxTerm));
    } else if (it.key() == "model") {
      service.model = text(*it, source, "model", 500);
    } else if (it.key() == "prompt") {
      service.prompt = text(*it, source, "prompt", kMaxPrompt);
    } else if (it.key() == "token") {
      service.token = checked_token(*it, source);
    } else if (it.key() == "timeout_ms") {
      service.timeout_ms = integer(*it, source, "timeout_ms", 10, kMaxTimeoutMs);
    } else if (it.key() == "labels" && it->is_object() && it->size() <= kMaxServiceLabels) {
      for (auto label = it->begin(); label != it->end(); ++label) {
        service.labels[label.key()] = text(*label, source, "labels", kMaxTerm);
      }
    } else if (it.key() != "url") {
      wrong(source, it.key().substr(0, 100), "left out: a service has url, name, protocol, model, prompt, labels (an object), token, timeout_ms");
    }
  }
  return service;
}

Json service_json(const AnnotationService& service) {
  Json json = {{"url", service.url}, {"protocol", name_of(service.protocol)}, {"timeout_ms", service.timeout_ms}};
  for (const auto& [key, value] : {std::pair{"name", &service.name}, std::pair{"model", &service.model}, std::pair{"prompt", &service.prompt},
                                   std::pair{"token", &service.token}}) {
    if (!value->empty()) {
      json[key] = *value;
    }
  }
  if (!service.labels.empty()) {
    json["labels"] = service.labels;
  }
  return json;
}

Json rule_json(const LabelRule& rule) {
  Json json = {{"label", rule.label}};
  if (!rule.name.empty()) {
    json["name"] = rule.name;
  }
  if (!rule.terms.empty()) {
    json["terms"] = rule.terms;
  }
  if (!rule.pattern.empty()) {
    json["pattern"] = rule.pattern;
  }
  json["case_sensitive"] = rule.case_sensitive;
  return json;
}

// Calls each(entry) for a list of at most `max`.
template <class Each>
void each_of(const Json& list, std::string_view source, const std::string& key, size_t max, const Each& each) {
  if (!list.is_array() || list.size() > max) {
    wrong(source, key, fmt::format("a list of at most {}", max));
  }
  std::for_each(list.begin(), list.end(), each);
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
std::string_view name_of(ServiceProtocol protocol) noexcept { return kProtocols[static_cast<size_t>(protocol)]; }
ServiceProtocol service_protocol_named(std::string_view name) { return named<ServiceProtocol>(kProtocols, name, "the protocol of a service"); }
std::string_view name_of(TaskState state) noexcept { return kStates[static_cast<size_t>(state)]; }
TaskState task_state_named(std::string_view name) { return named<TaskState>(kStates, name, "the state of a task"); }

Json to_json(const AnnotationSettings& settings) {
  Json rules = Json::array();
  for (const LabelRule& rule : settings.rules) {
    rules.push_back(rule_json(rule));
  }
  Json services = Json::array();
  for (const AnnotationService& service : settings.services) {
    services.push_back(service_json(service));
  }
  return {{"scheme", to_json(settings.scheme)},       {"guidelines", settings.guidelines},
          {"overlap", settings.overlap},              {"order", name_of(settings.order)},
          {"keep_minutes", settings.keep_minutes},    {"retrain_every", settings.retrain_every},
          {"rules", std::move(rules)},                {"label_model", settings.label_model},
          {"services", std::move(services)}};
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
      each_of(*it, source, key, kMaxRules, [&](const Json& rule) { settings.rules.push_back(rule_from_json(rule, settings.scheme, source)); });
    } else if (key == "services") {
      each_of(*it, source, key, kMaxServices, [&](const Json& service) { settings.services.push_back(service_from_json(service, source)); });
    } else if (key == "label_model") {
      settings.label_model = text(*it, source, key, kMaxTerm);
      if (!settings.label_model.empty() && std::find(kLabelModels.begin(), kLabelModels.end(), settings.label_model) == kLabelModels.end()) {
        wrong(source, key, fmt::format("one of {}, or empty", fmt::join(kLabelModels, ", ")));
      }
      if (!settings.label_model.empty() && std::find(settings.scheme.questions.begin(), settings.scheme.questions.end(), Question::kClass) == settings.scheme.questions.end()) {
        wrong(source, key, "empty where no single class is asked for (classification)");
      }
    } else if (key != "scheme") {
      wrong(source, key.substr(0, 100),
            "left out: settings are scheme, guidelines, overlap, order, keep_minutes, retrain_every, rules, label_model, services");
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
