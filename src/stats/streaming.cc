#include "stats/streaming.h"

#include <algorithm>
#include <cmath>

namespace slipway::stats {

Adwin::Adwin(const AdwinOptions& options) : options_(options), rows_(1) {}

void Adwin::insert(double value) {
  rows_[0].push_back({value, 0});
  ++width_;
  if (width_ > 1) {
    const double gap = value - total_ / (width_ - 1);
    variance_ += (width_ - 1) * gap * gap / width_;
  }
  total_ += value;
}

void Adwin::compress() {
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (static_cast<int>(rows_[i].size()) <= options_.max_buckets) {
      return;
    }
    if (i + 1 == rows_.size()) {
      rows_.emplace_back();
    }
    const double n = std::ldexp(1.0, static_cast<int>(i));
    const Bucket a = rows_[i][0];
    const Bucket b = rows_[i][1];
    const double gap = a.total / n - b.total / n;
    rows_[i + 1].push_back({a.total + b.total, a.variance + b.variance + n * gap * gap / 2});
    rows_[i].erase(rows_[i].begin(), rows_[i].begin() + 2);
  }
}

void Adwin::drop_oldest() {
  std::vector<Bucket>& row = rows_.back();
  const double n = std::ldexp(1.0, static_cast<int>(rows_.size()) - 1);
  const Bucket oldest = row.front();
  width_ -= n;
  total_ -= oldest.total;
  const double gap = oldest.total / n - total_ / width_;
  variance_ -= oldest.variance + n * width_ * gap * gap / (n + width_);
  row.erase(row.begin());
  while (rows_.size() > 1 && rows_.back().empty()) {
    rows_.pop_back();
  }
}

bool Adwin::is_cut(double n0, double n1, double difference) const {
  const double log_term = std::log(2 * std::log(width_) / options_.delta);
  const double inverse = 1 / (n0 - options_.min_window_length + 1) + 1 / (n1 - options_.min_window_length + 1);
  const double bound = std::sqrt(2 * inverse * (variance_ / width_) * log_term) + 2.0 / 3 * log_term * inverse;
  return std::abs(difference) > bound;
}

// Tries every cut between buckets from the oldest on; drops the oldest bucket and starts again while a cut shows two
// means.
bool Adwin::detect() {
  bool changed = false;
  for (bool again = true; again;) {
    again = false;
    double n0 = 0;
    double n1 = width_;
    double u0 = 0;
    double u1 = total_;
    for (size_t i = rows_.size(); i-- > 0 && !again;) {
      const double n = std::ldexp(1.0, static_cast<int>(i));
      for (size_t k = 0; k < rows_[i].size(); ++k) {
        n0 += n;
        n1 -= n;
        u0 += rows_[i][k].total;
        u1 -= rows_[i][k].total;
        if (n0 >= options_.min_window_length && n1 >= options_.min_window_length && is_cut(n0, n1, u0 / n0 - u1 / n1)) {
          drop_oldest();
          changed = true;
          again = true;
          break;
        }
      }
    }
  }
  return changed;
}

bool Adwin::add(double value) {
  if (changed_ && options_.start_anew) {
    *this = Adwin(options_);
  }
  insert(value);
  compress();
  ++tick_;
  changed_ = tick_ % options_.clock == 0 && width_ > options_.grace_period && detect();
  return changed_;
}

bool PageHinkley::add(double value) {
  ++count_;
  mean_ += (value - mean_) / static_cast<double>(count_);
  const double deviation = value - mean_;
  sum_up_ = options_.alpha * sum_up_ + deviation - options_.delta;
  sum_down_ = options_.alpha * sum_down_ + deviation + options_.delta;
  min_up_ = std::min(min_up_, sum_up_);
  max_down_ = std::max(max_down_, sum_down_);
  if (count_ < options_.min_instances) {
    return false;
  }
  using Mode = PageHinkleyOptions::Mode;
  const bool up = options_.mode != Mode::kDown && sum_up_ - min_up_ > options_.threshold;
  const bool down = options_.mode != Mode::kUp && max_down_ - sum_down_ > options_.threshold;
  if (up || down) {
    *this = PageHinkley(options_);
    return true;
  }
  return false;
}

namespace {

double hoeffding(double n, double confidence) { return std::sqrt(std::log(1 / confidence) / (2 * n)); }

// The bound on the gap between the mean at the cut (n_cut values) and the mean of all n.
double gap_bound(double n_cut, double n, double confidence) {
  return std::sqrt((n - n_cut) / n_cut / n / 2 * std::log(2 / confidence));
}

}  // namespace

bool Hddm::mean_rose(double n_cut, double c_cut, double confidence) const {
  return n_cut != n_ && c_ / n_ - c_cut / n_cut >= gap_bound(n_cut, n_, confidence);
}

bool Hddm::mean_fell(double n_cut, double c_cut, double confidence) const {
  return n_cut != n_ && c_cut / n_cut - c_ / n_ >= gap_bound(n_cut, n_, confidence);
}

void Hddm::reset() { n_ = c_ = n_min_ = c_min_ = n_max_ = c_max_ = 0; }

bool Hddm::add(double value) {
  ++n_;
  c_ += value;
  const double now = hoeffding(n_, options_.drift_confidence);
  if (n_min_ == 0 || c_min_ / n_min_ + hoeffding(n_min_, options_.drift_confidence) >= c_ / n_ + now) {
    n_min_ = n_;
    c_min_ = c_;
  }
  if (n_max_ == 0 || c_max_ / n_max_ - hoeffding(n_max_, options_.drift_confidence) <= c_ / n_ - now) {
    n_max_ = n_;
    c_max_ = c_;
  }
  if (mean_rose(n_min_, c_min_, options_.drift_confidence) ||
      (options_.two_sided && mean_fell(n_max_, c_max_, options_.drift_confidence))) {
    reset();
    warning_ = false;
    return true;
  }
  warning_ = mean_rose(n_min_, c_min_, options_.warning_confidence);
  return false;
}

}  // namespace slipway::stats
