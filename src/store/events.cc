#include <fmt/format.h>

#include "base/error.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Deployment;
using record::Event;
using record::Json;

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
        .bind(event.time_ms, kind, subject, to_text(data))
        .run();
    event.id = database.last_insert_id();
  });
  return event;
}

std::vector<Event> SqlEvents::list(const std::string& kind, int64_t after_id, int limit) {
  const auto database = core_.read();
  Statement query =
      kind.empty()
          ? database->prepare("SELECT id, time_ms, kind, subject, data FROM events WHERE id > ? ORDER BY id LIMIT ?")
          : database->prepare(
                "SELECT id, time_ms, kind, subject, data FROM events WHERE id > ? AND kind = ? "
                "ORDER BY id LIMIT ?");
  kind.empty() ? query.bind(after_id, sql_limit(limit)) : query.bind(after_id, kind, sql_limit(limit));
  std::vector<Event> events;
  while (query.step()) {
    events.push_back({query.integer(0), query.integer(1), query.text(2), query.text(3), to_value(query.text(4))});
  }
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
  Statement by_id = database->prepare(
      "SELECT id, endpoint, model, status, address, pid, started_ms, ended_ms, meta FROM deployments WHERE id = ?");
  if (by_id.bind(id_or_endpoint).step()) {
    return read_deployment(by_id);
  }
  Statement newest = database->prepare(
      "SELECT id, endpoint, model, status, address, pid, started_ms, ended_ms, meta FROM deployments "
      "WHERE endpoint = ? ORDER BY started_ms DESC, number DESC LIMIT 1");
  return newest.bind(id_or_endpoint).step() ? std::optional<Deployment>(read_deployment(newest)) : std::nullopt;
}

std::vector<Deployment> SqlEvents::list_deployments(int limit) {
  const auto database = core_.read();
  Statement query = database->prepare(
      "SELECT id, endpoint, model, status, address, pid, started_ms, ended_ms, meta FROM deployments "
      "ORDER BY started_ms DESC, number DESC LIMIT ?");
  query.bind(sql_limit(limit));
  std::vector<Deployment> deployments;
  while (query.step()) {
    deployments.push_back(read_deployment(query));
  }
  return deployments;
}

}  // namespace slipway::store
