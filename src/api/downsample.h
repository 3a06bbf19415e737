// Fewer points of a curve that look the same when drawn. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace slipway::api {

// Largest triangle, three buckets (Steinarsson 2013, section 4.2): indices of `keep` points at most, rising, the first and
// the last among them; peaks stay. x rises (equal neighbours are allowed), all is finite. keep >= 3; O(points).
std::vector<size_t> largest_triangles(std::span<const double> x, std::span<const double> y, size_t keep);

}  // namespace slipway::api
