#include "explain/partition_tree.h"

#include <algorithm>
#include <cmath>

namespace slipway::explain {
namespace {

struct Word {
  std::string_view text;
  bool balanced = false;  // a bracket whose partner is in the same group
};

// Neighbouring words that were merged: [begin, end) of the words.
struct Group {
  size_t begin;
  size_t end;
  size_t node;
  size_t size() const { return end - begin; }
};

bool is_opener(std::string_view word) { return word == "("; }
bool is_closer(std::string_view word) { return word == ")"; }
bool is_connector(std::string_view word) { return word == "but" || word == "and" || word == "or"; }
bool is_end(std::string_view word) { return word == "." || word == "?" || word == "!"; }
bool is_control(std::string_view word) { return word.starts_with('[') && word.ends_with(']'); }
bool is_clitic(std::string_view word) { return word == "t" || word == "s"; }

class Scorer {
 public:
  Scorer(const std::vector<Word>& words, std::span<const std::string> separators)
      : words_(words), separators_(separators) {}

  // How well two neighbouring groups go together.
  double operator()(const Group& left, const Group& right) const {
    const Word& left_first = words_[left.begin];
    const Word& left_last = words_[left.end - 1];
    const Word& right_first = words_[right.begin];
    const Word& right_last = words_[right.end - 1];
    double score = 0;
    if (is_separator(left_last.text) && is_separator(right_first.text)) {
      score = -INFINITY;
    }
    // Pieces of a word, then apostrophes.
    if (right_first.text.starts_with("##")) {
      score += 20;
    }
    if (right_first.text == "'" &&
        (right.size() == 1 || (right.size() == 2 && is_clitic(words_[right.begin + 1].text)))) {
      score += 15;
    }
    if (left_last.text == "'" && is_clitic(right_first.text)) {
      score += 15;
    }
    if (is_control(left_first.text) != is_control(right_last.text)) {
      score -= 1000;
    }
    // Brackets: not across an open one, and around a closed pair a little later.
    if (is_opener(right_first.text) && !right_first.balanced) {
      score -= 100;
    }
    if (is_closer(left_last.text) && !left_last.balanced) {
      score -= 100;
    }
    if (is_opener(left_first.text)) {
      score -= 2;
    }
    if (is_connector(left_last.text) || is_connector(right_first.text)) {
      score -= 2;
    }
    score -= across(left_last.text == ",", right_first.text == ",", right.size(), 10);
    score -= across(is_end(left_last.text), is_end(right_first.text), right.size(), 20);
    return score - static_cast<double>(left.size() + right.size());
  }

 private:
  // A mark is reached across late, but attached to what stands before it early.
  static double across(bool at_left, bool at_right, size_t right_size, double cost) {
    return (at_left ? cost : 0) + (at_right ? (right_size > 1 ? cost : 1) : 0);
  }
  bool is_separator(std::string_view word) const {
    return std::find(separators_.begin(), separators_.end(), word) != separators_.end();
  }
  const std::vector<Word>& words_;
  std::span<const std::string> separators_;
};

}  // namespace

std::vector<TreeNode> partition_tree(std::span<const std::string> tokens, std::span<const std::string> separators) {
  std::vector<Word> words;
  std::vector<Group> groups;
  for (size_t i = 0; i < tokens.size(); ++i) {
    words.push_back({tokens[i]});
    groups.push_back({i, i + 1, i});
  }
  const Scorer score(words, separators);
  std::vector<double> scores;  // of each group with the next
  for (size_t i = 0; i + 1 < groups.size(); ++i) {
    scores.push_back(score(groups[i], groups[i + 1]));
  }
  std::vector<TreeNode> tree;
  while (groups.size() > 1) {
    const auto at = static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
    Group& left = groups[at];
    const Group right = groups[at + 1];
    tree.push_back({left.node, right.node, 10 - scores[at], left.size() + right.size()});
    left.node = tokens.size() + tree.size() - 1;
    left.end = right.end;
    if (is_opener(words[left.begin].text) && is_closer(words[right.end - 1].text)) {
      words[left.begin].balanced = true;
      words[right.end - 1].balanced = true;
    }
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    scores.erase(scores.begin() + static_cast<std::ptrdiff_t>(at));
    if (at > 0) {
      scores[at - 1] = score(groups[at - 1], groups[at]);
    }
    if (at + 1 < groups.size()) {
      scores[at] = score(groups[at], groups[at + 1]);
    }
  }
  return tree;
}

}  // namespace slipway::explain
