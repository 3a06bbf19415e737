// Change detectors that see one value at a time, with River's definitions and defaults (same detections on the same
// stream). O(1) or O(log n) memory. Not thread-safe: one stream, one writer.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace slipway::stats {

// ADaptive WINdowing (Bifet & Gavaldà 2007): keeps the longest recent window whose halves have the same mean.
struct AdwinOptions {
  double delta = 0.002;       // chance of a false cut at one check, roughly
  int clock = 32;             // values between checks
  int max_buckets = 5;        // of one size
  int min_window_length = 5;  // each side of a cut
  int grace_period = 10;      // values before the first check
  bool start_anew =
      true;  // empty the window after a detection, as River does; false keeps its newer part, as published
};
class Adwin {
 public:
  explicit Adwin(const AdwinOptions& options = {});
  // True when a change was detected at this value; the window has been cut, and is emptied at the next value
  // when options say so.
  bool add(double value);
  double width() const noexcept { return width_; }
  double mean() const noexcept { return width_ == 0 ? 0 : total_ / width_; }
  double variance_sum() const noexcept { return variance_; }  // sum of squared deviations

 private:
  struct Bucket {
    double total = 0;
    double variance = 0;
  };
  void insert(double value);
  void compress();
  bool detect();
  bool is_cut(double n0, double n1, double difference) const;
  void drop_oldest();

  AdwinOptions options_;
  std::vector<std::vector<Bucket>> rows_;  // row i: buckets of 2^i values, oldest first
  double width_ = 0;
  double total_ = 0;
  double variance_ = 0;
  int64_t tick_ = 0;
  bool changed_ = false;
};

// Page-Hinkley test (Page 1954) of the mean, up, down or both; starts anew after a detection.
struct PageHinkleyOptions {
  enum class Mode { kUp, kDown, kBoth };
  int min_instances = 30;
  double delta = 0.005;
  double threshold = 50;
  double alpha = 0.9999;
  Mode mode = Mode::kBoth;
};
class PageHinkley {
 public:
  explicit PageHinkley(const PageHinkleyOptions& options = {}) : options_(options) {}
  bool add(double value);

 private:
  PageHinkleyOptions options_;
  int64_t count_ = 0;
  double mean_ = 0;
  double sum_up_ = 0;
  double sum_down_ = 0;
  double min_up_ = std::numeric_limits<double>::max();
  double max_down_ = std::numeric_limits<double>::lowest();
};

// Hoeffding drift detection with the A-test (Frías-Blanco 2015), for values in [0, 1] such as errors: finds a rise (or,
// two-sided, any change) of the mean with bounded false alarms.
struct HddmOptions {
  double drift_confidence = 0.001;
  double warning_confidence = 0.005;
  bool two_sided = false;
};
class Hddm {
 public:
  explicit Hddm(const HddmOptions& options = {}) : options_(options) {}
  bool add(double value);
  bool warning() const noexcept { return warning_; }

 private:
  bool mean_rose(double n_cut, double c_cut, double confidence) const;
  bool mean_fell(double n_cut, double c_cut, double confidence) const;
  void reset();

  HddmOptions options_;
  double n_ = 0, c_ = 0;          // of all values since the last detection: count, sum
  double n_min_ = 0, c_min_ = 0;  // at the lowest upper bound
  double n_max_ = 0, c_max_ = 0;  // at the highest lower bound
  bool warning_ = false;
};

}  // namespace slipway::stats
