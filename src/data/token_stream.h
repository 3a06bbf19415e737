// In which order training reads packed token shards: a function of the options and a position, so that a run goes on at any
// position without replaying, and any number of ranks share one order. Pure; any thread.
//
//   TokenStream stream({{&web, 7}, {&code, 3}}, {.seed = 1});
//   for (uint64_t step = from; ; ++step) {           // rank r of n reads positions r, r + n, r + 2 n, …
//     const TokenPlace place = stream.at(step * n + r);
//     folders[place.source]->read(place.sequence, row);
//   }
#pragma once

#include <cstdint>
#include <vector>

namespace slipway::data {

// A bijection of [0, n), drawn by a key: a Feistel network over the next power of four, walked until it is inside (Black and
// Rogaway 2002). O(1); without memory.
class Permutation {
 public:
  Permutation(uint64_t n, uint64_t key);
  uint64_t operator()(uint64_t i) const noexcept;  // i < n
  uint64_t inverse(uint64_t i) const noexcept;

 private:
  uint64_t round(uint64_t half, int number) const noexcept;
  uint64_t n_;
  uint64_t key_;
  int bits_;  // of a half
};

// Rows 0 … n - 1 in the order of one epoch. Rows are read in blocks of neighbours; the blocks are permuted, and the rows of
// `window` blocks that come after each other are mixed, so that a disk is read in pieces. O(window).
class BlockShuffle {
 public:
  BlockShuffle(uint64_t rows, uint64_t block, uint64_t window, uint64_t key);
  uint64_t operator()(uint64_t position) const;  // < rows

 private:
  uint64_t rows_;
  uint64_t block_;
  uint64_t window_;
  uint64_t blocks_;
  uint64_t missing_;  // rows that the last block has less than the others
  uint64_t key_;
  Permutation order_;
  uint64_t short_group_;  // the group that has the last block
};

struct TokenSource {
  uint64_t sequences = 0;
  double weight = 1;    // of the sequences that are read
  double epochs = 0;    // the stream ends where this would be passed; 0: repeated without end
};

struct TokenStreamOptions {
  bool shuffle = true;
  uint64_t seed = 0;
  uint64_t block = 64;     // rows that are read together
  uint64_t window = 64;    // blocks that are mixed
  uint64_t period = 1000;  // of each so many sequences every source has exactly its share (by largest remainder, at least one)
};

struct TokenPlace {
  uint32_t source = 0;
  uint64_t epoch = 0;     // of that source, from 0
  uint64_t sequence = 0;  // in it
};

class TokenStream {
 public:
  // Throws Error(kInvalid) for no sources, an empty one, weights that are not above 0, or more sources than a period has.
  TokenStream(std::vector<TokenSource> sources, const TokenStreamOptions& options);
  static constexpr uint64_t kEndless = ~uint64_t{0};
  // Sequences until the first source ends, or kEndless.
  uint64_t length() const noexcept { return length_; }
  TokenPlace at(uint64_t position) const;  // < length()
  // Of each source, how many of every period.
  const std::vector<uint64_t>& shares() const noexcept { return shares_; }

 private:
  uint64_t seen(size_t source, uint64_t position) const;  // sequences of it before `position`
  std::vector<TokenSource> sources_;
  TokenStreamOptions options_;
  std::vector<uint64_t> shares_;
  std::vector<uint32_t> schedule_;  // of a period: the source of each place
  std::vector<uint64_t> before_;    // of a period: how many of its source came before in it
  uint64_t length_ = kEndless;
};

}  // namespace slipway::data
