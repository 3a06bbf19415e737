// Registered models and their versions, as people keep them: descriptions, stages, tags. The same versions and aliases as
// record.h's ModelVersion and Alias, which a pipeline writes. Plain values, and the interfaces to them; promises and errors
// are those of tracking_stores.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "record/tracking.h"

namespace slipway::record {

constexpr const char* kNoStage = "None";

struct RegisteredModel {
  std::string name;
  std::string description;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::vector<KeyValue> tags;                         // by key
  std::vector<std::pair<std::string, int>> aliases;  // alias, version; by alias
};

struct RegisteredModelChange {
  std::optional<std::string> name;  // a version's lineage and predictions follow
  std::optional<std::string> description;
};

struct CatalogVersion {
  std::string model;
  int version = 0;  // given by the store
  std::string source;
  std::string run_id;
  std::string run_link;
  std::string model_id;
  std::string description;
  std::string stage = kNoStage;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::vector<KeyValue> tags;        // by key
  std::vector<std::string> aliases;  // that point here
  std::string author;                // record.h's
};

struct CatalogVersionChange {
  std::optional<std::string> description;
  std::optional<std::string> stage;
  bool archive_others = false;  // other versions in that stage become "Archived"
  std::string override_reason;  // not empty: kProduction whatever the model's policy says, an admin's; else PolicyRefusal
};

class ModelCatalog {
 public:
  virtual ~ModelCatalog() = default;
  virtual RegisteredModel create(RegisteredModel model) = 0;
  virtual std::optional<RegisteredModel> find(const std::string& name) = 0;
  virtual void change(const std::string& name, const RegisteredModelChange& change) = 0;
  // With its versions and aliases; artifacts, runs and the history of aliases stay.
  virtual void remove(const std::string& name) = 0;
  // Attributes: name, creation_timestamp, last_updated_timestamp; then always by name. A tag that a model lacks differs from
  // every value.
  virtual Page<RegisteredModel> search(const Query& query) = 0;
  virtual void set_tag(const std::string& name, const KeyValue& tag) = 0;
  virtual void remove_tag(const std::string& name, const std::string& key) = 0;  // one that is not there: nothing
  virtual void remove_alias(const std::string& name, const std::string& alias) = 0;
};

class VersionCatalog {
 public:
  virtual ~VersionCatalog() = default;
  virtual CatalogVersion create(CatalogVersion version) = 0;
  virtual std::optional<CatalogVersion> find(const std::string& model, int version) = 0;
  virtual CatalogVersion change(const std::string& model, int version, const CatalogVersionChange& change) = 0;
  virtual void remove(const std::string& model, int version) = 0;
  // Attributes: name, version_number, run_id, source_path, stage, creation_timestamp, last_updated_timestamp; then by name,
  // the highest version first. A tag that a version lacks differs from every value.
  virtual Page<CatalogVersion> search(const Query& query) = 0;
  virtual void set_tag(const std::string& model, int version, const KeyValue& tag) = 0;
  virtual void remove_tag(const std::string& model, int version, const std::string& key) = 0;
};

}  // namespace slipway::record
