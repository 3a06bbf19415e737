// The folder of all spools: opening one to log to it, and sending what processes that have gone left.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "store/lock.h"
#include "track/spool.h"

namespace slipway::track {

// `wanted`, else $SLIPWAY_SPOOL, else ".slipway/spool"; absolute.
std::filesystem::path spool_root(const std::filesystem::path& wanted);

struct OpenedSpool {
  std::filesystem::path folder;
  std::string id;
  std::string uri;  // where to send, with credentials when the caller's address had some
  store::FileLock writer_lock;
};

// A new spool, or with `resume` the one of that id, else a transient one for the run of that id. Fills in what `info` leaves
// empty (id, address, experiment, user, time). Throws kConflict when another process logs to it for longer than `wait`.
OpenedSpool open_spool(const std::filesystem::path& root, const std::string& uri, const std::string& resume, SpoolInfo info,
                       std::chrono::milliseconds wait);

struct SyncResult {
  std::string id;
  std::string run_id;
  std::string uri;
  std::string state;  // "sent" (and gone), "open" (all sent, the run goes on), "waiting" (for the server), "in use"
  uint64_t sent = 0;  // now
  uint64_t left = 0;  // records
  uint64_t dropped = 0;
  uint64_t refused = 0;
  uint64_t damaged = 0;  // bytes
  std::string error;
};
struct SyncOptions {
  std::string id;            // only this spool
  std::string uri;           // in place of the address that was noted
  bool mark_killed = false;  // runs that nobody ended, and whose writer has gone, end as KILLED
  bool dry_run = false;      // only tell
};
// By age. Never throws for one spool: its error is told.
std::vector<SyncResult> sync_spools(const std::filesystem::path& root, const SyncOptions& options);

}  // namespace slipway::track
