// Versions of datasets as commands name them: NAME, NAME@REVISION, the beginning of an id, a digest, or files on the disk.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/app.h"
#include "data/row_diff.h"

namespace slipway::cli {

// What a command was given, found.
struct NamedVersion {
  std::string text;                          // as it was written
  std::optional<record::DataCommit> commit;  // none: a digest, or a path
  std::string branch;                        // that the text named
  std::string digest;                        // of the folder artifact; "" for a path
  data::VersionFiles files;                  // borrows the App's store
  // "reviews 3f2a1c…", the digest, or the path.
  std::string shown() const;
};

// "NAME[@REVISION]" into two; the revision is "main" when there is none, or "main~N" of "NAME~N".
struct VersionText {
  std::string dataset;
  std::string revision;
};
VersionText split_version(const std::string& text);

// Throws Error(kNotFound) saying what there is. `disk`: a path will do, its files are hashed.
NamedVersion find_version(App& app, const std::string& text, bool disk = false);
// The same, where files on the disk need no digests: they are not read. A path comes before a name.
data::VersionFiles table_files(App& app, const std::string& text);
inline constexpr const char* kTableHelp = "a file or folder of .jsonl, .csv, .tsv, .txt (also .gz, .zst), .parquet, or a dataset's version";
record::DataCommit find_commit(App& app, const std::string& text);

// The fields of --key, or else those that the commit was made with.
std::vector<std::string> key_of(const std::vector<std::string>& flag, const std::optional<record::DataCommit>& commit);

// Commits the artifact on the branch, after what it is at; nullopt: the branch has it already. Somebody else's commit in between is
// another parent's: kConflict.
std::optional<record::DataCommit> commit_version(record::Store& store, record::DataCommit commit, const std::string& branch);

base::Json to_json(const record::DataCommit& commit);
inline std::string short_id(const std::string& id) { return id.substr(0, 12); }

// A folder of this process in the store's work folder, for sorting; gone with this, and those of processes that died go too.
class WorkFolder {
 public:
  explicit WorkFolder(record::Store& store);
  ~WorkFolder();
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace slipway::cli
