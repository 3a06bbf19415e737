#include "monitor/simulate.h"

#include <fmt/format.h>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "stats/bootstrap.h"

namespace slipway::monitor {

Simulation simulate(const WindowJudge& judge, std::span<const Observation> rows, int window, int windows, uint64_t seed,
                    base::Pool* pool) {
  if (window <= 0 || windows <= 0 || rows.size() < static_cast<size_t>(window)) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{} windows of {} rows cannot be drawn from {} rows", windows, window, rows.size()));
  }
  Simulation result;
  result.window = window;
  result.windows = windows;
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  base::Rng rng(seed, "simulate");
  size_t next = order.size();
  std::vector<Observation> drawn(window);
  for (int w = 0; w < windows; ++w) {
    if (next + static_cast<size_t>(window) > order.size()) {
      rng.shuffle(std::span(order));
      next = 0;
    }
    for (Observation& row : drawn) {
      row = rows[order[next++]];
    }
    result.scores.push_back(judge.scores(drawn, pool));
    bool any = false;
    for (const TestScore& test : result.scores.back()) {
      result.alarms_by_test[test.test + " " + test.column] += test.alarm ? 1 : 0;
      any = any || test.alarm;
    }
    result.alarms += any ? 1 : 0;
  }
  result.rate = stats::wilson(result.alarms, windows);
  return result;
}

Simulation simulate(const ReferenceSketch& sketch, std::span<const Observation> rows, int window, int windows,
                    uint64_t seed, base::Pool* pool) {
  MonitorOptions options;
  options.window = window;
  const WindowJudge judge(std::make_shared<const ReferenceSketch>(sketch), options, pool);
  return simulate(judge, rows, window, windows, seed, pool);
}

base::Json to_json(const Simulation& simulation) {
  return {{"window", simulation.window},
          {"windows", simulation.windows},
          {"alarms", simulation.alarms},
          {"rate", stats::to_json(simulation.rate)},
          {"alarms_by_test", simulation.alarms_by_test}};
}

}  // namespace slipway::monitor
