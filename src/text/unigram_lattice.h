// All ways to cut a word into pieces, for Unigram training: expected counts of pieces and best paths. Internal to the
// trainer. One thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/byte_trie.h"
#include "text/unigram_trainer.h"

namespace slipway::text {

// Pieces by id; number 0 stands for an unknown character, whatever its text, and has no score of its own.
class PieceSet {
 public:
  explicit PieceSet(std::vector<ScoredPiece> pieces) { reset(std::move(pieces)); }

  const std::vector<ScoredPiece>& pieces() const noexcept { return pieces_; }
  size_t size() const noexcept { return pieces_.size(); }
  double min_score() const noexcept { return min_score_; }
  double score(int32_t id) const noexcept { return id == 0 ? unknown_score_ : pieces_[static_cast<size_t>(id)].score; }
  double probability(int32_t id) const noexcept { return probability_[static_cast<size_t>(id)]; }

  void reset(std::vector<ScoredPiece> pieces);
  // Those of the pieces that `keep` names, ascending and with 0 first, with new scores.
  void keep(const std::vector<int32_t>& keep, const std::vector<double>& scores);

 private:
  friend class Lattice;
  void take_scores();

  std::vector<ScoredPiece> pieces_;
  std::vector<double> probability_;
  ByteTrie trie_;               // its values are places of index_
  std::vector<int32_t> index_;  // ids, -1 of a piece that is gone
  double min_score_ = 0;
  double unknown_score_ = 0;
};

class Lattice {
 public:
  explicit Lattice(const PieceSet& set) : set_(set) {}

  // All pieces found in the word, valid UTF-8, not empty; an unknown one where no piece is the single character.
  void build(std::string_view word);
  // Adds `count` times the expected number of each piece in the word (forward-backward).
  void add_expected(double count, std::vector<double>& expected);
  // The likeliest cut, first piece first; `without_whole` leaves out the piece that is the whole word: then the path
  // may be empty. Of equals the one whose last pieces are longest.
  void best_path(bool without_whole, std::vector<int32_t>& path);

 private:
  struct Edge {
    uint32_t begin;
    uint32_t end;
    int32_t id;
  };
  void add_expected_in_logs(double count, std::vector<double>& expected);

  const PieceSet& set_;
  size_t size_ = 0;
  std::vector<Edge> edges_;  // by begin, then by end
  std::vector<double> forward_;
  std::vector<double> backward_;
  std::vector<double> best_;
  std::vector<int32_t> from_;  // the edge that reached a byte, -1: none
};

}  // namespace slipway::text
