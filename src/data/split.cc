#include "data/split.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"
#include "data/keys.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

// The quota of each label by rank of the position; documents at the same position (a cluster) stay together.
void assign_quotas(const std::vector<SplitKey>& keys, const SplitOptions& options, std::vector<Split>& splits) {
  std::vector<size_t> order;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].pinned < 0) {
      order.push_back(i);
    }
  }
  const bool by_label = options.stratify == "label";
  const auto label = [&](size_t i) { return by_label ? keys[i].label : 0; };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::tuple(label(a), keys[a].position, a) < std::tuple(label(b), keys[b].position, b);
  });
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    while (end < order.size() && label(order[end]) == label(order[begin])) {
      ++end;
    }
    const auto n = static_cast<double>(end - begin);
    const auto train = static_cast<size_t>(std::llround(n * options.train));
    const auto validation = static_cast<size_t>(std::llround(n * (options.train + options.validation)));
    size_t rank = 0;
    for (size_t i = begin; i < end; ++i) {
      if (i == begin || keys[order[i]].position != keys[order[i - 1]].position) {
        rank = i - begin;
      }
      splits[order[i]] = rank < train ? Split::kTrain : rank < validation ? Split::kValidation : Split::kTest;
    }
    begin = end;
  }
}

}  // namespace

const char* split_name(Split split) noexcept {
  switch (split) {
    case Split::kTrain: return "train";
    case Split::kValidation: return "validation";
    case Split::kTest: return "test";
  }
  return "";
}

Split split_from_name(std::string_view name) {
  for (int i = 0; i < kSplits; ++i) {
    if (name == split_name(static_cast<Split>(i))) {
      return static_cast<Split>(i);
    }
  }
  throw Error(Code::kInvalid, fmt::format("no split '{}'; there are train, validation, test", name));
}

double SplitOptions::fraction(Split split) const noexcept {
  return split == Split::kTrain ? train : split == Split::kValidation ? validation : test;
}

void SplitOptions::describe(base::FieldTable& fields) {
  fields.add("train", train, "share of the training split", {0, 1});
  fields.add("validation", validation, "share of the validation split", {0, 1});
  fields.add("test", test, "share of the test split", {0, 1});
  fields.add("stratify", stratify, "what the shares are kept equal over", {"label", "none"});
  fields.add("seed", seed, "seed of the assignment");
  fields.add("exact", exact, "give each label's quota exactly; new documents may then move old ones");
  fields.add("group_jaccard", group_jaccard, "near duplicates of this similarity stay in one split; 0: no grouping",
             {0, 1});
}

SplitOptions parse_split_options(const Json& object, const std::string& where) {
  SplitOptions options;
  if (object.is_null()) {
    return options;
  }
  base::FieldTable fields;
  options.describe(fields);
  fields.apply(object, where);
  // Shares that are not named are nought once any is.
  const bool named = object.contains("train") || object.contains("validation") || object.contains("test");
  if (named) {
    options.validation = object.contains("validation") ? options.validation : 0;
    options.test = object.contains("test") ? options.test : 0;
    options.train = object.contains("train") ? options.train : 1 - options.validation - options.test;
  }
  const double sum = options.train + options.validation + options.test;
  if (std::abs(sum - 1) > 1e-6 || options.train < 0) {
    throw Error(Code::kInvalid, fmt::format("{}: train {} + validation {} + test {} must be 1, not {}", where,
                                            options.train, options.validation, options.test, sum));
  }
  return options;
}

Json to_json(const SplitOptions& options) {
  SplitOptions copy = options;
  base::FieldTable fields;
  copy.describe(fields);
  return fields.to_json();
}

double split_position(std::string_view id, uint64_t seed) noexcept {
  return static_cast<double>(base::xxh64(id, seed) >> 11) * 0x1p-53;
}

Split split_at(double position, const SplitOptions& options) noexcept {
  if (position < options.train) {
    return Split::kTrain;
  }
  // Without a test split no rounding of the sum may make one.
  return options.test <= 0 || position < options.train + options.validation ? Split::kValidation : Split::kTest;
}

std::vector<Split> assign_splits(const std::vector<SplitKey>& keys, const SplitOptions& options) {
  std::vector<Split> splits(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    splits[i] = keys[i].pinned >= 0 ? static_cast<Split>(keys[i].pinned) : split_at(keys[i].position, options);
  }
  if (options.exact) {
    assign_quotas(keys, options, splits);
  }
  return splits;
}

}  // namespace slipway::data
