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
