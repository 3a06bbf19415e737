#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "store/tables.h"
#include "store/trace_query.h"
#include "store/trace_rows.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::KeyValue;
using record::SpanBatch;
using record::Trace;
using record::TraceSpan;

constexpr int64_t kNsPerMs = 1'000'000;
constexpr const char* kArtifactTag = "mlflow.artifactLocation";
constexpr const char* kSpansTag = "mlflow.trace.spansLocation";

std::optional<std::string> text_or_none(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.text(column));
}

void read_pairs(Database& database, const char* sql, int64_t trace, std::vector<KeyValue>& pairs) {
  Statement query = database.prepare(sql);
  query.bind(trace);
  while (query.step()) {
    pairs.push_back({query.text(0), query.text(1)});
  }
}

void read_spans(Database& database, int64_t trace, std::vector<TraceSpan>& spans) {
  Statement query = database.prepare(
      "SELECT id, parent, name, type, status, start_ns, end_ns, content FROM spans WHERE trace = ? ORDER BY start_ns, "
      "number");
  query.bind(trace);
  while (query.step()) {
    spans.push_back({query.text(0), query.text(1), query.text(2), query.text(3), query.text(4), query.integer(5),
                     query.integer(6), query.text(7)});
  }
}

Trace read_trace(Database& database, int64_t number, bool spans) {
  Statement query = database.prepare(
      "SELECT id, experiment, time_ms, duration_ms, state, client_id, request, response FROM traces WHERE number = ?");
  query.bind(number).step();
  Trace trace;
  trace.id = query.text(0);
  trace.experiment_id = std::to_string(query.integer(1));
  trace.started_ms = query.integer(2);
  if (!query.is_null(3)) {
    trace.duration_ms = query.integer(3);
  }
  trace.state = query.text(4);
  trace.client_request_id = text_or_none(query, 5);
  trace.request_preview = text_or_none(query, 6);
  trace.response_preview = text_or_none(query, 7);
  read_pairs(database, "SELECT key, value FROM trace_metadata WHERE trace = ? ORDER BY key", number, trace.metadata);
  read_pairs(database, "SELECT key, value FROM trace_tags WHERE trace = ? ORDER BY key", number, trace.tags);
  trace.assessments = read_assessments(database, number, trace.id);
  if (spans) {
    read_spans(database, number, trace.spans);
  }
  return trace;
}

void put_tag(Database& database, int64_t trace, const std::string& key, const std::string& value) {
  database
      .prepare(
          "INSERT INTO trace_tags(trace, key, value) VALUES(?,?,?) ON CONFLICT(trace, key) DO UPDATE SET value = "
          "excluded.value")
      .bind(trace, key, value)
      .run();
}

void put_metadata(Database& database, int64_t trace, const KeyValue& pair, bool replace) {
  database
      .prepare(
          replace ? "INSERT INTO trace_metadata(trace, key, value) VALUES(?,?,?) ON CONFLICT(trace, key) DO UPDATE SET "
                    "value = excluded.value"
                  : "INSERT INTO trace_metadata(trace, key, value) VALUES(?,?,?) ON CONFLICT DO NOTHING")
      .bind(trace, pair.key, pair.value)
      .run();
}

// The row of a new trace, with the tag that says where its files go.
int64_t insert_trace(Database& database, const std::string& id, int64_t experiment, int64_t time_ms,
                     const std::string& state) {
  check_name(id, "a trace's id", "/");
  database.prepare("INSERT INTO traces(id, experiment, time_ms, state, complete) VALUES(?,?,?,?,0)")
      .bind(id, experiment, time_ms, state)
      .run();
  const int64_t number = database.last_insert_id();
  Statement location = database.prepare("SELECT rtrim(artifact_location, '/') FROM experiments WHERE number = ?");
  location.bind(experiment).step();
  put_tag(database, number, kArtifactTag, fmt::format("{}/traces/{}/artifacts", location.text(0), id));
  return number;
}

// "tr-" and 32 hex digits.
bool is_trace_id(const std::string& id) {
  constexpr std::string_view kPrefix = "tr-";
  return id.size() == kPrefix.size() + 32 && id.starts_with(kPrefix) &&
         id.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string::npos;
}

void put_span(Database& database, int64_t trace, const TraceSpan& span) {
  database
      .prepare(
          "INSERT INTO spans(trace, id, parent, name, type, status, start_ns, end_ns, content) "
          "VALUES(?,?,?,?,?,?,?,?,?) ON "
          "CONFLICT(trace, id) DO UPDATE SET parent = excluded.parent, name = excluded.name, type = excluded.type, "
          "status = "
          "excluded.status, start_ns = excluded.start_ns, end_ns = excluded.end_ns, content = excluded.content")
      .bind(trace, span.id, span.parent, span.name, span.type, span.status, span.start_ns, span.end_ns, span.content)
      .run();
}

// A trace that was not begun by its client spans what its spans do.
void widen(Database& database, int64_t trace, const std::vector<TraceSpan>& spans) {
  int64_t start = spans.front().start_ns;
  int64_t end = 0;
  for (const TraceSpan& span : spans) {
    start = std::min(start, span.start_ns);
    end = std::max(end, span.end_ns);
  }
  Statement query = database.prepare("SELECT time_ms, duration_ms FROM traces WHERE number = ? AND complete = 0");
  if (!query.bind(trace).step()) {
    return;
  }
  const int64_t there = query.integer(0);
  const int64_t first_ms = std::min(there, start / kNsPerMs);
  const bool ended = end > 0 || !query.is_null(1);
  const int64_t last_ms = std::max(end / kNsPerMs, query.is_null(1) ? 0 : there + query.integer(1));
  database.prepare("UPDATE traces SET time_ms = ? WHERE number = ?").bind(first_ms, trace).run();
  if (ended) {
    database.prepare("UPDATE traces SET duration_ms = ? WHERE number = ?").bind(last_ms - first_ms, trace).run();
  }
}

void add_batch(Database& database, const std::string& experiment_id, const SpanBatch& batch) {
  if (batch.spans.empty()) {
    return;
  }
  auto number = find_trace(database, batch.trace_id);
  if (!number) {
    number = insert_trace(database, batch.trace_id, active_experiment(database, experiment_id),
                          batch.spans.front().start_ns / kNsPerMs, record::kTraceRuns);
  }
  for (const TraceSpan& span : batch.spans) {
    put_span(database, *number, span);
  }
  widen(database, *number, batch.spans);
  if (!batch.state.empty()) {
    database.prepare("UPDATE traces SET state = ? WHERE number = ? AND state IN ('IN_PROGRESS', 'STATE_UNSPECIFIED')")
        .bind(batch.state, *number)
        .run();
  }
  database
      .prepare("UPDATE traces SET request = coalesce(request, ?), response = coalesce(response, ?) WHERE number = ?")
      .bind(batch.request_preview, batch.response_preview, *number)
      .run();
  put_tag(database, *number, kSpansTag, "TRACKING_STORE");
  for (const KeyValue& tag : batch.tags) {
    put_tag(database, *number, tag.key, tag.value);
  }
  for (const KeyValue& pair : batch.metadata) {
    put_metadata(database, *number, pair, false);
  }
}

}  // namespace

std::optional<int64_t> find_trace(Database& database, const std::string& id) {
  Statement query = database.prepare("SELECT number FROM traces WHERE id = ?");
  return query.bind(id).step() ? std::optional(query.integer(0)) : std::nullopt;
}

int64_t trace_number(Database& database, const std::string& id) {
  const auto number = find_trace(database, id);
  if (!number) {
    throw Error(Code::kNotFound, fmt::format("Trace with ID '{}' not found.", id));
  }
  return *number;
}

Trace SqlTraces::start(const Trace& trace, bool complete) {
  Trace result;
  core_.write([&](Database& database) {
    const int64_t experiment = active_experiment(database, trace.experiment_id);
    auto number = find_trace(database, trace.id);
    if (!number) {
      number = insert_trace(database, trace.id, experiment, trace.started_ms, trace.state);
    }
    database
        .prepare(
            "UPDATE traces SET experiment = ?, time_ms = ?, state = ?, client_id = ?, request = coalesce(?, request), "
            "response = coalesce(?, response), complete = ? WHERE number = ?")
        .bind(experiment, trace.started_ms, trace.state, trace.client_request_id, trace.request_preview,
              trace.response_preview, complete ? 1 : 0, *number)
        .run();
    if (trace.duration_ms) {
      database.prepare("UPDATE traces SET duration_ms = ? WHERE number = ?").bind(*trace.duration_ms, *number).run();
    }
    for (const KeyValue& tag : trace.tags) {
      put_tag(database, *number, tag.key, tag.value);
    }
    for (const KeyValue& pair : trace.metadata) {
      put_metadata(database, *number, pair, true);
    }
    for (const record::Assessment& assessment : trace.assessments) {
      put_assessment(database, *number, assessment);
    }
    result = read_trace(database, *number, false);
  });
  return result;
}

Trace SqlTraces::end(const std::string& id, int64_t end_ms, const std::string& state,
                     std::span<const KeyValue> metadata, std::span<const KeyValue> tags) {
  Trace result;
  core_.write([&](Database& database) {
    const int64_t number = trace_number(database, id);
    database.prepare("UPDATE traces SET duration_ms = ? - time_ms, state = ? WHERE number = ?")
        .bind(end_ms, state, number)
        .run();
    for (const KeyValue& pair : metadata) {
      put_metadata(database, number, pair, true);
    }
    for (const KeyValue& tag : tags) {
      put_tag(database, number, tag.key, tag.value);
    }
    result = read_trace(database, number, false);
  });
  return result;
}

void SqlTraces::add_spans(const std::string& experiment_id, std::span<const SpanBatch> batches) {
  core_.write([&](Database& database) {
    for (const SpanBatch& batch : batches) {
      add_batch(database, experiment_id, batch);
    }
  });
}

std::optional<Trace> SqlTraces::find(const std::string& id, bool spans) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  const auto number = find_trace(*database, id);
  return number ? std::optional(read_trace(*database, *number, spans)) : std::nullopt;
}

record::Page<Trace> SqlTraces::search(const record::Query& query) {
  record::Page<Trace> page;
  if (query.experiment_ids.empty()) {
    return page;
  }
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  Statement numbers = traces_query(*database, query).prepare(*database);
  while (numbers.step()) {
    if (static_cast<int64_t>(page.items.size()) == query.limit) {
      page.more = true;
      break;
    }
    page.items.push_back(read_trace(*database, numbers.integer(0), false));
  }
  return page;
}

int64_t SqlTraces::remove(const record::TraceRemoval& removal) {
  int64_t removed = 0;
  core_.write([&](Database& database) {
    SqlText select;
    select << "SELECT number FROM traces WHERE experiment = ";
    select.bind(experiment_number(removal.experiment_id));
    if (removal.until_ms) {
      select << " AND time_ms <= ";
      select.bind(*removal.until_ms);
    }
    if (!removal.trace_ids.empty()) {
      select << " AND id IN (";
      for (size_t i = 0; i < removal.trace_ids.size(); ++i) {
        (i == 0 ? select : select << ", ").bind(removal.trace_ids[i]);
      }
      select << ")";
    }
    select << " ORDER BY time_ms, id LIMIT ";
    select.bind(removal.max_traces.value_or(-1));
    std::vector<int64_t> numbers;
    {
      Statement query = select.prepare(database);
      while (query.step()) {
        numbers.push_back(query.integer(0));
      }
    }
    for (const int64_t number : numbers) {
      for (const char* sql : {"DELETE FROM spans WHERE trace = ?", "DELETE FROM trace_tags WHERE trace = ?",
                              "DELETE FROM trace_metadata WHERE trace = ?", "DELETE FROM trace_links WHERE trace = ?",
                              "DELETE FROM assessments WHERE trace = ?", "DELETE FROM traces WHERE number = ?"}) {
        database.prepare(sql).bind(number).run();
      }
    }
    removed = static_cast<int64_t>(numbers.size());
  });
  return removed;
}

void SqlTraces::change_tag(const std::string& id, const std::string& key, const std::optional<std::string>& value) {
  core_.write([&](Database& database) {
    const int64_t number = trace_number(database, id);
    if (value) {
      put_tag(database, number, key, *value);
      return;
    }
    database.prepare("DELETE FROM trace_tags WHERE trace = ? AND key = ?").bind(number, key).run();
    if (database.changes() == 0) {
      throw Error(Code::kNotFound, fmt::format("No trace tag with key '{}' for trace with ID '{}'", key, id));
    }
  });
}

void SqlTraces::link(const std::string& kind, std::span<const std::string> trace_ids, const std::string& target) {
  core_.write([&](Database& database) {
    const auto run = kind == "run" ? find_run_row(database, target) : std::nullopt;
    for (const std::string& id : trace_ids) {
      auto number = find_trace(database, id);
      if (!number && run && !run->deleted && is_trace_id(id)) {  // its client sends it later
        number = insert_trace(database, id, run->experiment, core_.now(), record::kTraceRuns);
      }
      if (number) {
        database.prepare("INSERT INTO trace_links(kind, target, trace) VALUES(?,?,?) ON CONFLICT DO NOTHING")
            .bind(kind, target, *number)
            .run();
      }
    }
  });
}

}  // namespace slipway::store
