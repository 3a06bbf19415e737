#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/suggest.h"
#include "store/approvals.h"
#include "store/catalog.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Alias;
using record::Edge;
using record::ModelVersion;

// Both would be read as a part of a reference.
constexpr const char* kNotInNames = "/@";

ModelVersion read_version(const Statement& row) {
  ModelVersion version;
  version.model = row.text(0);
  version.version = static_cast<int>(row.integer(1));
  version.run_id = row.text(2);
  version.dataset = row.text(3);
  version.artifacts = to_map(row.text(4));
  version.metrics = to_value(row.text(5));
  version.meta = to_value(row.text(6));
  version.created_ms = row.integer(7);
  version.author = row.text(8);
  return version;
}

Alias read_alias(const Statement& row) {
  return {row.text(0), row.text(1), static_cast<int>(row.integer(2)), row.integer(3), row.text(4), row.text(5)};
}

std::optional<ModelVersion> get_version(Database& database, const std::string& model, int version) {
  Statement query = database.prepare(
      "SELECT model, version, run_id, dataset, artifacts, metrics, meta, created_ms, author FROM model_versions "
      "WHERE model = ? AND version = ?");
  return query.bind(model, version).step() ? std::optional<ModelVersion>(read_version(query)) : std::nullopt;
}

std::optional<Alias> get_alias(Database& database, const std::string& model, const std::string& alias) {
  Statement query =
      database.prepare("SELECT model, alias, version, changed_ms, '', '' FROM aliases WHERE model = ? AND alias = ?");
  return query.bind(model, alias).step() ? std::optional<Alias>(read_alias(query)) : std::nullopt;
}

[[noreturn]] void no_such_version(Database& database, const std::string& model, int version) {
  Statement query =
      database.prepare("SELECT version FROM model_versions WHERE model = ? ORDER BY version DESC LIMIT 20");
  query.bind(model);
  std::vector<std::string> known;
  while (query.step()) {
    known.push_back(query.text(0));
  }
  if (!known.empty()) {
    throw Error(Code::kNotFound,
                fmt::format("model '{}' has no version {}; it has {}", model, version, fmt::join(known, ", ")));
  }
  Statement models = database.prepare("SELECT DISTINCT model FROM model_versions ORDER BY model LIMIT 1000");
  while (models.step()) {
    known.push_back(models.text(0));
  }
  throw Error(Code::kNotFound, known.empty()
                                   ? fmt::format("there is no model '{}'; none is registered yet", model)
                                   : fmt::format("there is no model '{}'{}", model, base::suggestion(model, known)));
}

[[noreturn]] void no_such_alias(Database& database, const std::string& model, const std::string& alias) {
  Statement query = database.prepare("SELECT alias FROM aliases WHERE model = ? ORDER BY alias LIMIT 100");
  query.bind(model);
  std::vector<std::string> known;
  while (query.step()) {
    known.push_back(query.text(0));
  }
  Statement versions = database.prepare("SELECT max(version) FROM model_versions WHERE model = ?");
  if (!versions.bind(model).step() || versions.is_null(0)) {
    no_such_version(database, model, 0);
  }
  throw Error(Code::kNotFound,
              known.empty()
                  ? fmt::format("model '{}' has no alias '{}'; it has none, its newest version is {}", model, alias,
                                versions.integer(0))
                  : fmt::format("model '{}' has no alias '{}'{}", model, alias, base::suggestion(alias, known)));
}

std::vector<Edge> edges_of(const ModelVersion& version) {
  const std::string node = fmt::format("model:{}/{}", version.model, version.version);
  std::vector<Edge> edges;
  if (!version.run_id.empty()) {
    edges.push_back({"run:" + version.run_id, node, "produced"});
  }
  if (!version.dataset.empty()) {
    edges.push_back({"dataset:" + version.dataset, node, "used"});
  }
  for (const auto& [role, digest] : version.artifacts) {
    edges.push_back({"artifact:" + digest, node, "version_of"});
  }
  return edges;
}

}  // namespace

ModelVersion resolve_reference(Database& database, const std::string& reference) {
  const record::ModelReference wanted = record::parse_model_reference(reference);
  int version = wanted.version;
  if (version == 0) {
    const auto alias = get_alias(database, wanted.model, wanted.alias);
    if (!alias) {
      no_such_alias(database, wanted.model, wanted.alias);
    }
    version = alias->version;
  }
  auto found = get_version(database, wanted.model, version);
  if (!found) {
    no_such_version(database, wanted.model, version);
  }
  return *std::move(found);
}

ModelVersion SqlRegistry::create_version(ModelVersion version) {
  check_name(version.model, "a model's name", kNotInNames);
  if (!version.dataset.empty() && !base::is_digest(version.dataset)) {
    throw Error(Code::kInvalid, fmt::format("the dataset of a model version is a digest, not '{}'", version.dataset));
  }
  if (version.created_ms == 0) {
    version.created_ms = core_.now();
  }
  core_.write([&](Database& database) {
    for (const auto& [role, digest] : version.artifacts) {
      Statement query = database.prepare("SELECT 1 FROM artifacts WHERE digest = ?");
      if (!query.bind(digest).step()) {
        throw Error(Code::kNotFound, fmt::format("the artifact '{}' of a version of model '{}' is not in the store: {}",
                                                 role, version.model, digest.substr(0, 100)));
      }
    }
    version.version = next_version(database, version.model, core_.now());
    database
        .prepare(
            "INSERT INTO model_versions(model, version, run_id, dataset, artifacts, metrics, meta, created_ms, updated_ms, author) "
            "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?8,?9)")
        .bind(version.model, version.version, version.run_id, version.dataset, to_text(version.artifacts),
              to_text(version.metrics), to_text(version.meta), version.created_ms, version.author)
        .run();
    insert_edges(database, edges_of(version));
  });
  return version;
}

std::optional<ModelVersion> SqlRegistry::find_version(const std::string& model, int version) {
  const auto database = core_.read();
  return get_version(*database, model, version);
}

std::vector<ModelVersion> SqlRegistry::list_versions(const std::string& model) {
  const auto database = core_.read();
  Statement query =
      model.empty()
          ? database->prepare(
                "SELECT model, version, run_id, dataset, artifacts, metrics, meta, created_ms, author FROM model_versions "
                "ORDER BY created_ms DESC, model, version DESC")
          : database->prepare(
                "SELECT model, version, run_id, dataset, artifacts, metrics, meta, created_ms, author FROM model_versions "
                "WHERE model = ? ORDER BY version DESC");
  model.empty() ? query.bind() : query.bind(model);
  std::vector<ModelVersion> versions;
  while (query.step()) {
    versions.push_back(read_version(query));
  }
  return versions;
}

Alias SqlRegistry::set_alias(const std::string& model, const std::string& alias, int version, int expected) {
  return move({model, alias, version, core_.now(), current_actor(core_), ""}, expected);
}

Alias SqlRegistry::override_alias(const std::string& model, const std::string& alias, int version, const std::string& reason) {
  check_name(reason, "the reason of an override");
  return move({model, alias, version, core_.now(), current_actor(core_), reason}, -1);
}

Alias SqlRegistry::move(const Alias& wanted, int expected) {
  check_name(wanted.alias, "an alias", kNotInNames);
  const Promotion promotion{wanted.model, wanted.alias, false, wanted.version};
  const auto gates = kept_gates(core_, wanted.model, wanted.version);
  std::optional<OverrideNote> note;
  if (!wanted.override_reason.empty()) {
    note.emplace(core_, promotion, wanted.override_reason);
  }
  core_.write([&](Database& database) {
    if (!get_version(database, wanted.model, wanted.version)) {
      no_such_version(database, wanted.model, wanted.version);
    }
    const auto before = get_alias(database, wanted.model, wanted.alias);
    const int found = before ? before->version : 0;
    if (expected >= 0 && expected != found) {
      throw Error(
          Code::kConflict,
          fmt::format("alias '{}' of model '{}' {} now, not {}: somebody changed it meanwhile, look again", wanted.alias,
                      wanted.model, before ? fmt::format("points to version {}", found) : "is not set", expected));
    }
    if (note) {
      note->write(database);
    } else {
      check_promotion(database, promotion, gates);
    }
    database
        .prepare(
            "INSERT INTO aliases(model, alias, version, changed_ms) VALUES(?,?,?,?) "
            "ON CONFLICT(model, alias) DO UPDATE SET version = excluded.version, changed_ms = excluded.changed_ms")
        .bind(wanted.model, wanted.alias, wanted.version, wanted.changed_ms)
        .run();
    database.prepare("INSERT INTO alias_history(model, alias, version, changed_ms, who, override_reason) VALUES(?,?,?,?,?,?)")
        .bind(wanted.model, wanted.alias, wanted.version, wanted.changed_ms, wanted.who, wanted.override_reason)
        .run();
  });
  return wanted;
}

std::optional<Alias> SqlRegistry::find_alias(const std::string& model, const std::string& alias) {
  const auto database = core_.read();
  return get_alias(*database, model, alias);
}

std::vector<Alias> SqlRegistry::alias_history(const std::string& model, const std::string& alias) {
  const auto database = core_.read();
  Statement query = database->prepare(
      "SELECT model, alias, version, changed_ms, who, override_reason FROM alias_history WHERE model = ? AND alias = ? ORDER BY id DESC");
  query.bind(model, alias);
  std::vector<Alias> history;
  while (query.step()) {
    history.push_back(read_alias(query));
  }
  return history;
}

ModelVersion SqlRegistry::resolve(const std::string& reference) {
  const auto database = core_.read();
  return resolve_reference(*database, reference);
}

}  // namespace slipway::store
