// The exact distribution of the one-sample Kolmogorov-Smirnov statistic. Internal to stats.
#pragma once

#include <cstdint>

namespace slipway::stats {

// P(D_n >= x) of n continuous values; relative error about 1e-10 or better. n > 0.
double kolmogorov_exact_upper(int64_t n, double x);

}  // namespace slipway::stats
