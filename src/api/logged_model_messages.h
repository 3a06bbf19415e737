// The requests of logged models, as messages.h has those of runs.
#pragma once

#include "api/messages.h"
#include "record/logged_models.h"

namespace slipway::api {

struct CreateLoggedModel {
  std::string experiment_id;
  std::string name;
  std::string model_type;
  std::string source_run_id;
  std::vector<record::KeyValue> params;
  std::vector<record::KeyValue> tags;
};
template <>
struct Table<CreateLoggedModel> {
  using M = CreateLoggedModel;
  static constexpr std::array kFields = {field<&M::experiment_id>("experiment_id", kRequired),
                                         field<&M::name>("name"),
                                         field<&M::model_type>("model_type"),
                                         field<&M::source_run_id>("source_run_id"),
                                         field<&M::params>("params"),
                                         field<&M::tags>("tags")};
};

struct LoggedModelId {
  std::string model_id;
  bool allow_deleted = false;
};
template <>
struct Table<LoggedModelId> {
  using M = LoggedModelId;
  static constexpr std::array kFields = {field<&M::model_id>("model_id", kRequired),
                                         field<&M::allow_deleted>("allow_deleted")};
};

struct FinalizeLoggedModel {
  std::string model_id;
  Json status;  // by name or number
};
template <>
struct Table<FinalizeLoggedModel> {
  using M = FinalizeLoggedModel;
  static constexpr std::array kFields = {field<&M::model_id>("model_id", kRequired),
                                         field<&M::status>("status", kRequired)};
};

struct LoggedModelTags {
  std::string model_id;
  std::vector<record::KeyValue> tags;
};
template <>
struct Table<LoggedModelTags> {
  using M = LoggedModelTags;
  static constexpr std::array kFields = {field<&M::model_id>("model_id", kRequired), field<&M::tags>("tags")};
};

struct LoggedModelTagKey {
  std::string model_id;
  std::string tag_key;
};
template <>
struct Table<LoggedModelTagKey> {
  using M = LoggedModelTagKey;
  static constexpr std::array kFields = {field<&M::model_id>("model_id", kRequired),
                                         field<&M::tag_key>("tag_key", kRequired)};
};

struct LoggedModelParams {
  std::string model_id;
  std::vector<record::KeyValue> params;
};
template <>
struct Table<LoggedModelParams> {
  using M = LoggedModelParams;
  static constexpr std::array kFields = {field<&M::model_id>("model_id", kRequired), field<&M::params>("params")};
};

template <>
struct Table<record::DatasetName> {
  using M = record::DatasetName;
  static constexpr std::array kFields = {field<&M::name>("dataset_name"), field<&M::digest>("dataset_digest")};
};

struct LoggedModelOrder {
  std::string field_name;
  bool ascending = true;
  std::string dataset_name;
  std::string dataset_digest;
};
template <>
struct Table<LoggedModelOrder> {
  using M = LoggedModelOrder;
  static constexpr std::array kFields = {field<&M::field_name>("field_name"), field<&M::ascending>("ascending"),
                                         field<&M::dataset_name>("dataset_name"),
                                         field<&M::dataset_digest>("dataset_digest")};
};

struct SearchLoggedModels {
  std::vector<std::string> experiment_ids;
  std::string filter;
  std::vector<record::DatasetName> datasets;
  int64_t max_results = 0;
  std::vector<LoggedModelOrder> order_by;
  std::string page_token;
};
template <>
struct Table<SearchLoggedModels> {
  using M = SearchLoggedModels;
  static constexpr std::array kFields = {field<&M::experiment_ids>("experiment_ids", kRequired | kNotEmptyList),
                                         field<&M::filter>("filter"),
                                         field<&M::datasets>("datasets"),
                                         field<&M::max_results>("max_results"),
                                         field<&M::order_by>("order_by"),
                                         field<&M::page_token>("page_token")};
};

struct ListLoggedModelArtifacts {
  std::string model_id;
  std::string artifact_directory_path;
};
template <>
struct Table<ListLoggedModelArtifacts> {
  using M = ListLoggedModelArtifacts;
  static constexpr std::array kFields = {field<&M::model_id>("model_id", kRequired),
                                         field<&M::artifact_directory_path>("artifact_directory_path")};
};

struct RecordModel {
  std::string run_id;
  std::string model_json;
};
template <>
struct Table<RecordModel> {
  using M = RecordModel;
  static constexpr std::array kFields = {field<&M::run_id>("run_id", kRequired),
                                         field<&M::model_json>("model_json", kRequired)};
};

}  // namespace slipway::api
