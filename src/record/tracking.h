// Experiments and what clients track of a run (parameters, metrics, tags, datasets, models, files), and the questions one
// may ask about them. The same runs as record.h's Run: that is how a pipeline sees a run, this how a tracking client does.
// Plain values. Times are milliseconds since 1970 UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "record/record.h"

namespace slipway::record {

constexpr const char* kDefaultExperiment = "Default";    // its id is "0"; every store has it
constexpr const char* kRunNameTag = "mlflow.runName";    // a run's name, seen as a tag; not stored as one
constexpr const char* kContextTag = "mlflow.data.context";  // of a dataset's use: "training"

struct KeyValue {
  std::string key;
  std::string value;
  bool operator==(const KeyValue&) const = default;
};

struct Experiment {
  std::string id;    // a decimal number, given by the store
  std::string name;  // unique, also among deleted ones; the project of `slipway run`
  std::string artifact_location;  // empty when created: "mlflow-artifacts:/ID"
  bool deleted = false;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::vector<KeyValue> tags;  // by key
};

// What is left out stays as it is.
struct ExperimentChange {
  std::optional<std::string> name;
  std::optional<bool> deleted;  // the experiment's runs share its fate
};

struct TrackedDataset {
  std::string name;
  std::string digest;  // with the name: who it is, within an experiment
  std::string source_type;
  std::string source;
  std::optional<std::string> schema;
  std::optional<std::string> profile;
};

struct DatasetUse {
  TrackedDataset dataset;
  std::vector<KeyValue> tags;
};

struct ModelUse {
  std::string model_id;
  int64_t step = 0;
};

struct TrackedRun {
  std::string id;             // 32 hex digits
  std::string experiment_id;  // empty when created: the default one
  std::string name;
  std::string user;
  RunStatus status = RunStatus::kRunning;
  bool deleted = false;
  int64_t started_ms = 0;
  int64_t ended_ms = 0;  // 0 while running
  std::string artifact_uri;
  std::vector<MetricPoint> metrics;  // the latest of each key
  std::vector<KeyValue> params;      // by key, as metrics and tags
  std::vector<KeyValue> tags;        // with kRunNameTag
  std::vector<DatasetUse> datasets;
  std::vector<ModelUse> model_inputs;
  std::vector<ModelUse> model_outputs;
};

struct RunChange {
  std::optional<RunStatus> status;
  std::optional<int64_t> ended_ms;
  std::optional<std::string> name;
  std::optional<bool> deleted;  // alone: allowed for a deleted run too
};

// A value of a metric that belongs to a logged model, and on which dataset it was measured ("" when not said).
struct LoggedModelMetric {
  MetricPoint point;
  std::string model_id;
  std::string run_id;  // given by the store
  std::string dataset_name;
  std::string dataset_digest;
};

// What one request adds to a run: all of it or nothing.
struct RunBatch {
  std::vector<MetricPoint> metrics;  // finite or NaN
  std::vector<KeyValue> params;
  std::vector<KeyValue> tags;  // replace; the last of a key counts
  std::vector<LoggedModelMetric> model_metrics = {};  // those of `metrics` that are a logged model's too
};

struct RunInputs {
  std::vector<DatasetUse> datasets;
  std::vector<ModelUse> model_inputs;
  std::vector<ModelUse> model_outputs;
};

// A search is a conjunction. Texts in it are values: none of them becomes a part of a query's text.
enum class Entity {
  kAttribute, kMetric, kParam, kTag, kDataset,
  kMetadata, kSpan, kFeedback, kExpectation, kIssue  // of traces
};
enum class Comparator {
  kEqual, kNotEqual, kGreater, kGreaterEqual, kLess, kLessEqual,
  kLike, kILike,  // % and _; ILIKE ignores the case of ASCII letters
  kRLike,         // a regular expression of RE2 that matches somewhere
  kIn, kNotIn, kIsNull, kIsNotNull
};

struct Condition {
  Entity entity = Entity::kAttribute;
  // Attributes of runs: run_id, run_name, status, artifact_uri, user_id, start_time, end_time; of experiments: name,
  // experiment_id, creation_time, last_update_time; of a dataset: name, digest, context. Else any key.
  std::string key;
  Comparator comparator = Comparator::kEqual;
  std::variant<std::monostate, int64_t, double, std::string, std::vector<std::string>> value;
};

struct Ordering {
  Entity entity = Entity::kAttribute;
  std::string key;
  bool ascending = true;
};

enum class Lifecycle { kActive, kDeleted, kAll };

// Where a run stands in the order that searches have when none is asked for.
struct RunPlace {
  int64_t started_ms = 0;
  std::string id;
};

struct Query {
  std::vector<std::string> experiment_ids;  // of runs; none: no run
  std::vector<Condition> conditions;
  std::vector<Ordering> order;  // then, always: runs start_time DESC, run_id; experiments experiment_id DESC
  Lifecycle lifecycle = Lifecycle::kActive;
  int64_t offset = 0;
  std::optional<RunPlace> after;  // of runs, instead of `offset` where runs come by start_time DESC: a page deep down costs what the first does
  int64_t limit = 1000;
};

template <class T>
struct Page {
  std::vector<T> items;
  bool more = false;  // there are items after these
};

// What runs are put together by: a parameter, a tag, or an attribute of runs.
struct Grouping {
  Entity entity = Entity::kParam;
  std::string key;
};

struct RunGroup {
  std::optional<std::string> value;  // none: the runs without that parameter or tag
  int64_t runs = 0;
  int64_t newest_ms = 0;  // start of the newest
};

struct HistoryQuery {
  std::string run_id;
  std::string key;
  std::optional<std::pair<int64_t, int64_t>> steps;  // first and last, both included
  int64_t samples = 0;  // > 0: that many, evenly over the points in order of step, the first and the last among them
  int64_t offset = 0;
  int64_t limit = 0;  // 0: all
};

struct DatasetSummary {
  std::string experiment_id;
  std::string name;
  std::string digest;
  std::optional<std::string> context;
};

// A file of the artifact tree: a name for a blob.
struct TreeFile {
  std::string path;  // "0/<run>/artifacts/model/MLmodel"
  std::string digest;
  uint64_t size = 0;
  int64_t modified_ms = 0;
};

struct TreeEntry {
  std::string name;  // within its folder
  bool folder = false;
  uint64_t size = 0;
};

}  // namespace slipway::record
