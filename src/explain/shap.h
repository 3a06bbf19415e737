// SHAP for text: Owen values over a tree of words (Partition SHAP, Lundberg's package) and exact Shapley values for few
// words. Deterministic: ties in the queue go to what came first, where the package draws random numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "explain/explanation.h"
#include "explain/masked_text.h"
#include "explain/partition_tree.h"

namespace slipway::explain {

struct ShapOptions {
  int max_evals = 500;  // versions of the text, beyond the whole and the empty one
  int batch_size = 32;  // versions asked about together; larger is faster, smaller spends a short budget better
  std::string mask_token = "...";  // or the tokenizer's ("[MASK]")
  bool exact = false;              // Shapley values over all 2^words versions; at most kMaxExactWords words
};
constexpr size_t kMaxExactWords = 14;

// Answers for a list of masks, in order.
using AskMasks = std::function<std::vector<double>(const std::vector<Mask>&)>;

struct ShapValues {
  std::vector<double> values;  // one a word
  double base = 0;             // the answer with no words
  double full = 0;             // the answer with all
  int64_t samples = 0;         // masks asked about, these two included
  bool complete = true;        // false when the budget ended first: what is left was spread evenly below its node
};

// Owen values of the tree's words. `tree` has words - 1 merges (words >= 1). A negative height is never split.
ShapValues owen_values(size_t words, const std::vector<TreeNode>& tree, const AskMasks& ask,
                       const ShapOptions& options);

// Shapley values by their definition. Throws Error(kInvalid) above kMaxExactWords.
ShapValues shapley_values(size_t words, const AskMasks& ask);

Explanation explain_shap(Answers& answers, const MaskedText& text, const ShapOptions& options);

}  // namespace slipway::explain
