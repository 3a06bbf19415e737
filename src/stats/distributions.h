// Distribution functions and quantiles in double precision (relative error about 1e-14 or better). Any thread.
// `upper` tails are computed directly, so that small p-values keep their digits. Arguments out of range throw
// Error(kInvalid).
#pragma once

#include <cstdint>

namespace slipway::stats {

double normal_cdf(double x);
double normal_upper(double x);     // 1 - cdf
double normal_quantile(double p);  // 0 < p < 1
double chi2_cdf(double x, double degrees);
double chi2_upper(double x, double degrees);
double chi2_quantile(double p, double degrees);
double student_cdf(double t, double degrees);
double student_two_sided(double t, double degrees);  // P(|T| >= |t|)
double student_quantile(double p, double degrees);
double beta_quantile(double p, double a, double b);
double binomial_cdf(int64_t k, int64_t n, double p);
double binomial_pmf(int64_t k, int64_t n, double p);
// Kolmogorov's limiting distribution: P(sup |B| > x).
double kolmogorov_upper(double x);

}  // namespace slipway::stats
