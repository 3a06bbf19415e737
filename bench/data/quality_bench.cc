// Quality signals in bytes of text a second on one thread: the families one by one, and the four of FineWeb in one
// pass. Rival: bench/rivals/data_quality.py (datatrove, dolma), same text. SLIPWAY_BENCH_TEXTS names a file of JSON
// Lines with "text" to use instead of the generated pages; no text is left half-way: every stage measures every page.
#include <benchmark/benchmark.h>
#include <cmath>
#include <cstdlib>

#include "base/input.h"
#include "base/random.h"
#include "data/jsonl_line.h"
#include "data/quality.h"

namespace slipway::data {
namespace {

// Pages of sentences of words drawn by Zipf's law.
std::vector<std::string> generate() {
  base::Rng rng(2);
  std::vector<std::string> words = {"the", "of", "and", "to", "that", "be", "with", "have"};
  while (words.size() < 20000) {
    std::string word;
    for (uint64_t n = 2 + rng.below(9); n > 0; --n) {
      word += static_cast<char>('a' + rng.below(26));
    }
    words.push_back(std::move(word));
  }
  std::vector<std::string> pages;
  for (int page = 0; page < 1000; ++page) {
    std::string text;
    for (int i = 0; i < 600; ++i) {
      text += words[static_cast<size_t>(std::pow(20000.0, rng.uniform())) - 1];
      text += i % 90 == 89 ? ".\n" : i % 14 == 13 ? ". " : i % 9 == 8 ? ", " : " ";
    }
    pages.push_back(std::move(text));
  }
  return pages;
}

const std::vector<std::string>& pages() {
  static const std::vector<std::string> texts = [] {
    const char* file = std::getenv("SLIPWAY_BENCH_TEXTS");
    if (file == nullptr) {
      return generate();
    }
    std::vector<std::string> out;
    base::LineReader lines(file, size_t{64} << 20U);
    JsonlLine reader("text", "id");
    for (std::string_view line; lines.next(line);) {
      if (reader.read(line).empty()) {
        out.push_back(reader.text());
      }
    }
    return out;
  }();
  return texts;
}

int64_t bytes() {
  int64_t total = 0;
  for (const std::string& text : pages()) {
    total += static_cast<int64_t>(text.size());
  }
  return total;
}

// All rules off, so that no page stops at the first that it breaks.
QualityOptions measure_all(const std::string& preset, std::vector<QualityStage> stages = {}) {
  QualityOptions options = quality_preset(preset);
  if (!stages.empty()) {
    options.stages = std::move(stages);
  }
  const auto parameters = quality_parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const bool setting = parameters[i].name.starts_with("filter_no") || parameters[i].name.starts_with("remove_") ||
                         parameters[i].name.starts_with("filter_java") ||
                         parameters[i].name.starts_with("filter_policy") || parameters[i].name.ends_with("_per_line") ||
                         parameters[i].name == "max_word_length" || parameters[i].name == "short_line_length" ||
                         parameters[i].name.ends_with("exclude_zero");
    if (!setting) {
      options.values[i] = std::nan("");
    }
  }
  return options;
}

void run(benchmark::State& state, const QualityOptions& options) {
  QualityScanner scanner(options);
  Signals signals;
  std::string text;
  for (auto _ : state) {
    for (const std::string& page : pages()) {
      text.assign(page);
      benchmark::DoNotOptimize(scanner.judge(text, signals).reason.data());
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * bytes());
}

void BM_EnglishWords(benchmark::State& state) {
  text::EnglishWords words;
  std::vector<text::WebToken> tokens;
  for (auto _ : state) {
    for (const std::string& page : pages()) {
      words.scan(page, tokens);
      benchmark::DoNotOptimize(tokens.data());
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * bytes());
}
BENCHMARK(BM_EnglishWords)->Unit(benchmark::kMillisecond);

void BM_FineWebFour(benchmark::State& state) { run(state, measure_all("fineweb")); }
BENCHMARK(BM_FineWebFour)->Unit(benchmark::kMillisecond);

void BM_GopherQuality(benchmark::State& state) { run(state, measure_all("gopher", {QualityStage::kGopher})); }
BENCHMARK(BM_GopherQuality)->Unit(benchmark::kMillisecond);

void BM_GopherRepetition(benchmark::State& state) { run(state, measure_all("gopher", {QualityStage::kRepetition})); }
BENCHMARK(BM_GopherRepetition)->Unit(benchmark::kMillisecond);

void BM_C4(benchmark::State& state) { run(state, measure_all("c4", {QualityStage::kC4})); }
BENCHMARK(BM_C4)->Unit(benchmark::kMillisecond);

void BM_FineWebQuality(benchmark::State& state) { run(state, measure_all("fineweb", {QualityStage::kFineweb})); }
BENCHMARK(BM_FineWebQuality)->Unit(benchmark::kMillisecond);

void BM_Dolma(benchmark::State& state) { run(state, measure_all("dolma")); }
BENCHMARK(BM_Dolma)->Unit(benchmark::kMillisecond);

void BM_RedPajama(benchmark::State& state) { run(state, measure_all("redpajama")); }
BENCHMARK(BM_RedPajama)->Unit(benchmark::kMillisecond);

void BM_NeMo(benchmark::State& state) { run(state, measure_all("nemo")); }
BENCHMARK(BM_NeMo)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace slipway::data
