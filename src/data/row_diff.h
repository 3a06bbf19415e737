// What differs between two versions of a dataset, row by row: added, removed, changed, by the key that names a row or, without one, by
// the row's content. Files that both have, under whatever name, are not read. Memory is bounded: rows are compared by 128-bit hashes that
// are sorted on disk (spill.h); only the examples are read a second time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "data/row_hash.h"
#include "record/data_versions.h"

namespace slipway::data {

// A version to read: its files, and where the bytes of one are.
struct VersionFiles {
  std::vector<record::FolderFile> files;
  std::function<std::filesystem::path(const record::FolderFile& file)> place;
};

struct DiffOptions {
  std::vector<std::string> key;  // fields that name a row; none: its content does
  int64_t rows = 20;             // examples of each kind
  uint64_t memory_bytes = uint64_t{256} << 20U;
  std::filesystem::path work;    // an empty folder for sorting
};

struct FileChange {
  std::string path;
  std::string change;  // "added", "removed", "changed", "renamed"
  std::string from;    // of a renamed one
  int64_t before_bytes = 0;
  int64_t after_bytes = 0;
};

struct RowChange {
  std::string change;  // "added", "removed", "changed"
  std::string before_at;  // "FILE:LINE", "" when there is none
  std::string after_at;
  Json before;  // the row; null when there is none, the line as a text when it is no JSON
  Json after;
  std::vector<std::string> fields;  // members that differ
};

struct VersionDiff {
  int64_t before_rows = 0;  // of the files that were read
  int64_t after_rows = 0;
  int64_t added = 0;
  int64_t removed = 0;
  int64_t changed = 0;
  int64_t unchanged = 0;       // in files that were read
  int64_t same_files = 0;      // not read
  int64_t repeated_keys = 0;   // rows whose key another row of the same version has; paired in their order
  int64_t without_key = 0;     // rows without a field of the key, and lines that are no rows: compared by content
  int64_t broken = 0;          // lines that are no JSON objects
  std::map<std::string, int64_t> fields;  // of the examples that changed: how often each differs
  std::vector<FileChange> files;
  std::vector<RowChange> examples;  // removed, changed, added; each in the order of the files
  bool empty() const noexcept { return files.empty(); }
  Json to_json() const;
};

// Files whose names differ or whose digests do, by path.
std::vector<FileChange> changed_files(const std::vector<record::FolderFile>& before, const std::vector<record::FolderFile>& after);

// Throws Error: kInvalid (a row above the limits), kIntegrity, kInterrupted.
VersionDiff diff_versions(const VersionFiles& before, const VersionFiles& after, const DiffOptions& options, base::Context& context);

}  // namespace slipway::data
