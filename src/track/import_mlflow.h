// Everything of an MLflow server, asked over REST, or of an `mlruns` folder (MLflow's file store): experiments, runs with the
// histories of their metrics, datasets, artifacts, logged models, traces with spans and assessments, registered models and prompts
// with versions, tags and aliases. Ids of runs, logged models, traces and assessments and numbers of versions are kept;
// experiments are found by name. What was deleted stays behind.
#pragma once

#include <string>

#include "track/importer.h"
#include "track/mlflow_records.h"
#include "track/target.h"

namespace slipway::track {

struct MlflowImportOptions {
  std::vector<std::string> experiments;  // by name; empty: all
  bool artifacts = true;
  std::function<void(const ImportReport&)> progress;  // after each run
};
// `source`: an address (with credentials), or a folder. Throws kUnavailable when the server does not answer, kNotFound, kInvalid.
ImportReport import_mlflow(record::Store& store, const TargetOptions& source, const MlflowImportOptions& options);

// Shared by the two kinds of source. One thread.
class MlflowSink {
 public:
  MlflowSink(record::Store& store, const MlflowImportOptions& options) : store_(store), options_(options) {}
  bool wanted(const std::string& experiment) const;
  // Remembers which experiment here is `id` there; tags are set.
  void experiment(const std::string& id, const std::string& name, int64_t created_ms,
                  const std::vector<record::KeyValue>& tags);
  // The run, in the experiment here that is `experiment_id` there.
  RunImport begin_run(record::TrackedRun run, const std::string& experiment_id);
  // Which runs a run has models of, in and out; after the models.
  void model_uses(const std::string& run_id, const record::RunInputs& uses);
  // The logged model, in the experiment here that is `experiment_id` there, unless it is there; its metrics after its runs.
  // Returns where its files go.
  std::string logged_model(record::LoggedModel model, const std::string& experiment_id);
  void logged_model_metrics(const std::vector<record::LoggedModelMetric>& metrics);
  // A file of it. As RunImport::file.
  void file(const std::string& artifact_uri, const std::string& path, uint64_t size, const RunImport::Content& content);
  // The trace with what is said of it, and its spans as its file has them.
  void trace(record::Trace trace, const Json& spans, const std::string& experiment_id);
  // A version's source as it is to be read here.
  std::string source_here(const std::string& source) const;
  // Makes the model unless it is there; versions that it has are left alone, gaps between numbers are kept.
  void model(const record::RegisteredModel& model, std::vector<record::CatalogVersion> versions,
             const std::vector<std::vector<record::KeyValue>>& version_tags);
  ImportReport& report() noexcept { return report_; }
  record::Store& store() noexcept { return store_; }
  const MlflowImportOptions& options() const noexcept { return options_; }

 private:
  record::Store& store_;
  const MlflowImportOptions& options_;
  ImportReport report_;
  std::map<std::string, std::string> experiments_;  // id there -> id here
};

void import_mlflow_server(MlflowSink& sink, const TargetOptions& source);
void import_mlruns(MlflowSink& sink, const std::string& folder);

}  // namespace slipway::track
