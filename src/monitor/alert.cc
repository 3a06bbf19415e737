#include "monitor/alert.h"

#include "base/clock.h"
#include "record/record.h"

namespace slipway::monitor {

base::Json to_json(const Alert& alert) {
  base::Json json = {{"id", alert.id},
                     {"key", alert.key},
                     {"state", alert.state == Alert::State::kOpen ? "open" : "resolved"},
                     {"opened", base::iso8601(alert.opened_ms)},
                     {"windows", alert.windows}};
  if (alert.resolved_ms != 0) {
    json["resolved"] = base::iso8601(alert.resolved_ms);
  }
  json["evidence"] = alert.evidence;
  return json;
}

AlertBook::AlertBook(const AlertOptions& options) : options_(options) {}

std::optional<Alert> AlertBook::update(const std::string& key, bool fires, const base::Json& evidence, int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  Track& track = tracks_[key];
  if (fires) {
    ++track.firing;
    track.quiet = 0;
    if (track.alert) {
      ++track.alert->windows;
      return std::nullopt;
    }
    if (track.firing < options_.open_after) {
      return std::nullopt;
    }
    track.alert = Alert{.id = "alert:" + record::new_id(),
                        .key = key,
                        .opened_ms = now_ms,
                        .windows = track.firing,
                        .evidence = evidence};
    return track.alert;
  }
  track.firing = 0;
  ++track.quiet;
  if (!track.alert || track.quiet < options_.resolve_after) {
    return std::nullopt;
  }
  Alert over = *std::exchange(track.alert, std::nullopt);
  over.state = Alert::State::kResolved;
  over.resolved_ms = now_ms;
  return over;
}

std::vector<Alert> AlertBook::open() const {
  const std::lock_guard lock(mutex_);
  std::vector<Alert> alerts;
  for (const auto& [key, track] : tracks_) {
    if (track.alert) {
      alerts.push_back(*track.alert);
    }
  }
  return alerts;
}

}  // namespace slipway::monitor
