// What the web UI asks about runs: how many match, how they fall into groups, curves with as many points as a screen shows.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "api/downsample.h"
#include "api/filter.h"
#include "api/json_writer.h"
#include "api/render.h"
#include "api/routes.h"
#include "api/ui_messages.h"

namespace slipway::api {
namespace {

using record::MetricSample;
using record::RunTracker;

constexpr size_t kMaxCurves = 400;  // of one answer

template <class Request>
record::Query query_of(const Request& request) {
  record::Query query;
  query.experiment_ids = request.experiment_ids;
  query.conditions = parse_filter(request.filter, run_grammar());
  query.lifecycle = request.run_view_type;
  return query;
}

std::string count(record::RunOverview& overview, const CountRuns& request) {
  JsonWriter out;
  out.begin_object();
  out.field("runs", overview.count(query_of(request)));
  out.end_object();
  return out.take();
}

std::string window(RunTracker& runs, const WindowOfRuns& request) {
  if (request.max_results < 1 || request.offset < 0) {
    invalid(fmt::format("a window of runs begins at 0 or later and has a run or more, not {} from {} on",
                        request.max_results, request.offset));
  }
  record::Query query = query_of(request);
  query.order = parse_order(request.order_by, run_grammar());
  query.offset = request.offset;
  query.limit = request.max_results;
  JsonWriter out;
  out.begin_object();
  out.begin_array("runs");
  for (const record::TrackedRun& run : runs.search(query).items) {
    write_run(out, {}, run);
  }
  out.end_array();
  out.end_object();
  return out.take();
}

std::string groups(record::RunOverview& overview, const GroupRuns& request) {
  if (request.max_results < 1) {
    invalid(fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be a positive integer",
                        request.max_results));
  }
  record::Query query = query_of(request);
  query.limit = request.max_results;
  const record::Ordering by = parse_order(std::span(&request.by, 1), run_grammar()).front();
  const auto page = overview.groups(query, {by.entity, by.key});
  JsonWriter out;
  out.begin_object();
  out.begin_array("groups");
  for (const record::RunGroup& group : page.items) {
    out.begin_object();
    if (group.value) {
      out.field("value", *group.value);
    }
    out.field("runs", group.runs);
    out.field("newest_start_time", group.newest_ms);
    out.end_object();
  }
  out.end_array();
  out.field("more", page.more);
  out.end_object();
  return out.take();
}

// The points in order of step, at most so many; NaN and infinities are counted, not drawn.
Json curve(RunTracker& runs, const std::string& run_id, const std::string& key, size_t points) {
  record::HistoryQuery query;
  query.run_id = run_id;
  query.key = key;
  std::vector<MetricSample> all = runs.history(query).items;
  const auto total = static_cast<int64_t>(all.size());
  all.erase(std::remove_if(all.begin(), all.end(), [](const MetricSample& p) { return !std::isfinite(p.value); }),
            all.end());
  std::stable_sort(all.begin(), all.end(), [](const MetricSample& a, const MetricSample& b) { return a.step < b.step; });
  // A metric that was logged without steps is drawn over its order.
  const bool stepless = !all.empty() && all.front().step == all.back().step;
  std::vector<double> x(all.size());
  std::vector<double> y(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    x[i] = static_cast<double>(stepless ? static_cast<int64_t>(i) : all[i].step);
    y[i] = all[i].value;
  }
  Json steps = Json::array();
  Json times = Json::array();
  Json values = Json::array();
  for (const size_t i : largest_triangles(x, y, points)) {
    steps.push_back(all[i].step);
    times.push_back(all[i].time_ms);
    values.push_back(all[i].value);
  }
  return {{"run_id", run_id},
          {"key", key},
          {"total", total},
          {"not_finite", total - static_cast<int64_t>(all.size())},
          {"steps", std::move(steps)},
          {"times", std::move(times)},
          {"values", std::move(values)}};
}

std::string curves(RunTracker& runs, const Curves& request) {
  if (request.points < 3) {
    invalid(fmt::format("Invalid value {} for parameter 'points' supplied. It must be at least 3", request.points));
  }
  if (request.run_ids.size() * request.keys.size() > kMaxCurves) {
    invalid(fmt::format("{} curves are asked for, more than {}; ask for fewer runs or metrics",
                        request.run_ids.size() * request.keys.size(), kMaxCurves));
  }
  Json list = Json::array();
  for (const std::string& key : request.keys) {
    for (const std::string& run_id : request.run_ids) {
      Json one = curve(runs, run_id, key, static_cast<size_t>(request.points));
      if (one["total"] != 0) {
        list.push_back(std::move(one));
      }
    }
  }
  return base::dump_json({{"curves", std::move(list)}});
}

}  // namespace

void add_ui_run_routes(Routes& routes, Backend& backend) {
  record::RunOverview& overview = backend.store.tracking().overview();
  RunTracker& runs = backend.store.tracking().runs();
  routes.add<CountRuns>("POST", "/ui/runs/count", [&](const CountRuns& request) { return count(overview, request); }, needs(Role::kViewer));
  routes.add<WindowOfRuns>("POST", "/ui/runs/window", [&](const WindowOfRuns& request) { return window(runs, request); }, needs(Role::kViewer));
  routes.add<GroupRuns>("POST", "/ui/runs/groups", [&](const GroupRuns& request) { return groups(overview, request); }, needs(Role::kViewer));
  routes.add<Curves>("POST", "/ui/curves", [&](const Curves& request) { return curves(runs, request); }, needs(Role::kViewer));
}

}  // namespace slipway::api
