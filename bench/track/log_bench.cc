// What a call of include/slipway/run.h costs a training loop: each call timed alone, while the sending thread works (to a record
// on the same disk) or waits (for a server that is away); bytes of the spool and allocations a call.
#include <algorithm>
#include <atomic>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdlib>
#include <new>

#include "base/file.h"
#include "slipway/run.h"

namespace {

thread_local uint64_t t_allocations = 0;  // of this thread

}  // namespace

#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // these are the matching ones

void* operator new(size_t size) {
  ++t_allocations;
  if (void* place = std::malloc(size)) {
    return place;
  }
  throw std::bad_alloc();
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, size_t) noexcept { std::free(place); }

namespace slipway {
namespace {

constexpr int kCalls = 200'000;
constexpr std::chrono::microseconds kStep{20};  // between calls: far faster than any training

double nanoseconds(std::chrono::steady_clock::duration time) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

void log_calls(benchmark::State& state, const std::string& uri) {
  const base::TempDir dir;
  std::vector<double> times(kCalls);
  uint64_t allocations = 0;
  RunCounts counts;
  for (auto _ : state) {
    RunOptions options;
    options.tracking_uri = uri.empty() ? (dir.path() / "record").string() : uri;
    options.spool = dir.path() / "spool";
    options.finish_timeout = std::chrono::milliseconds(0);
    Run run(options);
    run.flush(std::chrono::milliseconds(500));
    const uint64_t before = t_allocations;
    for (int i = 0; i < kCalls; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      run.log_metric("train/loss", 0.5, i);
      const auto end = std::chrono::steady_clock::now();
      times[static_cast<size_t>(i)] = nanoseconds(end - begin);
      while (std::chrono::steady_clock::now() - end < kStep) {
      }
    }
    allocations = t_allocations - before;
    counts = run.counts();
    run.detach();
  }
  std::sort(times.begin(), times.end());
  const auto at = [&](double quantile) { return times[static_cast<size_t>(quantile * (kCalls - 1))]; };
  state.counters["p50_ns"] = at(0.5);
  state.counters["p99_ns"] = at(0.99);
  state.counters["p99.9_ns"] = at(0.999);
  state.counters["max_ns"] = times.back();
  state.counters["spool_bytes"] = 8 + 27 + 10 + 3;  // frame header, fixed fields, key, padding (docs/formats/spool.md)
  state.counters["allocations"] = static_cast<double>(allocations) / kCalls;
  state.counters["dropped"] = static_cast<double>(counts.dropped);
  state.counters["sent"] = static_cast<double>(counts.sent);
}

void BM_LogMetricToRecord(benchmark::State& state) { log_calls(state, ""); }
void BM_LogMetricServerAway(benchmark::State& state) { log_calls(state, "http://127.0.0.1:9"); }
BENCHMARK(BM_LogMetricToRecord)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_LogMetricServerAway)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace slipway

BENCHMARK_MAIN();
