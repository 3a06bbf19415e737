// What versions that share bytes cost: the chunker, a first and a later put of a large file, and folders of many small ones.
#include <algorithm>
#include <benchmark/benchmark.h>
#include <fstream>
#include <memory>

#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"
#include "store/chunker.h"
#include "store/store.h"

namespace slipway {
namespace {

constexpr size_t kLarge = size_t{100} << 20;

std::string random_bytes(uint64_t seed, size_t size) {
  base::Rng rng(seed);
  std::string bytes(size, '\0');
  for (size_t i = 0; i + 8 <= size; i += 8) {
    const uint64_t number = rng.next();
    std::copy_n(reinterpret_cast<const char*>(&number), 8, bytes.data() + i);
  }
  return bytes;
}

void Cut(benchmark::State& state) {
  const std::string bytes = random_bytes(1, kLarge);
  for (auto _ : state) {
    for (std::string_view rest = bytes; !rest.empty();) {
      const size_t end = store::first_cut(rest);
      benchmark::DoNotOptimize(end);
      rest.remove_prefix(end);
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kLarge));
}
BENCHMARK(Cut)->Unit(benchmark::kMillisecond);

void CutAndHash(benchmark::State& state) {
  const std::string bytes = random_bytes(1, kLarge);
  for (auto _ : state) {
    benchmark::DoNotOptimize(store::cut(bytes));
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kLarge));
}
BENCHMARK(CutAndHash)->Unit(benchmark::kMillisecond);

void Sha256(benchmark::State& state) {
  const std::string bytes = random_bytes(1, kLarge);
  for (auto _ : state) {
    benchmark::DoNotOptimize(base::sha256_hex(bytes));
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kLarge));
}
BENCHMARK(Sha256)->Unit(benchmark::kMillisecond);

// range(0): how many edits the second version has; -1: the first version is put.
void PutVersion(benchmark::State& state) {
  const base::TempDir dir;
  const auto store = store::open_store(dir.path() / "store");
  std::string bytes = random_bytes(2, kLarge);
  const bool first = state.range(0) < 0;
  if (!first) {
    store->artifacts().put_bytes(bytes, "file", "first", {});
  }
  base::Rng rng(3);
  for (auto _ : state) {
    state.PauseTiming();
    if (first) {
      bytes = random_bytes(rng.next(), kLarge);
    }
    for (int64_t i = 0; i < state.range(0); ++i) {
      bytes.insert(rng.below(bytes.size()), "an edit");
    }
    base::write_file_atomic(dir.path() / "file", bytes);
    state.ResumeTiming();
    store->artifacts().put_file(dir.path() / "file", "file", "v", {});
  }
  const store::StoreStats stats = store::store_stats(dir.path() / "store");
  state.counters["kept_part"] = static_cast<double>(stats.kept_bytes) / static_cast<double>(stats.content_bytes);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kLarge));
}
BENCHMARK(PutVersion)->Arg(-1)->Arg(1)->Arg(10)->Arg(100)->Iterations(5)->Unit(benchmark::kMillisecond)->UseRealTime();

void ReadVersion(benchmark::State& state) {
  const base::TempDir dir;
  const auto store = store::open_store(dir.path() / "store");
  std::string bytes = random_bytes(2, kLarge);
  store->artifacts().put_bytes(bytes, "file", "first", {});
  bytes.insert(kLarge / 2, "an edit");
  const std::string digest = store->artifacts().put_bytes(bytes, "file", "second", {}).digest;
  for (auto _ : state) {
    state.PauseTiming();
    std::filesystem::remove_all(dir.path() / "store" / "blobs" / "copies");
    state.ResumeTiming();
    benchmark::DoNotOptimize(store->artifacts().path_of(digest));
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kLarge));
}
BENCHMARK(ReadVersion)->Iterations(5)->Unit(benchmark::kMillisecond)->UseRealTime();

// range(0) files of 1 KiB each in one folder.
void PutFolder(benchmark::State& state) {
  const base::TempDir dir;
  uint64_t seed = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::filesystem::remove_all(dir.path() / "in");
    std::filesystem::remove_all(dir.path() / "store");
    base::Rng rng(++seed);
    for (int64_t i = 0; i < state.range(0); ++i) {
      const auto folder = dir.path() / "in" / std::to_string(i / 1000);
      if (i % 1000 == 0) {
        base::make_dirs(folder);
      }
      std::ofstream(folder / std::to_string(i)) << random_bytes(rng.next(), 1024);
    }
    const auto store = store::open_store(dir.path() / "store");
    state.ResumeTiming();
    store->artifacts().put_folder(dir.path() / "in", "dataset", "d", {});
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(PutFolder)->Arg(10'000)->Arg(100'000)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace slipway
