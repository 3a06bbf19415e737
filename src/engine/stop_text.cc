#include "engine/stop_text.h"

#include <algorithm>
#include <utility>

namespace slipway::engine {

std::string StopText::push(std::string_view piece) {
  if (stopped()) {
    return {};
  }
  held_ += piece;
  size_t at = std::string::npos;
  for (const std::string& stop : stops_) {
    const size_t found = held_.find(stop);
    if (found < at || (found == at && found != std::string::npos && stop.size() > stopped_by_.size())) {
      at = found;
      stopped_by_ = stop;
    }
  }
  if (at != std::string::npos) {
    std::string out = held_.substr(0, at);
    held_.clear();
    return out;
  }
  size_t keep = 0;  // the longest end of the text that a stop string begins with
  for (const std::string& stop : stops_) {
    for (size_t n = std::min(stop.size() - 1, held_.size()); n > keep; --n) {
      if (held_.compare(held_.size() - n, n, stop, 0, n) == 0) {
        keep = n;
        break;
      }
    }
  }
  std::string out = held_.substr(0, held_.size() - keep);
  held_.erase(0, held_.size() - keep);
  return out;
}

std::string StopText::finish() { return std::exchange(held_, {}); }

}  // namespace slipway::engine
