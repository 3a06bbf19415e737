// What the bootstraps of this room share. Internal to stats.
#pragma once

#include <span>
#include <vector>

#include "base/random.h"
#include "stats/bootstrap.h"

namespace slipway::stats {

// How often each row is drawn in one resample with replacement: weights [rows], summing to rows.
void draw_weights(base::Rng& rng, std::span<double> weights);

// The percentile interval of `draws` (sorted in place, NaN removed), widened to hold `value`.
Interval percentile_interval(double value, std::vector<double>& draws, double confidence, int64_t rows);

// The same for a difference, with its two-sided p.
Difference difference_of(double value, std::vector<double>& draws, double confidence, int64_t rows);

void require_options(const BootstrapOptions& options);

}  // namespace slipway::stats
