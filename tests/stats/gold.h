// Golden values: the small file of this repository, and the large ones of the shared folder.
#pragma once

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "support/support.h"

namespace slipway::tests {

inline base::Json gold_file(const std::filesystem::path& path) {
  return base::parse_json(base::read_file(path), path.filename().string());
}

inline base::Json own_gold() { return gold_file(source_dir() / "tests/gold/stats.json"); }

template <class T>
std::vector<T> list(const base::Json& json) {
  return json.get<std::vector<T>>();
}

// Rows of numbers, one after the other.
template <class T>
std::vector<T> flatten(const base::Json& rows) {
  std::vector<T> flat;
  for (const auto& row : rows) {
    for (const auto& x : row) {
      flat.push_back(x.template get<T>());
    }
  }
  return flat;
}

// |got - want| <= tolerance * max(|want|, floor): relative, but not below the floor.
inline ::testing::AssertionResult close(double got, double want, double tolerance = 1e-9, double floor = 1e-3) {
  if (std::abs(got - want) <= tolerance * std::max(std::abs(want), floor)) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "got " << ::testing::PrintToString(got) << ", want "
                                       << ::testing::PrintToString(want) << ", off by " << got - want;
}

}  // namespace slipway::tests
