#include "store/schema.h"

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "store/lock.h"
#include "store/postgres.h"
#include "store/sqlite.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

// "SLWY": tells our databases from others'.
constexpr int kApplicationId = 0x534C5759;

// Version 1. Times are milliseconds since 1970; maps and free structures are JSON texts. docs/formats/store.md.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE migrations(version INTEGER PRIMARY KEY, applied_ms INTEGER NOT NULL);

CREATE TABLE runs(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, tags TEXT NOT NULL, config TEXT NOT NULL);
CREATE INDEX runs_by_project ON runs(project, started_ms);
CREATE INDEX runs_by_time ON runs(started_ms);
CREATE TABLE params(run INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(run, key)) WITHOUT ROWID;
CREATE TABLE metrics(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, key TEXT NOT NULL, step INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, value REAL);
CREATE INDEX metrics_by_key ON metrics(run, key, step);

CREATE TABLE artifacts(number INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL,
  size INTEGER NOT NULL, created_ms INTEGER NOT NULL, folder INTEGER NOT NULL, meta TEXT NOT NULL);
CREATE INDEX artifacts_by_kind ON artifacts(kind, created_ms);
CREATE INDEX artifacts_by_time ON artifacts(created_ms);

CREATE TABLE model_versions(model TEXT NOT NULL, version INTEGER NOT NULL, run_id TEXT NOT NULL, dataset TEXT NOT NULL,
  artifacts TEXT NOT NULL, metrics TEXT NOT NULL, meta TEXT NOT NULL, created_ms INTEGER NOT NULL,
  PRIMARY KEY(model, version)) WITHOUT ROWID;
CREATE INDEX model_versions_by_time ON model_versions(created_ms);
CREATE TABLE aliases(model TEXT NOT NULL, alias TEXT NOT NULL, version INTEGER NOT NULL, changed_ms INTEGER NOT NULL,
  PRIMARY KEY(model, alias)) WITHOUT ROWID;
CREATE TABLE alias_history(id INTEGER PRIMARY KEY, model TEXT NOT NULL, alias TEXT NOT NULL, version INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL);
CREATE INDEX alias_history_by_alias ON alias_history(model, alias);

CREATE TABLE predictions(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time_ms INTEGER NOT NULL,
  deployment TEXT NOT NULL, model TEXT NOT NULL, text TEXT NOT NULL, label TEXT NOT NULL, score REAL,
  scores BLOB NOT NULL, tokens INTEGER NOT NULL, latency_us INTEGER NOT NULL);
CREATE INDEX predictions_by_time ON predictions(time_ms);
CREATE INDEX predictions_by_deployment ON predictions(deployment, time_ms);
CREATE INDEX predictions_by_model ON predictions(model, time_ms);

CREATE TABLE events(id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, kind TEXT NOT NULL,
  subject TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX events_by_kind ON events(kind);
CREATE INDEX events_by_subject ON events(subject);
CREATE TABLE deployments(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, endpoint TEXT NOT NULL, model TEXT NOT NULL,
  status TEXT NOT NULL, address TEXT NOT NULL, pid INTEGER NOT NULL, started_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL, meta TEXT NOT NULL);
CREATE INDEX deployments_by_endpoint ON deployments(endpoint, started_ms);
CREATE INDEX deployments_by_time ON deployments(started_ms);

CREATE TABLE edges(source TEXT NOT NULL, target TEXT NOT NULL, kind TEXT NOT NULL,
  PRIMARY KEY(source, target, kind)) WITHOUT ROWID;
CREATE INDEX edges_by_target ON edges(target);

CREATE TABLE steps(number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, project TEXT NOT NULL, step TEXT NOT NULL,
  run_id TEXT NOT NULL, inputs TEXT NOT NULL, outputs TEXT NOT NULL, summary TEXT NOT NULL, seconds REAL NOT NULL,
  created_ms INTEGER NOT NULL);
CREATE INDEX steps_by_step ON steps(project, step, created_ms);
CREATE TABLE file_stamps(path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;
)sql";

// Version 2: experiments, runs as tracking clients see them, the latest metrics, files. A project becomes an experiment.
// The indices by value drive searches that few runs satisfy (run_query.cc); long texts are left out of them.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE experiments(number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
  artifact_location TEXT NOT NULL, deleted INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL);
CREATE TABLE experiment_tags(experiment INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(experiment, key)) WITHOUT ROWID;
INSERT INTO experiments VALUES(0, 'Default', '', 0, unixepoch() * 1000, unixepoch() * 1000);
INSERT INTO experiments(name, artifact_location, deleted, created_ms, updated_ms)
  SELECT project, '', 0, min(started_ms), max(started_ms) FROM runs WHERE project NOT IN ('', 'Default')
  GROUP BY project ORDER BY min(number);
UPDATE experiments SET artifact_location = 'mlflow-artifacts:/' || number;

ALTER TABLE runs RENAME TO old_runs;
DROP INDEX runs_by_project;
DROP INDEX runs_by_time;
CREATE TABLE runs(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, experiment INTEGER NOT NULL, name TEXT NOT NULL,
  user TEXT NOT NULL, status TEXT NOT NULL, deleted INTEGER NOT NULL, started_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL, config TEXT NOT NULL);
INSERT INTO runs SELECT number, id, coalesce((SELECT e.number FROM experiments e WHERE e.name = project), 0), name, '',
  status, 0, started_ms, ended_ms, config FROM old_runs;
CREATE INDEX runs_by_experiment ON runs(experiment, deleted, started_ms DESC, id);
CREATE INDEX runs_by_time ON runs(started_ms);
CREATE TABLE run_tags(run INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(run, key)) WITHOUT ROWID;
INSERT INTO run_tags SELECT r.number, t.key, t.value FROM old_runs r, json_each(r.tags) t;
CREATE INDEX run_tags_by_value ON run_tags(key, value) WHERE length(value) <= 200;
DROP TABLE old_runs;
CREATE INDEX params_by_value ON params(key, value) WHERE length(value) <= 200;

ALTER TABLE metrics RENAME TO old_metrics;
DROP INDEX metrics_by_key;
CREATE TABLE metrics(run INTEGER NOT NULL, key TEXT NOT NULL, time_ms INTEGER NOT NULL, step INTEGER NOT NULL,
  value REAL NOT NULL, nan INTEGER NOT NULL, PRIMARY KEY(run, key, time_ms, step, value, nan)) WITHOUT ROWID;
INSERT OR IGNORE INTO metrics SELECT run, key, time_ms, step, coalesce(value, 0),
  CASE WHEN value IS NULL THEN 1 ELSE 0 END FROM old_metrics;
DROP TABLE old_metrics;
CREATE TABLE latest_metrics(run INTEGER NOT NULL, key TEXT NOT NULL, time_ms INTEGER NOT NULL, step INTEGER NOT NULL,
  value REAL NOT NULL, nan INTEGER NOT NULL, PRIMARY KEY(run, key)) WITHOUT ROWID;
INSERT INTO latest_metrics SELECT run, key, time_ms, step, value, nan FROM (SELECT run, key, time_ms, step, value, nan,
  row_number() OVER (PARTITION BY run, key ORDER BY step DESC, time_ms DESC, value DESC, nan DESC) AS place FROM metrics)
  WHERE place = 1;
CREATE INDEX latest_metrics_by_value ON latest_metrics(key, nan, value);

CREATE TABLE datasets(number INTEGER PRIMARY KEY, experiment INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL,
  source_type TEXT NOT NULL, source TEXT NOT NULL, schema TEXT, profile TEXT, UNIQUE(experiment, name, digest));
CREATE TABLE run_datasets(run INTEGER NOT NULL, dataset INTEGER NOT NULL, context TEXT, tags TEXT NOT NULL,
  PRIMARY KEY(run, dataset)) WITHOUT ROWID;
CREATE INDEX run_datasets_by_dataset ON run_datasets(dataset);
CREATE TABLE run_models(run INTEGER NOT NULL, output INTEGER NOT NULL, model TEXT NOT NULL, step INTEGER NOT NULL,
  PRIMARY KEY(run, output, model, step)) WITHOUT ROWID;
CREATE TABLE files(path TEXT PRIMARY KEY, digest TEXT NOT NULL, size INTEGER NOT NULL,
  modified_ms INTEGER NOT NULL) WITHOUT ROWID;
)sql";

// Version 3: registered models as people keep them. The last number given is remembered, so that none is given twice.
constexpr const char* kVersion3 = R"sql(
CREATE TABLE models(name TEXT PRIMARY KEY, description TEXT NOT NULL, last_version INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO models SELECT model, '', max(version), min(created_ms), max(created_ms) FROM model_versions GROUP BY model;
CREATE TABLE model_tags(model TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(model, key)) WITHOUT ROWID;
CREATE TABLE version_tags(model TEXT NOT NULL, version INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(model, version, key)) WITHOUT ROWID;
ALTER TABLE model_versions ADD COLUMN updated_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE model_versions ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE model_versions ADD COLUMN run_link TEXT NOT NULL DEFAULT '';
ALTER TABLE model_versions ADD COLUMN model_id TEXT NOT NULL DEFAULT '';
ALTER TABLE model_versions ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE model_versions ADD COLUMN stage TEXT NOT NULL DEFAULT 'None';
UPDATE model_versions SET updated_ms = created_ms;
CREATE INDEX model_versions_by_run ON model_versions(run_id);
CREATE INDEX aliases_by_version ON aliases(model, version);
)sql";

// Version 4: who may use the record, and the chain of changes. Secrets are here as digests only.
constexpr const char* kVersion4 = R"sql(
CREATE TABLE accounts(name TEXT PRIMARY KEY, password TEXT NOT NULL, service INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE grants(account TEXT NOT NULL, project TEXT NOT NULL, role TEXT NOT NULL,
  PRIMARY KEY(account, project)) WITHOUT ROWID;
CREATE TABLE tokens(id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, account TEXT NOT NULL, name TEXT NOT NULL,
  kind TEXT NOT NULL, role TEXT NOT NULL, project TEXT NOT NULL, created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX tokens_by_account ON tokens(account);
CREATE TABLE access_version(id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO access_version VALUES(1, 1);
CREATE TABLE audit(id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, actor TEXT NOT NULL, credential TEXT NOT NULL,
  peer TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, outcome TEXT NOT NULL, request TEXT NOT NULL,
  previous TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE audit_head(id INTEGER PRIMARY KEY, entry INTEGER NOT NULL, hash TEXT NOT NULL);
INSERT INTO audit_head VALUES(1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
)sql";

// Version 5: repositories of the hub. A line is a chain of commits, `depth` counted from 1; it goes on from (base,
// base_depth). A file's row says what it is from that depth on; digest NULL: no longer there. docs/formats/store.md.
constexpr const char* kVersion5 = R"sql(
CREATE TABLE hub_repos(number INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, name TEXT NOT NULL,
  hidden INTEGER NOT NULL, card TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
  UNIQUE(type, name));
CREATE TABLE hub_lines(number INTEGER PRIMARY KEY AUTOINCREMENT, repo INTEGER NOT NULL, base INTEGER NOT NULL,
  base_depth INTEGER NOT NULL);
CREATE INDEX hub_lines_by_repo ON hub_lines(repo);
CREATE TABLE hub_commits(line INTEGER NOT NULL, depth INTEGER NOT NULL, repo INTEGER NOT NULL, id TEXT NOT NULL,
  title TEXT NOT NULL, message TEXT NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY(line, depth)) WITHOUT ROWID;
CREATE UNIQUE INDEX hub_commits_by_id ON hub_commits(repo, id);
CREATE TABLE hub_files(line INTEGER NOT NULL, path TEXT NOT NULL, depth INTEGER NOT NULL, digest TEXT,
  size INTEGER NOT NULL, oid TEXT NOT NULL, lfs INTEGER NOT NULL, PRIMARY KEY(line, path, depth)) WITHOUT ROWID;
CREATE INDEX hub_files_by_digest ON hub_files(digest);
CREATE TABLE hub_refs(repo INTEGER NOT NULL, name TEXT NOT NULL, tag INTEGER NOT NULL, line INTEGER NOT NULL,
  depth INTEGER NOT NULL, message TEXT NOT NULL, PRIMARY KEY(repo, name)) WITHOUT ROWID;
CREATE TABLE hub_uploads(digest TEXT PRIMARY KEY, size INTEGER NOT NULL, time_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX hub_uploads_by_time ON hub_uploads(time_ms);
CREATE TABLE hub_tags(repo INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY(repo, tag)) WITHOUT ROWID;
CREATE TABLE hub_upload_names(name TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX hub_upload_names_by_digest ON hub_upload_names(digest);
)sql";

// Version 6: when it was deleted: garbage is collected some time after. Of what was deleted before, that time begins now.
constexpr const char* kVersion6 = R"sql(
ALTER TABLE runs ADD COLUMN deleted_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN deleted_ms INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET deleted_ms = unixepoch() * 1000 WHERE deleted = 1;
UPDATE experiments SET deleted_ms = unixepoch() * 1000 WHERE deleted = 1;
CREATE INDEX runs_by_deletion ON runs(deleted_ms) WHERE deleted = 1;
)sql";

// Version 7: logged models, traces with spans and assessments, webhooks, uploads in parts, datasets and scorers of evaluations. The
// indices by value are partial as those of runs are.
constexpr const char* kVersion7 = R"sql(
CREATE TABLE logged_models(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, experiment INTEGER NOT NULL,
  name TEXT NOT NULL, type TEXT NOT NULL, run_id TEXT NOT NULL, status TEXT NOT NULL, deleted INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL);
CREATE INDEX logged_models_by_experiment ON logged_models(experiment, deleted, created_ms DESC, id);
CREATE TABLE logged_model_params(model INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(model, key)) WITHOUT ROWID;
CREATE TABLE logged_model_tags(model INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(model, key)) WITHOUT ROWID;
CREATE TABLE logged_model_metrics(model INTEGER NOT NULL, key TEXT NOT NULL, time_ms INTEGER NOT NULL,
  step INTEGER NOT NULL, run_id TEXT NOT NULL, dataset_name TEXT NOT NULL, dataset_digest TEXT NOT NULL,
  value REAL NOT NULL, nan INTEGER NOT NULL,
  PRIMARY KEY(model, key, time_ms, step, run_id, dataset_name, dataset_digest)) WITHOUT ROWID;

CREATE TABLE traces(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, experiment INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, duration_ms INTEGER, state TEXT NOT NULL, client_id TEXT, request TEXT, response TEXT,
  complete INTEGER NOT NULL);
CREATE INDEX traces_by_experiment ON traces(experiment, time_ms DESC, id);
CREATE TABLE trace_tags(trace INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(trace, key)) WITHOUT ROWID;
CREATE INDEX trace_tags_by_value ON trace_tags(key, value) WHERE length(value) <= 200;
CREATE TABLE trace_metadata(trace INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(trace, key)) WITHOUT ROWID;
CREATE INDEX trace_metadata_by_value ON trace_metadata(key, value) WHERE length(value) <= 200;
CREATE TABLE trace_links(kind TEXT NOT NULL, target TEXT NOT NULL, trace INTEGER NOT NULL,
  PRIMARY KEY(kind, target, trace)) WITHOUT ROWID;
CREATE INDEX trace_links_by_trace ON trace_links(trace);
CREATE TABLE spans(number INTEGER PRIMARY KEY, trace INTEGER NOT NULL, id TEXT NOT NULL, parent TEXT NOT NULL,
  name TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,
  content TEXT NOT NULL, UNIQUE(trace, id));
CREATE TABLE assessments(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, trace INTEGER NOT NULL,
  kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, shown TEXT NOT NULL, amount REAL, valid INTEGER NOT NULL,
  overrides TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX assessments_by_trace ON assessments(trace, kind, name);

CREATE TABLE webhooks(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, description TEXT NOT NULL,
  url TEXT NOT NULL, events TEXT NOT NULL, secret TEXT NOT NULL, active INTEGER NOT NULL, created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL);
CREATE TABLE uploads(id TEXT PRIMARY KEY, path TEXT NOT NULL, created_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE upload_parts(upload TEXT NOT NULL, part INTEGER NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,
  PRIMARY KEY(upload, part)) WITHOUT ROWID;

CREATE TABLE eval_datasets(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, schema TEXT NOT NULL,
  profile TEXT NOT NULL, digest TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
  created_by TEXT NOT NULL, updated_by TEXT NOT NULL);
CREATE INDEX eval_datasets_by_time ON eval_datasets(created_ms);
CREATE TABLE eval_dataset_tags(dataset INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(dataset, key)) WITHOUT ROWID;
CREATE TABLE eval_dataset_experiments(dataset INTEGER NOT NULL, experiment INTEGER NOT NULL,
  PRIMARY KEY(experiment, dataset)) WITHOUT ROWID;
CREATE INDEX eval_dataset_experiments_by_dataset ON eval_dataset_experiments(dataset);
CREATE TABLE eval_records(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, dataset INTEGER NOT NULL,
  inputs TEXT NOT NULL, content TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
  UNIQUE(dataset, inputs));
CREATE TABLE scorers(number INTEGER PRIMARY KEY, id TEXT NOT NULL, experiment INTEGER NOT NULL, name TEXT NOT NULL,
  version INTEGER NOT NULL, body TEXT NOT NULL, created_ms INTEGER NOT NULL, UNIQUE(experiment, name, version));
)sql";

// Version 8: who lets a version be served: policies of models, decisions, and who made what.
constexpr const char* kVersion8 = R"sql(
CREATE TABLE model_policies(model TEXT NOT NULL PRIMARY KEY, required_approvals INTEGER NOT NULL, protected_aliases TEXT NOT NULL,
  separate_author INTEGER NOT NULL, gates_must_pass INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE version_decisions(model TEXT NOT NULL, version INTEGER NOT NULL, who TEXT NOT NULL, decision TEXT NOT NULL,
  comment TEXT NOT NULL, time_ms INTEGER NOT NULL, PRIMARY KEY(model, version, who)) WITHOUT ROWID;
ALTER TABLE model_versions ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE alias_history ADD COLUMN who TEXT NOT NULL DEFAULT '';
ALTER TABLE alias_history ADD COLUMN override_reason TEXT NOT NULL DEFAULT '';
)sql";

// Version 9: points of one metric that came together lie in one row (metric_blocks.h), which is a B-tree's write for a batch
// instead of one for a point.
constexpr const char* kVersion9 = R"sql(
CREATE TABLE metric_blocks(run INTEGER NOT NULL, key TEXT NOT NULL, first_ms INTEGER NOT NULL, digest TEXT NOT NULL,
  points BLOB NOT NULL, PRIMARY KEY(run, key, first_ms, digest)) WITHOUT ROWID;
)sql";

// Version 10: where chunks of large blobs may be found. Hints (chunk_index.h): `hash` is XXH64, as a signed number.
constexpr const char* kVersion10 = R"sql(
CREATE TABLE chunk_sources(number INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE);
CREATE TABLE chunks(hash INTEGER NOT NULL, source INTEGER NOT NULL, place INTEGER NOT NULL, size INTEGER NOT NULL,
  PRIMARY KEY(hash)) WITHOUT ROWID;
)sql";

// Version 11: whether a webhook's secret is sealed (1: ciphertext, docs/formats/store.md).
constexpr const char* kVersion11 = R"sql(
ALTER TABLE webhooks ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
)sql";

// Version 12: annotation projects (annotations.h). A history row is what an annotation was from then on; answer NULL: nothing. Sums
// over a project and over its people are kept with each change, so that nothing is counted when it is asked for.
constexpr const char* kVersion12 = R"sql(
CREATE TABLE annotation_projects(number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, settings TEXT NOT NULL,
  revision INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL);
CREATE TABLE annotation_counts(project INTEGER PRIMARY KEY, fresh INTEGER NOT NULL, begun INTEGER NOT NULL,
  answered INTEGER NOT NULL, reviewed INTEGER NOT NULL, annotations INTEGER NOT NULL, skipped INTEGER NOT NULL);
CREATE TABLE annotation_tasks(number INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, key TEXT NOT NULL,
  body TEXT NOT NULL, state INTEGER NOT NULL, answers INTEGER NOT NULL, priority REAL NOT NULL, agreement REAL NOT NULL,
  UNIQUE(project, key));
CREATE INDEX annotation_tasks_by_project ON annotation_tasks(project, number);
CREATE INDEX annotation_tasks_by_state ON annotation_tasks(project, state, number);
CREATE INDEX annotation_tasks_open ON annotation_tasks(project, priority DESC, number) WHERE state < 2;
CREATE INDEX annotation_tasks_shared ON annotation_tasks(project, number) WHERE answers > 1;
CREATE INDEX annotation_tasks_to_review ON annotation_tasks(project, agreement, number) WHERE state = 2;
CREATE TABLE annotations(number INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, task INTEGER NOT NULL,
  annotator TEXT NOT NULL, ground_truth INTEGER NOT NULL, answer TEXT NOT NULL, skipped INTEGER NOT NULL, note TEXT NOT NULL,
  seconds REAL NOT NULL, revision INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
  UNIQUE(task, ground_truth, annotator));
CREATE INDEX annotations_by_annotator ON annotations(project, annotator, task);
CREATE TABLE annotation_history(number INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, task INTEGER NOT NULL,
  annotation INTEGER NOT NULL, time_ms INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, annotator TEXT NOT NULL,
  ground_truth INTEGER NOT NULL, answer TEXT, skipped INTEGER NOT NULL, note TEXT NOT NULL, seconds REAL NOT NULL,
  revision INTEGER NOT NULL, undoes INTEGER NOT NULL);
CREATE INDEX annotation_history_by_task ON annotation_history(task, number);
CREATE INDEX annotation_history_by_who ON annotation_history(project, who, number);
CREATE INDEX annotation_history_undone ON annotation_history(undoes) WHERE undoes > 0;
CREATE TABLE annotation_labels(project INTEGER NOT NULL, label TEXT NOT NULL, task INTEGER NOT NULL,
  PRIMARY KEY(project, label, task)) WITHOUT ROWID;
CREATE INDEX annotation_labels_by_task ON annotation_labels(task);
CREATE TABLE annotation_suggestions(task INTEGER NOT NULL, source TEXT NOT NULL, score REAL NOT NULL, answer TEXT NOT NULL,
  PRIMARY KEY(task, source)) WITHOUT ROWID;
CREATE TABLE annotation_keeps(project INTEGER NOT NULL, annotator TEXT NOT NULL, task INTEGER NOT NULL, until_ms INTEGER NOT NULL,
  PRIMARY KEY(project, annotator)) WITHOUT ROWID;
CREATE INDEX annotation_keeps_by_task ON annotation_keeps(task);
CREATE TABLE annotation_people(project INTEGER NOT NULL, annotator TEXT NOT NULL, annotations INTEGER NOT NULL,
  skipped INTEGER NOT NULL, seconds REAL NOT NULL, last_ms INTEGER NOT NULL, decided INTEGER NOT NULL, reviewed INTEGER NOT NULL,
  accepted INTEGER NOT NULL, at_priority REAL NOT NULL, at_task INTEGER NOT NULL, PRIMARY KEY(project, annotator)) WITHOUT ROWID;
)sql";

// Version 13: commits of datasets over folder artifacts, their branches and tags (record/data_versions.h).
constexpr const char* kVersion13 = R"sql(
CREATE TABLE data_commits(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, dataset TEXT NOT NULL, digest TEXT NOT NULL,
  parents TEXT NOT NULL, message TEXT NOT NULL, author TEXT NOT NULL, created_ms INTEGER NOT NULL, meta TEXT NOT NULL);
CREATE INDEX data_commits_by_dataset ON data_commits(dataset, number);
CREATE INDEX data_commits_by_digest ON data_commits(digest);
CREATE TABLE data_refs(dataset TEXT NOT NULL, name TEXT NOT NULL, tag INTEGER NOT NULL, id TEXT NOT NULL,
  changed_ms INTEGER NOT NULL, PRIMARY KEY(dataset, name)) WITHOUT ROWID;
)sql";

// Version 14: small contents may lie in bundles (bundles.h). No table changes: the number tells a program that knows none to leave it alone.
constexpr const char* kVersion14 = "";

constexpr std::array<const char*, 14> kMigrations = {kVersion1, kVersion2, kVersion3, kVersion4,  kVersion5,  kVersion6,
                                                     kVersion7, kVersion8, kVersion9, kVersion10, kVersion11, kVersion12,
                                                     kVersion13, kVersion14};

int pragma_number(Database& database, const char* sql) { return std::atoi(database.scalar(sql).c_str()); }

void save_copy(const Database& database, int version) {
  const fs::path target = fmt::format("{}.v{}.backup", database.name(), version);
  const fs::path temporary = target.string() + ".tmp";
  fs::remove(temporary);
  copy_sqlite(database.path(), temporary, 10000);  // by a connection of its own: the writer's is inside its transaction
  fs::rename(temporary, target);
  base::sync_dir(target.parent_path());
}

// What a database says of itself: none of ours, or the version; 0 when it is empty.
std::optional<int> version_in(Database& database) {
  if (!database.is_file()) {
    return postgres_version(database);
  }
  const ReadSnapshot one_state(database);  // another process may be making the tables
  const int version = pragma_number(database, "PRAGMA user_version");
  const int application = pragma_number(database, "PRAGMA application_id");
  const bool empty = application == 0 && version == 0 && database.scalar("SELECT count(*) FROM sqlite_master") == "0";
  return empty || application == kApplicationId ? std::optional<int>(version) : std::nullopt;
}

// Inside the transaction of migrate().
void apply(Database& database, std::span<const char* const> steps, int found, int64_t now_ms) {
  const int newest = static_cast<int>(steps.size());
  for (int version = found; version < newest; ++version) {
    database.exec(steps[static_cast<size_t>(version)]);
    database.prepare("INSERT INTO migrations(version, applied_ms) VALUES(?, ?)").bind(version + 1, now_ms).run();
  }
}

}  // namespace

std::span<const char* const> migrations() { return kMigrations; }

int checked_version(Database& database, std::span<const char* const> steps) {
  const std::optional<int> version = version_in(database);
  if (!version) {
    throw Error(Code::kInvalid, fmt::format("'{}' is a database of another program; move it away, or name another {}",
                                            database.name(), database.is_file() ? "folder" : "database or schema"));
  }
  const int newest = static_cast<int>(steps.size());
  if (*version > newest) {
    throw Error(Code::kInvalid,
                fmt::format("the store '{}' has format version {}, written by a newer Slipway; this one "
                            "knows up to {}: upgrade it, nothing was changed",
                            database.name(), *version, newest));
  }
  return *version;
}

void migrate(Database& database, std::span<const char* const> steps, int64_t now_ms) {
  const int newest = static_cast<int>(steps.size());
  if (!database.is_file()) {
    Transaction transaction(database);  // the only writer: other servers wait
    const int found = checked_version(database, steps);
    if (found < newest) {
      prepare_postgres(database, found);
      apply(database, steps, found, now_ms);
      finish_postgres(database);
    }
    transaction.commit();
    return;
  }
  const FileLock lock = FileLock::exclusive(database.name() + ".lock");
  if (database.scalar("PRAGMA journal_mode") != "wal") {
    database.exec("PRAGMA journal_mode=WAL");
  }
  const int found = checked_version(database, steps);
  if (found == newest) {
    return;  // another process was faster
  }
  Transaction transaction(database);
  if (found > 0) {
    save_copy(database, found);
  }
  apply(database, steps, found, now_ms);
  database.exec(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId, newest).c_str());
  transaction.commit();
  base::sync_dir(database.path().parent_path());
}

}  // namespace slipway::store
