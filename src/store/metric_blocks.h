// Points of metrics: kept, and read in order, whichever form they lie in. Many points of one metric that are logged together become
// one row (a block: docs/formats/store.md), few become a row each. A point may lie in several blocks, or in a block and as a row: it
// is told once. Inside a transaction or on a reader's connection.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/tracking.h"
#include "store/database.h"

namespace slipway::store {

// From so many points of a metric on, they lie in a block.
constexpr size_t kBlockPoints = 8;

// Keeps the points of one metric; those that are there already change nothing. NaN may be among them, infinities not.
void put_points(Database& database, int64_t run, std::string_view key, std::vector<record::MetricSample> points);

// One page of a history, as record::RunTracker has it. O(points of the metric) when some lie in blocks.
record::Page<record::MetricSample> read_history(Database& database, const record::HistoryQuery& query);

// All points of a run, or those of one metric, in order of step, time, metric. `key` empty: of all.
std::vector<record::MetricPoint> read_metrics(Database& database, const std::string& run_id, const std::string& key);

}  // namespace slipway::store
