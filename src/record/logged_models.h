// Logged models: what a run made, with its own parameters, metrics, tags and files; registered or not. Plain values,
// and the interface to them; promises and errors are those of tracking_stores.h. Times are milliseconds since 1970 UTC.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "record/tracking.h"

namespace slipway::record {

// The names are stored.
constexpr const char* kModelPending = "LOGGED_MODEL_PENDING";
constexpr const char* kModelReady = "LOGGED_MODEL_READY";
constexpr const char* kModelFailed = "LOGGED_MODEL_UPLOAD_FAILED";

struct LoggedModel {
  std::string id;  // "m-" and 32 hex digits, the caller's
  std::string experiment_id;
  std::string name;
  std::string type;           // "" when not said
  std::string source_run_id;  // "" when not said
  std::string status = kModelPending;
  std::string artifact_uri;  // given by the store
  bool deleted = false;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::vector<KeyValue> params;  // by key, as tags
  std::vector<KeyValue> tags;
  std::vector<LoggedModelMetric> metrics;  // all of them, by key and time
};

struct DatasetName {
  std::string name;
  std::string digest;  // empty: any
};

struct LoggedModelOrdering {
  Ordering field;       // an attribute or a metric
  DatasetName dataset;  // only values on it; an empty name: any
};

// Attributes: name, model_id, model_type, status, source_run_id, creation_timestamp_ms, last_updated_timestamp_ms. A
// metric matches when any of its values does, on one of the datasets if there are some.
struct LoggedModelQuery {
  std::vector<std::string> experiment_ids;
  std::vector<Condition> conditions;
  std::vector<DatasetName> datasets;
  std::vector<LoggedModelOrdering> order;  // then, always: the newest first, and by id
  int64_t offset = 0;
  int64_t limit = 100;
};

class LoggedModelStore {
 public:
  virtual ~LoggedModelStore() = default;
  // As stored; its metrics are left alone. A run that is named gets an edge in the lineage.
  virtual LoggedModel create(LoggedModel model) = 0;
  // Deleted ones too.
  virtual std::optional<LoggedModel> find(const std::string& id) = 0;
  virtual LoggedModel set_status(const std::string& id, const std::string& status) = 0;
  virtual void remove(const std::string& id) = 0;
  virtual LoggedModel set_tags(const std::string& id, std::span<const KeyValue> tags) = 0;
  virtual void remove_tag(const std::string& id, const std::string& key) = 0;
  // One that is there with another value: ParamConflict, and none is kept.
  virtual void add_params(const std::string& id, std::span<const KeyValue> params) = 0;
  virtual Page<LoggedModel> search(const LoggedModelQuery& query) = 0;
};

}  // namespace slipway::record
