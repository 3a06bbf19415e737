#include "cli/project/traffic.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr size_t kInputsPerRequest = 16;
constexpr int kTries = 20;

Json checked(const net::Response& response, const std::string& what) {
  if (response.status != 200) {
    throw Error(response.status == 503 || response.status == 429 ? Code::kUnavailable : Code::kFailure,
                fmt::format("{} answered {}: {}", what, response.status, response.body.substr(0, 500)));
  }
  return base::parse_json(response.body, what);
}

}  // namespace

Json Traffic::classify(const std::vector<std::string>& texts) {
  for (int attempt = 1;; ++attempt) {
    const net::Response response = client_.post_json("/v1/classify", {{"inputs", texts}});
    if (response.status != 429 || attempt == kTries) {
      return checked(response, url_ + "/v1/classify");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50 * attempt));
  }
}

void Traffic::send_all(const std::vector<std::string>& texts, const std::string& task, base::Context& context) {
  context.progress.start(task, static_cast<int64_t>(texts.size()), "texts");
  for (size_t begin = 0; begin < texts.size(); begin += kInputsPerRequest) {
    base::check_stop(context, "the replay");
    const size_t end = std::min(begin + kInputsPerRequest, texts.size());
    classify({texts.begin() + static_cast<std::ptrdiff_t>(begin), texts.begin() + static_cast<std::ptrdiff_t>(end)});
    context.progress.update(static_cast<int64_t>(end), "");
  }
  context.progress.finish("");
}

void Traffic::flush_monitor() { checked(client_.post_json("/v1/monitor/flush", Json::object()), url_ + "/v1/monitor/flush"); }

Json Traffic::monitor_report() { return checked(client_.get("/v1/monitor"), url_ + "/v1/monitor"); }

int64_t Traffic::last_window() {
  int64_t last = 0;
  const Json report = monitor_report();
  for (const Json& window : report.at("windows")) {
    last = std::max(last, window.value("window", int64_t{0}));
  }
  return last;
}

Json Traffic::windows_after(int64_t number) {
  std::vector<Json> later;
  const Json report = monitor_report();
  for (const Json& window : report.at("windows")) {
    if (window.value("window", int64_t{0}) > number) {
      later.push_back(window);
    }
  }
  std::sort(later.begin(), later.end(), [](const Json& a, const Json& b) { return a["window"] < b["window"]; });
  return later;
}

}  // namespace slipway::cli
