// Where the records of a run go: an MLflow server or the record on this machine. Every call may be repeated: what was done
// already is not done twice. One thread at a time.
//
// Errors say what a caller should do: kUnavailable (try again later; Later tells when), kNotAllowed (credentials: try again, a
// person may repair them), kInvalid and kConflict (never to be taken), kNotFound (the run is not there).
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "record/tracking.h"
#include "track/spool.h"

namespace slipway::track {

class Later : public base::Error {
 public:
  Later(const std::string& message, std::chrono::seconds delay)
      : base::Error(base::Code::kUnavailable, message), delay_(delay) {}
  std::chrono::seconds delay() const noexcept { return delay_; }

 private:
  std::chrono::seconds delay_;
};

struct Place {
  std::string run_id;
  std::string artifact_uri;
};

class Target {
 public:
  virtual ~Target() = default;
  // Makes the run, unless it is there: by info.run_id, else by the tag kSpoolTag.
  virtual Place open(const SpoolInfo& info) = 0;
  // At most 1000 metrics, 100 parameters, 100 tags, 1000 together.
  virtual void log(const Place& place, const record::RunBatch& batch) = 0;
  virtual void put_file(const Place& place, const std::string& path, std::string_view bytes) = 0;
  virtual void end(const Place& place, record::RunStatus status, int64_t ended_ms) = 0;
};

struct TargetOptions {
  std::string uri;  // http[s]://[USER:PASSWORD@]HOST[:PORT][/PREFIX], or a folder of a record
  std::string token;
  std::string username;
  std::string password;
  std::string ca_file;
};
// `uri` (empty: $MLFLOW_TRACKING_URI, else `fallback`), credentials of the environment; relative folders made absolute.
// Throws kInvalid for a place that is neither a server nor a folder.
TargetOptions target_options(const std::string& uri, const std::string& fallback = ".slipway");
// The address without user and password.
std::string without_credentials(const std::string& uri);
bool is_server(const std::string& uri) noexcept;

// Makes no request yet. A record that is not there is made.
std::unique_ptr<Target> make_target(const TargetOptions& options);

}  // namespace slipway::track
