// Walks of the lineage graph at a million edges, both ways: from a served model back to its raw files, from a raw file forward to
// what came of it, and where a node has 100,000 neighbours.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/file.h"
#include "base/hash.h"
#include "store/store.h"

namespace slipway {
namespace {

constexpr int kRuns = 200'000;  // five edges each
constexpr int kFiles = 1000;

std::string digest(const char* kind, int number) { return fmt::format("{}:sha256:{}", kind, base::sha256_hex(fmt::format("{}{}", kind, number))); }

// file -> dataset -> run -> artifact -> model version -> deployment; every run trains on from the artifact of the one 64 before, so
// that a walk back is 64 or so runs deep at most. The half of all runs used one dataset.
record::Store& graph() {
  static const base::TempDir dir;
  static const std::unique_ptr<record::Store> store = [] {
    auto made = store::open_store(dir.path());
    std::vector<record::Edge> edges;
    for (int i = 0; i < kRuns; ++i) {
      const std::string run = fmt::format("run:{:032x}", i);
      const int dataset = i % 2 == 0 ? 0 : i % kFiles;
      edges.push_back({digest("file", dataset), digest("dataset", dataset), "produced"});
      edges.push_back({digest("dataset", dataset), run, "used"});
      edges.push_back({run, digest("artifact", i), "produced"});
      edges.push_back({digest("artifact", i), fmt::format("model:m{}/{}", i % 100, i / 100 + 1), "version_of"});
      edges.push_back({digest("artifact", i % 3200 == i ? i : i - 3200), run, "used"});
      if (edges.size() >= 100'000) {
        made->lineage().add_edges(edges);
        edges.clear();
      }
    }
    made->lineage().add_edges(edges);
    return made;
  }();
  return *store;
}

void walk(benchmark::State& state, const std::string& node, record::Direction direction, int limit) {
  record::Store& store = graph();
  size_t found = 0;
  for (auto _ : state) {
    found = store.lineage().walk(node, direction, limit).size();
  }
  state.counters["edges"] = static_cast<double>(found);
}

void LineageBackFromAModel(benchmark::State& state) {
  walk(state, fmt::format("model:m{}/{}", (kRuns - 1) % 100, (kRuns - 1) / 100 + 1), record::Direction::kBack, 1000);
}
void LineageForwardFromAFile(benchmark::State& state) { walk(state, digest("file", 7), record::Direction::kForward, 1000); }
void LineageForwardFromTheDatasetOfAll(benchmark::State& state) {
  walk(state, digest("dataset", 0), record::Direction::kForward, 1000);
}
void LineageForwardTenThousandEdges(benchmark::State& state) {
  walk(state, digest("file", 7), record::Direction::kForward, 10'000);
}
BENCHMARK(LineageBackFromAModel)->Unit(benchmark::kMillisecond);
BENCHMARK(LineageForwardFromAFile)->Unit(benchmark::kMillisecond);
BENCHMARK(LineageForwardFromTheDatasetOfAll)->Unit(benchmark::kMillisecond);
BENCHMARK(LineageForwardTenThousandEdges)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace slipway
