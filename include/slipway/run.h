// Logs a training run: parameters, metrics, tags, files, its end; to a local record (a `.slipway` folder) or to any server
// that speaks MLflow's REST protocol. docs/guide/logging.md.
//
//   slipway::Run run({.experiment = "sentiment", .name = "first"});
//   run.log_param("lr", "3e-5");
//   for (int step = 0; step < steps; ++step) run.log_metric("loss", loss(step), step);
//   run.finish();
//
// Logging never waits for a disk sync or a server: a call copies its record into a file of the run's spool, mapped into memory,
// and a thread of the Run sends what is there. What is in the spool survives kill -9 of this process and outages of the
// server; `slipway runs sync` sends what a killed process left. It survives a power cut once it is a second old.
// The spool is bounded: while it is full, new records are dropped and counted (counts(), the tag `slipway.dropped`).
//
// Any thread may call any function. log_* never throw and allocate nothing; the constructor and the rest throw
// std::runtime_error with what failed and what to do. Delivery is at least once: after a crash the last batch may be sent
// again, which Slipway and MLflow's database stores ignore; a server that does not would hold those points twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace slipway {

enum class RunEnd { kFinished, kFailed, kKilled };

struct RunOptions {
  // "http://HOST:PORT", "https://USER:PASSWORD@HOST", or a folder of a record. Empty: $MLFLOW_TRACKING_URI, else ".slipway".
  // Credentials are taken from $MLFLOW_TRACKING_TOKEN, or $MLFLOW_TRACKING_USERNAME and $MLFLOW_TRACKING_PASSWORD, when each
  // sending begins; they are never written to the spool. $MLFLOW_TRACKING_SERVER_CERT_PATH: authorities to trust (PEM).
  std::string tracking_uri;
  std::string experiment;  // by name, made when there is none. Empty: $MLFLOW_EXPERIMENT_NAME, else "Default"
  std::string name;        // for people; empty: the server's choice
  std::map<std::string, std::string> tags;
  // Goes on with a run: the id of a spool that is there (Run::id()), else that of a run at the server or in the record.
  std::string resume;
  std::filesystem::path spool;                    // folder of all spools. Empty: $SLIPWAY_SPOOL, else ".slipway/spool"
  uint64_t max_spool_bytes = uint64_t{256} << 20;  // of this run, without large files; at least two segments
  uint64_t segment_bytes = uint64_t{4} << 20;      // of one file of the spool; 64 KiB to 1 GiB
  std::chrono::milliseconds send_interval{500};    // how long a record waits for others before it is sent
  std::chrono::milliseconds finish_timeout{10'000};  // how long the destructor waits for what was not sent
};

// What became of records.
struct RunCounts {
  uint64_t logged = 0;   // kept in the spool by this Run
  uint64_t sent = 0;     // acknowledged by the server or the record; as what follows, after `resume`, of the whole spool
  uint64_t dropped = 0;  // by log_* of this Run, for the spool was full
  uint64_t refused = 0;  // never to be taken: by log_* (an empty or too long key) or by the server; `error` tells why
  uint64_t damaged = 0;  // bytes of the spool that did not hold their checksum
  std::string error;     // of the last attempt to send; empty when it went well and nothing was refused
};

class Run {
 public:
  // Makes or opens the spool: a few hundred microseconds, no request. The run is made at the server by the first sending.
  explicit Run(const RunOptions& options = {});
  // finish(kFinished), or kFailed while an exception passes, unless it was finished or detached.
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // Each returns whether the record is kept. Keys: 1 to 250 bytes. Step and time (milliseconds since 1970; 0: now) are the caller's.
  bool log_metric(std::string_view key, double value, int64_t step = 0, int64_t time_ms = 0) noexcept;
  bool log_param(std::string_view key, std::string_view value) noexcept;  // written once; values up to 16 KiB
  bool set_tag(std::string_view key, std::string_view value) noexcept;    // replaces; values up to 16 KiB
  // A file under artifact path `path` ("plots/loss.svg"). Up to half a segment of bytes are copied into the spool.
  bool log_bytes(std::string_view path, std::string_view bytes) noexcept;
  // Small files are copied as above; of larger ones the spool keeps a hard link, or their place where none can be made. Such a
  // file must stay as it is until it was sent: one that changed is refused. `folder` is the artifact folder, "" the root.
  bool log_artifact(const std::filesystem::path& file, std::string_view folder = {});

  // Waits until all that was logged before is sent. False: it is not, in that time; it stays in the spool.
  bool flush(std::chrono::milliseconds timeout);
  // Says how the run ended, then flush(). Once; later records are dropped.
  bool finish(RunEnd end = RunEnd::kFinished, std::chrono::milliseconds timeout = std::chrono::milliseconds(10'000));
  // Leaves the run open: the destructor only flushes.
  void detach() noexcept;

  // Of the spool, 32 hex digits, known at once. In a local record it is the run's id too.
  const std::string& id() const noexcept;
  // The server's id of the run; empty until it was made there.
  std::string run_id() const;
  RunCounts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway
