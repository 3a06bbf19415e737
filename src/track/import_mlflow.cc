#include "track/import_mlflow.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::track {

using base::Code;
using base::Error;

namespace {
constexpr int kMaxGap = 10'000;  // of numbers: each costs two writes
}

bool MlflowSink::wanted(const std::string& experiment) const {
  return options_.experiments.empty() ||
         std::find(options_.experiments.begin(), options_.experiments.end(), experiment) != options_.experiments.end();
}

void MlflowSink::experiment(const std::string& id, const std::string& name, int64_t created_ms,
                            const std::vector<record::KeyValue>& tags) {
  record::Tracking& tracking = store_.tracking();
  report_.experiments += tracking.experiments().find_by_name(name) ? 0 : 1;
  experiments_[id] = ensure_experiment(tracking, name, created_ms);
  for (const record::KeyValue& tag : tags) {
    tracking.experiments().set_tag(experiments_[id], tag);
  }
}

RunImport MlflowSink::begin_run(record::TrackedRun run, const std::string& experiment_id) {
  run.experiment_id = experiments_.at(experiment_id);
  return {store_.tracking(), report_, run};
}

void MlflowSink::model_uses(const std::string& run_id, const record::RunInputs& uses) {
  if (!uses.model_inputs.empty() || !uses.model_outputs.empty()) {
    store_.tracking().runs().add_inputs(run_id, uses);
  }
}

std::string MlflowSink::logged_model(record::LoggedModel model, const std::string& experiment_id) {
  record::LoggedModelStore& models = store_.tracking().logged_models();
  if (const auto there = models.find(model.id)) {
    return there->artifact_uri;
  }
  model.experiment_id = experiments_.at(experiment_id);
  model.metrics.clear();
  const std::string status = std::exchange(model.status, record::kModelPending);
  const std::string uri = models.create(model).artifact_uri;
  if (status != record::kModelPending) {
    models.set_status(model.id, status);
  }
  ++report_.logged_models;
  return uri;
}

void MlflowSink::logged_model_metrics(const std::vector<record::LoggedModelMetric>& metrics) {
  std::map<std::string, record::RunBatch> batches;
  for (record::LoggedModelMetric metric : metrics) {
    metric.point.key = clean_key(metric.point.key);
    if (!store_.tracking().runs().find(metric.run_id)) {
      ++report_.skipped["metrics of logged models whose run is not there"];
      continue;
    }
    batches[metric.run_id].metrics.push_back(metric.point);
    batches[metric.run_id].model_metrics.push_back(metric);
  }
  for (const auto& [run, batch] : batches) {
    store_.tracking().runs().log(run, batch);
  }
}

void MlflowSink::file(const std::string& artifact_uri, const std::string& path, uint64_t size, const RunImport::Content& content) {
  import_file(store_.tracking(), report_, artifact_uri, path, size, content);
}

void MlflowSink::trace(record::Trace trace, const Json& spans, const std::string& experiment_id) {
  record::Traces& traces = store_.tracking().traces();
  trace.experiment_id = experiments_.at(experiment_id);
  // Where its files and spans lie is this record's say.
  std::erase_if(trace.tags, [](const record::KeyValue& tag) {
    return tag.key == "mlflow.artifactLocation" || tag.key == "mlflow.trace.spansLocation";
  });
  const auto there = traces.traces().find(trace.id, false);
  std::vector<record::Assessment> assessments = std::exchange(trace.assessments, {});
  std::stable_sort(assessments.begin(), assessments.end(), [](const record::Assessment& a, const record::Assessment& b) {
    return a.created_ms < b.created_ms;  // what overrides another comes after it
  });
  record::SpanBatch batch;
  batch.trace_id = trace.id;
  for (const Json& span : spans) {
    try {
      batch.spans.push_back(trace_span(span));
    } catch (const Error&) {
      ++report_.skipped["spans that are not of MLflow 3"];
    }
  }
  if (!batch.spans.empty()) {
    traces.traces().add_spans(trace.experiment_id, {&batch, 1});
  }
  traces.traces().start(trace, true);
  for (record::Assessment& assessment : assessments) {
    const bool overrides = std::any_of(assessments.begin(), assessments.end(),
                                       [&](const record::Assessment& other) { return other.id == assessment.overrides; });
    assessment.overrides = overrides ? assessment.overrides : "";  // what it replaced may be gone
    const bool known = there && std::any_of(there->assessments.begin(), there->assessments.end(),
                                            [&](const record::Assessment& other) { return other.id == assessment.id; });
    if (!known) {
      traces.assessments().create(assessment);
    }
  }
  ++(there ? report_.traces_there : report_.traces);
}

std::string MlflowSink::source_here(const std::string& source) const {
  // "mlflow-artifacts:/3/RUN/artifacts/model": the experiment may have another number here.
  constexpr std::string_view kScheme = "mlflow-artifacts:/";
  if (!source.starts_with(kScheme)) {
    return source;
  }
  const size_t end = source.find('/', kScheme.size());
  const auto here = experiments_.find(source.substr(kScheme.size(), end - kScheme.size()));
  return end == std::string::npos || here == experiments_.end() ? source
                                                                 : fmt::format("{}{}{}", kScheme, here->second, source.substr(end));
}

void MlflowSink::model(const record::RegisteredModel& model, std::vector<record::CatalogVersion> versions,
                       const std::vector<std::vector<record::KeyValue>>& version_tags) {
  record::Tracking& tracking = store_.tracking();
  if (!tracking.models().find(model.name)) {
    tracking.models().create(model);
    ++report_.models;
  }
  for (const record::KeyValue& tag : model.tags) {
    tracking.models().set_tag(model.name, tag);
  }
  std::vector<size_t> order(versions.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return versions[a].version < versions[b].version; });
  for (const size_t i : order) {
    record::CatalogVersion version = versions[i];
    if (tracking.versions().find(model.name, version.version)) {
      continue;
    }
    version.model = model.name;
    version.source = source_here(version.source);
    if (const auto made = version.model_id.empty() ? std::nullopt : tracking.logged_models().find(version.model_id);
        made && version.source.ends_with(fmt::format("/models/{}/artifacts", version.model_id))) {
      version.source = made->artifact_uri;  // wherever it lay: its files are here now
    }
    record::CatalogVersion made = tracking.versions().create(version);
    while (made.version < version.version && version.version - made.version <= kMaxGap) {  // a number that was given to a version which is no more
      tracking.versions().remove(model.name, made.version);
      made = tracking.versions().create(version);
    }
    if (made.version != version.version) {
      tracking.versions().remove(model.name, made.version);
      ++report_.skipped["versions whose number was given to another here"];
      continue;
    }
    if (version.stage != record::kNoStage && !version.stage.empty()) {
      tracking.versions().change(model.name, version.version, {.description = {}, .stage = version.stage, .override_reason = {}});
    }
    for (const record::KeyValue& tag : version_tags.at(i)) {
      tracking.versions().set_tag(model.name, version.version, tag);
    }
    ++report_.versions;
  }
  for (const auto& [alias, number] : model.aliases) {
    const auto there = store_.registry().find_alias(model.name, alias);
    if (tracking.versions().find(model.name, number) && (!there || there->version != number)) {
      store_.registry().set_alias(model.name, alias, number, -1);
    }
  }
}

ImportReport import_mlflow(record::Store& store, const TargetOptions& source, const MlflowImportOptions& options) {
  MlflowSink sink(store, options);
  is_server(source.uri) ? import_mlflow_server(sink, source) : import_mlruns(sink, source.uri);
  return sink.report();
}

}  // namespace slipway::track
