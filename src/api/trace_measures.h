// Numbers over many traces, as MLflow's pages chart them: counts, sums, means and percentiles of traces, spans or assessments by
// names, states and time; and how far two searches find the same traces. Untrusted questions; pure but for the store. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "record/traces.h"

namespace slipway::api {

using base::Json;

struct Aggregation {
  std::string type;  // COUNT, SUM, AVG, MIN, MAX, PERCENTILE
  std::optional<double> percentile;
};

struct MeasureQuery {
  std::vector<std::string> experiment_ids;
  std::string view;    // TRACES, SPANS, ASSESSMENTS
  std::string metric;  // "latency"
  std::vector<Aggregation> aggregations;
  std::vector<std::string> dimensions;
  std::vector<std::string> filters;  // "trace.status = 'OK'": all of them hold
  std::optional<int64_t> interval_s;
  std::optional<int64_t> start_ms, end_ms;
};

// {"metric_name", "dimensions", "values"} of each group, by its dimensions. Throws ApiError for a view, metric, aggregation,
// dimension or filter that there is not, and past 10 million values. Cost: all traces that match are read.
std::vector<Json> measure(record::TraceStore& traces, const MeasureQuery& query);

struct Correlation {
  int64_t first = 0, second = 0, both = 0, all = 0;
  // Normalised pointwise mutual information (Bouma 2009): -1 never together, 0 independent, 1 always; NaN where one of them is
  // never found. `smoothing` is added to each cell of the table of counts.
  double npmi(double smoothing) const;
};
Correlation correlate(record::TraceStore& traces, const std::vector<std::string>& experiment_ids, const std::string& first,
                      const std::string& second, const std::string& base);

class Routes;
struct Backend;
void add_trace_measure_routes(Routes& routes, Backend& backend);

}  // namespace slipway::api
