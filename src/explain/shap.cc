#include "explain/shap.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <queue>

#include "base/error.h"

namespace slipway::explain {
namespace {

// Part of the credit still to be divided: what `node` adds to the words in `context`.
struct Work {
  double priority;  // its size: the largest first
  int64_t order;    // the earliest first when equal
  Mask context;
  double without;  // the answer with the context alone
  double with;     // and with the node's words too
  size_t node;
  double weight;
};

struct Later {
  bool operator()(const Work& a, const Work& b) const {
    return a.priority != b.priority ? a.priority < b.priority : a.order > b.order;
  }
};

// The Owen recursion: a node's credit goes to its children, averaged over the other child being there or not.
class Owen {
 public:
  Owen(size_t words, const std::vector<TreeNode>& tree, const AskMasks& ask, const ShapOptions& options)
      : words_(words), tree_(tree), ask_(ask), options_(options), credit_(words + tree.size(), 0), below_(words) {
    for (size_t i = 0; i < words; ++i) {
      below_[i] = {i, i + 1};
    }
    for (const TreeNode& node : tree) {
      // Merges join neighbours, so a node's words are a range.
      below_.push_back({below_[node.left].first, below_[node.right].second});
    }
  }

  ShapValues run() {
    const std::vector<double> ends = ask_({Mask(words_, false), Mask(words_, true)});
    result_.base = ends[0];
    result_.full = ends[1];
    result_.samples = 2;
    push(Mask(words_, false), ends[0], ends[1], credit_.size() - 1, 1.0);
    int64_t spent = 0;
    while (!queue_.empty() && spent < options_.max_evals) {
      spent += step(options_.max_evals - spent);
    }
    result_.complete = queue_.empty();
    for (; !queue_.empty(); queue_.pop()) {
      const Work& work = queue_.top();
      credit_[work.node] += (work.with - work.without) * work.weight;
    }
    // What stayed on inner nodes goes down by size.
    for (size_t k = tree_.size(); k-- > 0;) {
      const TreeNode& node = tree_[k];
      const double share = credit_[words_ + k] / static_cast<double>(node.size);
      credit_[node.left] += share * static_cast<double>(size_of(node.left));
      credit_[node.right] += share * static_cast<double>(size_of(node.right));
    }
    result_.samples += spent;
    result_.values.assign(credit_.begin(), credit_.begin() + static_cast<std::ptrdiff_t>(words_));
    return result_;
  }

 private:
  size_t size_of(size_t node) const { return node < words_ ? 1 : tree_[node - words_].size; }

  void push(Mask context, double without, double with, size_t node, double weight) {
    const double priority = order_ == 0 ? INFINITY : std::abs(with - without) * weight;
    queue_.push({priority, order_++, std::move(context), without, with, node, weight});
  }

  Mask add(const Mask& context, size_t node) const {
    Mask mask = context;
    for (size_t i = below_[node].first; i < below_[node].second; ++i) {
      mask[i] = true;
    }
    return mask;
  }

  // Takes a batch off the queue and divides it; returns how many masks were asked about.
  int64_t step(int64_t budget) {
    std::vector<Work> works;
    std::vector<Mask> masks;
    const auto batch = static_cast<size_t>(std::min<int64_t>(std::max(2, options_.batch_size), budget));
    while (!queue_.empty() && masks.size() < batch) {
      Work work = queue_.top();
      queue_.pop();
      if (work.node < words_ || tree_[work.node - words_].height < 0) {
        credit_[work.node] += (work.with - work.without) * work.weight;
        continue;
      }
      const TreeNode& node = tree_[work.node - words_];
      masks.push_back(add(work.context, node.left));
      masks.push_back(add(work.context, node.right));
      works.push_back(std::move(work));
    }
    if (masks.empty()) {
      return 0;
    }
    const std::vector<double> answers = ask_(masks);
    for (size_t i = 0; i < works.size(); ++i) {
      Work& work = works[i];
      const TreeNode& node = tree_[work.node - words_];
      const double left = answers[2 * i];
      const double right = answers[2 * i + 1];
      const double half = work.weight / 2;
      push(work.context, work.without, left, node.left, half);
      push(std::move(work.context), work.without, right, node.right, half);
      push(std::move(masks[2 * i + 1]), right, work.with, node.left, half);
      push(std::move(masks[2 * i]), left, work.with, node.right, half);
    }
    return static_cast<int64_t>(masks.size());
  }

  size_t words_;
  const std::vector<TreeNode>& tree_;
  const AskMasks& ask_;
  const ShapOptions& options_;
  std::vector<double> credit_;                    // by node
  std::vector<std::pair<size_t, size_t>> below_;  // words of each node, half-open
  std::priority_queue<Work, std::vector<Work>, Later> queue_;
  int64_t order_ = 0;
  ShapValues result_;
};

}  // namespace

ShapValues owen_values(size_t words, const std::vector<TreeNode>& tree, const AskMasks& ask,
                       const ShapOptions& options) {
  SLIPWAY_CHECK(words > 0 && tree.size() + 1 == words);
  return Owen(words, tree, ask, options).run();
}

ShapValues shapley_values(size_t words, const AskMasks& ask) {
  if (words == 0 || words > kMaxExactWords) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("exact Shapley values need 1 to {} words; the text has {}", kMaxExactWords, words));
  }
  const size_t subsets = size_t{1} << words;
  std::vector<Mask> masks(subsets, Mask(words));
  for (size_t s = 0; s < subsets; ++s) {
    for (size_t i = 0; i < words; ++i) {
      masks[s][i] = ((s >> i) & 1) != 0;
    }
  }
  const std::vector<double> answers = ask(masks);
  // 1 / (n * C(n-1, k)) for a subset of k words without the one that is added.
  std::vector<double> weight(words);
  double choose = 1;
  for (size_t k = 0; k < words; ++k) {
    weight[k] = 1 / (static_cast<double>(words) * choose);
    choose = choose * static_cast<double>(words - 1 - k) / static_cast<double>(k + 1);
  }
  ShapValues result;
  result.values.assign(words, 0);
  for (size_t s = 0; s < subsets; ++s) {
    for (size_t i = 0; i < words; ++i) {
      if (((s >> i) & 1) == 0) {
        const auto size = static_cast<size_t>(std::popcount(s));
        result.values[i] += weight[size] * (answers[s | (size_t{1} << i)] - answers[s]);
      }
    }
  }
  result.base = answers.front();
  result.full = answers.back();
  result.samples = static_cast<int64_t>(subsets);
  return result;
}

Explanation explain_shap(Answers& answers, const MaskedText& text, const ShapOptions& options) {
  Explanation result;
  result.text = text.text();
  result.method = options.exact ? "shap-exact" : "shap";
  const int64_t before = answers.evaluations();
  if (text.size() == 0) {
    result.prediction = result.base_value = answers.value(text.text());
    result.samples = result.evaluations = 1;
    result.completeness_error = 0;
    return result;
  }
  const bool collapse = options.mask_token == "...";
  const AskMasks ask = [&](const std::vector<Mask>& masks) {
    std::vector<std::string> texts;
    texts.reserve(masks.size());
    for (const Mask& mask : masks) {
      const bool whole = std::find(mask.begin(), mask.end(), false) == mask.end();
      texts.push_back(whole ? text.text() : text.replaced(mask, options.mask_token, collapse));
    }
    return answers.values(texts);
  };
  ShapValues values;
  if (options.exact) {
    values = shapley_values(text.size(), ask);
  } else {
    std::vector<std::string> words;
    for (size_t i = 0; i < text.size(); ++i) {
      words.emplace_back(text.word(i));
    }
    values = owen_values(text.size(), partition_tree(words), ask, options);
  }
  double sum = values.base;
  for (size_t i = 0; i < text.size(); ++i) {
    result.words.push_back({text.words()[i].begin, text.words()[i].end, std::string(text.word(i)), values.values[i]});
    sum += values.values[i];
  }
  result.base_value = values.base;
  result.prediction = values.full;
  result.completeness_error = std::abs(values.full - sum);
  result.samples = values.samples;
  result.complete = values.complete;
  result.evaluations = answers.evaluations() - before;
  return result;
}

}  // namespace slipway::explain
