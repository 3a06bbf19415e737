// MinHash signatures and the readers around them, in bytes of text a second on one thread. Results are checked first: a
// signature equals the minimum over single shingles. Rival: bench/rivals/minhash.py (datatrove), same text and
// parameters. SLIPWAY_BENCH_TEXT names a text file to use instead of the generated one.
#include <benchmark/benchmark.h>
#include <cstdlib>

#include "base/file.h"
#include "base/random.h"
#include "data/csv.h"
#include "data/deduplicate.h"
#include "data/document.h"
#include "data/minhash.h"

namespace slipway::data {
namespace {

// Words drawn by Zipf's law from 20,000: documents of 400 words, one a line.
std::string generate() {
  base::Rng rng(1);
  std::vector<std::string> words;
  for (int i = 0; i < 20000; ++i) {
    std::string word;
    for (uint64_t n = 2 + rng.below(9); n > 0; --n) {
      word += static_cast<char>('a' + rng.below(26));
    }
    words.push_back(std::move(word));
  }
  std::string text;
  for (int d = 0; d < 1000; ++d) {
    for (int i = 0; i < 400; ++i) {
      const auto rank = static_cast<size_t>(std::pow(20000.0, rng.uniform())) - 1;
      text += words[rank];
      text += i % 12 == 11 ? ". " : " ";
    }
    text += '\n';
  }
  return text;
}

const std::vector<std::string>& documents() {
  static const std::vector<std::string> lines = [] {
    const char* file = std::getenv("SLIPWAY_BENCH_TEXT");
    const std::string text = file != nullptr ? base::read_file(file) : generate();
    std::vector<std::string> out;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      if (end > begin) {
        out.push_back(text.substr(begin, end - begin));
      }
      begin = end + 1;
    }
    return out;
  }();
  return lines;
}

void count_bytes(benchmark::State& state) {
  size_t bytes = 0;
  for (const std::string& text : documents()) {
    bytes += text.size();
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes) * state.iterations());
}

void BM_Shingle(benchmark::State& state) {
  Shingles shingles;
  for (auto _ : state) {
    for (const std::string& text : documents()) {
      shingle(text, shingles, false);
      benchmark::DoNotOptimize(shingles.large.data());
    }
  }
  count_bytes(state);
}
BENCHMARK(BM_Shingle)->Unit(benchmark::kMillisecond);

// 14 bands of 8, as datatrove's stage 1.
void BM_Signature(benchmark::State& state) {
  const MinHasher hasher(112, 1);
  Shingles shingles;
  std::vector<uint32_t> signature(112);
  std::vector<uint64_t> keys(14);
  for (auto _ : state) {
    for (const std::string& text : documents()) {
      shingle(text, shingles, false);
      hasher.sign(shingles.large.empty() ? shingles.small : shingles.large, signature);
      band_keys(signature, {14, 8}, 1, keys);
      benchmark::DoNotOptimize(keys.data());
    }
  }
  count_bytes(state);
}
BENCHMARK(BM_Signature)->Unit(benchmark::kMillisecond);

void BM_ExactHash(benchmark::State& state) {
  for (auto _ : state) {
    for (const std::string& text : documents()) {
      benchmark::DoNotOptimize(exact_hash(text));
    }
  }
  count_bytes(state);
}
BENCHMARK(BM_ExactHash)->Unit(benchmark::kMillisecond);

void BM_DocumentLine(benchmark::State& state) {
  std::string line;
  Document document;
  for (auto _ : state) {
    for (const std::string& text : documents()) {
      line.clear();
      append_line({"0123456789abcdef", text, "positive", "source", Json::object()}, line);
      parse_line(line, "bench", document);
      benchmark::DoNotOptimize(document.text.data());
    }
  }
  count_bytes(state);
}
BENCHMARK(BM_DocumentLine)->Unit(benchmark::kMillisecond);

void BM_Csv(benchmark::State& state) {
  std::string csv;
  for (const std::string& text : documents()) {
    csv += "positive,\"" + text + "\"\n";
  }
  std::vector<std::string_view> fields;
  for (auto _ : state) {
    size_t at = 0;
    CsvReader reader(
        [&](char* buffer, size_t capacity) {
          const size_t n = std::min(capacity, csv.size() - at);
          std::copy_n(csv.data() + at, n, buffer);
          at += n;
          return n;
        },
        "bench", {});
    while (reader.next(fields)) {
      benchmark::DoNotOptimize(fields.data());
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(csv.size()) * state.iterations());
}
BENCHMARK(BM_Csv)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace slipway::data

BENCHMARK_MAIN();
