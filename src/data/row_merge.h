// Two versions of a dataset made one, three-way and row by row: what one side did to a row since the base is done to the other's, and a row
// to which both did different things is a conflict. A row is named by its key, or without one by its content (then there are no
// conflicts). Files without rows are merged as wholes. Bounded memory: as row_diff.h.
//
// The outcome has the files of `ours` in their order; rows that `theirs` changed are replaced in place, those it added come at the end of
// the file of the same name (a new file where ours has none).
#pragma once

#include <string>
#include <vector>

#include "data/row_diff.h"

namespace slipway::data {

enum class Prefer { kNeither, kOurs, kTheirs };

struct MergeOptions {
  std::vector<std::string> key;
  Prefer prefer = Prefer::kNeither;  // who wins a conflict
  int64_t conflicts = 20;            // told in full
  uint64_t memory_bytes = uint64_t{256} << 20U;
  std::filesystem::path work;        // an empty folder: for sorting, and for the files that are written
};

struct MergeConflict {
  std::string what;  // "row" or "file"
  std::string base_at, ours_at, theirs_at;  // "FILE:LINE" or a path; "" where it is not
  Json base, ours, theirs;                  // the rows; null where it is not
};

struct VersionMerge {
  int64_t added = 0;    // rows of theirs that came to ours
  int64_t removed = 0;
  int64_t changed = 0;
  int64_t files = 0;    // files without rows that came, went or changed
  int64_t conflicts = 0;
  std::vector<MergeConflict> told;
  // The outcome, when there is no conflict or somebody is preferred: files as they are, and new ones.
  std::vector<record::FolderFile> kept;
  std::vector<record::DataSource> written;
  Json to_json() const;
};

// Throws Error: kInvalid (a row of theirs has a column that ours' file lacks; limits), kIntegrity, kInterrupted.
VersionMerge merge_versions(const VersionFiles& base, const VersionFiles& ours, const VersionFiles& theirs, const MergeOptions& options,
                            base::Context& context);

}  // namespace slipway::data
