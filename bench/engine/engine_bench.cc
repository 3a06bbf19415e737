// The engine over a model of MiniLM-L6's shape with random weights: texts a second at equal lengths, and load time.
// Rates are per CPU-second. SLIPWAY_ISA chooses the instruction set; --benchmark_filter='float32|int8'.
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <filesystem>

#include "base/random.h"
#include "engine/engine.h"
#include "engine/helpers.h"
#include "model/cost.h"

namespace slipway::engine {
namespace {

// The folder, written once for all benches of the process.
const std::filesystem::path& minilm_shape() {
  static const base::TempDir folder;
  static const bool written = [] {
    tests::write_tiny_bert(folder.path(), {.hidden = 384,
                                           .layers = 6,
                                           .heads = 12,
                                           .intermediate = 1536,
                                           .positions = 512,
                                           .labels = {},
                                           .pooler = false,
                                           .weight_scale = 0.02});
    tests::write_int8(folder.path(), true);
    return true;
  }();
  static_cast<void>(written);
  return folder.path();
}

EngineOptions options(const char* precision) {
  const char* isa = std::getenv("SLIPWAY_ISA");
  return {.precision = precision, .isa = isa != nullptr ? isa : ""};
}

// Arguments: texts, tokens of each, threads.
void forward(benchmark::State& state, const char* precision) {
  base::Pool pool(static_cast<int>(state.range(2)));
  const auto engine = Engine::load(minilm_shape(), options(precision), pool);
  base::Rng rng(1);
  std::vector<std::vector<int32_t>> texts;
  for (int i = 0; i < state.range(0); ++i) {
    texts.push_back(tests::random_ids(rng, static_cast<int>(state.range(1)), engine->spec().vocab_size));
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(engine->forward(texts));
  }
  const double texts_done = static_cast<double>(state.range(0));
  const double operations = texts_done * model::flops_per_text(engine->spec(), static_cast<int>(state.range(1))) * 1e-9;
  state.counters["texts/s"] = benchmark::Counter(texts_done, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["GOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

void load(benchmark::State& state, const char* precision) {
  base::Pool pool(static_cast<int>(state.range(0)));
  minilm_shape();
  for (auto _ : state) {
    benchmark::DoNotOptimize(Engine::load(minilm_shape(), options(precision), pool));
  }
}

void shapes(benchmark::internal::Benchmark* b) {
  for (const int threads : {1, 2}) {
    for (const auto& [texts, tokens] : {std::pair{1, 16}, {1, 64}, {1, 128}, {8, 16}, {8, 64}, {8, 128}, {32, 64}}) {
      b->Args({texts, tokens, threads});
    }
  }
  b->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(forward, float32, "float32")->Apply(shapes);
BENCHMARK_CAPTURE(forward, int8, "int8")->Apply(shapes);
BENCHMARK_CAPTURE(load, float32, "float32")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(load, int8, "int8")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace slipway::engine

BENCHMARK_MAIN();
