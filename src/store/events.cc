#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Deployment;
using record::Event;
using record::Json;

constexpr std::string_view kSelectEvents = "SELECT id, time_ms, kind, subject, data FROM events";
constexpr std::string_view kSelectDeployments =
    "SELECT id, endpoint, model, status, address, pid, started_ms, ended_ms, meta FROM deployments";
constexpr std::string_view kNewestDeployment = "ORDER BY started_ms DESC, number DESC";

Event read_event(const Statement& row) {
  return {row.integer(0), row.integer(1), row.text(2), row.text(3), to_value(row.text(4))};
}

Deployment read_deployment(const Statement& row) {
  Deployment deployment;
  deployment.id = row.text(0);
  deployment.endpoint = row.text(1);
  deployment.model = row.text(2);
  deployment.status = record::deployment_status(row.text(3));
  deployment.address = row.text(4);
  deployment.pid = row.integer(5);
  deployment.started_ms = row.integer(6);
  deployment.ended_ms = row.integer(7);
  deployment.meta = to_value(row.text(8));
  return deployment;
}

// The version that a deployment serves at this moment, when its reference means one.
void link_to_model(Database& database, const Deployment& deployment) {
  if (!record::is_model_reference(deployment.model)) {
    return;
  }
  try {
    const record::ModelVersion version = resolve_reference(database, deployment.model);
    const record::Edge edge{fmt::format("model:{}/{}", version.model, version.version), "deployment:" + deployment.id,
                            "serves"};
    insert_edges(database, {&edge, 1});
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound && error.code() != Code::kInvalid) {
      throw;  // a server may start before its alias is set, but a damaged store must be told
    }
  }
}

}  // namespace

Event SqlEvents::append(const std::string& kind, const std::string& subject, const Json& data) {
  check_name(kind, "an event's kind");
  Event event{0, core_.now(), kind, subject, data};
  core_.write([&](Database& database) {
    database.prepare("INSERT INTO events(time_ms, kind, subject, data) VALUES(?,?,?,?)")
        .bind(event.time_ms, kind, database.is_file() ? subject : base::without_broken(subject), to_text(data))
        .run();
    event.id = database.last_insert_id();
  });
  return event;
}

std::vector<Event> SqlEvents::list(const std::string& kind, int64_t after_id, int limit) {
  const auto database = core_.read();
  Statement query = database->prepare(
      fmt::format("{} WHERE id > ?{} ORDER BY id LIMIT ?", kSelectEvents, kind.empty() ? "" : " AND kind = ?"));
  kind.empty() ? query.bind(after_id, sql_limit(limit)) : query.bind(after_id, kind, sql_limit(limit));
  std::vector<Event> events;
  while (query.step()) {
    events.push_back(read_event(query));
  }
  return events;
}

std::vector<Event> SqlEvents::newest(const std::string& kind, int limit) {
  std::vector<Event> events =
      list_rows(*core_.read(), kSelectEvents, {"kind", kind}, "ORDER BY id DESC", limit, read_event);
  std::reverse(events.begin(), events.end());
  return events;
}

void SqlEvents::put_deployment(const Deployment& deployment) {
  check_name(deployment.id, "a deployment's id");
  core_.write([&](Database& database) {
    database
        .prepare(
            "INSERT INTO deployments(id, endpoint, model, status, address, pid, started_ms, ended_ms, meta) "
            "VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET endpoint = excluded.endpoint, "
            "model = excluded.model, status = excluded.status, address = excluded.address, pid = excluded.pid, "
            "started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, meta = excluded.meta")
        .bind(deployment.id, deployment.endpoint, deployment.model, record::name_of(deployment.status),
              deployment.address, deployment.pid, deployment.started_ms, deployment.ended_ms, to_text(deployment.meta))
        .run();
    link_to_model(database, deployment);
  });
}

std::optional<Deployment> SqlEvents::find_deployment(const std::string& id_or_endpoint) {
  const auto database = core_.read();
  if (auto by_id = find_row(*database, kSelectDeployments, "id", id_or_endpoint, read_deployment)) {
    return by_id;
  }
  const auto newest =
      list_rows(*database, kSelectDeployments, {"endpoint", id_or_endpoint}, kNewestDeployment, 1, read_deployment);
  return newest.empty() ? std::nullopt : std::optional<Deployment>(newest.front());
}

std::vector<Deployment> SqlEvents::list_deployments(int limit) {
  return list_rows(*core_.read(), kSelectDeployments, {"endpoint", ""}, kNewestDeployment, limit, read_deployment);
}

}  // namespace slipway::store
