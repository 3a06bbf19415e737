// Which words belong together: a binary tree over the words of a text, built from neighbours by the rules that the shap
// package's text masker uses, so that Owen values agree. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace slipway::explain {

// Node i < words is word i; node words + k is merge k. The last merge is the root.
struct TreeNode {
  size_t left = 0;
  size_t right = 0;
  double height = 0;  // 10 - the score of the merge: low merges first; infinite between separators
  size_t size = 0;    // words below
};

// The merges, words - 1 of them, in order. Greedy: the best-scoring neighbours first, the left one when equal.
// `separators` are tokens to be joined last ("[SEP]"). O(words^2) comparisons.
std::vector<TreeNode> partition_tree(std::span<const std::string> words, std::span<const std::string> separators = {});

}  // namespace slipway::explain
