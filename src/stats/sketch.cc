#include "stats/sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/check.h"

namespace slipway::stats {
namespace {

[[noreturn]] void bad(std::string_view source, const char* what) {
  throw base::Error(base::Code::kInvalid, fmt::format("{}: {}", source, what));
}

}  // namespace

Histogram::Histogram(std::vector<double> edges) : edges_(std::move(edges)) {
  require(edges_.size() >= 2, "histogram: at least two edges are needed");
  for (size_t i = 0; i < edges_.size(); ++i) {
    require(!std::isnan(edges_[i]) && (i == 0 || edges_[i] >= edges_[i - 1]), "histogram: edges must not fall");
  }
  counts_.resize(edges_.size() - 1);
}

void Histogram::add(double value, double weight) {
  if (std::isnan(value)) {
    missing_ += weight;
    return;
  }
  const auto first = edges_.begin() + 1;
  counts_[std::upper_bound(first, edges_.end() - 1, value) - first] += weight;
  total_ += weight;
}

void Histogram::merge(const Histogram& other) {
  require(edges_ == other.edges_, "histograms with different edges cannot be merged");
  std::transform(counts_.begin(), counts_.end(), other.counts_.begin(), counts_.begin(), std::plus<>());
  total_ += other.total_;
  missing_ += other.missing_;
}

base::Json Histogram::to_json() const { return {{"edges", edges_}, {"counts", counts_}, {"missing", missing_}}; }

Histogram Histogram::from_json(const base::Json& json, std::string_view source) {
  Histogram h(base::get<std::vector<double>>(json, "edges", source));
  h.counts_ = base::get<std::vector<double>>(json, "counts", source);
  h.missing_ = base::get_or<double>(json, "missing", 0, source);
  if (h.counts_.size() + 1 != h.edges_.size()) {
    bad(source, "a histogram needs one count fewer than edges");
  }
  for (const double c : h.counts_) {
    if (!(c >= 0)) {
      bad(source, "a histogram's counts must not be negative");
    }
    h.total_ += c;
  }
  return h;
}

QuantileSketch::QuantileSketch(double accuracy, int max_buckets) : accuracy_(accuracy), max_buckets_(max_buckets) {
  require(accuracy > 0 && accuracy < 1, "quantile sketch: accuracy must be between 0 and 1");
  require(max_buckets >= 2, "quantile sketch: at least two buckets are needed");
  log_gamma_ = std::log((1 + accuracy) / (1 - accuracy));
}

int QuantileSketch::bucket_of(double magnitude) const {
  return static_cast<int>(std::ceil(std::log(magnitude) / log_gamma_));
}

// The value in (gamma^(b-1), gamma^b] with equal relative distance to both ends.
double QuantileSketch::value_of(int bucket) const { return std::exp(bucket * log_gamma_) * (1 - accuracy_); }

void QuantileSketch::collapse(std::map<int, uint64_t>& buckets) const {
  while (static_cast<int>(buckets.size()) > max_buckets_) {
    const auto first = buckets.begin();
    std::next(first)->second += first->second;
    buckets.erase(first);
  }
}

void QuantileSketch::add(double value, uint64_t count) {
  if (!std::isfinite(value) || count == 0) {
    return;
  }
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  count_ += count;
  sum_ += value * static_cast<double>(count);
  constexpr double kTiny = 1e-300;
  if (std::abs(value) < kTiny) {
    zeros_ += count;
    return;
  }
  std::map<int, uint64_t>& side = value > 0 ? positive_ : negative_;
  side[bucket_of(std::abs(value))] += count;
  collapse(side);
}

void QuantileSketch::merge(const QuantileSketch& other) {
  require(accuracy_ == other.accuracy_, "quantile sketches of different accuracy cannot be merged");
  if (other.count_ == 0) {
    return;
  }
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
  zeros_ += other.zeros_;
  for (const auto& [bucket, count] : other.positive_) {
    positive_[bucket] += count;
  }
  for (const auto& [bucket, count] : other.negative_) {
    negative_[bucket] += count;
  }
  collapse(positive_);
  collapse(negative_);
}

double QuantileSketch::quantile(double q) const {
  require(q >= 0 && q <= 1, "quantile sketch: q must lie in [0, 1]");
  if (count_ == 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double rank = q * static_cast<double>(count_ - 1);
  const auto found = [&](double value) { return std::clamp(value, min_, max_); };
  double seen = 0;
  for (auto it = negative_.rbegin(); it != negative_.rend(); ++it) {
    seen += static_cast<double>(it->second);
    if (seen > rank) {
      return found(-value_of(it->first));
    }
  }
  seen += static_cast<double>(zeros_);
  if (seen > rank) {
    return 0;
  }
  for (const auto& [bucket, count] : positive_) {
    seen += static_cast<double>(count);
    if (seen > rank) {
      return found(value_of(bucket));
    }
  }
  return max_;
}

base::Json QuantileSketch::to_json() const {
  const auto side = [](const std::map<int, uint64_t>& buckets) {
    base::Json pairs = base::Json::array();
    for (const auto& [bucket, count] : buckets) {
      pairs.push_back({bucket, count});
    }
    return pairs;
  };
  return {{"accuracy", accuracy_},
          {"max_buckets", max_buckets_},
          {"sum", sum_},
          {"min", min_},
          {"max", max_},
          {"zeros", zeros_},
          {"positive", side(positive_)},
          {"negative", side(negative_)}};
}

QuantileSketch QuantileSketch::from_json(const base::Json& json, std::string_view source) {
  QuantileSketch sketch(base::get<double>(json, "accuracy", source), base::get<int>(json, "max_buckets", source));
  sketch.sum_ = base::get<double>(json, "sum", source);
  sketch.min_ = base::get<double>(json, "min", source);
  sketch.max_ = base::get<double>(json, "max", source);
  sketch.zeros_ = base::get<uint64_t>(json, "zeros", source);
  sketch.count_ = sketch.zeros_;
  const auto read = [&](const char* key, std::map<int, uint64_t>& side) {
    using Pairs = std::vector<std::pair<int, uint64_t>>;
    for (const auto& [bucket, count] : base::get<Pairs>(json, key, source)) {
      side[bucket] += count;
      sketch.count_ += count;
    }
  };
  read("positive", sketch.positive_);
  read("negative", sketch.negative_);
  if (!(sketch.min_ <= sketch.max_)) {
    bad(source, "a quantile sketch's min is above its max");
  }
  return sketch;
}

TopCounts::TopCounts(size_t capacity) : capacity_(capacity) {
  require(capacity > 0, "top counts: capacity must be at least 1");
}

void TopCounts::add(std::string_view key, uint64_t count) {
  total_ += count;
  auto it = slots_.find(std::string(key));
  if (it != slots_.end()) {
    it->second.count += count;
    return;
  }
  if (slots_.size() >= 2 * capacity_) {
    shrink();
  }
  slots_.emplace(std::string(key), Slot{count + floor_, floor_});
}

// Keeps the `capacity` largest; a key that comes back later may have had up to the largest count dropped (Misra-Gries
// with lazy eviction: one sort for `capacity` insertions).
void TopCounts::shrink() {
  if (slots_.size() <= capacity_) {
    return;
  }
  const std::vector<Entry> kept = top(slots_.size());
  floor_ = std::max(floor_, kept[capacity_].count);
  for (size_t i = capacity_; i < kept.size(); ++i) {
    slots_.erase(kept[i].key);
  }
}

void TopCounts::merge(const TopCounts& other) {
  for (auto& [key, slot] : slots_) {
    if (!other.slots_.contains(key)) {
      slot.count += other.floor_;
      slot.error += other.floor_;
    }
  }
  for (const auto& [key, slot] : other.slots_) {
    const auto [it, fresh] = slots_.emplace(key, Slot{floor_, floor_});
    it->second.count += slot.count;
    it->second.error += slot.error;
  }
  floor_ += other.floor_;
  total_ += other.total_;
  if (slots_.size() > 2 * capacity_) {
    shrink();
  }
}

uint64_t TopCounts::count(std::string_view key) const {
  const auto it = slots_.find(std::string(key));
  return it == slots_.end() ? 0 : it->second.count;
}

std::vector<TopCounts::Entry> TopCounts::top(size_t k) const {
  std::vector<Entry> entries;
  entries.reserve(slots_.size());
  for (const auto& [key, slot] : slots_) {
    entries.push_back({key, slot.count, slot.error});
  }
  const auto above = [](const Entry& a, const Entry& b) {
    return a.count != b.count ? a.count > b.count : a.key < b.key;
  };
  const size_t keep = std::min(k, entries.size());
  std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(keep), entries.end(), above);
  entries.resize(keep);
  return entries;
}

base::Json TopCounts::to_json() const {
  base::Json entries = base::Json::array();
  for (const Entry& e : top(capacity_)) {
    entries.push_back({e.key, e.count, e.error});
  }
  return {{"capacity", capacity_}, {"total", total_}, {"floor", std::max(floor_, next_count())}, {"entries", entries}};
}

// The largest count that a written sketch leaves out.
uint64_t TopCounts::next_count() const { return slots_.size() > capacity_ ? top(capacity_ + 1).back().count : 0; }

TopCounts TopCounts::from_json(const base::Json& json, std::string_view source) {
  TopCounts counts(base::get<size_t>(json, "capacity", source));
  counts.total_ = base::get<uint64_t>(json, "total", source);
  counts.floor_ = base::get<uint64_t>(json, "floor", source);
  using Rows = std::vector<std::tuple<std::string, uint64_t, uint64_t>>;
  for (const auto& [key, count, error] : base::get<Rows>(json, "entries", source)) {
    counts.slots_[key] = {count, error};
  }
  return counts;
}

}  // namespace slipway::stats
