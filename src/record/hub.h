// Repositories of models and datasets as the Hugging Face Hub knows them: files over the store's blobs, commits, branches
// and tags. Plain values, and the interfaces to them; promises and errors are those of stores.h. Any thread.
//
// A repository is born with one empty commit on the branch "main". A revision is the name of a branch or tag (one name
// space) or the 40 hex digits of a commit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "record/record.h"
#include "record/tracking.h"

namespace slipway::record {

class FileWriter;  // tracking_stores.h

constexpr const char* kMainBranch = "main";

// What is not there: clients tell these apart.
class HubMissing : public base::Error {
 public:
  enum class What { kRepo, kRevision, kEntry };
  HubMissing(What what, const std::string& message) : Error(base::Code::kNotFound, message), missing(what) {}
  const What missing;
};

// The branch's head is not the commit that was expected.
class HubStale : public base::Error {
 public:
  explicit HubStale(const std::string& message) : Error(base::Code::kConflict, message) {}
};

struct HubRepo {
  int64_t number = 0;  // given by the store; stays when the repository moves
  std::string type;    // "model" or "dataset"
  std::string name;    // "namespace/name"
  bool hidden = false;  // "private": kept and told, nothing more while there are no accounts
  // Of the README.md on main: {"tags": [...], "data": its metadata}; null without one.
  Json card;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
};

struct HubRepoChange {
  std::optional<std::string> name;
  std::optional<bool> hidden;
};

struct HubSearch {
  std::string type = {};
  std::string text = {};  // within the name, without regard to ASCII case; "" all
  std::string author = {};  // namespace; "" all
  std::vector<std::string> tags = {};  // all of them in the card
  bool by_update = false;         // newest first; else by name
  int limit = 100;
  int64_t offset = 0;
};

struct HubCommit {
  std::string id;      // 40 hex digits
  std::string title;   // first line
  std::string message;
  int64_t created_ms = 0;
};

struct HubFile {
  std::string path;
  std::string digest;  // of the blob
  uint64_t size = 0;
  std::string oid;     // as git names it: of the content, or of the pointer when it is `lfs`
  bool lfs = false;
  HubCommit commit;    // the last that wrote it; empty when it was not asked for
};

// A file, or a folder with files somewhere below it.
struct HubEntry {
  bool folder = false;
  HubFile file;  // of a folder only `path` and `commit`
};

// The text that stands for a large file in git (git-lfs, docs/spec.md): its id as git names it is the file's.
inline std::string lfs_pointer(const std::string& digest, uint64_t size) {
  return "version https://git-lfs.github.com/spec/v1\noid " + digest + "\nsize " + std::to_string(size) + "\n";
}

struct HubListing {
  std::string folder;  // "" is the root
  bool recursive = false;
  bool commits = false;  // the last commit of each
  int limit = 1000;
  std::string from;  // the place that a page before gave
};

struct HubPage {
  std::vector<HubEntry> entries;
  std::string next;  // place of the next page; "" when there is none
};

struct HubRef {
  std::string name;
  bool tag = false;
  std::string commit;
  std::string message;
};

struct HubCommitText {
  std::string title;
  std::string message;
  std::string parent;        // the branch must be at this commit (HubStale); "" wherever it is
  std::optional<Json> card;  // of the README.md that is among the changes
};

// A commit being put together: files become blobs at once, rows when it is committed, all of them or none. While it lives
// garbage collection waits. One thread at a time.
class HubDraft {
 public:
  virtual ~HubDraft() = default;
  // Paths are as store's listings have them (kInvalid).
  virtual void put(const std::string& path, std::string_view bytes) = 0;
  // A blob that was uploaded, or is a file of some repository; throws kInvalid when the store has none, or one of another
  // size. `size` nullopt: whatever it has.
  virtual void put_lfs(const std::string& path, const std::string& digest, std::optional<uint64_t> size) = 0;
  virtual void remove(const std::string& path) = 0;
  virtual void remove_folder(const std::string& path) = 0;
  // Durable on return. Throws HubMissing for a branch or a removed path that is not there, HubStale, kInvalid when a path
  // would be a file and a folder.
  virtual HubCommit commit(const std::string& branch, const HubCommitText& text) = 0;
};

class HubRepos {
 public:
  virtual ~HubRepos() = default;
  virtual HubRepo create(const HubRepo& repo) = 0;
  virtual std::optional<HubRepo> find(const std::string& type, const std::string& name) = 0;
  virtual void change(int64_t repo, const HubRepoChange& change) = 0;
  // With all its commits; blobs go when garbage is collected.
  virtual void remove(int64_t repo) = 0;
  virtual Page<HubRepo> search(const HubSearch& search) = 0;
};

class HubRevisions {
 public:
  virtual ~HubRevisions() = default;
  virtual std::optional<HubCommit> find(int64_t repo, const std::string& revision) = 0;
  virtual std::unique_ptr<HubDraft> begin_commit(int64_t repo) = 0;
  // From `commit` back, newest first. O(offset + limit).
  virtual Page<HubCommit> history(int64_t repo, const std::string& commit, int64_t offset, int limit) = 0;
  virtual std::vector<HubRef> refs(int64_t repo) = 0;  // by name
  // A name that is taken throws kConflict; `ref.commit` is any revision (HubMissing).
  virtual void add_ref(int64_t repo, const HubRef& ref) = 0;
  virtual void remove_ref(int64_t repo, const std::string& name, bool tag) = 0;  // HubMissing
};

class HubFiles {
 public:
  virtual ~HubFiles() = default;
  virtual std::optional<HubFile> find(int64_t repo, const std::string& commit, const std::string& path) = 0;
  virtual HubPage list(int64_t repo, const std::string& commit, const HubListing& listing) = 0;
  // A blob on its way in; its TreeFile has no path. It is kept for two weeks at least, and for as long as a file is it. `part`: files
  // will be made of it, it is none itself.
  virtual std::unique_ptr<FileWriter> begin_upload(bool part) = 0;
  // The size of a blob that was uploaded or is a file; it is kept as if it were uploaded now.
  virtual std::optional<uint64_t> find_upload(const std::string& digest) = 0;
  // The size of a large file (`lfs`) with that content somewhere in the repository's history; nullopt: it has none.
  virtual std::optional<uint64_t> content_of(int64_t repo, const std::string& digest) = 0;
  // Where its content lies: read it, never write it. Throws kNotFound, kInvalid.
  virtual std::filesystem::path blob_of(const std::string& digest) = 0;
  // Another name of an uploaded blob, for as long as it is kept: what a client calls a block of chunks. The first stays.
  virtual void name_upload(const std::string& name, const std::string& digest) = 0;
  virtual std::optional<std::string> find_named(const std::string& name) = 0;  // its digest
};

class Hub {
 public:
  virtual ~Hub() = default;
  virtual HubRepos& repos() = 0;
  virtual HubRevisions& revisions() = 0;
  virtual HubFiles& files() = 0;
};

}  // namespace slipway::record
