// p-values corrected for testing many hypotheses at once. Outputs in the order of the inputs, at most 1. Any thread.
#pragma once

#include <span>
#include <vector>

namespace slipway::stats {

std::vector<double> bonferroni(std::span<const double> p);  // p * count: family-wise error, any dependence
std::vector<double> holm(std::span<const double> p);        // Holm 1979: family-wise, never weaker than Bonferroni
std::vector<double> benjamini_hochberg(std::span<const double> p);  // 1995: false discovery rate

}  // namespace slipway::stats
