#include "store/run_reader.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <unordered_map>

#include "base/error.h"
#include "store/core.h"

namespace slipway::store {
namespace {

using record::DatasetUse;
using record::KeyValue;
using record::TrackedRun;

// A SELECT around "… = ?" or "… IN (…)": what stands before that, and behind it. Its first column is the run's number.
struct RowsOfRuns {
  std::string_view before;
  std::string_view behind;
};

// Calls `take(place of the run in numbers, row)` for the rows of all the runs; those of one come in the order of the SELECT.
// SQLite is asked run by run, which costs it nothing; a server is asked once.
template <class Take>
void for_rows(Database& database, const RowsOfRuns& select, std::span<const int64_t> numbers, Take take) {
  if (database.is_file()) {
    Statement query = database.prepare(fmt::format("{} = ?{}", select.before, select.behind));
    for (size_t i = 0; i < numbers.size(); ++i) {
      query.bind(numbers[i]);
      while (query.step()) {
        take(i, query);
      }
    }
    return;
  }
  if (numbers.empty()) {
    return;
  }
  std::unordered_map<int64_t, size_t> places;
  for (const int64_t number : numbers) {
    places.emplace(number, places.size());
  }
  Statement query = database.prepare_once(fmt::format("{} IN ({}){}", select.before, fmt::join(numbers, ","), select.behind));
  while (query.step()) {
    take(places.at(query.integer(0)), query);
  }
}

void read_info(Database& database, std::span<const int64_t> numbers, std::vector<TrackedRun>& runs) {
  size_t found = 0;
  for_rows(database,
           {"SELECT r.number, r.id, r.experiment, r.name, r.user, r.status, r.deleted, r.started_ms, r.ended_ms, "
            "rtrim(e.artifact_location, '/') FROM runs r JOIN experiments e ON e.number = r.experiment WHERE r.number",
            ""},
           numbers, [&](size_t place, const Statement& row) {
             TrackedRun& run = runs[place];
             run.id = row.text(1);
             run.experiment_id = std::to_string(row.integer(2));
             run.name = row.text(3);
             run.user = row.text(4);
             run.status = record::run_status(row.text(5));
             run.deleted = row.integer(6) != 0;
             run.started_ms = row.integer(7);
             run.ended_ms = row.integer(8);
             run.artifact_uri = row.text(9);
             run.artifact_uri.append("/").append(run.id).append("/artifacts");
             ++found;
           });
  if (found != numbers.size()) {
    throw base::Error(base::Code::kIntegrity, "a run of the store has no experiment; 'slipway store verify' tells more");
  }
}

void read_latest(Database& database, std::span<const int64_t> numbers, std::vector<TrackedRun>& runs) {
  for_rows(database, {"SELECT run, key, value, nan, step, time_ms FROM latest_metrics WHERE run", " ORDER BY key"}, numbers,
           [&](size_t place, const Statement& row) {
             const double value = row.integer(3) != 0 ? std::numeric_limits<double>::quiet_NaN() : row.real(2);
             runs[place].metrics.push_back({row.text(1), value, row.integer(4), row.integer(5)});
           });
}

void read_pairs(Database& database, std::string_view before, std::span<const int64_t> numbers, std::vector<TrackedRun>& runs,
                std::vector<KeyValue> TrackedRun::* pairs) {
  for_rows(database, {before, " ORDER BY key"}, numbers, [&](size_t place, const Statement& row) {
    (runs[place].*pairs).push_back({row.text(1), row.text(2)});
  });
}

void add_name_tag(TrackedRun& run) {
  if (!run.name.empty()) {
    const KeyValue tag{record::kRunNameTag, run.name};
    const auto at = std::lower_bound(run.tags.begin(), run.tags.end(), tag,
                                     [](const KeyValue& a, const KeyValue& b) { return a.key < b.key; });
    run.tags.insert(at, tag);
  }
}

void read_datasets(Database& database, std::span<const int64_t> numbers, std::vector<TrackedRun>& runs) {
  for_rows(database,
           {"SELECT u.run, d.name, d.digest, d.source_type, d.source, d.schema, d.profile, u.tags FROM run_datasets u JOIN "
            "datasets d ON d.number = u.dataset WHERE u.run",
            " ORDER BY d.number"},
           numbers, [&](size_t place, const Statement& row) {
             DatasetUse use;
             use.dataset = {row.text(1), row.text(2), row.text(3), row.text(4), std::nullopt, std::nullopt};
             if (!row.is_null(5)) {
               use.dataset.schema = row.text(5);
             }
             if (!row.is_null(6)) {
               use.dataset.profile = row.text(6);
             }
             const auto tags = to_map(row.text(7));
             for (const auto& [key, value] : tags) {
               use.tags.push_back({key, value});
             }
             runs[place].datasets.push_back(std::move(use));
           });
}

void read_models(Database& database, std::span<const int64_t> numbers, std::vector<TrackedRun>& runs) {
  for_rows(database, {"SELECT run, output, model, step FROM run_models WHERE run", " ORDER BY output, model, step"}, numbers,
           [&](size_t place, const Statement& row) {
             (row.integer(1) != 0 ? runs[place].model_outputs : runs[place].model_inputs).push_back({row.text(2), row.integer(3)});
           });
}

// Tables that few runs use: for SQLite it pays to ask once whether there is anything in them.
bool worth_reading(Database& database, const char* any) { return !database.is_file() || database.prepare(any).step(); }

}  // namespace

std::vector<TrackedRun> read_runs(Database& database, std::span<const int64_t> numbers) {
  std::vector<TrackedRun> runs(numbers.size());
  read_info(database, numbers, runs);
  read_latest(database, numbers, runs);
  read_pairs(database, "SELECT run, key, value FROM params WHERE run", numbers, runs, &TrackedRun::params);
  read_pairs(database, "SELECT run, key, value FROM run_tags WHERE run", numbers, runs, &TrackedRun::tags);
  std::for_each(runs.begin(), runs.end(), add_name_tag);
  if (worth_reading(database, "SELECT 1 FROM run_datasets LIMIT 1")) {
    read_datasets(database, numbers, runs);
  }
  if (worth_reading(database, "SELECT 1 FROM run_models LIMIT 1")) {
    read_models(database, numbers, runs);
  }
  return runs;
}

TrackedRun read_run_info(Database& database, int64_t number) {
  std::vector<TrackedRun> runs(1);
  read_info(database, {&number, 1}, runs);
  return std::move(runs.front());
}

}  // namespace slipway::store
