// The interfaces through which tracking is written and read; `store` implements them. Promises and errors are those of
// stores.h; messages of errors are MLflow's, whose clients know them by their text. A record that is not there is
// kNotFound, one in the wrong state kInvalid, a name that is taken kConflict. Any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "record/catalog.h"
#include "record/logged_models.h"
#include "record/server_records.h"
#include "record/traces.h"
#include "record/tracking.h"

namespace slipway::record {

// A parameter is written once. kInvalid, with what was tried.
class ParamConflict : public base::Error {
 public:
  struct Change {
    std::string key;
    std::string there;
    std::string wanted;
  };
  explicit ParamConflict(std::vector<Change> changes_in)
      : base::Error(base::Code::kInvalid, "Changing param values is not allowed."), changes(std::move(changes_in)) {}
  std::vector<Change> changes;
};

class ExperimentStore {
 public:
  virtual ~ExperimentStore() = default;
  // With the id that the store gave it; name, artifact_location and tags are the caller's.
  virtual Experiment create(Experiment experiment) = 0;
  // An id that is not a number throws kInvalid.
  virtual std::optional<Experiment> find(const std::string& id) = 0;
  virtual std::optional<Experiment> find_by_name(const std::string& name) = 0;
  virtual void change(const std::string& id, const ExperimentChange& change) = 0;
  virtual void set_tag(const std::string& id, const KeyValue& tag) = 0;
  virtual void remove_tag(const std::string& id, const std::string& key) = 0;
  virtual Page<Experiment> search(const Query& query) = 0;
  // The datasets that runs of these experiments used, each once for each context; at most `limit`.
  virtual std::vector<DatasetSummary> datasets(std::span<const std::string> experiment_ids, int limit) = 0;
};

class RunTracker {
 public:
  virtual ~RunTracker() = default;
  // As stored. The id is the caller's, so that a repeated call is the same run (kConflict).
  virtual TrackedRun create(TrackedRun run) = 0;
  virtual std::optional<TrackedRun> find(const std::string& id) = 0;
  // The run's own fields afterwards, without what was logged to it.
  virtual TrackedRun change(const std::string& id, const RunChange& change) = 0;
  // A metric point that is there already is ignored; a parameter with another value throws ParamConflict and nothing is kept.
  virtual void log(const std::string& id, const RunBatch& batch) = 0;
  virtual void remove_tag(const std::string& id, const std::string& key) = 0;
  virtual void add_inputs(const std::string& id, const RunInputs& inputs) = 0;
  virtual Page<TrackedRun> search(const Query& query) = 0;
  // By time, step, value; sampled ones by step. An unknown run or key has none.
  virtual Page<MetricSample> history(const HistoryQuery& query) = 0;
};

// Many runs at once, as a person looks at them. Both are O(runs that match): some 50 ms for a million.
class RunOverview {
 public:
  virtual ~RunOverview() = default;
  // How many match, whatever the query's page.
  virtual int64_t count(const Query& query) = 0;
  // The largest groups first, at most the query's limit.
  virtual Page<RunGroup> groups(const Query& query, const Grouping& by) = 0;
};

// A file on its way into the tree: under no name until it is committed, gone when it is dropped. One thread at a time.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  virtual void write(std::string_view bytes) = 0;
  // Durable on return; replaces a file of that path.
  virtual TreeFile commit() = 0;
};

// Names for blobs, as a tree of folders. Paths are relative, "a/b", as store's listings have them (kInvalid otherwise).
class FileTree {
 public:
  virtual ~FileTree() = default;
  virtual std::unique_ptr<FileWriter> begin(const std::string& path) = 0;
  virtual std::optional<TreeFile> find(const std::string& path) = 0;
  // By name; empty when it is a file or not there. "" is the root. O(entries).
  virtual std::vector<TreeEntry> list(const std::string& folder) = 0;
  // A file, or all below a folder; how many files. Their blobs go when garbage is collected.
  virtual int64_t remove(const std::string& path) = 0;
  // Where its content lies: read it, never write it.
  virtual std::filesystem::path blob_of(const TreeFile& file) = 0;
};

class Tracking {
 public:
  virtual ~Tracking() = default;
  virtual ExperimentStore& experiments() = 0;
  virtual RunTracker& runs() = 0;
  virtual RunOverview& overview() = 0;
  virtual FileTree& files() = 0;
  virtual ModelCatalog& models() = 0;
  virtual VersionCatalog& versions() = 0;
  virtual LoggedModelStore& logged_models() = 0;
  virtual Traces& traces() = 0;
  virtual ServerRecords& server() = 0;
};

}  // namespace slipway::record
