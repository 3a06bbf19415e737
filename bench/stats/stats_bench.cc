// What the statistics cost: bootstrap intervals of a classifier, MMD with its permutations, binning.
#include <benchmark/benchmark.h>
#include <cmath>

#include "base/random.h"
#include "stats/bootstrap.h"
#include "stats/drift.h"
#include "stats/mmd.h"

namespace slipway::stats {
namespace {

// 2,000 resamples of range(0) rows, all measures of a binary classifier.
void bm_bootstrap(benchmark::State& state) {
  base::Rng rng(1);
  std::vector<int> truth;
  std::vector<int> predicted;
  std::vector<double> probabilities;
  for (int64_t i = 0; i < state.range(0); ++i) {
    truth.push_back(static_cast<int>(rng.below(2)));
    const double p = 1 / (1 + std::exp(-rng.normal() - truth.back()));
    probabilities.insert(probabilities.end(), {1 - p, p});
    predicted.push_back(p > 0.5 ? 1 : 0);
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(classification_intervals({truth, predicted, probabilities, 2}));
  }
}
BENCHMARK(bm_bootstrap)->Arg(1000)->Unit(benchmark::kMillisecond);

// range(0) against range(0) rows of 384 numbers, 100 permutations, one thread.
void bm_mmd(benchmark::State& state) {
  constexpr size_t kDim = 384;
  const auto rows = static_cast<size_t>(state.range(0));
  base::Rng rng(1);
  std::vector<float> a(rows * kDim);
  std::vector<float> b(rows * kDim);
  for (auto* side : {&a, &b}) {
    for (float& x : *side) {
      x = static_cast<float>(rng.normal() * 0.05);
    }
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(mmd_test({a.data(), rows, kDim}, {b.data(), rows, kDim}));
  }
}
BENCHMARK(bm_mmd)->Arg(500)->Arg(2000)->Arg(10000)->Unit(benchmark::kMillisecond);

void bm_bins(benchmark::State& state) {
  base::Rng rng(1);
  std::vector<double> values(1'000'000);
  for (double& v : values) {
    v = rng.normal();
  }
  const auto edges = quantile_edges(values);
  for (auto _ : state) {
    benchmark::DoNotOptimize(bin_counts(values, edges));
  }
}
BENCHMARK(bm_bins)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace slipway::stats

BENCHMARK_MAIN();
