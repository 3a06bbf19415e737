#include "stats/distributions.h"

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numbers>

#include "stats/check.h"

namespace slipway::stats {
namespace {

namespace bm = boost::math;
using Policy = bm::policies::policy<bm::policies::promote_double<false>>;
using Normal = bm::normal_distribution<double, Policy>;
using Chi2 = bm::chi_squared_distribution<double, Policy>;
using Student = bm::students_t_distribution<double, Policy>;
using Beta = bm::beta_distribution<double, Policy>;
using Binomial = bm::binomial_distribution<double, Policy>;

void require_probability(double p) { require(p > 0 && p < 1, "quantile: the probability must be between 0 and 1"); }
void require_degrees(double degrees) { require(degrees > 0, "the degrees of freedom must be above 0"); }

}  // namespace

double normal_cdf(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }
double normal_upper(double x) { return std::erfc(x / std::numbers::sqrt2) / 2; }

double normal_quantile(double p) {
  require_probability(p);
  return bm::quantile(Normal(), p);
}

double chi2_cdf(double x, double degrees) {
  require_degrees(degrees);
  return x <= 0 ? 0 : std::isinf(x) ? 1 : bm::cdf(Chi2(degrees), x);
}

double chi2_upper(double x, double degrees) {
  require_degrees(degrees);
  return x <= 0 ? 1 : std::isinf(x) ? 0 : bm::cdf(bm::complement(Chi2(degrees), x));
}

double chi2_quantile(double p, double degrees) {
  require_probability(p);
  require_degrees(degrees);
  return bm::quantile(Chi2(degrees), p);
}

double student_cdf(double t, double degrees) {
  require_degrees(degrees);
  return bm::cdf(Student(degrees), t);
}

double student_two_sided(double t, double degrees) {
  require_degrees(degrees);
  return std::isinf(t) ? 0 : 2 * bm::cdf(bm::complement(Student(degrees), std::abs(t)));
}

double student_quantile(double p, double degrees) {
  require_probability(p);
  require_degrees(degrees);
  return bm::quantile(Student(degrees), p);
}

double beta_quantile(double p, double a, double b) {
  require_probability(p);
  require(a > 0 && b > 0, "beta quantile: both shapes must be above 0");
  return bm::quantile(Beta(a, b), p);
}

double binomial_cdf(int64_t k, int64_t n, double p) {
  require(n >= 0 && p >= 0 && p <= 1, "binomial: n must not be negative and p lie in [0, 1]");
  return k < 0 ? 0 : k >= n ? 1 : bm::cdf(Binomial(static_cast<double>(n), p), static_cast<double>(k));
}

double binomial_pmf(int64_t k, int64_t n, double p) {
  require(n >= 0 && p >= 0 && p <= 1, "binomial: n must not be negative and p lie in [0, 1]");
  return k < 0 || k > n ? 0 : bm::pdf(Binomial(static_cast<double>(n), p), static_cast<double>(k));
}

double kolmogorov_upper(double x) {
  if (x <= 0) {
    return 1;
  }
  if (x < 0.82) {  // the dual series converges faster here
    const double base = -std::numbers::pi * std::numbers::pi / (8 * x * x);
    double sum = 0;
    for (int k = 1; k <= 9; k += 2) {
      sum += std::exp(base * k * k);
    }
    return 1 - std::sqrt(2 * std::numbers::pi) / x * sum;
  }
  double sum = 0;
  for (int k = 1; k <= 12; ++k) {
    const double term = std::exp(-2.0 * k * k * x * x);
    sum += k % 2 == 1 ? term : -term;
  }
  return 2 * sum;
}

}  // namespace slipway::stats
