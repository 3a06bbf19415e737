// The tokenizer on running text: MB/s of one thread, with and without offsets, and the time to load a vocabulary.
// usage: SLIPWAY_TOKENIZER=tokenizer.json [SLIPWAY_TEXT=lines.txt] bench_text
// Without a text file, lines are made from the vocabulary itself. bench/rivals/tokenizer.py compares with Hugging Face.
#include <benchmark/benchmark.h>
#include <cstdlib>

#include "base/file.h"
#include "base/input.h"
#include "base/random.h"
#include "text/mask.h"
#include "text/tokenizer.h"
#include "text/words.h"

namespace slipway::text {
namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

const Tokenizer& tokenizer() {
  static const auto loaded = load_tokenizer(setting("SLIPWAY_TOKENIZER"));
  return *loaded;
}

const std::vector<std::string>& lines() {
  static const std::vector<std::string> made = [] {
    std::vector<std::string> out;
    if (const std::string path = setting("SLIPWAY_TEXT"); !path.empty()) {
      base::LineReader reader(path);
      std::string_view line;
      size_t bytes = 0;
      while (bytes < (size_t{4} << 20) && reader.next(line)) {
        out.emplace_back(line);
        bytes += line.size();
      }
      return out;
    }
    base::Rng rng(1);
    for (int i = 0; i < 20000; ++i) {
      std::string line;
      for (int w = 0; w < 20; ++w) {
        line += tokenizer().id_to_token(static_cast<int>(rng.below(static_cast<uint64_t>(tokenizer().vocab_size()))));
        line += ' ';
      }
      out.push_back(std::move(line));
    }
    return out;
  }();
  return made;
}

template <class Body>
void over_lines(benchmark::State& state, const Body& body) {
  int64_t bytes = 0;
  for (auto _ : state) {
    for (const std::string& line : lines()) {
      body(line);
      bytes += static_cast<int64_t>(line.size());
    }
  }
  state.SetBytesProcessed(bytes);
}

void encode(benchmark::State& state) {
  Encoding out;
  const EncodeOptions options{true, state.range(0) != 0, 0};
  over_lines(state, [&](const std::string& line) {
    tokenizer().encode(line, options, out);
    benchmark::DoNotOptimize(out.ids.data());
  });
}
BENCHMARK(encode)->ArgName("offsets")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void load(benchmark::State& state) {
  const std::string path = setting("SLIPWAY_TOKENIZER");
  for (auto _ : state) {
    benchmark::DoNotOptimize(load_tokenizer(path));
  }
}
BENCHMARK(load)->Unit(benchmark::kMillisecond);

void words(benchmark::State& state) {
  std::vector<Span> spans;
  over_lines(state, [&](const std::string& line) { split_words(line, spans); });
}
BENCHMARK(words)->Unit(benchmark::kMillisecond);

void mask(benchmark::State& state) {
  MaskCounts counts;
  over_lines(state, [&](const std::string& line) { benchmark::DoNotOptimize(mask_pii(line, {}, counts)); });
}
BENCHMARK(mask)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace slipway::text

BENCHMARK_MAIN();
