// What a version of a dataset holds, in one pass over its rows: exact counts of its columns and of its texts (lengths, languages,
// n-grams, copies, personal data), and a sample of rows for what needs whole rows. The sample is the `sample` rows with the smallest
// hashes of (seed, number of the row): the same for any number of threads, and a smaller sample is the beginning of a larger one.
// Memory is bounded by the sample, by 100,000 n-grams of each length and by `memory_bytes`; texts in the sample are cut at 8 KiB.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "data/profile.h"
#include "stats/sketch.h"
#include "text/tokenizer.h"

namespace slipway::data {

struct ScanOptions {
  std::string text;   // the column of texts; empty: chosen from the first rows, by name or as the longest
  std::string label;  // the column of labels; empty: chosen by name
  int64_t sample = 10'000;
  uint64_t seed = 7;
  bool pii = true;
  const text::Tokenizer* tokenizer = nullptr;  // counts tokens; borrowed
  uint64_t memory_bytes = uint64_t{256} << 20U;
  std::filesystem::path work;  // an empty folder for sorting
};

// Counts of numbers in equal bins whose width doubles as numbers come that lie outside. Exact counts, whatever the order.
class GrowingHistogram {
 public:
  void add(double value);
  void finish();  // after the last
  uint64_t count() const noexcept { return count_; }
  double mean() const noexcept { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  double min() const noexcept { return min_; }
  double max() const noexcept { return max_; }
  // {"count", "mean", "min", "max", "p5", "p25", "p50", "p75", "p95", "bins": [{low, high, count}, …]}; quantiles to 1 % of their size.
  Json to_json() const;

 private:
  void start();
  void place(double value);
  std::vector<double> first_;  // until the bins are chosen
  std::vector<uint64_t> bins_;
  double low_ = 0;
  double width_ = 0;
  uint64_t count_ = 0;
  double sum_ = 0;
  double min_ = 0;
  double max_ = 0;
  bool whole_ = true;  // all are whole numbers: so are the edges
  stats::QuantileSketch quantiles_;
};

struct SampleRow {
  uint64_t order = 0;           // its hash
  uint64_t number = 0;          // of the row, from 0
  std::string at;               // "FILE:LINE"
  std::string text;             // of the column of texts, at most 8 KiB, valid UTF-8
  std::string label;
  std::string language;
  Hash128 content;              // of the text, or of the row when there is no column of texts
  double chars = 0;
  double words = 0;
  std::vector<double> numbers;  // of each column of the profile; NaN: none
};

// Where the first rows are that show something.
struct Places {
  std::vector<std::string> at;
  void add(const std::string& where);
};

struct ColumnScan {
  GrowingHistogram numbers;
  Places missing;
  std::map<std::string, std::string> type_at;   // the first row of each type
  std::map<std::string, std::string> value_at;  // and of each value (ValueSet::key), when they are few
  std::vector<std::pair<double, std::string>> lowest;   // up to five, rising
  std::vector<std::pair<double, std::string>> highest;  // falling
};

struct TextScan {
  GrowingHistogram chars, words, tokens;
  std::map<std::string, int64_t> languages;
  std::array<stats::TopCounts, 3> ngrams{stats::TopCounts(kNgrams), stats::TopCounts(kNgrams), stats::TopCounts(kNgrams)};
  std::map<std::string, int64_t> pii;        // rows with each type
  std::map<std::string, std::string> pii_at;
  int64_t with_pii = 0;
  int64_t empty = 0;
  int64_t texts = 0;
  static constexpr size_t kNgrams = 100'000;
};

struct TableScan {
  TableProfile profile;             // with the frequencies of up to 1,000 values a column
  std::vector<ColumnScan> columns;  // of the profile
  std::optional<size_t> text;       // their columns
  std::optional<size_t> label;
  TextScan texts;
  int64_t copies = 0;               // rows whose text (or whole content) an earlier one has
  std::vector<SampleRow> sample;    // rising by their hash
};

// Throws Error: kInvalid (no file with rows; a column that is asked for is not there), kIntegrity, kInterrupted.
TableScan scan_table(const VersionFiles& files, const ScanOptions& options, base::Context& context);

}  // namespace slipway::data
