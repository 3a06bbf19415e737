// Argument checks shared by this room's files: each throws Error(kInvalid) saying what was wrong.
#pragma once

#include <cstdint>
#include <fmt/format.h>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::stats {

inline void require(bool good, const char* what) {
  if (!good) {
    throw base::Error(base::Code::kInvalid, what);
  }
}

inline void require_same(size_t a, size_t b, const char* what) {
  if (a != b) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: lengths differ ({} and {})", what, a, b));
  }
}

// Every label in [0, labels); at least one row.
inline void require_labels(std::span<const int> values, int labels, const char* what) {
  if (values.empty()) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: no rows", what));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0 || values[i] >= labels) {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("{}: row {} has label {}; labels are 0 to {}", what, i, values[i], labels - 1));
    }
  }
}

// Linear interpolation between order statistics, numpy's default; `sorted` is not empty, q in [0, 1].
inline double sorted_quantile(std::span<const double> sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  if (below + 1 >= sorted.size()) {
    return sorted.back();
  }
  const double t = at - static_cast<double>(below);
  const double a = sorted[below];
  const double b = sorted[below + 1];
  return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);  // numpy's form: exact at both ends
}

// A sorted copy; throws when empty or when a value is NaN.
std::vector<double> sorted_copy(std::span<const double> values, const char* what);

}  // namespace slipway::stats
