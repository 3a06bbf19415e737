#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "api/messages.h"
#include "api/page_token.h"
#include "api/routes.h"
#include "api/trace_measures.h"

namespace slipway::api {
namespace {

constexpr int64_t kMaxPoints = 1000;
constexpr double kJeffreys = 0.5;  // the prior that is added to each cell

struct CorrelateTraces {
  std::vector<std::string> experiment_ids;
  std::string filter_string1;
  std::string filter_string2;
  std::string base_filter;
};

struct MeasureTraces {
  std::vector<std::string> experiment_ids;
  Json view_type;
  std::string metric_name;
  Json aggregations;
  std::vector<std::string> dimensions;
  std::vector<std::string> filters;
  std::optional<int64_t> time_interval_seconds;
  std::optional<int64_t> start_time_ms;
  std::optional<int64_t> end_time_ms;
  int64_t max_results = kMaxPoints;
  std::string page_token;
};

}  // namespace

template <>
struct Table<CorrelateTraces> {
  using M = CorrelateTraces;
  static constexpr std::array kFields = {field<&M::experiment_ids>("experiment_ids", kRequired),
                                         field<&M::filter_string1>("filter_string1", kRequired),
                                         field<&M::filter_string2>("filter_string2", kRequired),
                                         field<&M::base_filter>("base_filter")};
};

template <>
struct Table<MeasureTraces> {
  using M = MeasureTraces;
  static constexpr std::array kFields = {
      field<&M::experiment_ids>("experiment_ids", kRequired | kNotEmptyList),
      field<&M::view_type>("view_type", kRequired),
      field<&M::metric_name>("metric_name", kRequired),
      field<&M::aggregations>("aggregations", kRequired | kNotEmptyList),
      field<&M::dimensions>("dimensions"),
      field<&M::filters>("filters"),
      field<&M::time_interval_seconds>("time_interval_seconds"),
      field<&M::start_time_ms>("start_time_ms"),
      field<&M::end_time_ms>("end_time_ms"),
      field<&M::max_results>("max_results"),
      field<&M::page_token>("page_token")};
};

namespace {

// An enumerator by name or number.
std::string name_of(const Json& value, const char* field, std::span<const std::string_view> names) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (!value.is_number_integer() || value < 0 || value >= static_cast<int64_t>(names.size())) {
    wrong_type(field, value);
  }
  return std::string(names[value.get<size_t>()]);
}

std::string measured(record::TraceStore& traces, const MeasureTraces& request) {
  static constexpr std::array<std::string_view, 4> kViews = {"METRIC_VIEW_TYPE_UNSPECIFIED", "TRACES", "SPANS", "ASSESSMENTS"};
  static constexpr std::array<std::string_view, 7> kTypes = {"AGGREGATION_TYPE_UNSPECIFIED", "COUNT", "SUM", "AVG", "PERCENTILE", "MIN", "MAX"};
  if (request.max_results < 1 || request.max_results > kMaxPoints) {
    invalid(fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be between 1 and {}", request.max_results, kMaxPoints));
  }
  MeasureQuery query{request.experiment_ids,        name_of(request.view_type, "view_type", kViews),
                     request.metric_name,           {},
                     request.dimensions,            request.filters,
                     request.time_interval_seconds, request.start_time_ms,
                     request.end_time_ms};
  if (!request.aggregations.is_array()) {
    wrong_type("aggregations", request.aggregations);
  }
  for (const Json& entry : request.aggregations) {
    const auto type = entry.is_object() ? entry.find("aggregation_type") : entry.end();
    if (!entry.is_object() || type == entry.end()) {
      wrong_type("aggregations", request.aggregations);
    }
    const auto percent = entry.find("percentile_value");
    query.aggregations.push_back({name_of(*type, "aggregation_type", kTypes),
                                  percent != entry.end() && percent->is_number() ? std::optional(percent->get<double>()) : std::nullopt});
  }
  const std::vector<Json> points = measure(traces, query);
  const auto first = static_cast<size_t>(page_offset(request.page_token));
  const size_t last = std::min(points.size(), first + static_cast<size_t>(request.max_results));
  Json answer = Json::object();
  for (size_t i = first; i < last; ++i) {
    answer["data_points"].push_back(points[i]);
  }
  if (last < points.size()) {
    answer["next_page_token"] = page_token(static_cast<int64_t>(last));
  }
  return base::dump_json(answer);
}

std::string correlated(record::TraceStore& traces, const CorrelateTraces& request) {
  const Correlation found = correlate(traces, request.experiment_ids, request.filter_string1, request.filter_string2, request.base_filter);
  const auto number = [](double value) { return std::isnan(value) ? Json("NaN") : Json(value); };
  return base::dump_json({{"npmi", number(found.npmi(0))},
                          {"npmi_smoothed", number(found.npmi(kJeffreys))},
                          {"filter1_count", found.first},
                          {"filter2_count", found.second},
                          {"joint_count", found.both},
                          {"total_count", found.all}});
}

}  // namespace

void add_trace_measure_routes(Routes& routes, Backend& backend) {
  record::TraceStore& traces = backend.store.tracking().traces().traces();
  routes.add<MeasureTraces>("POST", "/3.0/mlflow/traces/metrics",
                            [&](const MeasureTraces& request) { return measured(traces, request); }, needs(Role::kViewer));
  routes.add<CorrelateTraces>("POST", "/3.0/mlflow/traces/calculate-filter-correlation",
                              [&](const CorrelateTraces& request) { return correlated(traces, request); }, needs(Role::kViewer));
}

}  // namespace slipway::api
