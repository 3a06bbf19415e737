// Requests to an endpoint, as a client would send them. One thread.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/json.h"
#include "net/client.h"

namespace slipway::cli {

class Traffic {
 public:
  explicit Traffic(const std::string& url) : url_(url), client_(url) {}

  // POST /v1/classify; a 429 is tried again after what it says. Throws Error(kUnavailable | kFailure) with the answer.
  base::Json classify(const std::vector<std::string>& texts);
  // All texts, sixteen a request, with progress and stop checks.
  void send_all(const std::vector<std::string>& texts, const std::string& task, base::Context& context);
  // Waits until the monitor has seen what was served.
  void flush_monitor();
  // Number of the last window that closed; 0 before the first.
  int64_t last_window();
  // The reports of later windows, oldest first.
  base::Json windows_after(int64_t number);

 private:
  base::Json monitor_report();
  std::string url_;
  net::HttpClient client_;
};

}  // namespace slipway::cli
