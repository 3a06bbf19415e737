// All that Slipway remembers: plain values, with their JSON. Times are milliseconds since 1970 UTC. Ids of graph nodes
// are texts with a kind in front: "file:sha256:…", "dataset:sha256:…", "run:ID", "artifact:sha256:…",
// "model:NAME/VERSION", "deployment:ID", "prediction:ID", "alert:ID".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace slipway::record {

using base::Json;

enum class RunStatus { kRunning, kFinished, kFailed, kKilled, kAwaitingApproval };  // stored, by name

struct Run {
  std::string id;       // 32 hex digits
  std::string project;  // "movie-sentiment"
  std::string name;     // for people
  RunStatus status = RunStatus::kRunning;
  int64_t started_ms = 0;
  int64_t ended_ms = 0;  // 0 while running
  std::map<std::string, std::string> tags;
  Json config;  // the resolved configuration
};

struct MetricPoint {
  std::string key;
  double value = 0;
  int64_t step = 0;
  int64_t time_ms = 0;
};
// A point of a metric that is known from elsewhere.
struct MetricSample {
  int64_t time_ms = 0;
  int64_t step = 0;
  double value = 0;
};

// An immutable blob known by its digest.
struct Artifact {
  std::string digest;  // "sha256:…"
  std::string
      kind;  // "dataset", "model", "checkpoint", "report", "card", "onnx", "tokenizer", "sketch", "config", "file"
  std::string name;   // "report.html"
  uint64_t size = 0;  // of a folder: its files together
  int64_t created_ms = 0;
  Json meta;
  bool folder = false;  // the blob is a listing of files
};

struct ModelVersion {
  std::string model;  // registered name
  int version = 0;    // 1, 2, …; given by the store
  std::string run_id;
  std::string dataset;                           // digest of the dataset's manifest
  std::map<std::string, std::string> artifacts;  // role ("model", "int8", "onnx", "card", "report", "sketch") -> digest
  Json metrics;                                  // name -> {value, low, high, n}
  Json meta;
  int64_t created_ms = 0;
  std::string author;  // an account, "local:NAME"; "": not known
};

struct Alias {
  std::string model;
  std::string alias;  // "champion"
  int version = 0;
  int64_t changed_ms = 0;
  std::string who;              // moved it; "": not known
  std::string override_reason;  // why, against the model's policy; "": by its policy
};

enum class DeploymentStatus { kStarting, kReady, kDraining, kStopped };  // stored, by name

struct Deployment {
  std::string id;
  std::string endpoint;  // "movie-sentiment"
  std::string model;     // reference it serves, "models:/movie-sentiment@champion"
  DeploymentStatus status = DeploymentStatus::kStarting;
  std::string address;  // "http://127.0.0.1:8080"
  int64_t pid = 0;
  int64_t started_ms = 0;
  int64_t ended_ms = 0;
  Json meta;  // traffic split, precision, ...
};

struct Prediction {
  std::string id;  // "p-" + 32 hex digits; also returned to the client
  int64_t time_ms = 0;
  std::string deployment;
  std::string model;  // "movie-sentiment/3"
  std::string text;
  std::string label;
  double score = 0;
  std::vector<float> scores;  // in the order of the model's labels
  int tokens = 0;
  int64_t latency_us = 0;
};

// Something that happened: "run_started", "gate_failed", "registered", "deploy_ready", "traffic_changed", "rollback",
// "drift_detected", "retrain_requested", …
struct Event {
  int64_t id = 0;  // given by the store, rising
  int64_t time_ms = 0;
  std::string kind;
  std::string subject;  // node id
  Json data;
};

struct Edge {
  std::string from;  // node id: what came first
  std::string to;    // node id: what was made of it
  std::string kind;  // "used", "produced", "version_of", "serves", "predicted", "triggered"
};

const char* name_of(RunStatus status) noexcept;
const char* name_of(DeploymentStatus status) noexcept;
RunStatus run_status(const std::string& name);                // throws Error(kInvalid)
DeploymentStatus deployment_status(const std::string& name);  // throws Error(kInvalid)

Json to_json(const Run& run);
Json to_json(const MetricPoint& point);
Json to_json(const Artifact& artifact);
Json to_json(const ModelVersion& version);
Json to_json(const Alias& alias);
Json to_json(const Deployment& deployment);
Json to_json(const Prediction& prediction);
Json to_json(const Event& event);
Json to_json(const Edge& edge);

ModelVersion model_version_from_json(const Json& json);
Prediction prediction_from_json(const Json& json);

// 32 random hex digits from the operating system's generator.
std::string new_id();

// "models:/NAME/VERSION" or "models:/NAME@ALIAS"; throws Error(kInvalid) for anything else, saying the two forms.
struct ModelReference {
  std::string model;
  int version = 0;    // 0: by alias
  std::string alias;  // empty: by version
};
ModelReference parse_model_reference(const std::string& text);
bool is_model_reference(const std::string& text) noexcept;

}  // namespace slipway::record
