// When a finding becomes an alert: opened once, kept open while it goes on, resolved when it is over. Without this
// every window of one long drift would be news. Safe from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace slipway::monitor {

struct AlertOptions {
  int open_after = 1;     // consecutive windows that say so before an alert opens
  int resolve_after = 2;  // consecutive quiet windows before it is over
};

struct Alert {
  enum class State { kOpen, kResolved };
  std::string id;   // "alert:" + 32 hex digits
  std::string key;  // what it is about: "drift", "errors", "latency"
  State state = State::kOpen;
  int64_t opened_ms = 0;
  int64_t resolved_ms = 0;  // 0 while open
  int windows = 0;          // that fired since it opened
  base::Json evidence;      // of the window that opened it
};

base::Json to_json(const Alert& alert);

class AlertBook {
 public:
  explicit AlertBook(const AlertOptions& options = {});
  // Tells whether `key` fires in this window. Returns the alert when this opens or resolves it, else nothing.
  std::optional<Alert> update(const std::string& key, bool fires, const base::Json& evidence, int64_t now_ms);
  std::vector<Alert> open() const;

 private:
  struct Track {
    int firing = 0;  // consecutive
    int quiet = 0;
    std::optional<Alert> alert;
  };
  AlertOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, Track> tracks_;  // guarded by mutex_
};

}  // namespace slipway::monitor
