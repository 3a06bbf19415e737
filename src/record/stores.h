// The small interfaces through which all rooms write and read records; `store` implements them. All are safe from any
// thread. A write that returned is durable (survives kill -9 and power loss) unless the comment says otherwise.
// Failures throw base::Error: kNotFound, kConflict, kIntegrity, kUnavailable (locked, full).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "record/accounts.h"
#include "record/approvals.h"
#include "record/data_versions.h"
#include "record/hub.h"
#include "record/record.h"
#include "record/tracking_stores.h"

namespace slipway::record {

class RunStore {
 public:
  virtual ~RunStore() = default;
  // Its project is an experiment of tracking_stores.h, made (or restored) with it; an empty one is "Default".
  virtual void create_run(const Run& run) = 0;
  // Changes the status; ended_ms is 0 while it goes on (an approved run begins). Throws kNotFound.
  virtual void end_run(const std::string& run_id, RunStatus status, int64_t ended_ms) = 0;
  // A parameter is written once: the same value again changes nothing, another value throws kConflict.
  virtual void log_params(const std::string& run_id, const std::map<std::string, std::string>& params) = 0;
  // Batched: points may be lost by a power cut within the last second, never by kill -9. A point that is there already
  // is ignored: repeating is harmless.
  virtual void log_metrics(const std::string& run_id, std::span<const MetricPoint> points) = 0;
  virtual std::optional<Run> find_run(const std::string& run_id) = 0;
  // Newest first, without deleted ones; `project` empty = all.
  virtual std::vector<Run> list_runs(const std::string& project, int limit) = 0;
  virtual std::map<std::string, std::string> params(const std::string& run_id) = 0;
  // In order of step; `key` empty = all keys.
  virtual std::vector<MetricPoint> metrics(const std::string& run_id, const std::string& key) = 0;
};

class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;
  // Stores a blob and its row; putting the same bytes again is cheap and changes nothing.
  virtual Artifact put_bytes(std::string_view bytes, const std::string& kind, const std::string& name,
                             const Json& meta) = 0;
  virtual Artifact put_file(const std::filesystem::path& path, const std::string& kind, const std::string& name,
                            const Json& meta) = 0;
  // A folder as one artifact: its files become blobs; the artifact is a JSON listing of path, digest, size.
  virtual Artifact put_folder(const std::filesystem::path& path, const std::string& kind, const std::string& name,
                              const Json& meta) = 0;
  virtual std::optional<Artifact> find(const std::string& digest) = 0;
  // Where the blob lies; read it, never write it. Throws kNotFound.
  virtual std::filesystem::path path_of(const std::string& digest) = 0;
  // Lays a folder artifact out at `target` (hard links where possible, else copies), checking each digest when
  // `verify`.
  virtual void checkout(const std::string& digest, const std::filesystem::path& target, bool verify) = 0;
  virtual std::vector<Artifact> list(const std::string& kind, int limit) = 0;
};

class Registry {
 public:
  virtual ~Registry() = default;
  // Gives the next version number; the edges from run and dataset are written with it.
  virtual ModelVersion create_version(ModelVersion version) = 0;
  virtual std::optional<ModelVersion> find_version(const std::string& model, int version) = 0;
  virtual std::vector<ModelVersion> list_versions(const std::string& model) = 0;  // newest first; empty name = all
  // One atomic step; history is kept. `expected` >= 0: only if the alias points there now, else kConflict. Throws PolicyRefusal
  // where the model's policy does not let that version have the alias (approvals.h).
  virtual Alias set_alias(const std::string& model, const std::string& alias, int version, int expected) = 0;
  // Whatever the policy says: an admin's. The reason, which may not be empty, is kept in the history and in the audit log.
  virtual Alias override_alias(const std::string& model, const std::string& alias, int version, const std::string& reason) = 0;
  virtual std::optional<Alias> find_alias(const std::string& model, const std::string& alias) = 0;
  virtual std::vector<Alias> alias_history(const std::string& model, const std::string& alias) = 0;  // newest first
  // "models:/NAME@ALIAS" or "models:/NAME/3" -> the version; throws kNotFound saying what there is.
  virtual ModelVersion resolve(const std::string& reference) = 0;
};

class PredictionLog {
 public:
  virtual ~PredictionLog() = default;
  // One transaction for the batch; durable on return. An id that is there already is ignored: repeating is harmless.
  virtual void append(std::span<const Prediction> predictions) = 0;
  virtual std::optional<Prediction> find(const std::string& id) = 0;
  // Oldest first, after `after_ms`, of one deployment or all (""). Predictions of the last millisecond are given whole,
  // past `limit` if need be, so that the next page may begin after it.
  virtual std::vector<Prediction> list(const std::string& deployment, int64_t after_ms, int limit) = 0;
  virtual int64_t count(const std::string& deployment) = 0;
  // Puts `mark` in the place of the texts of these predictions, and overwrites what SQLite kept of them (its backups are left alone).
  // Returns how many there were.
  virtual int64_t redact(std::span<const std::string> ids, const std::string& mark) = 0;
};

class EventLog {
 public:
  virtual ~EventLog() = default;
  virtual Event append(const std::string& kind, const std::string& subject, const Json& data) = 0;
  // Oldest first, with an id above `after_id`; `kind` empty = all.
  virtual std::vector<Event> list(const std::string& kind, int64_t after_id, int limit) = 0;
  // The last `limit` of them, oldest first too.
  virtual std::vector<Event> newest(const std::string& kind, int limit) = 0;
  // Adds or replaces it; the edge from the model version it names is written with it.
  virtual void put_deployment(const Deployment& deployment) = 0;
  virtual std::optional<Deployment> find_deployment(const std::string& id_or_endpoint) = 0;  // newest when an endpoint
  virtual std::vector<Deployment> list_deployments(int limit) = 0;
};

enum class Direction { kBack, kForward };

class Lineage {
 public:
  virtual ~Lineage() = default;
  virtual void add_edges(std::span<const Edge> edges) = 0;  // repeats are ignored
  // All edges reachable from `node`, breadth first, at most `limit`. Predictions are found through their rows: they
  // have edges ("predicted") from their model and their deployment that nobody adds.
  virtual std::vector<Edge> walk(const std::string& node, Direction direction, int limit) = 0;
};

// What a finished step of a pipeline left behind, under the digest of all that it depended on.
struct CachedStep {
  std::string key;  // 64 hex digits: SHA-256 of what the result depends on
  std::string project;
  std::string step;
  std::string run_id;                          // the run that computed it
  Json inputs;                                 // what `key` is the digest of, to explain why a later run differs
  std::map<std::string, std::string> outputs;  // output name -> artifact digest
  Json summary;
  double seconds = 0;  // that it took
  int64_t created_ms = 0;
};

// A file's digest and the state it had when it was read. The digest still holds while the state is the same.
struct FileStamp {
  std::string path;
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  uint64_t inode = 0;
  std::string digest;  // "sha256:…"
  bool operator==(const FileStamp&) const = default;
};

class StepCache {
 public:
  virtual ~StepCache() = default;
  virtual std::optional<CachedStep> find(const std::string& key) = 0;
  // The newest entry of a step, whatever its key.
  virtual std::optional<CachedStep> latest(const std::string& project, const std::string& step) = 0;
  virtual void put(const CachedStep& step) = 0;  // replaces an entry with the same key
  virtual void remove(const std::string& key) = 0;
  // The stamps known of these paths; unknown ones are left out.
  virtual std::vector<FileStamp> stamps(std::span<const std::string> paths) = 0;
  virtual void put_stamps(std::span<const FileStamp> stamps) = 0;  // not durable: a lost stamp is computed again
  // A local folder for work in progress and locks (`.slipway/work`); it exists.
  virtual std::filesystem::path work_folder() = 0;
};

class Annotations;  // annotation_stores.h

// What a project opens: every interface over one place on disk. Each accessor returns the same object every time.
class Store {
 public:
  virtual ~Store() = default;
  virtual RunStore& runs() = 0;
  virtual ArtifactStore& artifacts() = 0;
  virtual Registry& registry() = 0;
  virtual PredictionLog& predictions() = 0;
  virtual EventLog& events() = 0;
  virtual Lineage& lineage() = 0;
  virtual StepCache& steps() = 0;
  virtual Tracking& tracking() = 0;
  virtual AccountStore& accounts() = 0;
  virtual AuditLog& audit() = 0;
  virtual Hub& hub() = 0;
  virtual ApprovalStore& approvals() = 0;
  virtual Annotations& annotations() = 0;
  virtual DataVersions& data() = 0;
  // Whether reading rows waits for another process.
  virtual bool rows_are_remote() const noexcept = 0;
};

}  // namespace slipway::record
