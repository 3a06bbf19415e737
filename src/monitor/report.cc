#include <cmath>
#include <fmt/format.h>

#include "base/clock.h"
#include "monitor/window.h"

namespace slipway::monitor {
namespace {

using base::Json;

Json to_json(const TestScore& t) {
  return {{"name", t.test},           {"column", t.column}, {"score", t.score},
          {"threshold", t.threshold}, {"p", t.p},           {"alarm", t.alarm}};
}

Json to_json(const MovedWord& w) {
  return {{"word", w.word}, {"z", w.z}, {"count", w.count}, {"reference_count", w.reference_count}};
}

Json to_json(const MovedExample& e) {
  return {{"prediction", e.prediction_id}, {"text", e.text}, {"label", e.label}, {"distance", e.distance}};
}

Json to_json(const GroupReport& g) {
  return {{"group", g.group},
          {"label", g.label},
          {"rate", stats::to_json(g.rate)},
          {"reference", stats::to_json(g.reference)},
          {"p", g.p}};
}

template <class T>
Json all(const std::vector<T>& items) {
  Json array = Json::array();
  for (const T& item : items) {
    array.push_back(to_json(item));
  }
  return array;
}

}  // namespace

Json to_json(const WindowReport& r) {
  return {{"window", r.number},
          {"n", r.n},
          {"time", base::iso8601(r.time_ms)},
          {"drift", r.drift},
          {"tests", all(r.tests)},
          {"words", all(r.words)},
          {"examples", all(r.examples)},
          {"groups", all(r.groups)},
          {"labels", r.labels},
          {"languages", r.languages},
          {"latency_ms", {{"p50", r.latency_p50_ms}, {"p95", r.latency_p95_ms}, {"p99", r.latency_p99_ms}}},
          {"error_rate", stats::to_json(r.error_rate)},
          {"alerts", all(r.alerts)}};
}

std::string summary(const WindowReport& r) {
  std::string text = fmt::format("window {} ({} texts): ", r.number, r.n);
  if (!r.drift) {
    return text + "as the reference";
  }
  text += "drift in";
  const char* join = " ";
  for (const TestScore& t : r.tests) {
    if (t.alarm) {
      text += fmt::format("{}{} ({} {:.3g} > {:.3g})", join, t.column, t.test, t.score, t.threshold);
      join = ", ";
    }
  }
  join = "; words: ";
  int named = 0;
  for (const MovedWord& w : r.words) {
    if (named++ < 6) {
      text += fmt::format("{}{}{}", join, w.z > 0 ? "+" : "-", w.word);
      join = " ";
    }
  }
  return text;
}

}  // namespace slipway::monitor
