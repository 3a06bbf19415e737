// Runs of other trackers into the record. Ids are kept, or follow from what a run is, so that importing again adds only what is
// new: parameters, points and files that are there stay once. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "record/stores.h"

namespace slipway::track {

struct ImportReport {
  int64_t experiments = 0;  // made
  int64_t runs = 0;         // made
  int64_t runs_there = 0;   // that were there: what is new was added
  int64_t points = 0;       // of metrics, given to the record, the ones that it had included
  int64_t params = 0;
  int64_t files = 0;
  uint64_t file_bytes = 0;
  int64_t logged_models = 0;  // made
  int64_t traces = 0;         // made
  int64_t traces_there = 0;
  int64_t models = 0;
  int64_t versions = 0;
  std::map<std::string, int64_t> skipped;  // what could not be taken over, by reason
};

// The experiment of that name, made when there is none. Throws kInvalid when it was deleted.
std::string ensure_experiment(record::Tracking& tracking, const std::string& name, int64_t now_ms);

// 32 hex digits that follow from the texts.
std::string derived_run_id(const std::vector<std::string>& parts);

// A key or part of a path with what the record does not allow replaced by '_'; at most 250 bytes.
std::string clean_key(std::string_view key);
std::string clean_path(std::string_view path);

// Gives pieces to its argument.
using FileContent = std::function<void(const std::function<void(std::string_view)>&)>;
// A file under an artifact_uri of this record. One that is there with that size is left alone.
void import_file(record::Tracking& tracking, ImportReport& report, const std::string& artifact_uri, const std::string& path,
                 uint64_t size, const FileContent& content);

// Writes one run in large batches.
class RunImport {
 public:
  // Makes it unless it is there.
  RunImport(record::Tracking& tracking, ImportReport& report, const record::TrackedRun& run);
  void metric(const std::string& key, double value, int64_t step, int64_t time_ms);
  void param(const std::string& key, const std::string& value);
  void tag(const std::string& key, const std::string& value);
  using Content = FileContent;
  void file(const std::string& path, uint64_t size, const Content& content);
  void file(const std::string& path, std::string_view bytes);
  // Writes what is left, and how the run ended.
  void finish(record::RunStatus status, int64_t ended_ms);
  const std::string& id() const noexcept { return run_.id; }

 private:
  void flush();

  record::Tracking& tracking_;
  ImportReport& report_;
  record::TrackedRun run_;
  record::RunBatch batch_;
};

}  // namespace slipway::track
