// Numbers of a column that are judged once all of them are known.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>

#include "data/expectation_check.h"
#include "data/spill.h"

namespace slipway::data {

struct NumberAt {
  double value;
  uint64_t row;
  bool operator<(const NumberAt& other) const { return value != other.value ? value < other.value : row < other.row; }
};

// Which of them are not `good`, with the first of these by row as examples. Reads the numbers once, which are gone then.
template <class Good>
Outcome judge_numbers(ExternalSorter<NumberAt>& numbers, MapCounts& counts, size_t examples, const Good& good) {
  std::map<uint64_t, double> shown;
  SortedStream<NumberAt> stream = numbers.finish();
  for (NumberAt number{}; stream.next(number);) {
    if (good(number.value)) {
      counts.good();
      continue;
    }
    counts.bad_count(1);
    shown[number.row] = number.value;
    if (shown.size() > examples) {
      shown.erase(std::prev(shown.end()));
    }
  }
  numbers.remove_runs();
  for (const auto& [row, value] : shown) {
    counts.example(row, value);
  }
  return counts.outcome(false);
}

}  // namespace slipway::data
