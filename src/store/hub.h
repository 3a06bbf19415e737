// The interfaces of record/hub.h over the tables of a Core, which outlives them. Any thread.
#pragma once

#include "record/hub.h"
#include "store/core.h"

namespace slipway::store {

class SqlHubRepos final : public record::HubRepos {
 public:
  explicit SqlHubRepos(Core& core) : core_(core) {}
  record::HubRepo create(const record::HubRepo& repo) override;
  std::optional<record::HubRepo> find(const std::string& type, const std::string& name) override;
  void change(int64_t repo, const record::HubRepoChange& change) override;
  void remove(int64_t repo) override;
  record::Page<record::HubRepo> search(const record::HubSearch& search) override;

 private:
  Core& core_;
};

class SqlHubRevisions final : public record::HubRevisions {
 public:
  explicit SqlHubRevisions(Core& core) : core_(core) {}
  std::optional<record::HubCommit> find(int64_t repo, const std::string& revision) override;
  std::unique_ptr<record::HubDraft> begin_commit(int64_t repo) override;
  record::Page<record::HubCommit> history(int64_t repo, const std::string& commit, int64_t offset, int limit) override;
  std::vector<record::HubRef> refs(int64_t repo) override;
  void add_ref(int64_t repo, const record::HubRef& ref) override;
  void remove_ref(int64_t repo, const std::string& name, bool tag) override;

 private:
  Core& core_;
};

class SqlHubFiles final : public record::HubFiles {
 public:
  explicit SqlHubFiles(Core& core) : core_(core) {}
  std::optional<record::HubFile> find(int64_t repo, const std::string& commit, const std::string& path) override;
  record::HubPage list(int64_t repo, const std::string& commit, const record::HubListing& listing) override;
  std::unique_ptr<record::FileWriter> begin_upload(bool part) override;
  std::optional<uint64_t> find_upload(const std::string& digest) override;
  std::optional<uint64_t> content_of(int64_t repo, const std::string& digest) override;
  std::filesystem::path blob_of(const std::string& digest) override;
  void name_upload(const std::string& name, const std::string& digest) override;
  std::optional<std::string> find_named(const std::string& name) override;

 private:
  Core& core_;
};

class SqlHub final : public record::Hub {
 public:
  explicit SqlHub(Core& core) : repos_(core), revisions_(core), files_(core) {}
  record::HubRepos& repos() override { return repos_; }
  record::HubRevisions& revisions() override { return revisions_; }
  record::HubFiles& files() override { return files_; }

 private:
  SqlHubRepos repos_;
  SqlHubRevisions revisions_;
  SqlHubFiles files_;
};

// The size of a blob that the hub's tables name; inside a transaction or on a reader's connection.
std::optional<uint64_t> hub_blob_size(Database& database, const std::string& digest);
// The tags of a card in the place of those that are there.
void put_hub_tags(Database& database, int64_t repo, const record::Json& card);
// A commit's id: of all that it is and where it is.
std::string hub_commit_id(int64_t repo, int64_t line, int64_t depth, std::string_view parent, std::string_view text,
                          int64_t created_ms);

}  // namespace slipway::store
