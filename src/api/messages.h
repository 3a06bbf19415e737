// The requests of the tracking API, one table each: the names, types and demands of MLflow's protocol. Order matters:
// the first field that is wrong is the one that is told.
#pragma once

#include "api/message.h"

namespace slipway::api {

constexpr int64_t kMaxPage = 50'000;      // runs or experiments a page
constexpr int64_t kMaxSamples = 2'500;    // points of one run in get-history-bulk-interval
constexpr int64_t kMaxSampledRuns = 100;  // runs of one such request

template <>
struct Table<record::KeyValue> {
  using M = record::KeyValue;
  static constexpr std::array kFields = {field<&M::key>("key", kRequired), field<&M::value>("value")};
};

struct CreateExperiment {
  std::string name;
  std::string artifact_location;
  std::vector<record::KeyValue> tags;
};
template <>
struct Table<CreateExperiment> {
  static constexpr bool kNamesRecord = true;
  using M = CreateExperiment;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired),
                                         field<&M::artifact_location>("artifact_location"), field<&M::tags>("tags")};
};

struct ExperimentId {
  std::string experiment_id;
};
template <>
struct Table<ExperimentId> {
  static constexpr std::array kFields = {field<&ExperimentId::experiment_id>("experiment_id", kRequired)};
};

struct ExperimentName {
  std::string experiment_name;
};
template <>
struct Table<ExperimentName> {
  static constexpr std::array kFields = {field<&ExperimentName::experiment_name>("experiment_name", kRequired)};
};

struct UpdateExperiment {
  std::string experiment_id;
  std::string new_name;
};
template <>
struct Table<UpdateExperiment> {
  using M = UpdateExperiment;
  static constexpr std::array kFields = {field<&M::experiment_id>("experiment_id", kRequired),
                                         field<&M::new_name>("new_name", kRequired)};
};

struct SetExperimentTag {
  std::string experiment_id;
  std::string key;
  std::string value;
};
template <>
struct Table<SetExperimentTag> {
  using M = SetExperimentTag;
  static constexpr std::array kFields = {field<&M::experiment_id>("experiment_id", kRequired),
                                         field<&M::key>("key", kRequired), field<&M::value>("value")};
};

struct SearchExperiments {
  record::Lifecycle view_type = record::Lifecycle::kActive;
  int64_t max_results = 1000;
  std::vector<std::string> order_by;
  std::string filter;
  std::string page_token;
};
template <>
struct Table<SearchExperiments> {
  using M = SearchExperiments;
  static constexpr std::array kFields = {field<&M::view_type>("view_type"), field<&M::max_results>("max_results"),
                                         field<&M::order_by>("order_by"), field<&M::filter>("filter"),
                                         field<&M::page_token>("page_token")};
};

struct SearchDatasets {
  std::vector<std::string> experiment_ids;
};
template <>
struct Table<SearchDatasets> {
  static constexpr std::array kFields = {field<&SearchDatasets::experiment_ids>("experiment_ids")};
};

struct CreateRun {
  std::string experiment_id;
  int64_t start_time = 0;
  std::string run_name;
  std::string user_id;
  std::vector<record::KeyValue> tags;
};
template <>
struct Table<CreateRun> {
  using M = CreateRun;
  static constexpr std::array kFields = {field<&M::experiment_id>("experiment_id"), field<&M::start_time>("start_time"),
                                         field<&M::run_name>("run_name"), field<&M::user_id>("user_id"),
                                         field<&M::tags>("tags")};
};

struct UpdateRun {
  std::string run_id;
  std::optional<int64_t> end_time;
  std::optional<record::RunStatus> status;
  std::optional<std::string> run_name;
};
template <>
struct Table<UpdateRun> {
  using M = UpdateRun;
  static constexpr std::array kFields = {field<&M::run_id>("run_id", kRequired, "run_uuid"),
                                         field<&M::end_time>("end_time"), field<&M::status>("status"),
                                         field<&M::run_name>("run_name")};
};

struct RunId {
  std::string run_id;
};
template <>
struct Table<RunId> {
  static constexpr std::array kFields = {field<&RunId::run_id>("run_id", kRequired, "run_uuid")};
};

struct LogMetric {
  std::string run_id;
  std::string key;
  double value = 0;
  int64_t timestamp = 0;
  int64_t step = 0;
  std::string model_id;
  std::string dataset_name;
  std::string dataset_digest;
};
template <>
struct Table<LogMetric> {
  using M = LogMetric;
  static constexpr std::array kFields = {field<&M::run_id>("run_id", kRequired, "run_uuid"),
                                         field<&M::key>("key", kRequired),
                                         field<&M::value>("value", kRequired),
                                         field<&M::timestamp>("timestamp", kRequired),
                                         field<&M::step>("step"),
                                         field<&M::model_id>("model_id"),
                                         field<&M::dataset_name>("dataset_name"),
                                         field<&M::dataset_digest>("dataset_digest")};
};

struct RunKeyValue {  // log-parameter, set-tag
  std::string run_id;
  std::string key;
  std::string value;
};
template <>
struct Table<RunKeyValue> {
  using M = RunKeyValue;
  static constexpr std::array kFields = {field<&M::run_id>("run_id", kRequired, "run_uuid"),
                                         field<&M::key>("key", kRequired), field<&M::value>("value")};
};

struct RunKey {  // delete-tag
  std::string run_id;
  std::string key;
};
template <>
struct Table<RunKey> {
  using M = RunKey;
  static constexpr std::array kFields = {field<&M::run_id>("run_id", kRequired, "run_uuid"),
                                         field<&M::key>("key", kRequired)};
};

struct BatchMetric {
  std::string key;
  double value = 0;
  int64_t step = 0;
  int64_t time_ms = 0;
  std::string model_id = {};  // of a logged model, "" of none
  std::string dataset_name = {};
  std::string dataset_digest = {};
};
template <>
struct Table<BatchMetric> {
  using M = BatchMetric;
  static constexpr std::array kFields = {field<&M::key>("key", kRequired),
                                         field<&M::value>("value", kRequired),
                                         field<&M::time_ms>("timestamp", kRequired),
                                         field<&M::step>("step"),
                                         field<&M::model_id>("model_id"),
                                         field<&M::dataset_name>("dataset_name"),
                                         field<&M::dataset_digest>("dataset_digest")};
};

struct LogBatch {
  std::string run_id;
  std::vector<BatchMetric> metrics;
  std::vector<record::KeyValue> params;
  std::vector<record::KeyValue> tags;
};
template <>
struct Table<LogBatch> {
  using M = LogBatch;
  static constexpr std::array kFields = {field<&M::run_id>("run_id", kRequired, "run_uuid"),
                                         field<&M::metrics>("metrics"), field<&M::params>("params"),
                                         field<&M::tags>("tags")};
};

template <>
struct Table<record::TrackedDataset> {
  using M = record::TrackedDataset;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired),
                                         field<&M::digest>("digest", kRequired),
                                         field<&M::source_type>("source_type", kRequired),
                                         field<&M::source>("source", kRequired),
                                         field<&M::schema>("schema"),
                                         field<&M::profile>("profile")};
};
template <>
struct Table<record::DatasetUse> {
  using M = record::DatasetUse;
  static constexpr std::array kFields = {field<&M::tags>("tags"), field<&M::dataset>("dataset", kRequired)};
};
template <>
struct Table<record::ModelUse> {
  using M = record::ModelUse;
  static constexpr std::array kFields = {field<&M::model_id>("model_id", kRequired), field<&M::step>("step")};
};

struct LogInputs {
  std::string run_id;
  std::vector<record::DatasetUse> datasets;
  std::vector<record::ModelUse> models;
};
template <>
struct Table<LogInputs> {
  using M = LogInputs;
  static constexpr std::array kFields = {field<&M::run_id>("run_id", kRequired), field<&M::datasets>("datasets"),
                                         field<&M::models>("models")};
};

struct LogOutputs {
  std::string run_id;
  std::vector<record::ModelUse> models;
};
template <>
struct Table<LogOutputs> {
  using M = LogOutputs;
  static constexpr std::array kFields = {field<&M::run_id>("run_id", kRequired),
                                         field<&M::models>("models", kRequired)};
};

struct SearchRuns {
  std::vector<std::string> experiment_ids;
  std::string filter;
  record::Lifecycle run_view_type = record::Lifecycle::kActive;
  int64_t max_results = 1000;
  std::vector<std::string> order_by;
  std::string page_token;
};
template <>
struct Table<SearchRuns> {
  using M = SearchRuns;
  static constexpr std::array kFields = {field<&M::experiment_ids>("experiment_ids"),
                                         field<&M::filter>("filter"),
                                         field<&M::max_results>("max_results", kPlain, {}, kMaxPage),
                                         field<&M::order_by>("order_by"),
                                         field<&M::run_view_type>("run_view_type"),
                                         field<&M::page_token>("page_token")};
};

struct ListArtifacts {
  std::string run_id;
  std::string path;
  std::string page_token;
};
template <>
struct Table<ListArtifacts> {
  using M = ListArtifacts;
  static constexpr std::array kFields = {field<&M::run_id>("run_id", kRequired, "run_uuid"), field<&M::path>("path"),
                                         field<&M::page_token>("page_token")};
};

struct GetHistory {
  std::string run_id;
  std::string metric_key;
  std::string page_token;
  std::optional<int64_t> max_results;
};
template <>
struct Table<GetHistory> {
  using M = GetHistory;
  static constexpr std::array kFields = {field<&M::run_id>("run_id", kRequired, "run_uuid"),
                                         field<&M::metric_key>("metric_key", kRequired),
                                         field<&M::page_token>("page_token"), field<&M::max_results>("max_results")};
};

struct BulkHistory {
  std::vector<std::string> run_id;
  std::optional<std::string> metric_key;
  int64_t max_results = 25'000;
};
template <>
struct Table<BulkHistory> {
  using M = BulkHistory;
  static constexpr std::array kFields = {field<&M::run_id>("run_id"), field<&M::metric_key>("metric_key"),
                                         field<&M::max_results>("max_results")};
};

struct IntervalHistory {
  std::vector<std::string> run_ids;
  std::string metric_key;
  std::optional<int64_t> start_step;
  std::optional<int64_t> end_step;
  int64_t max_results = kMaxSamples;
};
template <>
struct Table<IntervalHistory> {
  using M = IntervalHistory;
  static constexpr std::array kFields = {
      field<&M::run_ids>("run_ids", kRequired | kNotEmptyList), field<&M::metric_key>("metric_key", kRequired),
      field<&M::start_step>("start_step"), field<&M::end_step>("end_step"), field<&M::max_results>("max_results")};
};

}  // namespace slipway::api
