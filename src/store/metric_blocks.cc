#include "store/metric_blocks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <tuple>
#include <type_traits>

#include "base/error.h"
#include "base/hash.h"
#include "store/query_parts.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

using record::HistoryQuery;
using record::MetricPoint;
using record::MetricSample;

static_assert(std::endian::native == std::endian::little && std::is_trivially_copyable_v<MetricSample> &&
                  sizeof(MetricSample) == 24,
              "a block is an array of time, step and value, little-endian");
constexpr size_t kDigestLetters = 32;  // 128 bits: blocks of the same digest are the same

// As a row has it: NaN is one value, 0 is not negative.
double kept(double value) { return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value + 0.0; }

// NaN counts as a zero that comes after zero, as the columns `value` and `nan` do.
auto by_time(const MetricSample& a) {
  const bool nan = std::isnan(a.value);
  return std::tuple(a.time_ms, a.step, nan ? 0 : a.value, nan);
}
auto by_step(const MetricSample& a) {
  const bool nan = std::isnan(a.value);
  return std::tuple(a.step, a.time_ms, nan ? 0 : a.value, nan);
}

// Sorts and leaves each point once. What came in order, as points nearly always do, is only looked at.
template <class Key>
void put_in_order(std::vector<MetricSample>& points, Key key) {
  const auto less = [key](const MetricSample& a, const MetricSample& b) { return key(a) < key(b); };
  const auto not_before = [less](const MetricSample& a, const MetricSample& b) { return !less(a, b); };
  if (std::adjacent_find(points.begin(), points.end(), not_before) == points.end()) {
    return;
  }
  std::sort(points.begin(), points.end(), less);
  points.erase(std::unique(points.begin(), points.end(), not_before), points.end());
}

std::string_view bytes_of(const std::vector<MetricSample>& points) {
  return {reinterpret_cast<const char*>(points.data()), points.size() * sizeof(MetricSample)};  // NOLINT: bytes of numbers
}

void add_block(const std::string& bytes, std::vector<MetricSample>& points) {
  if (bytes.empty() || bytes.size() % sizeof(MetricSample) != 0) {
    throw base::Error(base::Code::kIntegrity, fmt::format("a block of metrics of the store has {} bytes, which are no points; "
                                                          "'slipway store verify' tells more", bytes.size()));
  }
  const size_t there = points.size();
  points.resize(there + bytes.size() / sizeof(MetricSample));
  std::memcpy(points.data() + there, bytes.data(), bytes.size());
}

// Columns: time_ms, step, value, nan.
MetricSample read_sample(const Statement& row) {
  return {row.integer(0), row.integer(1), row.integer(3) != 0 ? std::numeric_limits<double>::quiet_NaN() : row.real(2)};
}

// Which of the points in order of step are shown: the first of each of `samples` groups of equal size (SQL's ntile), and
// the last.
std::vector<MetricSample> sampled(std::vector<MetricSample> points, size_t samples) {
  const size_t count = points.size();
  if (count <= samples) {
    return points;
  }
  std::vector<MetricSample> chosen;
  chosen.reserve(samples);
  size_t at = 0;
  for (size_t group = 0; group < samples; ++group) {
    chosen.push_back(points[at]);
    at += count / samples + (group < count % samples ? 1 : 0);
  }
  if (count / samples > 1) {  // the last point is not the first of the last group
    chosen.back() = points.back();
  }
  return chosen;
}

// The rows of a metric, `page` of them or all, in the query's order.
void read_rows(Database& database, const HistoryQuery& query, bool page, std::vector<MetricSample>& points) {
  SqlText sql;
  sql << "SELECT time_ms, step, value, nan FROM metrics WHERE run = (SELECT number FROM runs WHERE id = ";
  sql.bind(query.run_id) << ") AND key = ";
  sql.bind(query.key);
  if (query.steps) {
    sql << " AND step BETWEEN ";
    sql.bind(query.steps->first) << " AND ";
    sql.bind(query.steps->second);
  }
  if (page) {
    sql << (query.samples > 0 ? " ORDER BY step, time_ms, value, nan LIMIT " : " ORDER BY time_ms, step, value, nan LIMIT ");
    sql.bind(query.limit > 0 ? query.limit + 1 : int64_t{-1}) << " OFFSET ";
    sql.bind(query.offset);
  }
  Statement select = sql.prepare(database);
  while (select.step()) {
    points.push_back(read_sample(select));
  }
}

// The points of all blocks of a metric, the earliest block first.
std::vector<MetricSample> read_blocks(Database& database, const HistoryQuery& query) {
  std::vector<MetricSample> points;
  Statement blocks = database.prepare(
      "SELECT points FROM metric_blocks WHERE run = (SELECT number FROM runs WHERE id = ?) AND key = ? ORDER BY first_ms");
  blocks.bind(query.run_id, query.key);
  while (blocks.step()) {
    add_block(blocks.text(0), points);
  }
  return points;
}

void cut_to_page(std::vector<MetricSample>& points, const HistoryQuery& query) {
  const auto count = static_cast<int64_t>(points.size());
  const int64_t from = std::min(query.offset, count);
  const int64_t to = query.limit > 0 ? std::min(count, from + query.limit + 1) : count;
  points.erase(points.begin() + to, points.end());
  points.erase(points.begin(), points.begin() + from);
}

}  // namespace

void put_points(Database& database, int64_t run, std::string_view key, std::vector<MetricSample> points) {
  for (MetricSample& point : points) {
    point.value = kept(point.value);
  }
  if (points.size() < kBlockPoints) {
    Statement insert =
        database.prepare("INSERT OR IGNORE INTO metrics(run, key, time_ms, step, value, nan) VALUES(?,?,?,?,?,?)");
    for (const MetricSample& point : points) {
      const bool nan = std::isnan(point.value);
      insert.bind(run, key, point.time_ms, point.step, nan ? 0 : point.value, nan ? 1 : 0).run();
    }
    return;
  }
  put_in_order(points, by_time);
  base::Sha256 sha;
  sha.update(bytes_of(points));
  const std::string digest = sha.hex().substr(0, kDigestLetters);
  database.prepare("INSERT OR IGNORE INTO metric_blocks(run, key, first_ms, digest, points) VALUES(?,?,?,?,?)")
      .bind(run, key, points.front().time_ms, digest, bytes_of(points))
      .run();
}

record::Page<MetricSample> read_history(Database& database, const HistoryQuery& query) {
  record::Page<MetricSample> page;
  page.items = read_blocks(database, query);
  const bool blocks = !page.items.empty();
  read_rows(database, query, !blocks, page.items);
  if (blocks) {
    if (query.steps) {
      std::erase_if(page.items, [&](const MetricSample& point) {
        return point.step < query.steps->first || point.step > query.steps->second;
      });
    }
    query.samples > 0 ? put_in_order(page.items, by_step) : put_in_order(page.items, by_time);
    cut_to_page(page.items, query);
  }
  if (query.limit > 0 && static_cast<int64_t>(page.items.size()) > query.limit) {
    page.items.pop_back();
    page.more = true;
  }
  if (query.samples > 0) {
    page.items = sampled(std::move(page.items), static_cast<size_t>(query.samples));
  }
  return page;
}

std::vector<MetricPoint> read_metrics(Database& database, const std::string& run_id, const std::string& key) {
  std::vector<std::string> keys;
  if (!key.empty()) {
    keys.push_back(key);
  } else {
    Statement names = database.prepare("SELECT key FROM latest_metrics WHERE run = (SELECT number FROM runs WHERE id = ?)");
    names.bind(run_id);
    while (names.step()) {
      keys.push_back(names.text(0));
    }
  }
  std::vector<MetricPoint> all;
  for (const std::string& name : keys) {
    HistoryQuery query;
    query.run_id = run_id;
    query.key = name;
    for (const MetricSample& point : read_history(database, query).items) {
      all.push_back({name, point.value, point.step, point.time_ms});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const MetricPoint& a, const MetricPoint& b) {
    return std::tie(a.step, a.time_ms, a.key) < std::tie(b.step, b.time_ms, b.key);
  });
  return all;
}

}  // namespace slipway::store
