#include "text/unigram_lattice.h"

#include <algorithm>
#include <cmath>

#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr double kUnknownPenalty = 10.0;      // below the lowest score
constexpr double kLeastProbability = 1e-250;  // below it products lose digits

double log_sum(double a, double b) {
  const double high = std::max(a, b);
  return std::isinf(high) ? high : high + std::log1p(std::exp(std::min(a, b) - high));
}

}  // namespace

void PieceSet::reset(std::vector<ScoredPiece> pieces) {
  pieces_ = std::move(pieces);
  std::vector<ByteTrie::Key> keys;
  keys.reserve(pieces_.size());
  index_.resize(pieces_.size());
  for (size_t id = 0; id < pieces_.size(); ++id) {
    index_[id] = static_cast<int32_t>(id);
    if (id > 0) {
      keys.push_back({pieces_[id].piece, static_cast<int32_t>(id)});
    }
  }
  trie_ = ByteTrie(std::move(keys));
  take_scores();
}

void PieceSet::keep(const std::vector<int32_t>& keep, const std::vector<double>& scores) {
  std::vector<int32_t> new_id(pieces_.size(), -1);
  for (size_t i = 0; i < keep.size(); ++i) {
    const auto old = static_cast<size_t>(keep[i]);
    new_id[old] = static_cast<int32_t>(i);
    if (i != old) {
      pieces_[i] = std::move(pieces_[old]);
    }
    pieces_[i].score = scores[i];
  }
  pieces_.resize(keep.size());
  for (int32_t& id : index_) {
    id = id < 0 ? -1 : new_id[static_cast<size_t>(id)];
  }
  take_scores();
}

void PieceSet::take_scores() {
  min_score_ = pieces_.size() > 1 ? pieces_[1].score : 0;
  probability_.resize(pieces_.size());
  for (size_t id = 1; id < pieces_.size(); ++id) {
    min_score_ = std::min(min_score_, pieces_[id].score);
    probability_[id] = std::exp(pieces_[id].score);
  }
  unknown_score_ = min_score_ - kUnknownPenalty;
  probability_[0] = std::exp(unknown_score_);
}

void Lattice::build(std::string_view word) {
  size_ = word.size();
  edges_.clear();
  for (size_t at = 0; at < word.size();) {
    const size_t char_size = decode_at(word, at).size;
    const auto begin = static_cast<uint32_t>(at);
    bool has_single = false;
    uint32_t node = ByteTrie::kRoot;
    for (size_t end = at; end < word.size() && set_.trie_.step(node, static_cast<unsigned char>(word[end]));) {
      ++end;
      const int32_t place = set_.trie_.value(node);
      const int32_t id = place < 0 ? -1 : set_.index_[static_cast<size_t>(place)];
      if (id >= 0) {
        edges_.push_back({begin, static_cast<uint32_t>(end), id});
        has_single = has_single || end - at == char_size;
      }
    }
    at += char_size;
    if (!has_single) {
      edges_.push_back({begin, static_cast<uint32_t>(at), 0});
    }
  }
}

void Lattice::add_expected(double count, std::vector<double>& expected) {
  forward_.assign(size_ + 1, 0);
  forward_[0] = 1;
  for (const Edge& edge : edges_) {
    forward_[edge.end] += forward_[edge.begin] * set_.probability(edge.id);
  }
  const double all = forward_[size_];
  if (all < kLeastProbability) {
    add_expected_in_logs(count, expected);
    return;
  }
  backward_.assign(size_ + 1, 0);
  backward_[size_] = count / all;
  for (auto edge = edges_.rbegin(); edge != edges_.rend(); ++edge) {
    const double rest = set_.probability(edge->id) * backward_[edge->end];
    backward_[edge->begin] += rest;
    expected[static_cast<size_t>(edge->id)] += forward_[edge->begin] * rest;
  }
}

void Lattice::add_expected_in_logs(double count, std::vector<double>& expected) {
  forward_.assign(size_ + 1, -INFINITY);
  backward_.assign(size_ + 1, -INFINITY);
  forward_[0] = 0;
  backward_[size_] = 0;
  for (const Edge& edge : edges_) {
    forward_[edge.end] = log_sum(forward_[edge.end], forward_[edge.begin] + set_.score(edge.id));
  }
  for (auto edge = edges_.rbegin(); edge != edges_.rend(); ++edge) {
    const double rest = set_.score(edge->id) + backward_[edge->end];
    backward_[edge->begin] = log_sum(backward_[edge->begin], rest);
    expected[static_cast<size_t>(edge->id)] += count * std::exp(forward_[edge->begin] + rest - forward_[size_]);
  }
}

void Lattice::best_path(bool without_whole, std::vector<int32_t>& path) {
  best_.resize(size_ + 1);
  from_.assign(size_ + 1, -1);
  best_[0] = 0;
  for (size_t i = 0; i < edges_.size(); ++i) {
    const Edge& edge = edges_[i];
    if ((without_whole && edge.begin == 0 && edge.end == size_) || (edge.begin > 0 && from_[edge.begin] < 0)) {
      continue;
    }
    const double score = best_[edge.begin] + set_.score(edge.id);
    if (from_[edge.end] < 0 || score > best_[edge.end]) {
      best_[edge.end] = score;
      from_[edge.end] = static_cast<int32_t>(i);
    }
  }
  path.clear();
  for (size_t end = size_; end > 0 && from_[end] >= 0;) {
    const Edge& edge = edges_[static_cast<size_t>(from_[end])];
    path.push_back(edge.id);
    end = edge.begin;
  }
  std::reverse(path.begin(), path.end());
}

}  // namespace slipway::text
