// Holds back text that may turn out to begin a stop string. One sequence, one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::engine {

class StopText {
 public:
  // `stops`: none empty.
  explicit StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  // Takes the next piece of text and returns what can no longer be part of a stop string. When the text now contains
  // one, returns what comes before the first (at one place the longest) and stopped() tells which. O(piece + longest
  // stop) a stop string.
  std::string push(std::string_view piece);
  // The rest, once no more comes.
  std::string finish();

  bool stopped() const noexcept { return !stopped_by_.empty(); }
  const std::string& stopped_by() const noexcept { return stopped_by_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  std::string stopped_by_;
};

}  // namespace slipway::engine
