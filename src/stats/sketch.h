// Small summaries of streams that can be merged and stored as JSON: histogram with fixed edges, quantiles with bounded
// relative error, top-k counts. Deterministic: no randomness. Not thread-safe: one writer, or lock outside.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"

namespace slipway::stats {

// Counts per bin [edge_i, edge_{i+1}), ends open to infinity. NaN is counted apart.
class Histogram {
 public:
  // At least 2 edges, not falling; else Error(kInvalid).
  explicit Histogram(std::vector<double> edges);
  void add(double value, double weight = 1);
  // Throws Error(kInvalid) when the edges differ.
  void merge(const Histogram& other);
  const std::vector<double>& edges() const noexcept { return edges_; }
  const std::vector<double>& counts() const noexcept { return counts_; }  // edges - 1
  double total() const noexcept { return total_; }                        // without NaN
  double missing() const noexcept { return missing_; }

  base::Json to_json() const;
  static Histogram from_json(const base::Json& json, std::string_view source);  // throws Error(kInvalid)

 private:
  std::vector<double> edges_;
  std::vector<double> counts_;
  double total_ = 0;
  double missing_ = 0;
};

// Quantiles of a stream with relative error `accuracy` (DDSketch: Masson, Rim & Lee 2019): logarithmic buckets, at most
// `max_buckets` for each sign; when full the smallest magnitudes are pooled. Count, sum, minimum and maximum are exact.
class QuantileSketch {
 public:
  explicit QuantileSketch(double accuracy = 0.01, int max_buckets = 2048);
  void add(double value, uint64_t count = 1);
  void merge(const QuantileSketch& other);  // throws Error(kInvalid) when the accuracies differ
  uint64_t count() const noexcept { return count_; }
  double sum() const noexcept { return sum_; }
  double mean() const noexcept { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  double min() const noexcept { return min_; }  // 0 when empty
  double max() const noexcept { return max_; }
  // q in [0, 1]; NaN when empty.
  double quantile(double q) const;

  base::Json to_json() const;
  static QuantileSketch from_json(const base::Json& json, std::string_view source);

 private:
  int bucket_of(double magnitude) const;
  double value_of(int bucket) const;
  void collapse(std::map<int, uint64_t>& buckets) const;

  double accuracy_;
  double log_gamma_;
  int max_buckets_;
  std::map<int, uint64_t> positive_;
  std::map<int, uint64_t> negative_;  // by magnitude
  uint64_t zeros_ = 0;
  uint64_t count_ = 0;
  double sum_ = 0;
  double min_ = 0;
  double max_ = 0;
};

// The most frequent keys of a stream in bounded memory (Misra & Gries 1982, evicting lazily): while at most `capacity`
// distinct keys were seen counts are exact; after that a count is too high by at most its `error`.
class TopCounts {
 public:
  struct Entry {
    std::string key;
    uint64_t count = 0;
    uint64_t error = 0;
  };
  explicit TopCounts(size_t capacity);
  void add(std::string_view key, uint64_t count = 1);
  void merge(const TopCounts& other);
  uint64_t total() const noexcept { return total_; }
  uint64_t count(std::string_view key) const;  // 0 when not kept
  // By falling count, then key; at most k.
  std::vector<Entry> top(size_t k) const;

  base::Json to_json() const;
  static TopCounts from_json(const base::Json& json, std::string_view source);

 private:
  void shrink();
  uint64_t next_count() const;
  struct Slot {
    uint64_t count = 0;
    uint64_t error = 0;
  };
  size_t capacity_;
  uint64_t total_ = 0;
  uint64_t floor_ = 0;                           // no key that is not kept has a larger count
  std::unordered_map<std::string, Slot> slots_;  // up to 2 capacity
};

}  // namespace slipway::stats
