// What the benches of kernels share.
#pragma once

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <vector>

#include "base/cpu.h"
#include "base/random.h"

namespace slipway::kernels {

inline base::Isa chosen_isa() {
  const char* limit = std::getenv("SLIPWAY_ISA");
  return base::select_isa(limit != nullptr ? limit : "");
}

inline std::vector<float> random_floats(size_t count, uint64_t seed) {
  base::Rng rng(seed);
  std::vector<float> values(count);
  for (float& v : values) {
    v = static_cast<float>(rng.uniform() * 2 - 1);
  }
  return values;
}

inline void report(benchmark::State& state, double operations) {
  state.counters["GOP/s"] = benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

inline void report_bytes(benchmark::State& state, double bytes) {
  state.counters["GB/s"] = benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace slipway::kernels
