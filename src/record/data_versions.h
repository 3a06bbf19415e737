// Versions of datasets: folders of files over the store's blobs, with a history, branches and tags. Plain values, and the interfaces to
// them; promises and errors are those of stores.h. Any thread.
//
// A version is a folder artifact of kind "dataset", as `slipway run` makes one too; a commit names it, the commits it came from, and why.
// The id of a commit is given once; when a document is forgotten the commit keeps its id and its folder is another (DataCommits::rewrite).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "record/record.h"

namespace slipway::record {

constexpr const char* kMainDataBranch = "main";

// A file of a folder artifact.
struct FolderFile {
  std::string path;  // relative, "a/b.txt"
  std::string digest;
  uint64_t size = 0;
};

// What becomes part of a version: a file at `path`, or the files of a folder below `path` ("": at the top).
struct DataSource {
  std::string path;
  std::filesystem::path place;
};

struct PutCounts {
  int64_t files = 0;
  int64_t hashed = 0;  // the others had the size, times and inode that they had when they were last read
  uint64_t bytes = 0;
  uint64_t hashed_bytes = 0;
};

struct CheckoutOptions {
  bool force = false;   // replace files that differ and remove those that the version does not have
  bool verify = false;  // hold every blob to its digest
};

struct CheckoutCounts {
  int64_t files = 0;
  int64_t written = 0;
  int64_t removed = 0;
  uint64_t written_bytes = 0;
};

class DataTrees {
 public:
  virtual ~DataTrees() = default;
  // A folder artifact of the sources' files and of `kept`, which are blobs of the store. A file whose stamp (size, times, inode) is known
  // and whose blob is there is not read. Symbolic links and special files are refused (kInvalid); the store itself, `.git` and what a
  // checkout left half-done are passed over.
  virtual Artifact put(std::span<const DataSource> sources, std::span<const FolderFile> kept, const std::string& name, const Json& meta,
                       PutCounts& counts) = 0;
  // By path. Throws kNotFound, kInvalid.
  virtual std::vector<FolderFile> files(const std::string& digest) = 0;
  // Lays the version out at `target`, which may be there: files that are as they should be stay, others are refused before anything is
  // written (kConflict, naming some) unless `force`. A file appears whole; a checkout that was cut off goes on where it was.
  virtual CheckoutCounts checkout(const std::string& digest, const std::filesystem::path& target, const CheckoutOptions& options) = 0;
};

struct DataCommit {
  std::string id;       // 64 hex digits, given by the store
  std::string dataset;
  std::string digest;   // of the folder artifact
  std::vector<std::string> parents;  // the first is what the branch was at
  std::string message;
  std::string author;
  int64_t created_ms = 0;
  Json meta;  // "key": the field that names a row; "files", "bytes"; "run"; "forgotten": what was taken out, and when
};

struct DataRef {
  std::string dataset;
  std::string name;
  bool tag = false;
  std::string id;  // of the commit
  int64_t changed_ms = 0;
};

class DataCommits {
 public:
  virtual ~DataCommits() = default;
  // Adds the commit and moves the branch to it, which is made when it is not there. Throws kConflict when the branch is at another commit
  // than the first parent.
  virtual DataCommit commit(DataCommit commit, const std::string& branch) = 0;
  // A branch, a tag, an id or the beginning of one (4 digits at least), with "~N": N first parents before. Throws kConflict for an
  // ambiguous beginning. `dataset` "": an id of any.
  virtual std::optional<DataCommit> find(const std::string& dataset, const std::string& revision) = 0;
  // Newest first; all of a dataset, or those of every dataset ("").
  virtual std::vector<DataCommit> list(const std::string& dataset, int limit) = 0;
  virtual std::vector<DataRef> refs(const std::string& dataset) = 0;  // by name; "": of all
  // Makes a name for a commit, or moves it there; a tag is moved only by removing it (kConflict).
  virtual void set_ref(const DataRef& ref) = 0;
  virtual void remove_ref(const std::string& dataset, const std::string& name, bool tag) = 0;  // kNotFound
  // Puts the folder `digest` in the place of `old`, in every commit, with `mark` among its "forgotten"; the row of `old` and results of
  // pipeline steps that name it go, so that its blobs are garbage. Returns how many commits there were. One transaction.
  virtual int64_t rewrite(const std::string& old, const std::string& digest, const Json& mark) = 0;
};

class DataVersions {
 public:
  virtual ~DataVersions() = default;
  virtual DataTrees& trees() = 0;
  virtual DataCommits& commits() = 0;
};

}  // namespace slipway::record
