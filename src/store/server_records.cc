#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "store/tables.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Page;
using record::Scorer;
using record::Webhook;

constexpr const char* kWebhooks =
    "SELECT id, name, description, url, events, secret, active, created_ms, updated_ms, sealed FROM webhooks ";
constexpr const char* kScorers = "SELECT id, experiment, name, version, body, created_ms FROM scorers s ";

// What a sealed secret is bound to.
std::string place_of(const std::string& id) { return "webhook:" + id; }

Webhook read_webhook(const Statement& row, Secrets& secrets) {
  Webhook webhook;
  webhook.id = row.text(0);
  webhook.name = row.text(1);
  webhook.description = row.text(2);
  webhook.url = row.text(3);
  webhook.events = to_value(row.text(4)).get<std::vector<std::string>>();
  webhook.secret = row.text(5);
  if (row.integer(9) != 0) {
    try {
      webhook.secret = secrets.open(webhook.secret, place_of(webhook.id));
    } catch (const Error& error) {
      webhook.secret.clear();
      webhook.fault = error.what();
    }
  }
  webhook.active = row.integer(6) != 0;
  webhook.created_ms = row.integer(7);
  webhook.updated_ms = row.integer(8);
  return webhook;
}

Webhook found_webhook(Database& database, const std::string& id, Secrets& secrets) {
  Statement query = database.prepare(fmt::format("{}WHERE id = ?", kWebhooks));
  if (!query.bind(id).step()) {
    throw Error(Code::kNotFound, fmt::format("Webhook with ID {} not found.", id));
  }
  return read_webhook(query, secrets);
}

std::string sealed(Secrets& secrets, const Webhook& webhook) {
  return webhook.secret.empty() ? "" : secrets.seal(webhook.secret, place_of(webhook.id));
}

Scorer read_scorer(const Statement& row) {
  return {row.text(0),   std::to_string(row.integer(1)), row.text(2), static_cast<int>(row.integer(3)), row.text(4),
          row.integer(5)};
}

}  // namespace

Webhook SqlWebhooks::create(Webhook webhook) {
  check_name(webhook.id, "a webhook's id", "/");
  const int64_t now = core_.now();
  const std::string secret = sealed(core_.secrets, webhook);
  Webhook result;
  core_.write([&](Database& database) {
    database
        .prepare(
            "INSERT INTO webhooks(id, name, description, url, events, secret, active, created_ms, updated_ms, sealed) "
            "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?8,?9)")
        .bind(webhook.id, webhook.name, webhook.description, webhook.url, to_text(webhook.events), secret,
              webhook.active ? 1 : 0, now, secret.empty() ? 0 : 1)
        .run();
    result = found_webhook(database, webhook.id, core_.secrets);
  });
  return result;
}

std::optional<Webhook> SqlWebhooks::find(const std::string& id) {
  return find_row(*core_.read(), kWebhooks, "id", id, [this](const Statement& row) { return read_webhook(row, core_.secrets); });
}

Webhook SqlWebhooks::replace(const Webhook& webhook) {
  const int64_t now = core_.now();
  const bool keep = !webhook.fault.empty();
  const std::string secret = keep ? "" : sealed(core_.secrets, webhook);
  Webhook result;
  core_.write([&](Database& database) {
    database
        .prepare(
            "UPDATE webhooks SET name = ?, description = ?, url = ?, events = ?, active = ?, updated_ms = ? WHERE id = ?")
        .bind(webhook.name, webhook.description, webhook.url, to_text(webhook.events), webhook.active ? 1 : 0, now,
              webhook.id)
        .run();
    if (!keep) {
      database.prepare("UPDATE webhooks SET secret = ?, sealed = ? WHERE id = ?")
          .bind(secret, secret.empty() ? 0 : 1, webhook.id)
          .run();
    }
    result = found_webhook(database, webhook.id, core_.secrets);
  });
  return result;
}

void SqlWebhooks::remove(const std::string& id) {
  core_.write([&](Database& database) {
    found_webhook(database, id, core_.secrets);
    database.prepare("DELETE FROM webhooks WHERE id = ?").bind(id).run();
  });
}

Page<Webhook> SqlWebhooks::list(int64_t offset, int64_t limit) {
  const auto database = core_.read();
  Page<Webhook> page;
  Statement query =
      database->prepare(fmt::format("{}ORDER BY created_ms DESC, number DESC LIMIT ? OFFSET ?", kWebhooks));
  query.bind(limit + 1, offset);
  while (query.step()) {
    page.items.push_back(read_webhook(query, core_.secrets));
  }
  page.more = static_cast<int64_t>(page.items.size()) > limit;
  page.items.resize(std::min(page.items.size(), static_cast<size_t>(limit)));
  return page;
}

int64_t SqlWebhooks::seal_old() {
  std::vector<Webhook> old;
  {
    const auto database = core_.read();
    Statement query = database->prepare(fmt::format("{}WHERE sealed = 0 AND secret <> ''", kWebhooks));
    query.bind();
    while (query.step()) {
      old.push_back(read_webhook(query, core_.secrets));
    }
  }
  if (old.empty()) {
    return 0;
  }
  std::vector<std::string> secrets;
  for (const Webhook& webhook : old) {
    secrets.push_back(sealed(core_.secrets, webhook));
  }
  core_.write([&](Database& database) {
    if (database.is_file()) {
      database.exec("PRAGMA secure_delete=ON");  // what is overwritten is gone from its page
    }
    for (size_t i = 0; i < old.size(); ++i) {
      // Only what is still as it was read: another server may have been faster.
      database.prepare("UPDATE webhooks SET secret = ?, sealed = 1 WHERE id = ? AND sealed = 0 AND secret = ?")
          .bind(secrets[i], old[i].id, old[i].secret)
          .run();
    }
  });
  return static_cast<int64_t>(old.size());
}

Scorer SqlScorers::add(Scorer scorer) {
  const int64_t now = core_.now();
  core_.write([&](Database& database) {
    const int64_t experiment = active_experiment(database, scorer.experiment_id);
    Statement last = database.prepare(
        "SELECT id, version FROM scorers WHERE experiment = ? AND name = ? ORDER BY version DESC LIMIT 1");
    const bool there = last.bind(experiment, scorer.name).step();
    scorer.version = there ? static_cast<int>(last.integer(1)) + 1 : 1;
    scorer.id = there ? last.text(0) : scorer.id;
    scorer.created_ms = now;
    database.prepare("INSERT INTO scorers(id, experiment, name, version, body, created_ms) VALUES(?,?,?,?,?,?)")
        .bind(scorer.id, experiment, scorer.name, scorer.version, scorer.body, now)
        .run();
  });
  return scorer;
}

std::optional<Scorer> SqlScorers::find(const std::string& experiment_id, const std::string& name,
                                       std::optional<int> version) {
  const auto database = core_.read();
  Statement query = database->prepare(fmt::format(
      "{}WHERE experiment = ? AND name = ? AND (? = 0 OR version = ?) ORDER BY version DESC LIMIT 1", kScorers));
  query.bind(experiment_number(experiment_id), name, version.value_or(0), version.value_or(0));
  return query.step() ? std::optional(read_scorer(query)) : std::nullopt;
}

std::vector<Scorer> SqlScorers::list(const std::string& experiment_id, const std::string& name) {
  const auto database = core_.read();
  const int64_t experiment = experiment_number(experiment_id);
  std::vector<Scorer> scorers;
  Statement query =
      name.empty()
          ? database->prepare(
                fmt::format("{}WHERE experiment = ? AND version = (SELECT max(n.version) FROM scorers n WHERE "
                            "n.experiment = s.experiment AND n.name = s.name) ORDER BY name",
                            kScorers))
          : database->prepare(fmt::format("{}WHERE experiment = ? AND name = ? ORDER BY version DESC", kScorers));
  name.empty() ? query.bind(experiment) : query.bind(experiment, name);
  while (query.step()) {
    scorers.push_back(read_scorer(query));
  }
  return scorers;
}

int64_t SqlScorers::remove(const std::string& experiment_id, const std::string& name, std::optional<int> version) {
  const int64_t experiment = experiment_number(experiment_id);
  int64_t removed = 0;
  core_.write([&](Database& database) {
    database.prepare("DELETE FROM scorers WHERE experiment = ? AND name = ? AND (? = 0 OR version = ?)")
        .bind(experiment, name, version.value_or(0), version.value_or(0))
        .run();
    removed = database.changes();
  });
  return removed;
}

}  // namespace slipway::store
