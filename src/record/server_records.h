// What the server of the record keeps beside runs and models: webhooks, uploads in parts, sets of examples for
// evaluation, scorers. Plain values, and the interfaces to them; promises and errors are those of tracking_stores.h.
// Times are milliseconds since 1970 UTC.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "record/tracking.h"

namespace slipway::record {

class FileWriter;

struct Webhook {
  std::string id;
  std::string name;
  std::string description;
  std::string url;
  std::vector<std::string> events;  // "model_version.created"
  std::string secret;               // "" for none; never told
  bool active = true;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  // Why its secret cannot be told: the key that seals it is not there, or is another. `secret` is "" then, and nothing may be sent.
  std::string fault = {};
  bool usable() const { return active && fault.empty(); }
};

// Secrets are sealed on the disk (docs/formats/store.md).
class WebhookStore {
 public:
  virtual ~WebhookStore() = default;
  virtual Webhook create(Webhook webhook) = 0;
  virtual std::optional<Webhook> find(const std::string& id) = 0;
  // All but id and created_ms; kNotFound. One with a fault keeps the secret that it has.
  virtual Webhook replace(const Webhook& webhook) = 0;
  virtual void remove(const std::string& id) = 0;
  virtual Page<Webhook> list(int64_t offset, int64_t limit) = 0;  // the newest first
  // Seals the secrets that an older version left as they were given; how many. Throws as Secrets::seal does.
  virtual int64_t seal_old() = 0;
};

struct Upload {
  std::string id;    // 32 hex digits, the caller's
  std::string path;  // of the file it becomes
  int64_t created_ms = 0;
};

struct UploadPart {
  int number = 0;
  std::string digest;
  uint64_t size = 0;
};

// Files that come in parts, in any order and in parallel. Parts are blobs; those of an upload that was never completed
// go with the next collection of garbage after it was forgotten.
class UploadStore {
 public:
  virtual ~UploadStore() = default;
  virtual void begin(const Upload& upload) = 0;
  virtual std::optional<Upload> find(const std::string& id) = 0;
  // The writer's commit keeps the part; one of that number is replaced.
  virtual std::unique_ptr<FileWriter> begin_part(const std::string& id, int number) = 0;
  virtual std::vector<UploadPart> parts(const std::string& id) = 0;
  // Joins these parts, in this order, to the file of the upload, which ends. O(size).
  virtual void complete(const std::string& id, std::span<const UploadPart> parts) = 0;
  virtual void forget(const std::string& id) = 0;  // one that is not there: nothing
  // Forgets those that began before; how many.
  virtual int64_t forget_before(int64_t time_ms) = 0;
};

struct EvalDataset {
  std::string id;  // "d-" and 32 hex digits, the caller's
  std::string name;
  std::string schema;   // JSON or ""
  std::string profile;  // JSON or ""
  std::string digest;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::string created_by;
  std::string updated_by;
  std::vector<KeyValue> tags;  // by key
  std::vector<std::string> experiment_ids;
};

struct EvalRecord {
  std::string id;
  base::Json content;  // inputs, outputs, expectations, tags, source, …
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
};

struct EvalWrite {
  int64_t inserted = 0;
  int64_t updated = 0;
};

// What changes of a dataset; what is left out stays.
struct EvalDatasetChange {
  std::vector<std::pair<std::string, std::optional<std::string>>> tags;  // without a value: goes
  std::vector<std::string> add_experiments;
  std::vector<std::string> remove_experiments;
  std::string updated_by;
};

class EvalDatasetStore {
 public:
  virtual ~EvalDatasetStore() = default;
  virtual EvalDataset create(EvalDataset dataset) = 0;
  virtual std::optional<EvalDataset> find(const std::string& id) = 0;
  virtual EvalDataset change(const std::string& id, const EvalDatasetChange& change) = 0;
  virtual void remove(const std::string& id) = 0;
  // Attributes: name, created_time, last_update_time, created_by, last_updated_by; without experiments: all.
  virtual Page<EvalDataset> search(const Query& query) = 0;
  // A record whose "inputs" are there already is updated: expectations and tags are added to its own.
  virtual EvalWrite put_records(const std::string& id, std::span<const EvalRecord> records,
                                const std::string& updated_by) = 0;
  virtual Page<EvalRecord> records(const std::string& id, int64_t offset, int64_t limit) = 0;
  virtual int64_t remove_records(const std::string& id, std::span<const std::string> record_ids) = 0;
};

struct Scorer {
  std::string id;
  std::string experiment_id;
  std::string name;
  int version = 0;  // given by the store, from 1
  std::string body;
  int64_t created_ms = 0;
};

class ScorerStore {
 public:
  virtual ~ScorerStore() = default;
  virtual Scorer add(Scorer scorer) = 0;  // the next version of that name
  virtual std::optional<Scorer> find(const std::string& experiment_id, const std::string& name,
                                     std::optional<int> version) = 0;  // without a version: the newest
  // Of one name all versions, the newest first; without a name the newest of each.
  virtual std::vector<Scorer> list(const std::string& experiment_id, const std::string& name) = 0;
  // All without a version; how many.
  virtual int64_t remove(const std::string& experiment_id, const std::string& name, std::optional<int> version) = 0;
};

// What MLflow 3's clients keep beside runs and models.
class ServerRecords {
 public:
  virtual ~ServerRecords() = default;
  virtual WebhookStore& webhooks() = 0;
  virtual UploadStore& uploads() = 0;
  virtual EvalDatasetStore& eval_datasets() = 0;
  virtual ScorerStore& scorers() = 0;
};

}  // namespace slipway::record
