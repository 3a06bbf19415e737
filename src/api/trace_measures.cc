#include "api/trace_measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <span>

#include "api/errors.h"
#include "api/filter.h"
#include "api/trace_messages.h"
#include "record/trace_json.h"

namespace slipway::api {
namespace {

using record::Condition;
using record::Entity;
using record::KeyValue;
using record::Trace;
using record::TraceSpan;
using record::TraceStore;
using std::string_view;

constexpr int64_t kPage = 500;
constexpr size_t kMaxValues = 10'000'000;
constexpr int64_t kNsPerMs = 1'000'000;
constexpr const char* kTokens = "mlflow.trace.tokenUsage";
constexpr const char* kCost = "mlflow.llm.cost";
constexpr const char* kModel = "mlflow.llm.model";
constexpr const char* kProvider = "mlflow.llm.provider";

constexpr std::array<string_view, 1> kCounts = {"COUNT"};
constexpr std::array<string_view, 4> kExtents = {"AVG", "MAX", "MIN", "PERCENTILE"};
constexpr std::array<string_view, 5> kSums = {"AVG", "MAX", "MIN", "PERCENTILE", "SUM"};
constexpr std::array<string_view, 1> kTraceName = {"trace_name"};
constexpr std::array<string_view, 2> kTraceDimensions = {"trace_name", "trace_status"};
constexpr std::array<string_view, 5> kSpanDimensions = {"span_model_name", "span_model_provider", "span_name", "span_status", "span_type"};
constexpr std::array<string_view, 2> kSpanLatency = {"span_name", "span_status"};
constexpr std::array<string_view, 2> kSpanModels = {"span_model_name", "span_model_provider"};
constexpr std::array<string_view, 1> kAssessmentName = {"assessment_name"};
constexpr std::array<string_view, 2> kAssessmentDimensions = {"assessment_name", "assessment_value"};

struct Measure {
  string_view view;
  string_view name;
  std::span<const string_view> aggregations;
  std::span<const string_view> dimensions;
};
constexpr std::array<Measure, 15> kMeasures = {{{"TRACES", "trace_count", kCounts, kTraceDimensions},
                                                {"TRACES", "session_count", kCounts, {}},
                                                {"TRACES", "latency", kExtents, kTraceName},
                                                {"TRACES", "input_tokens", kSums, kTraceName},
                                                {"TRACES", "output_tokens", kSums, kTraceName},
                                                {"TRACES", "total_tokens", kSums, kTraceName},
                                                {"TRACES", "cache_read_input_tokens", kSums, kTraceName},
                                                {"TRACES", "cache_creation_input_tokens", kSums, kTraceName},
                                                {"SPANS", "span_count", kCounts, kSpanDimensions},
                                                {"SPANS", "latency", kExtents, kSpanLatency},
                                                {"SPANS", "input_cost", kSums, kSpanModels},
                                                {"SPANS", "output_cost", kSums, kSpanModels},
                                                {"SPANS", "total_cost", kSums, kSpanModels},
                                                {"ASSESSMENTS", "assessment_count", kCounts, kAssessmentDimensions},
                                                {"ASSESSMENTS", "assessment_value", kExtents, kAssessmentName}}};

template <class List>
bool has(const List& list, string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

const Measure& measure_of(const MeasureQuery& query) {
  std::vector<string_view> names;
  for (const Measure& measure : kMeasures) {
    if (measure.view != query.view) {
      continue;
    }
    if (measure.name == query.metric) {
      return measure;
    }
    names.push_back(measure.name);
  }
  if (names.empty()) {
    invalid(fmt::format("view_type must be one of TRACES, SPANS, ASSESSMENTS, got '{}'", query.view));
  }
  invalid(fmt::format("metric_name must be one of {}, got '{}'", fmt::join(names, ", "), query.metric));
}

void check(const MeasureQuery& query, const Measure& measure) {
  for (const Aggregation& aggregation : query.aggregations) {
    if (!has(measure.aggregations, aggregation.type)) {
      invalid(fmt::format("Found invalid aggregation_type(s): {}. Supported aggregation types: {}", aggregation.type,
                          fmt::join(measure.aggregations, ", ")));
    }
    const bool wants = aggregation.type == "PERCENTILE";
    if (wants != aggregation.percentile.has_value() || (wants && !(*aggregation.percentile >= 0 && *aggregation.percentile <= 100))) {
      invalid("percentile_value goes with PERCENTILE, and is between 0 and 100");
    }
  }
  for (const std::string& dimension : query.dimensions) {
    if (!has(measure.dimensions, dimension)) {
      invalid(fmt::format("Found invalid dimension(s): {}. Supported dimensions: {}", dimension, fmt::join(measure.dimensions, ", ")));
    }
  }
  if (query.interval_s && *query.interval_s <= 0) {
    invalid(fmt::format("time_interval_seconds must be positive, got {}", *query.interval_s));
  }
}

// One thing that is counted or measured: a trace, a span or an assessment.
struct Item {
  int64_t time_ms = 0;
  std::map<string_view, std::string> names;  // its dimensions; one that it does not have is not there
  std::optional<double> value;
  std::string who;  // of session_count
};

std::optional<std::string> find(const std::vector<KeyValue>& pairs, string_view key) {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const KeyValue& pair) { return pair.key == key; });
  return found == pairs.end() ? std::nullopt : std::optional(found->value);
}

std::optional<double> number_in(const Json& object, const std::string& key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

Item of_trace(const Trace& trace, const std::string& metric) {
  Item item{trace.started_ms, {{"trace_status", trace.state}}, {}, {}};
  if (const auto name = find(trace.tags, record::kTraceNameTag)) {
    item.names["trace_name"] = *name;
  }
  if (metric == "trace_count") {
    item.value = 1;
  } else if (metric == "session_count") {
    const auto session = find(trace.metadata, record::kSessionKey);
    item.who = session.value_or("");
    item.value = session ? std::optional(1.0) : std::nullopt;
  } else if (metric == "latency") {
    item.value = trace.duration_ms ? std::optional(static_cast<double>(*trace.duration_ms)) : std::nullopt;
  } else if (const auto tokens = find(trace.metadata, kTokens)) {
    item.value = number_in(Json::parse(*tokens, nullptr, false), metric);
  }
  return item;
}

Item of_span(const Trace& trace, const TraceSpan& span, const std::string& metric) {
  Item item{trace.started_ms, {{"span_name", span.name}, {"span_status", span.status}}, {}, {}};
  if (!span.type.empty()) {
    item.names["span_type"] = span.type;
  }
  const Json content = Json::parse(span.content, nullptr, false);
  const auto attributes = content.is_object() ? content.find("attributes") : content.end();
  const auto attribute = [&](const char* key) {  // a text that holds JSON
    const auto found = content.is_object() && attributes != content.end() ? attributes->find(key) : content.end();
    return content.is_object() && attributes != content.end() && found != attributes->end() && found->is_string()
               ? Json::parse(found->get_ref<const std::string&>(), nullptr, false)
               : Json();
  };
  for (const auto& [name, key] : {std::pair{"span_model_name", kModel}, std::pair{"span_model_provider", kProvider}}) {
    if (const Json value = attribute(key); value.is_string()) {
      item.names[name] = value.get<std::string>();
    }
  }
  if (metric == "span_count") {
    item.value = 1;
  } else if (metric == "latency") {
    item.value = span.end_ns == 0 ? std::nullopt : std::optional(static_cast<double>((span.end_ns - span.start_ns) / kNsPerMs));
  } else {
    item.time_ms = span.start_ns / kNsPerMs;
    const Json cost = attribute(kCost);  // an object, or its JSON once more as a text
    item.value = number_in(cost.is_string() ? Json::parse(cost.get_ref<const std::string&>(), nullptr, false) : cost, metric);
  }
  return item;
}

Item of_assessment(const Trace& trace, const record::Assessment& assessment, const std::string& metric) {
  Item item{trace.started_ms, {{"assessment_name", assessment.name}}, {}, {}};
  if (!assessment.value.is_null()) {
    item.names["assessment_value"] = record::python_json_text(assessment.value);
  }
  if (metric == "assessment_count") {
    item.value = 1;
  } else if (assessment.value.is_boolean()) {
    item.value = assessment.value.get<bool>() ? 1.0 : 0.0;
  } else if (assessment.value.is_number()) {
    item.value = assessment.value.get<double>();
  }
  return item;
}

// "trace.tag.KEY = 'value'".
struct Filter {
  std::string view, field, key, value;
};
Filter filter_of(const std::string& text) {
  const auto trimmed = [](string_view part) {
    const size_t first = part.find_first_not_of(" \t\n");
    return first == string_view::npos ? string_view() : part.substr(first, part.find_last_not_of(" \t\n") - first + 1);
  };
  const size_t equal = text.find('=');
  const string_view left = trimmed(string_view(text).substr(0, equal));
  const string_view right = equal == std::string::npos ? string_view() : trimmed(string_view(text).substr(equal + 1));
  const size_t first = left.find('.');
  const size_t second = first == string_view::npos ? first : left.find('.', first + 1);
  if (first == string_view::npos || right.size() < 2 || (right.front() != '\'' && right.front() != '"') || right.back() != right.front()) {
    invalid(fmt::format("Invalid filter: '{}'. Expected VIEW.FIELD = 'value', such as trace.status = 'OK'.", text.substr(0, 200)));
  }
  Filter filter{std::string(left.substr(0, first)), std::string(left.substr(first + 1, second - first - 1)),
                second == string_view::npos ? "" : std::string(left.substr(second + 1)), std::string(right.substr(1, right.size() - 2))};
  if (filter.key.size() > 1 && (filter.key.front() == '`' || filter.key.front() == '"') && filter.key.back() == filter.key.front()) {
    filter.key = filter.key.substr(1, filter.key.size() - 2);
  }
  const bool keyed = filter.view == "trace" && (filter.field == "tag" || filter.field == "metadata");
  const bool known = keyed || (filter.view == "trace" && filter.field == "status") ||
                     (filter.view == "span" && (filter.field == "name" || filter.field == "status" || filter.field == "type")) ||
                     (filter.view == "assessment" && (filter.field == "name" || filter.field == "type"));
  if (!known || keyed == filter.key.empty()) {
    invalid(fmt::format("Invalid identifier '{}'. Known are trace.status, trace.tag.KEY, trace.metadata.KEY, span.name, span.status, "
                        "span.type, assessment.name and assessment.type.",
                        left.substr(0, 200)));
  }
  return filter;
}

struct Filters {
  record::Query query;
  std::vector<Filter> parts;  // of spans or assessments
};
Filters filters_of(const MeasureQuery& query) {
  Filters filters;
  filters.query.experiment_ids = query.experiment_ids;
  filters.query.limit = kPage;
  for (const std::string& text : query.filters) {
    Filter filter = filter_of(text);
    if (filter.view == "trace") {
      const Entity entity = filter.field == "tag" ? Entity::kTag : filter.field == "metadata" ? Entity::kMetadata : Entity::kAttribute;
      filters.query.conditions.push_back(
          {entity, entity == Entity::kAttribute ? filter.field : filter.key, record::Comparator::kEqual, filter.value});
    } else if (query.view != (filter.view == "span" ? "SPANS" : "ASSESSMENTS")) {
      invalid(fmt::format("Filtering by {0} is only supported for the view of {0}s, got {1}", filter.view, query.view));
    } else {
      filters.parts.push_back(std::move(filter));
    }
  }
  const auto bound = [&](std::optional<int64_t> time, record::Comparator comparator) {
    if (time) {
      filters.query.conditions.push_back({Entity::kAttribute, "timestamp_ms", comparator, *time});
    }
  };
  bound(query.start_ms, record::Comparator::kGreaterEqual);
  bound(query.end_ms, record::Comparator::kLessEqual);
  return filters;
}

bool matches(const Filters& filters, const std::function<const std::string&(const std::string&)>& field) {
  return std::all_of(filters.parts.begin(), filters.parts.end(), [&](const Filter& filter) { return field(filter.field) == filter.value; });
}

// Every trace of a search, page by page.
void each(TraceStore& traces, record::Query query, const std::function<void(const Trace&)>& take) {
  query.limit = kPage;
  for (bool more = true; more; query.offset += kPage) {
    const auto page = traces.search(query);
    std::for_each(page.items.begin(), page.items.end(), take);
    more = page.more;
  }
}

double percentile_of(std::vector<double>& sorted, double percent) {
  // Between neighbours, as numpy does by default (Hyndman & Fan 1996, method 7).
  const double at = percent / 100 * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

struct Group {
  std::vector<double> values;
  std::set<std::string> who;
};

Json values_of(Group& group, const MeasureQuery& query) {
  Json values = Json::object();
  std::sort(group.values.begin(), group.values.end());
  double sum = 0;
  for (const double value : group.values) {
    sum += value;
  }
  const auto count = static_cast<double>(group.values.size());
  for (const Aggregation& aggregation : query.aggregations) {
    const std::string& type = aggregation.type;
    if (type == "PERCENTILE") {
      const double percent = *aggregation.percentile;
      values[fmt::format("P{}{}", percent, percent == std::floor(percent) ? ".0" : "")] = percentile_of(group.values, percent);
    } else {
      values[type] = type == "COUNT" ? (query.metric == "session_count" ? static_cast<double>(group.who.size()) : count)
                     : type == "SUM" ? sum
                     : type == "AVG" ? sum / count
                     : type == "MIN" ? group.values.front()
                                     : group.values.back();
    }
  }
  return values;
}

}  // namespace

std::vector<Json> measure(TraceStore& traces, const MeasureQuery& query) {
  const Measure& what = measure_of(query);
  check(query, what);
  const Filters filters = filters_of(query);
  std::map<std::pair<int64_t, std::vector<std::string>>, Group> groups;
  size_t total = 0;
  const auto add = [&](const Item& item) {
    std::pair<int64_t, std::vector<std::string>> key;
    if (query.interval_s) {
      const int64_t bucket = *query.interval_s * 1000;
      key.first = (item.time_ms / bucket - (item.time_ms % bucket < 0 ? 1 : 0)) * bucket;
    }
    for (const std::string& dimension : query.dimensions) {
      const auto name = item.names.find(dimension);
      if (name == item.names.end()) {
        return;
      }
      key.second.push_back(name->second);
    }
    if (!item.value) {
      return;
    }
    if (++total > kMaxValues) {
      invalid(fmt::format("more than {} values: ask for a shorter time", kMaxValues));
    }
    Group& group = groups[key];
    group.values.push_back(*item.value);
    if (!item.who.empty()) {
      group.who.insert(item.who);
    }
  };
  each(traces, filters.query, [&](const Trace& trace) {
    if (query.view == "TRACES") {
      add(of_trace(trace, query.metric));
    } else if (query.view == "ASSESSMENTS") {
      for (const record::Assessment& assessment : trace.assessments) {
        if (assessment.valid && matches(filters, [&](const std::string& field) -> const std::string& {
              return field == "name" ? assessment.name : assessment.kind;
            })) {
          add(of_assessment(trace, assessment, query.metric));
        }
      }
    } else if (const auto whole = traces.find(trace.id, true)) {
      for (const TraceSpan& span : whole->spans) {
        if (matches(filters, [&](const std::string& field) -> const std::string& {
              return field == "name" ? span.name : field == "type" ? span.type : span.status;
            })) {
          add(of_span(trace, span, query.metric));
        }
      }
    }
  });
  std::vector<Json> points;
  for (auto& [key, group] : groups) {
    Json dimensions = Json::object();
    if (query.interval_s) {
      dimensions["time_bucket"] = timestamp_text(key.first);
    }
    for (size_t i = 0; i < query.dimensions.size(); ++i) {
      dimensions[query.dimensions[i]] = key.second[i];
    }
    points.push_back({{"metric_name", query.metric}, {"dimensions", std::move(dimensions)}, {"values", values_of(group, query)}});
  }
  return points;
}

double Correlation::npmi(double smoothing) const {
  constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
  const auto only_first = static_cast<double>(first - both);
  const auto only_second = static_cast<double>(second - both);
  const auto neither = static_cast<double>(all - first - second + both);
  if (all == 0 || first == 0 || second == 0) {
    return kUndefined;
  }
  if (smoothing == 0 && both == 0) {
    return -1;
  }
  if (only_first == 0 && only_second == 0 && neither == 0) {
    return 1;
  }
  const double joint = static_cast<double>(both) + smoothing;
  const double count = static_cast<double>(all) + 4 * smoothing;
  const double one = static_cast<double>(first) + 2 * smoothing;
  const double two = static_cast<double>(second) + 2 * smoothing;
  const double pmi = std::log(joint) + std::log(count) - std::log(one) - std::log(two);
  return std::clamp(pmi / (std::log(count) - std::log(joint)), -1.0, 1.0);
}

Correlation correlate(TraceStore& traces, const std::vector<std::string>& experiment_ids, const std::string& first,
                      const std::string& second, const std::string& base) {
  const auto count = [&](const std::vector<const std::string*>& texts) {
    record::Query query;
    query.experiment_ids = experiment_ids;
    for (const std::string* text : texts) {
      const auto conditions = parse_filter(*text, trace_grammar());
      query.conditions.insert(query.conditions.end(), conditions.begin(), conditions.end());
    }
    int64_t found = 0;
    each(traces, query, [&](const Trace&) { ++found; });
    return found;
  };
  Correlation result;
  result.first = count({&base, &first});
  result.second = count({&base, &second});
  result.both = count({&base, &first, &second});
  result.all = count({&base});
  return result;
}

}  // namespace slipway::api
