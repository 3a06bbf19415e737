// The requests of the model registry, as messages.h has those of tracking.
#pragma once

#include "api/messages.h"

namespace slipway::api {

constexpr int64_t kMaxModelsPage = 1000;
constexpr int64_t kMaxVersionsPage = 200'000;

struct CreateModel {
  std::string name;
  std::string description;
  std::vector<record::KeyValue> tags;
};
template <>
struct Table<CreateModel> {
  static constexpr bool kNamesRecord = true;
  using M = CreateModel;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::tags>("tags"),
                                         field<&M::description>("description")};
};

struct ModelName {
  std::string name;
};
template <>
struct Table<ModelName> {
  static constexpr bool kNamesRecord = true;
  static constexpr std::array kFields = {field<&ModelName::name>("name", kRequired)};
};

struct UpdateModel {
  std::string name;
  std::string description;
};
template <>
struct Table<UpdateModel> {
  static constexpr bool kNamesRecord = true;
  using M = UpdateModel;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::description>("description")};
};

struct RenameModel {
  std::string name;
  std::string new_name;
};
template <>
struct Table<RenameModel> {
  static constexpr bool kNamesRecord = true;
  using M = RenameModel;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::new_name>("new_name", kRequired)};
};

struct SearchModels {
  std::string filter;
  int64_t max_results = 100;
  std::vector<std::string> order_by;
  std::string page_token;
};
template <>
struct Table<SearchModels> {
  using M = SearchModels;
  static constexpr std::array kFields = {field<&M::filter>("filter"),
                                         field<&M::max_results>("max_results", kPlain, {}, kMaxModelsPage),
                                         field<&M::order_by>("order_by"), field<&M::page_token>("page_token")};
};

struct LatestVersions {
  std::string name;
  std::vector<std::string> stages;
};
template <>
struct Table<LatestVersions> {
  static constexpr bool kNamesRecord = true;
  using M = LatestVersions;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::stages>("stages")};
};

struct ModelTag {
  std::string name;
  std::string key;
  std::string value;
};
template <>
struct Table<ModelTag> {
  static constexpr bool kNamesRecord = true;
  using M = ModelTag;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::key>("key", kRequired),
                                         field<&M::value>("value")};
};

struct ModelAlias {
  std::string name;
  std::string alias;
};
template <>
struct Table<ModelAlias> {
  static constexpr bool kNamesRecord = true;
  using M = ModelAlias;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::alias>("alias", kRequired)};
};

struct SetModelAlias {
  std::string name;
  std::string alias;
  std::string version;
  std::string override_reason;  // Slipway's: an admin moves it against the model's policy
};
template <>
struct Table<SetModelAlias> {
  static constexpr bool kNamesRecord = true;
  using M = SetModelAlias;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::alias>("alias", kRequired),
                                         field<&M::version>("version", kRequired), field<&M::override_reason>("override")};
};

struct CreateVersion {
  std::string name;
  std::string source;
  std::string run_id;
  std::vector<record::KeyValue> tags;
  std::string run_link;
  std::string description;
  std::string model_id;
};
template <>
struct Table<CreateVersion> {
  static constexpr bool kNamesRecord = true;
  using M = CreateVersion;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::source>("source", kRequired),
                                         field<&M::run_id>("run_id"),        field<&M::tags>("tags"),
                                         field<&M::run_link>("run_link"),    field<&M::description>("description"),
                                         field<&M::model_id>("model_id")};
};

struct VersionName {
  std::string name;
  std::string version;
};
template <>
struct Table<VersionName> {
  static constexpr bool kNamesRecord = true;
  using M = VersionName;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::version>("version", kRequired)};
};

struct UpdateVersion {
  std::string name;
  std::string version;
  std::string description;
};
template <>
struct Table<UpdateVersion> {
  static constexpr bool kNamesRecord = true;
  using M = UpdateVersion;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::version>("version", kRequired),
                                         field<&M::description>("description")};
};

struct MoveVersion {
  std::string name;
  std::string version;
  std::string stage;
  bool archive_existing_versions = false;
  std::string override_reason;  // as SetModelAlias has it
};
template <>
struct Table<MoveVersion> {
  static constexpr bool kNamesRecord = true;
  using M = MoveVersion;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::version>("version", kRequired),
                                         field<&M::stage>("stage", kRequired),
                                         field<&M::archive_existing_versions>("archive_existing_versions"),
                                         field<&M::override_reason>("override")};
};

struct SearchVersions {
  std::string filter;
  int64_t max_results = 10'000;
  std::vector<std::string> order_by;
  std::string page_token;
};
template <>
struct Table<SearchVersions> {
  using M = SearchVersions;
  static constexpr std::array kFields = {field<&M::filter>("filter"),
                                         field<&M::max_results>("max_results", kPlain, {}, kMaxVersionsPage),
                                         field<&M::order_by>("order_by"), field<&M::page_token>("page_token")};
};

struct VersionTag {
  std::string name;
  std::string version;
  std::string key;
  std::string value;
};
template <>
struct Table<VersionTag> {
  static constexpr bool kNamesRecord = true;
  using M = VersionTag;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::version>("version", kRequired),
                                         field<&M::key>("key", kRequired), field<&M::value>("value")};
};

}  // namespace slipway::api
