#include "store/roots.h"

#include <array>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::store {
namespace {

constexpr std::array kBlobColumns = {
    BlobColumn{"artifacts", "digest", "folder"},
    BlobColumn{"files", "digest", nullptr},
    BlobColumn{"hub_files", "digest", nullptr},
    BlobColumn{"hub_uploads", "digest", nullptr},
    BlobColumn{"upload_parts", "digest", nullptr},
    BlobColumn{"data_commits", "digest", nullptr},  // whose row among the artifacts names the files
};

constexpr std::array kOwnedRows = {
    OwnedRows{"params", "run", "runs"},
    OwnedRows{"metrics", "run", "runs"},
    OwnedRows{"metric_blocks", "run", "runs"},
    OwnedRows{"latest_metrics", "run", "runs"},
    OwnedRows{"run_tags", "run", "runs"},
    OwnedRows{"run_datasets", "run", "runs"},
    OwnedRows{"run_models", "run", "runs"},
    OwnedRows{"runs", "experiment", "experiments"},
    OwnedRows{"experiment_tags", "experiment", "experiments"},
    OwnedRows{"datasets", "experiment", "experiments"},
    OwnedRows{"logged_models", "experiment", "experiments"},
    OwnedRows{"logged_model_params", "model", "logged_models"},
    OwnedRows{"logged_model_tags", "model", "logged_models"},
    OwnedRows{"logged_model_metrics", "model", "logged_models"},
    OwnedRows{"traces", "experiment", "experiments"},
    OwnedRows{"trace_tags", "trace", "traces"},
    OwnedRows{"trace_metadata", "trace", "traces"},
    OwnedRows{"trace_links", "trace", "traces"},
    OwnedRows{"spans", "trace", "traces"},
    OwnedRows{"assessments", "trace", "traces"},
    OwnedRows{"eval_dataset_experiments", "experiment", "experiments"},
    OwnedRows{"scorers", "experiment", "experiments"},
};

// Whether `path` lies below one of the two-part folders.
bool below(const std::string& path, const std::unordered_set<std::string>& folders) {
  const size_t first = path.find('/');
  const size_t second = first == std::string::npos ? first : path.find('/', first + 1);
  return second != std::string::npos && folders.contains(path.substr(0, second + 1));
}

void add_column(Database& database, const Blobs& blobs, const BlobColumn& column,
                const std::unordered_set<std::string>& without, Named& named) {
  const bool tree = std::string_view(column.table) == "files";
  Statement query = database.prepare_once(fmt::format("SELECT {}, {}, {} FROM {}", column.column,
                                                      column.folder != nullptr ? column.folder : "0",
                                                      tree ? "path" : "''", column.table));
  while (query.step()) {
    const std::string digest = query.text(0);
    if (digest.empty() || (tree && !without.empty() && below(query.text(2), without))) {
      continue;
    }
    named.artifacts += column.folder != nullptr ? 1 : 0;
    named.digests.insert(digest);
    if (query.integer(1) == 0) {
      continue;
    }
    try {
      for (const FolderEntry& entry : blobs.read_listing(digest)) {
        named.digests.insert(entry.digest);
      }
    } catch (const base::Error& error) {
      named.problems.emplace_back(error.what());
    }
  }
}

}  // namespace

std::span<const BlobColumn> blob_columns() { return kBlobColumns; }
std::span<const OwnedRows> owned_rows() { return kOwnedRows; }

Named named_blobs(Database& database, const Blobs& blobs, const std::unordered_set<std::string>& without) {
  Named named;
  for (const BlobColumn& column : kBlobColumns) {
    // A store of an older version lacks some tables.
    if (!database.is_file() || !database.scalar(fmt::format("SELECT 1 FROM sqlite_master WHERE name = '{}'", column.table).c_str()).empty()) {
      add_column(database, blobs, column, without, named);
    }
  }
  return named;
}

}  // namespace slipway::store
