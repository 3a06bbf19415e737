// The interfaces of record/data_versions.h over the tables of a Core, which outlives them. Any thread.
#pragma once

#include "record/data_versions.h"
#include "store/tables.h"

namespace slipway::store {

class SqlDataTrees final : public record::DataTrees {
 public:
  explicit SqlDataTrees(Core& core) : core_(core), stamps_(core) {}
  record::Artifact put(std::span<const record::DataSource> sources, std::span<const record::FolderFile> kept, const std::string& name,
                       const record::Json& meta, record::PutCounts& counts) override;
  std::vector<record::FolderFile> files(const std::string& digest) override;
  record::CheckoutCounts checkout(const std::string& digest, const std::filesystem::path& target,
                                  const record::CheckoutOptions& options) override;

 private:
  Core& core_;
  SqlSteps stamps_;
};

class SqlDataCommits final : public record::DataCommits {
 public:
  explicit SqlDataCommits(Core& core) : core_(core) {}
  record::DataCommit commit(record::DataCommit commit, const std::string& branch) override;
  std::optional<record::DataCommit> find(const std::string& dataset, const std::string& revision) override;
  std::vector<record::DataCommit> list(const std::string& dataset, int limit) override;
  std::vector<record::DataRef> refs(const std::string& dataset) override;
  void set_ref(const record::DataRef& ref) override;
  void remove_ref(const std::string& dataset, const std::string& name, bool tag) override;
  int64_t rewrite(const std::string& old, const std::string& digest, const record::Json& mark) override;

 private:
  Core& core_;
};

class SqlDataVersions final : public record::DataVersions {
 public:
  explicit SqlDataVersions(Core& core) : trees_(core), commits_(core) {}
  record::DataTrees& trees() override { return trees_; }
  record::DataCommits& commits() override { return commits_; }

 private:
  SqlDataTrees trees_;
  SqlDataCommits commits_;
};

// What a file was when it was looked at, to tell whether it changed since: FileStamp without a digest.
record::FileStamp stamp_of(const std::filesystem::path& file);
// Whether a stamp taken now can be trusted later: a change within one tick of the file system's clock would not be seen.
bool is_settled(const record::FileStamp& stamp) noexcept;

// The row of a blob, made unless it is there. `size`: of a folder, its files.
record::Artifact keep_artifact(Core& core, const Blob& blob, bool folder, uint64_t size, const std::string& kind, const std::string& name,
                               const record::Json& meta);

}  // namespace slipway::store
