// Methods as in Simard & L'Ecuyer 2011, "Computing the two-sided Kolmogorov-Smirnov distribution": each region of (n,
// x) has one that keeps its digits there.
#include "stats/kolmogorov.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace slipway::stats {
namespace {

constexpr double kPi = std::numbers::pi;

// Smirnov's one-sided tail P(D+ >= x), summed in logarithms; all terms are positive.
double smirnov_upper(int64_t n, double x) {
  const auto rows = static_cast<double>(n);
  const auto last = static_cast<int64_t>(std::floor(rows * (1 - x)));
  const double log_factorial = std::lgamma(rows + 1);
  double sum = 0;
  for (int64_t v = 0; v <= last; ++v) {
    const auto k = static_cast<double>(v);
    const double left = x + k / rows;
    const double right = 1 - left;
    if (right <= 0) {
      continue;
    }
    sum += std::exp(log_factorial - std::lgamma(k + 1) - std::lgamma(rows - k + 1) + (k - 1) * std::log(left) +
                    (rows - k) * std::log(right));
  }
  return std::clamp(x * sum, 0.0, 1.0);
}

using Square = std::vector<double>;

Square multiply(const Square& a, const Square& b, int m) {
  Square c(static_cast<size_t>(m) * m);
  for (int i = 0; i < m; ++i) {
    for (int k = 0; k < m; ++k) {
      for (int j = 0; j < m; ++j) {
        c[i * m + j] += a[i * m + k] * b[k * m + j];
      }
    }
  }
  return c;
}

// P(D_n < x) by the matrix power of Marsaglia, Tsang & Wang 2003.
double matrix_cdf(int64_t n, double x) {
  const auto rows = static_cast<double>(n);
  const int k = static_cast<int>(rows * x) + 1;
  const int m = 2 * k - 1;
  const double h = k - rows * x;
  Square base(static_cast<size_t>(m) * m);
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < m; ++j) {
      base[i * m + j] = i - j + 1 < 0 ? 0 : 1;
    }
  }
  for (int i = 0; i < m; ++i) {
    base[i * m] -= std::pow(h, i + 1);
    base[(m - 1) * m + i] -= std::pow(h, m - i);
  }
  base[(m - 1) * m] += 2 * h - 1 > 0 ? std::pow(2 * h - 1, m) : 0;
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < m; ++j) {
      for (int g = 1; g <= i - j + 1; ++g) {
        base[i * m + j] /= g;
      }
    }
  }
  Square power(static_cast<size_t>(m) * m);
  for (int i = 0; i < m; ++i) {
    power[i * m + i] = 1;
  }
  int exponent = 0;  // the power is power * 2^exponent
  int base_exponent = 0;
  for (int64_t left = n; left > 0; left >>= 1) {
    if ((left & 1) != 0) {
      power = multiply(power, base, m);
      exponent += base_exponent;
    }
    base = multiply(base, base, m);
    base_exponent *= 2;
    for (auto [square, e] : {std::pair{&power, &exponent}, std::pair{&base, &base_exponent}}) {
      if ((*square)[(k - 1) * m + k - 1] > 0x1p400) {
        for (double& v : *square) {
          v *= 0x1p-400;
        }
        *e += 400;
      }
    }
  }
  double s = power[(k - 1) * m + k - 1];
  for (int64_t i = 1; i <= n; ++i) {  // times n! / n^n
    s *= static_cast<double>(i) / rows;
    if (s < 0x1p-400) {
      s *= 0x1p400;
      exponent -= 400;
    }
  }
  return std::clamp(std::ldexp(s, exponent), 0.0, 1.0);
}

// P(D_n < x), Pelz & Good 1976: Kolmogorov's limit and its corrections of order n^-1/2, n^-1, n^-3/2.
double pelz_good_cdf(int64_t n, double x) {
  const auto rows = static_cast<double>(n);
  const double z = std::sqrt(rows) * x;
  const double z2 = z * z;
  const double z4 = z2 * z2;
  const double z6 = z4 * z2;
  const double pi2 = kPi * kPi;
  const double pi4 = pi2 * pi2;
  const double pi6 = pi4 * pi2;
  double k0 = 0;
  double k1 = 0;
  double k2 = 0;
  double k3 = 0;
  double k2_whole = 0;
  double k3_whole = 0;
  for (int k = 0; k < 40; ++k) {
    const double h2 = (k + 0.5) * (k + 0.5);
    const double half = std::exp(-pi2 * h2 / (2 * z2));
    const double w2 = static_cast<double>(k) * k;
    const double whole = std::exp(-pi2 * w2 / (2 * z2));
    k0 += half;
    k1 += (pi2 * h2 - z2) * half;
    k2 += (6 * z6 + 2 * z4 + pi2 * (2 * z4 - 5 * z2) * h2 + pi4 * (1 - 2 * z2) * h2 * h2) * half;
    k3 += (pi6 * h2 * h2 * h2 * (5 - 30 * z2) + pi4 * h2 * h2 * (-60 * z2 + 212 * z4) +
           pi2 * h2 * (135 * z4 - 96 * z6) - 30 * z6 - 90 * z4 * z4) *
          half;
    k2_whole += pi2 * w2 * whole;
    k3_whole += (-pi4 * w2 * w2 + 3 * pi2 * w2 * z2) * whole;
  }
  // Each sum above runs over one half of a symmetric series.
  const double root = std::sqrt(kPi / 2);
  const double term0 = std::sqrt(2 * kPi) / z * k0;
  const double term1 = root / (6 * z4) * 2 * k1;
  const double term2 = root / (72 * z6 * z) * 2 * k2 - root / (36 * z2 * z) * 2 * k2_whole;
  const double term3 = root / (6480 * z6 * z4) * 2 * k3 + root / (216 * z6) * 2 * k3_whole;
  return std::clamp(term0 + term1 / std::sqrt(rows) + term2 / rows + term3 / (rows * std::sqrt(rows)), 0.0, 1.0);
}

}  // namespace

double kolmogorov_exact_upper(int64_t n, double x) {
  const auto rows = static_cast<double>(n);
  const double t = rows * x;
  if (x >= 1) {
    return 0;
  }
  if (t <= 0.5) {
    return 1;
  }
  if (t <= 1) {  // Ruben & Gambino
    return 1 - std::exp(std::lgamma(rows + 1) + rows * std::log((2 * t - 1) / rows));
  }
  if (t >= rows - 1) {
    return 2 * std::pow(1 - x, rows);
  }
  const double reach = t * x;  // n x^2
  if (x >= 0.5 || reach >= (n <= 140 ? 4.0 : 2.2)) {
    return reach >= 370 ? 0 : std::min(1.0, 2 * smirnov_upper(n, x));
  }
  const bool small = n <= 140 || (n <= 100000 && rows * std::pow(x, 1.5) <= 1.4);
  return 1 - (small ? matrix_cdf(n, x) : pelz_good_cdf(n, x));
}

}  // namespace slipway::stats
