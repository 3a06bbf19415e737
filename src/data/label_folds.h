// Probabilities of labels that were predicted out of sample, by k-fold cross-validation of a small classifier: what confident learning
// (label_errors.h) wants, from texts and labels alone.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"

namespace slipway::data {

struct FoldOptions {
  int folds = 5;
  int repeats = 3;  // of the whole with other folds; probabilities are their means, which are less sure of what chance decides
  int epochs = 3;   // docs/benchmarks.md: more find fewer of the labels that were changed
  uint64_t seed = 1;
};

// [rows, classes]. labels in 0 … classes-1. Rows of a class are dealt to folds in turn, shuffled by the seed; the same input gives the same
// bits on any number of threads. Throws Error: kInvalid (fewer than two classes, or a class with fewer rows than two), kInterrupted.
// O(repeats * folds * epochs * features * classes); memory: the features and a classifier a thread.
std::vector<double> out_of_fold(std::span<const std::string> texts, std::span<const int> labels, int classes, const FoldOptions& options, base::Context& context);

}  // namespace slipway::data
