// What the monitor would have said: windows drawn from rows that were recorded or made up. Proves the false alarm rate
// on in-domain rows and the detection on others; `slipway monitor simulate`.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/pool.h"
#include "monitor/window.h"
#include "stats/interval.h"

namespace slipway::monitor {

struct Simulation {
  int window = 0;
  int windows = 0;
  int alarms = 0;                              // windows with any alarm
  stats::Interval rate;                        // alarms / windows, Wilson 95 %
  std::map<std::string, int> alarms_by_test;   // "js words" -> windows
  std::vector<std::vector<TestScore>> scores;  // of every window
};

// Draws `windows` windows of `judge`'s size from `rows`: without replacement while rows last, then from a new shuffle.
// Deterministic. Throws Error(kInvalid) when there are fewer rows than a window.
Simulation simulate(const WindowJudge& judge, std::span<const Observation> rows, int window, int windows, uint64_t seed,
                    base::Pool* pool = nullptr);
// The same with a judge of the standard options for this window.
Simulation simulate(const ReferenceSketch& sketch, std::span<const Observation> rows, int window, int windows,
                    uint64_t seed, base::Pool* pool = nullptr);

base::Json to_json(const Simulation& simulation);  // without the scores of each window

}  // namespace slipway::monitor
