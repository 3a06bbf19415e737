// What the store's promises cost: opening, durable writes alone and in company, lists of much, a plan with nothing to
// do.
#include <benchmark/benchmark.h>
#include <memory>

#include "base/file.h"
#include "pipeline/runner.h"
#include "store/store.h"

namespace slipway {
namespace {

constexpr int kMany = 100'000;

std::vector<record::Prediction> predictions(int count, int64_t first) {
  std::vector<record::Prediction> batch(static_cast<size_t>(count));
  for (auto& prediction : batch) {
    prediction.id = "p-" + record::new_id();
    prediction.time_ms = first++;
    prediction.deployment = "0123456789abcdef0123456789abcdef";
    prediction.model = "movie-sentiment/3";
    prediction.text = "one of the best films of the year, with a fine cast and a script that never lets go";
    prediction.label = "positive";
    prediction.scores = {0.1F, 0.9F};
  }
  return batch;
}

// A store with 100,000 runs and predictions, made once.
const base::TempDir& full_folder() {
  static const base::TempDir dir;
  static const bool made = [] {
    const auto store = store::open_store(dir.path());
    for (int i = 0; i < kMany; i += 10'000) {
      store->predictions().append(predictions(10'000, i));
    }
    return true;
  }();
  static_cast<void>(made);
  return dir;
}

void Open(benchmark::State& state) {
  const auto& dir = full_folder();
  for (auto _ : state) {
    benchmark::DoNotOptimize(store::open_store(dir.path()));
  }
}
BENCHMARK(Open)->Unit(benchmark::kMicrosecond);

void ListPredictions(benchmark::State& state) {
  const auto store = store::open_store(full_folder().path());
  for (auto _ : state) {
    benchmark::DoNotOptimize(store->predictions().list("0123456789abcdef0123456789abcdef", kMany / 2, 100));
  }
}
BENCHMARK(ListPredictions)->Unit(benchmark::kMicrosecond);

// One durable event for each iteration; with more threads they share commits.
void AppendEvent(benchmark::State& state) {
  static std::unique_ptr<base::TempDir> dir;
  static std::unique_ptr<record::Store> store;
  if (state.thread_index() == 0) {
    dir = std::make_unique<base::TempDir>();
    store = store::open_store(dir->path());
  }
  for (auto _ : state) {
    store->events().append("drift_detected", "model:m/1", {{"psi", 0.3}});
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) {
    store.reset();
    dir.reset();
  }
}
BENCHMARK(AppendEvent)->Threads(1)->Threads(8)->UseRealTime()->Unit(benchmark::kMicrosecond);

void AppendPredictions(benchmark::State& state) {
  const base::TempDir dir;
  const auto store = store::open_store(dir.path());
  const int count = static_cast<int>(state.range(0));
  int64_t first = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto batch = predictions(count, first += count);
    state.ResumeTiming();
    store->predictions().append(batch);
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(AppendPredictions)->Arg(64)->Arg(1024)->UseRealTime()->Unit(benchmark::kMicrosecond);

void LogMetrics(benchmark::State& state) {
  const base::TempDir dir;
  const auto store = store::open_store(dir.path());
  record::Run run;
  run.id = "r";
  store->runs().create_run(run);
  const std::vector<record::MetricPoint> points = {{"loss", 0.5, 1, 1}, {"lr", 1e-5, 1, 1}};
  for (auto _ : state) {
    store->runs().log_metrics("r", points);
  }
}
BENCHMARK(LogMetrics)->UseRealTime()->Unit(benchmark::kMicrosecond);

void PutBlob(benchmark::State& state) {
  const base::TempDir dir;
  const auto store = store::open_store(dir.path());
  std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  int i = 0;
  for (auto _ : state) {
    bytes.replace(0, 8, std::to_string(10'000'000 + i++));
    benchmark::DoNotOptimize(store->artifacts().put_bytes(bytes, "file", "f", {}));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(PutBlob)->Arg(1 << 10)->Arg(16 << 20)->UseRealTime()->Unit(benchmark::kMicrosecond);

// Opening included: all of what a second `slipway run` does besides reading its configuration.
void NothingToDo(benchmark::State& state) {
  const base::TempDir dir;
  std::vector<pipeline::Step> steps;
  for (int i = 0; i < 14; ++i) {
    pipeline::Step step;
    step.name = "s" + std::to_string(i);
    if (i > 0) {
      step.needs = {"s" + std::to_string(i - 1)};
    }
    const auto file = dir.path() / step.name;
    base::write_file_atomic(file, "content");
    step.files = {file};
    step.run = [name = step.name](pipeline::StepContext& context) {
      return pipeline::StepResult{{{"out", context.store.artifacts().put_bytes(name, "file", name, {}).digest}}, {}};
    };
    steps.push_back(std::move(step));
  }
  base::Pool pool(1);
  base::Log log;
  const base::SystemClock clock;
  base::SilentProgress progress;
  base::Context context{pool, log, clock, progress, {}};
  pipeline::run(steps, "bench", {}, *store::open_store(dir.path() / ".slipway"), context);
  for (auto _ : state) {
    const auto store = store::open_store(dir.path() / ".slipway");
    if (!pipeline::run(steps, "bench", {}, *store, context).nothing_to_do) {
      state.SkipWithError("something was to do");
    }
  }
}
BENCHMARK(NothingToDo)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace slipway

BENCHMARK_MAIN();
