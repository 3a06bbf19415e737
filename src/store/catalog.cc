#include "store/catalog.h"

#include <array>
#include <fmt/format.h>

#include "base/error.h"
#include "store/approvals.h"
#include "store/run_query.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::CatalogVersion;
using record::KeyValue;
using record::RegisteredModel;

// Names are parts of references: "models:/NAME/3", "models:/NAME@ALIAS".
constexpr const char* kNotInNames = "/@:";

std::optional<RegisteredModel> read_model(Database& database, const std::string& name) {
  Statement query =
      database.prepare("SELECT name, description, created_ms, updated_ms FROM models WHERE name = ?");
  if (!query.bind(name).step()) {
    return std::nullopt;
  }
  RegisteredModel model{query.text(0), query.text(1), query.integer(2), query.integer(3), {}, {}};
  Statement tags = database.prepare("SELECT key, value FROM model_tags WHERE model = ? ORDER BY key");
  tags.bind(name);
  while (tags.step()) {
    model.tags.push_back({tags.text(0), tags.text(1)});
  }
  Statement aliases = database.prepare("SELECT alias, version FROM aliases WHERE model = ? ORDER BY alias");
  aliases.bind(name);
  while (aliases.step()) {
    model.aliases.emplace_back(aliases.text(0), static_cast<int>(aliases.integer(1)));
  }
  return model;
}

std::optional<CatalogVersion> read_version(Database& database, const std::string& model, int version) {
  Statement query = database.prepare(
      "SELECT source, run_id, run_link, model_id, description, stage, created_ms, updated_ms, author FROM model_versions WHERE "
      "model = ? AND version = ?");
  if (!query.bind(model, version).step()) {
    return std::nullopt;
  }
  CatalogVersion found{model,         version,       query.text(0), query.text(1),    query.text(2),    query.text(3),
                       query.text(4), query.text(5), query.integer(6), query.integer(7), {},               {},               query.text(8)};
  Statement tags = database.prepare("SELECT key, value FROM version_tags WHERE model = ? AND version = ? ORDER BY key");
  tags.bind(model, version);
  while (tags.step()) {
    found.tags.push_back({tags.text(0), tags.text(1)});
  }
  Statement aliases = database.prepare("SELECT alias FROM aliases WHERE model = ? AND version = ? ORDER BY alias");
  aliases.bind(model, version);
  while (aliases.step()) {
    found.aliases.push_back(aliases.text(0));
  }
  return found;
}

void put_model_tag(Database& database, const std::string& model, const KeyValue& tag) {
  database
      .prepare("INSERT INTO model_tags VALUES(?,?,?) ON CONFLICT(model, key) DO UPDATE SET value = excluded.value")
      .bind(model, tag.key, tag.value)
      .run();
}

void put_version_tag(Database& database, const std::string& model, int version, const KeyValue& tag) {
  database
      .prepare(
          "INSERT INTO version_tags VALUES(?,?,?,?) ON CONFLICT(model, version, key) DO UPDATE SET value = excluded.value")
      .bind(model, version, tag.key, tag.value)
      .run();
}

void rename_model(Database& database, const std::string& from, const std::string& to) {
  check_name(to, "a model's name", kNotInNames);
  Statement taken = database.prepare("SELECT 1 FROM models WHERE name = ?");
  if (from != to && taken.bind(to).step()) {
    throw Error(Code::kConflict, fmt::format("Registered Model (name={}) already exists.", to));
  }
  for (const char* sql :
       {"UPDATE models SET name = ?2 WHERE name = ?1", "UPDATE model_tags SET model = ?2 WHERE model = ?1",
        "UPDATE version_tags SET model = ?2 WHERE model = ?1", "UPDATE model_versions SET model = ?2 WHERE model = ?1",
        "UPDATE aliases SET model = ?2 WHERE model = ?1", "UPDATE alias_history SET model = ?2 WHERE model = ?1",
        // Nodes "model:NAME/3" of the lineage, and what predictions call their model, "NAME/3".
        "UPDATE edges SET source = 'model:' || ?2 || substr(source, 7 + length(?1)) WHERE source >= 'model:' || ?1 || '/' "
        "AND source < 'model:' || ?1 || '0'",
        "UPDATE edges SET target = 'model:' || ?2 || substr(target, 7 + length(?1)) WHERE target >= 'model:' || ?1 || '/' "
        "AND target < 'model:' || ?1 || '0'",
        "UPDATE predictions SET model = ?2 || substr(model, 1 + length(?1)) WHERE model >= ?1 || '/' AND model < ?1 || "
        "'0'"}) {
    database.prepare(sql).bind(from, to).run();
  }
  rename_approvals(database, from, to);
}

}  // namespace

int next_version(Database& database, const std::string& model, int64_t now_ms) {
  database
      .prepare(
          "INSERT INTO models(name, description, last_version, created_ms, updated_ms) VALUES(?1, '', 1, ?2, ?2) "
          "ON CONFLICT(name) DO UPDATE SET last_version = models.last_version + 1, updated_ms = excluded.updated_ms")
      .bind(model, now_ms)
      .run();
  Statement query = database.prepare("SELECT last_version FROM models WHERE name = ?");
  query.bind(model).step();
  return static_cast<int>(query.integer(0));
}

void check_model(Database& database, const std::string& model) {
  Statement query = database.prepare("SELECT 1 FROM models WHERE name = ?");
  if (!query.bind(model).step()) {
    throw Error(Code::kNotFound, fmt::format("Registered Model with name={} not found", model));
  }
}

void check_version(Database& database, const std::string& model, int version) {
  Statement query = database.prepare("SELECT 1 FROM model_versions WHERE model = ? AND version = ?");
  if (!query.bind(model, version).step()) {
    throw Error(Code::kNotFound, fmt::format("Model Version (name={}, version={}) not found", model, version));
  }
}

void touch_model(Database& database, const std::string& model, int64_t now_ms) {
  database.prepare("UPDATE models SET updated_ms = ? WHERE name = ?").bind(now_ms, model).run();
}

RegisteredModel SqlModelCatalog::create(RegisteredModel model) {
  check_name(model.name, "a model's name", kNotInNames);
  const int64_t now = core_.now();
  RegisteredModel result;
  core_.write([&](Database& database) {
    database
        .prepare(
            "INSERT INTO models(name, description, last_version, created_ms, updated_ms) VALUES(?1, ?2, 0, ?3, ?3) ON "
            "CONFLICT DO NOTHING")
        .bind(model.name, model.description, now)
        .run();
    if (database.changes() == 0) {
      throw Error(Code::kConflict, fmt::format("Registered Model (name={}) already exists.", model.name));
    }
    for (const KeyValue& tag : model.tags) {
      put_model_tag(database, model.name, tag);
    }
    result = *read_model(database, model.name);
  });
  return result;
}

std::optional<RegisteredModel> SqlModelCatalog::find(const std::string& name) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  return read_model(*database, name);
}

void SqlModelCatalog::change(const std::string& name, const record::RegisteredModelChange& change) {
  const int64_t now = core_.now();
  core_.write([&](Database& database) {
    check_model(database, name);
    if (change.description) {
      database.prepare("UPDATE models SET description = ? WHERE name = ?").bind(*change.description, name).run();
    }
    touch_model(database, name, now);
    if (change.name) {
      rename_model(database, name, *change.name);
    }
  });
}

void SqlModelCatalog::remove(const std::string& name) {
  core_.write([&](Database& database) {
    check_model(database, name);
    for (const char* sql : {"DELETE FROM models WHERE name = ?", "DELETE FROM model_tags WHERE model = ?",
                            "DELETE FROM version_tags WHERE model = ?", "DELETE FROM model_versions WHERE model = ?",
                            "DELETE FROM aliases WHERE model = ?"}) {
      database.prepare(sql).bind(name).run();
    }
    remove_approvals(database, name, 0);
  });
}

record::Page<RegisteredModel> SqlModelCatalog::search(const record::Query& query) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  record::Page<RegisteredModel> page;
  Statement names = models_query(query).prepare(*database);
  while (names.step()) {
    if (static_cast<int64_t>(page.items.size()) == query.limit) {
      page.more = true;
      break;
    }
    page.items.push_back(*read_model(*database, names.text(0)));
  }
  return page;
}

void SqlModelCatalog::set_tag(const std::string& name, const KeyValue& tag) {
  core_.write([&](Database& database) {
    check_model(database, name);
    put_model_tag(database, name, tag);
  });
}

void SqlModelCatalog::remove_tag(const std::string& name, const std::string& key) {
  core_.write([&](Database& database) {
    check_model(database, name);
    database.prepare("DELETE FROM model_tags WHERE model = ? AND key = ?").bind(name, key).run();
  });
}

void SqlModelCatalog::remove_alias(const std::string& name, const std::string& alias) {
  core_.write([&](Database& database) {
    check_model(database, name);
    database.prepare("DELETE FROM aliases WHERE model = ? AND alias = ?").bind(name, alias).run();
  });
}

CatalogVersion SqlVersionCatalog::create(CatalogVersion version) {
  const int64_t now = core_.now();
  CatalogVersion result;
  core_.write([&](Database& database) {
    check_model(database, version.model);
    const int number = next_version(database, version.model, now);
    database
        .prepare(
            "INSERT INTO model_versions(model, version, run_id, dataset, artifacts, metrics, meta, created_ms, updated_ms, "
            "source, run_link, model_id, description, stage, author) VALUES(?1,?2,?3,'','{}','{}','{}',?4,?4,?5,?6,?7,?8,?9,?10)")
        .bind(version.model, number, version.run_id, now, version.source, version.run_link, version.model_id,
              version.description, version.stage, version.author)
        .run();
    for (const KeyValue& tag : version.tags) {
      put_version_tag(database, version.model, number, tag);
    }
    if (!version.run_id.empty()) {
      const record::Edge edge{"run:" + version.run_id, fmt::format("model:{}/{}", version.model, number), "produced"};
      insert_edges(database, {&edge, 1});
    }
    result = *read_version(database, version.model, number);
  });
  return result;
}

std::optional<CatalogVersion> SqlVersionCatalog::find(const std::string& model, int version) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  return read_version(*database, model, version);
}

CatalogVersion SqlVersionCatalog::change(const std::string& model, int version,
                                         const record::CatalogVersionChange& change) {
  const int64_t now = core_.now();
  const bool promotes = change.stage == record::kProduction;
  const std::string stage = record::kProduction;
  const Promotion promotion{model, stage, true, version};
  const auto gates = promotes ? kept_gates(core_, model, version) : std::vector<record::VersionGate>();
  std::optional<OverrideNote> note;
  if (promotes && !change.override_reason.empty()) {
    check_name(change.override_reason, "the reason of an override");
    note.emplace(core_, promotion, change.override_reason);
  }
  CatalogVersion result;
  core_.write([&](Database& database) {
    check_version(database, model, version);
    if (note) {
      note->write(database);
    } else if (promotes) {
      check_promotion(database, promotion, gates);
    }
    if (change.description) {
      database.prepare("UPDATE model_versions SET description = ? WHERE model = ? AND version = ?")
          .bind(*change.description, model, version)
          .run();
    }
    if (change.stage && change.archive_others) {
      database
          .prepare(
              "UPDATE model_versions SET stage = 'Archived', updated_ms = ? WHERE model = ? AND stage = ? AND version <> ?")
          .bind(now, model, *change.stage, version)
          .run();
    }
    if (change.stage) {
      database.prepare("UPDATE model_versions SET stage = ? WHERE model = ? AND version = ?")
          .bind(*change.stage, model, version)
          .run();
    }
    database.prepare("UPDATE model_versions SET updated_ms = ? WHERE model = ? AND version = ?")
        .bind(now, model, version)
        .run();
    touch_model(database, model, now);
    result = *read_version(database, model, version);
  });
  return result;
}

void SqlVersionCatalog::remove(const std::string& model, int version) {
  const int64_t now = core_.now();
  core_.write([&](Database& database) {
    check_version(database, model, version);
    for (const char* sql : {"DELETE FROM model_versions WHERE model = ? AND version = ?",
                            "DELETE FROM version_tags WHERE model = ? AND version = ?",
                            "DELETE FROM aliases WHERE model = ? AND version = ?"}) {
      database.prepare(sql).bind(model, version).run();
    }
    remove_approvals(database, model, version);
    touch_model(database, model, now);
  });
}

record::Page<CatalogVersion> SqlVersionCatalog::search(const record::Query& query) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  record::Page<CatalogVersion> page;
  Statement rows = versions_query(query).prepare(*database);
  while (rows.step()) {
    if (static_cast<int64_t>(page.items.size()) == query.limit) {
      page.more = true;
      break;
    }
    page.items.push_back(*read_version(*database, rows.text(0), static_cast<int>(rows.integer(1))));
  }
  return page;
}

void SqlVersionCatalog::set_tag(const std::string& model, int version, const KeyValue& tag) {
  core_.write([&](Database& database) {
    check_version(database, model, version);
    put_version_tag(database, model, version, tag);
  });
}

void SqlVersionCatalog::remove_tag(const std::string& model, int version, const std::string& key) {
  core_.write([&](Database& database) {
    check_version(database, model, version);
    database.prepare("DELETE FROM version_tags WHERE model = ? AND version = ? AND key = ?").bind(model, version, key).run();
  });
}

}  // namespace slipway::store
