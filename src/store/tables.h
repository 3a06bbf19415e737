// The record interfaces over the tables of a Core, which outlives them. One .cc file each. Any thread.
#pragma once

#include "record/accounts.h"
#include "record/stores.h"
#include "store/core.h"

namespace slipway::store {

class SqlRuns final : public record::RunStore {
 public:
  explicit SqlRuns(Core& core) : core_(core) {}
  void create_run(const record::Run& run) override;
  void end_run(const std::string& run_id, record::RunStatus status, int64_t ended_ms) override;
  void log_params(const std::string& run_id, const std::map<std::string, std::string>& params) override;
  void log_metrics(const std::string& run_id, std::span<const record::MetricPoint> points) override;
  std::optional<record::Run> find_run(const std::string& run_id) override;
  std::vector<record::Run> list_runs(const std::string& project, int limit) override;
  std::map<std::string, std::string> params(const std::string& run_id) override;
  std::vector<record::MetricPoint> metrics(const std::string& run_id, const std::string& key) override;

 private:
  Core& core_;
};

class SqlArtifacts final : public record::ArtifactStore {
 public:
  explicit SqlArtifacts(Core& core) : core_(core) {}
  record::Artifact put_bytes(std::string_view bytes, const std::string& kind, const std::string& name,
                             const record::Json& meta) override;
  record::Artifact put_file(const std::filesystem::path& path, const std::string& kind, const std::string& name,
                            const record::Json& meta) override;
  record::Artifact put_folder(const std::filesystem::path& path, const std::string& kind, const std::string& name,
                              const record::Json& meta) override;
  std::optional<record::Artifact> find(const std::string& digest) override;
  std::filesystem::path path_of(const std::string& digest) override;
  void checkout(const std::string& digest, const std::filesystem::path& target, bool verify) override;
  std::vector<record::Artifact> list(const std::string& kind, int limit) override;

 private:
  record::Artifact keep(const Blob& blob, bool folder, const std::string& kind, const std::string& name,
                        const record::Json& meta);
  Core& core_;
};

class SqlRegistry final : public record::Registry {
 public:
  explicit SqlRegistry(Core& core) : core_(core) {}
  record::ModelVersion create_version(record::ModelVersion version) override;
  std::optional<record::ModelVersion> find_version(const std::string& model, int version) override;
  std::vector<record::ModelVersion> list_versions(const std::string& model) override;
  record::Alias set_alias(const std::string& model, const std::string& alias, int version, int expected) override;
  record::Alias override_alias(const std::string& model, const std::string& alias, int version, const std::string& reason) override;
  std::optional<record::Alias> find_alias(const std::string& model, const std::string& alias) override;
  std::vector<record::Alias> alias_history(const std::string& model, const std::string& alias) override;
  record::ModelVersion resolve(const std::string& reference) override;

 private:
  record::Alias move(const record::Alias& wanted, int expected);
  Core& core_;
};

class SqlApprovals final : public record::ApprovalStore {
 public:
  explicit SqlApprovals(Core& core) : core_(core) {}
  record::ModelPolicy policy(const std::string& model) override;
  void set_policy(const std::string& model, const record::ModelPolicy& policy) override;
  record::Approval decide(const std::string& model, int version, const record::Decision& decision) override;
  record::Approval approval(const std::string& model, int version) override;
  std::vector<record::VersionGate> gates(const std::string& model, int version) override;
  void check_move(const std::string& model, const std::string& alias, int version) override;

 private:
  Core& core_;
};

class SqlPredictions final : public record::PredictionLog {
 public:
  explicit SqlPredictions(Core& core) : core_(core) {}
  void append(std::span<const record::Prediction> predictions) override;
  std::optional<record::Prediction> find(const std::string& id) override;
  std::vector<record::Prediction> list(const std::string& deployment, int64_t after_ms, int limit) override;
  int64_t count(const std::string& deployment) override;
  int64_t redact(std::span<const std::string> ids, const std::string& mark) override;

 private:
  Core& core_;
};

class SqlEvents final : public record::EventLog {
 public:
  explicit SqlEvents(Core& core) : core_(core) {}
  record::Event append(const std::string& kind, const std::string& subject, const record::Json& data) override;
  std::vector<record::Event> list(const std::string& kind, int64_t after_id, int limit) override;
  std::vector<record::Event> newest(const std::string& kind, int limit) override;
  void put_deployment(const record::Deployment& deployment) override;
  std::optional<record::Deployment> find_deployment(const std::string& id_or_endpoint) override;
  std::vector<record::Deployment> list_deployments(int limit) override;

 private:
  Core& core_;
};

class SqlLineage final : public record::Lineage {
 public:
  explicit SqlLineage(Core& core) : core_(core) {}
  void add_edges(std::span<const record::Edge> edges) override;
  std::vector<record::Edge> walk(const std::string& node, record::Direction direction, int limit) override;

 private:
  Core& core_;
};

class SqlSteps final : public record::StepCache {
 public:
  explicit SqlSteps(Core& core) : core_(core) {}
  std::optional<record::CachedStep> find(const std::string& key) override;
  std::optional<record::CachedStep> latest(const std::string& project, const std::string& step) override;
  void put(const record::CachedStep& step) override;
  void remove(const std::string& key) override;
  std::vector<record::FileStamp> stamps(std::span<const std::string> paths) override;
  void put_stamps(std::span<const record::FileStamp> stamps) override;
  std::filesystem::path work_folder() override;

 private:
  Core& core_;
};

class SqlAccounts final : public record::AccountStore {
 public:
  explicit SqlAccounts(Core& core) : core_(core) {}
  std::optional<record::Accounts> read(int64_t known) override;
  void add(const record::Account& account) override;
  void remove(const std::string& name) override;
  void set_password(const std::string& name, const std::string& hash) override;
  void grant(const std::string& name, const record::Grant& grant) override;
  void add_token(const record::Token& token) override;
  void remove_token(const std::string& id) override;
  void mark_used(const std::vector<std::pair<std::string, int64_t>>& used) override;

 private:
  Core& core_;
};

class SqlAudit final : public record::AuditLog {
 public:
  explicit SqlAudit(Core& core) : core_(core) {}
  std::unique_ptr<Scope> begin(record::AuditEntry entry) override;
  std::vector<record::AuditEntry> list(int64_t after_id, int limit) override;
  std::vector<record::AuditEntry> newest(int limit) override;
  record::AuditReport verify(const std::optional<std::pair<int64_t, std::string>>& until) override;

 private:
  Core& core_;
};

class SqlExperiments final : public record::ExperimentStore {
 public:
  explicit SqlExperiments(Core& core) : core_(core) {}
  record::Experiment create(record::Experiment experiment) override;
  std::optional<record::Experiment> find(const std::string& id) override;
  std::optional<record::Experiment> find_by_name(const std::string& name) override;
  void change(const std::string& id, const record::ExperimentChange& change) override;
  void set_tag(const std::string& id, const record::KeyValue& tag) override;
  void remove_tag(const std::string& id, const std::string& key) override;
  record::Page<record::Experiment> search(const record::Query& query) override;
  std::vector<record::DatasetSummary> datasets(std::span<const std::string> experiment_ids, int limit) override;

 private:
  Core& core_;
};

class SqlRunTracker final : public record::RunTracker {
 public:
  explicit SqlRunTracker(Core& core) : core_(core) {}
  record::TrackedRun create(record::TrackedRun run) override;
  std::optional<record::TrackedRun> find(const std::string& id) override;
  record::TrackedRun change(const std::string& id, const record::RunChange& change) override;
  void log(const std::string& id, const record::RunBatch& batch) override;
  void remove_tag(const std::string& id, const std::string& key) override;
  void add_inputs(const std::string& id, const record::RunInputs& inputs) override;
  record::Page<record::TrackedRun> search(const record::Query& query) override;
  record::Page<record::MetricSample> history(const record::HistoryQuery& query) override;

 private:
  Core& core_;
};

class SqlRunOverview final : public record::RunOverview {
 public:
  explicit SqlRunOverview(Core& core) : core_(core) {}
  int64_t count(const record::Query& query) override;
  record::Page<record::RunGroup> groups(const record::Query& query, const record::Grouping& by) override;

 private:
  Core& core_;
};

class SqlFiles final : public record::FileTree {
 public:
  explicit SqlFiles(Core& core) : core_(core) {}
  std::unique_ptr<record::FileWriter> begin(const std::string& path) override;
  std::optional<record::TreeFile> find(const std::string& path) override;
  std::vector<record::TreeEntry> list(const std::string& folder) override;
  int64_t remove(const std::string& path) override;
  std::filesystem::path blob_of(const record::TreeFile& file) override;

 private:
  Core& core_;
};

class SqlModelCatalog final : public record::ModelCatalog {
 public:
  explicit SqlModelCatalog(Core& core) : core_(core) {}
  record::RegisteredModel create(record::RegisteredModel model) override;
  std::optional<record::RegisteredModel> find(const std::string& name) override;
  void change(const std::string& name, const record::RegisteredModelChange& change) override;
  void remove(const std::string& name) override;
  record::Page<record::RegisteredModel> search(const record::Query& query) override;
  void set_tag(const std::string& name, const record::KeyValue& tag) override;
  void remove_tag(const std::string& name, const std::string& key) override;
  void remove_alias(const std::string& name, const std::string& alias) override;

 private:
  Core& core_;
};

class SqlVersionCatalog final : public record::VersionCatalog {
 public:
  explicit SqlVersionCatalog(Core& core) : core_(core) {}
  record::CatalogVersion create(record::CatalogVersion version) override;
  std::optional<record::CatalogVersion> find(const std::string& model, int version) override;
  record::CatalogVersion change(const std::string& model, int version,
                                const record::CatalogVersionChange& change) override;
  void remove(const std::string& model, int version) override;
  record::Page<record::CatalogVersion> search(const record::Query& query) override;
  void set_tag(const std::string& model, int version, const record::KeyValue& tag) override;
  void remove_tag(const std::string& model, int version, const std::string& key) override;

 private:
  Core& core_;
};

class SqlLoggedModels final : public record::LoggedModelStore {
 public:
  explicit SqlLoggedModels(Core& core) : core_(core) {}
  record::LoggedModel create(record::LoggedModel model) override;
  std::optional<record::LoggedModel> find(const std::string& id) override;
  record::LoggedModel set_status(const std::string& id, const std::string& status) override;
  void remove(const std::string& id) override;
  record::LoggedModel set_tags(const std::string& id, std::span<const record::KeyValue> tags) override;
  void remove_tag(const std::string& id, const std::string& key) override;
  void add_params(const std::string& id, std::span<const record::KeyValue> params) override;
  record::Page<record::LoggedModel> search(const record::LoggedModelQuery& query) override;

 private:
  Core& core_;
};

class SqlTraces final : public record::TraceStore {
 public:
  explicit SqlTraces(Core& core) : core_(core) {}
  record::Trace start(const record::Trace& trace, bool complete) override;
  record::Trace end(const std::string& id, int64_t end_ms, const std::string& state,
                    std::span<const record::KeyValue> metadata, std::span<const record::KeyValue> tags) override;
  void add_spans(const std::string& experiment_id, std::span<const record::SpanBatch> batches) override;
  std::optional<record::Trace> find(const std::string& id, bool spans) override;
  record::Page<record::Trace> search(const record::Query& query) override;
  int64_t remove(const record::TraceRemoval& removal) override;
  void change_tag(const std::string& id, const std::string& key, const std::optional<std::string>& value) override;
  void link(const std::string& kind, std::span<const std::string> trace_ids, const std::string& target) override;

 private:
  Core& core_;
};

class SqlAssessments final : public record::AssessmentStore {
 public:
  explicit SqlAssessments(Core& core) : core_(core) {}
  record::Assessment create(record::Assessment assessment) override;
  record::Assessment find(const std::string& trace_id, const std::string& id) override;
  record::Assessment change(const std::string& trace_id, const std::string& id,
                            const record::AssessmentChange& change) override;
  void remove(const std::string& trace_id, const std::string& id) override;

 private:
  Core& core_;
};

class SqlAllTraces final : public record::Traces {
 public:
  explicit SqlAllTraces(Core& core) : traces_(core), assessments_(core) {}
  record::TraceStore& traces() override { return traces_; }
  record::AssessmentStore& assessments() override { return assessments_; }

 private:
  SqlTraces traces_;
  SqlAssessments assessments_;
};

class SqlWebhooks final : public record::WebhookStore {
 public:
  explicit SqlWebhooks(Core& core) : core_(core) {}
  record::Webhook create(record::Webhook webhook) override;
  std::optional<record::Webhook> find(const std::string& id) override;
  record::Webhook replace(const record::Webhook& webhook) override;
  void remove(const std::string& id) override;
  record::Page<record::Webhook> list(int64_t offset, int64_t limit) override;
  int64_t seal_old() override;

 private:
  Core& core_;
};

class SqlUploads final : public record::UploadStore {
 public:
  explicit SqlUploads(Core& core) : core_(core), files_(core) {}
  void begin(const record::Upload& upload) override;
  std::optional<record::Upload> find(const std::string& id) override;
  std::unique_ptr<record::FileWriter> begin_part(const std::string& id, int number) override;
  std::vector<record::UploadPart> parts(const std::string& id) override;
  void complete(const std::string& id, std::span<const record::UploadPart> parts) override;
  void forget(const std::string& id) override;
  int64_t forget_before(int64_t time_ms) override;

 private:
  Core& core_;
  SqlFiles files_;
};

class SqlEvalDatasets final : public record::EvalDatasetStore {
 public:
  explicit SqlEvalDatasets(Core& core) : core_(core) {}
  record::EvalDataset create(record::EvalDataset dataset) override;
  std::optional<record::EvalDataset> find(const std::string& id) override;
  record::EvalDataset change(const std::string& id, const record::EvalDatasetChange& change) override;
  void remove(const std::string& id) override;
  record::Page<record::EvalDataset> search(const record::Query& query) override;
  record::EvalWrite put_records(const std::string& id, std::span<const record::EvalRecord> records,
                                const std::string& updated_by) override;
  record::Page<record::EvalRecord> records(const std::string& id, int64_t offset, int64_t limit) override;
  int64_t remove_records(const std::string& id, std::span<const std::string> record_ids) override;

 private:
  Core& core_;
};

class SqlScorers final : public record::ScorerStore {
 public:
  explicit SqlScorers(Core& core) : core_(core) {}
  record::Scorer add(record::Scorer scorer) override;
  std::optional<record::Scorer> find(const std::string& experiment_id, const std::string& name,
                                     std::optional<int> version) override;
  std::vector<record::Scorer> list(const std::string& experiment_id, const std::string& name) override;
  int64_t remove(const std::string& experiment_id, const std::string& name, std::optional<int> version) override;

 private:
  Core& core_;
};

class SqlServerRecords final : public record::ServerRecords {
 public:
  explicit SqlServerRecords(Core& core) : webhooks_(core), uploads_(core), eval_datasets_(core), scorers_(core) {}
  record::WebhookStore& webhooks() override { return webhooks_; }
  record::UploadStore& uploads() override { return uploads_; }
  record::EvalDatasetStore& eval_datasets() override { return eval_datasets_; }
  record::ScorerStore& scorers() override { return scorers_; }

 private:
  SqlWebhooks webhooks_;
  SqlUploads uploads_;
  SqlEvalDatasets eval_datasets_;
  SqlScorers scorers_;
};

class SqlTracking final : public record::Tracking {
 public:
  explicit SqlTracking(Core& core)
      : experiments_(core),
        runs_(core),
        overview_(core),
        files_(core),
        models_(core),
        versions_(core),
        logged_models_(core),
        traces_(core),
        server_(core) {}
  record::ExperimentStore& experiments() override { return experiments_; }
  record::RunTracker& runs() override { return runs_; }
  record::RunOverview& overview() override { return overview_; }
  record::FileTree& files() override { return files_; }
  record::ModelCatalog& models() override { return models_; }
  record::VersionCatalog& versions() override { return versions_; }
  record::LoggedModelStore& logged_models() override { return logged_models_; }
  record::Traces& traces() override { return traces_; }
  record::ServerRecords& server() override { return server_; }

 private:
  SqlExperiments experiments_;
  SqlRunTracker runs_;
  SqlRunOverview overview_;
  SqlFiles files_;
  SqlModelCatalog models_;
  SqlVersionCatalog versions_;
  SqlLoggedModels logged_models_;
  SqlAllTraces traces_;
  SqlServerRecords server_;
};

// Adds edges inside a transaction; repeats are ignored.
void insert_edges(Database& database, std::span<const record::Edge> edges);
// The version that "models:/NAME@ALIAS" or "models:/NAME/3" means now; throws kNotFound saying what there is.
record::ModelVersion resolve_reference(Database& database, const std::string& reference);

}  // namespace slipway::store
