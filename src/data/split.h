// Which document goes to training, validation or test: decided by a hash of the document's id, so that adding documents
// never moves old ones. Pure functions; any thread.
//
// A hash split is stratified in expectation: of n documents of a label, a split with fraction p receives n p documents
// with standard deviation sqrt(n p (1 - p)) (n = 1000, p = 0.1: 100 +- 9.5). `exact: true` instead gives each label's
// quota exactly, by rank of the hash, at the price that new documents may move old ones across a boundary.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "data/document.h"

namespace slipway::data {

enum class Split : uint8_t { kTrain, kValidation, kTest };  // stored, by name
inline constexpr int kSplits = 3;

const char* split_name(Split split) noexcept;
Split split_from_name(std::string_view name);  // throws Error(kInvalid)

// `split: {train: 0.8, validation: 0.1, test: 0.1, stratify: label, seed: 7}`; fractions sum to 1 (within 1e-6).
struct SplitOptions {
  double train = 0.8;
  double validation = 0.1;
  double test = 0.1;
  std::string stratify = "label";  // "label" or "none": which counts the report and `exact` go by
  uint64_t seed = 7;
  bool exact = false;
  double group_jaccard = 0.8;  // near duplicates of at least this similarity stay in one split; 0: no grouping

  double fraction(Split split) const noexcept;
  void describe(base::FieldTable& fields);
};

SplitOptions parse_split_options(const Json& object, const std::string& where);
Json to_json(const SplitOptions& options);

// XXH64(id, seed) as a number in [0, 1).
double split_position(std::string_view id, uint64_t seed) noexcept;
// By position alone: [0, train) train, [train, train + validation) validation, the rest test.
Split split_at(double position, const SplitOptions& options) noexcept;

// What the assignment needs of each document.
struct SplitKey {
  double position = 0;  // of its cluster's representative
  uint32_t label = 0;   // index into the label table
  int8_t pinned = -1;   // a Split, when its source is pinned to one
};

// The split of each document, in order.
std::vector<Split> assign_splits(const std::vector<SplitKey>& keys, const SplitOptions& options);

}  // namespace slipway::data
