#include "data/token_stream.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "base/error.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr int kRounds = 6;

// SplitMix64's finish: all bits of the input in all bits of the output.
uint64_t mix(uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

uint64_t divided_up(uint64_t a, uint64_t b) { return a / b + static_cast<uint64_t>(a % b != 0); }

}  // namespace

Permutation::Permutation(uint64_t n, uint64_t key) : n_(n), key_(key), bits_(1) {
  while (bits_ < 32 && (uint64_t{1} << (2 * static_cast<unsigned>(bits_))) < n) {
    ++bits_;
  }
}

uint64_t Permutation::round(uint64_t half, int number) const noexcept {
  return mix(half ^ mix(key_ + static_cast<uint64_t>(number))) >> (64U - static_cast<unsigned>(bits_));
}

uint64_t Permutation::operator()(uint64_t i) const noexcept {
  const uint64_t mask = (uint64_t{1} << static_cast<unsigned>(bits_)) - 1;
  do {
    uint64_t left = i >> static_cast<unsigned>(bits_);
    uint64_t right = i & mask;
    for (int r = 0; r < kRounds; ++r) {
      left ^= round(right, r);
      std::swap(left, right);
    }
    i = (left << static_cast<unsigned>(bits_)) | right;
  } while (i >= n_);
  return i;
}

uint64_t Permutation::inverse(uint64_t i) const noexcept {
  const uint64_t mask = (uint64_t{1} << static_cast<unsigned>(bits_)) - 1;
  do {
    uint64_t left = i >> static_cast<unsigned>(bits_);
    uint64_t right = i & mask;
    for (int r = kRounds; r-- > 0;) {
      std::swap(left, right);
      left ^= round(right, r);
    }
    i = (left << static_cast<unsigned>(bits_)) | right;
  } while (i >= n_);
  return i;
}

BlockShuffle::BlockShuffle(uint64_t rows, uint64_t block, uint64_t window, uint64_t key)
    : rows_(rows), block_(block), window_(window), blocks_(divided_up(rows, block)), missing_(blocks_ * block - rows), key_(key),
      order_(blocks_, mix(key)), short_group_(order_.inverse(blocks_ - 1) / window) {}

uint64_t BlockShuffle::operator()(uint64_t position) const {
  SLIPWAY_CHECK(position < rows_);
  // All groups of `window` blocks have equally many rows, but for the one with the last block, and the last group.
  const uint64_t full = block_ * window_;
  uint64_t group = position / full;
  if (group >= short_group_) {
    group = (position + missing_) / full;
  }
  const uint64_t begin = group * full - (group > short_group_ ? missing_ : 0);
  const uint64_t first = group * window_;
  const uint64_t last = std::min(first + window_, blocks_);
  const uint64_t rows = (last - first) * block_ - (group == short_group_ ? missing_ : 0);
  uint64_t inside = Permutation(rows, mix(key_ ^ (group + 1)))(position - begin);
  for (uint64_t at = first; at < last; ++at) {
    const uint64_t chosen = order_(at);
    const uint64_t size = block_ - (chosen == blocks_ - 1 ? missing_ : 0);
    if (inside < size) {
      return chosen * block_ + inside;
    }
    inside -= size;
  }
  SLIPWAY_CHECK(false);
  return 0;
}

TokenStream::TokenStream(std::vector<TokenSource> sources, const TokenStreamOptions& options) : sources_(std::move(sources)), options_(options) {
  if (sources_.empty() || sources_.size() > options_.period) {
    throw Error(Code::kInvalid, fmt::format("{} sources for periods of {} sequences: at least one source, and no more than a period has",
                                            sources_.size(), options_.period));
  }
  if (options_.block == 0 || options_.window == 0 || options_.block > (uint64_t{1} << 31U) || options_.window > (uint64_t{1} << 20U)) {
    throw Error(Code::kInvalid, "block and window are at least 1, at most 2^31 and 2^20");
  }
  double sum = 0;
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (!(sources_[i].weight > 0) || !std::isfinite(sources_[i].weight) || !(sources_[i].epochs >= 0) || sources_[i].sequences == 0) {
      throw Error(Code::kInvalid, fmt::format("source {}: it has {} sequences and weight {}; both must be above 0", i + 1, sources_[i].sequences,
                                              sources_[i].weight));
    }
    sum += sources_[i].weight;
  }
  if (sources_.size() == 1) {
    options_.period = 1;
  }
  // Largest remainders, over one for each source.
  const size_t n = sources_.size();
  const uint64_t rest = options_.period - n;
  std::vector<double> remainder(n);
  shares_.assign(n, 1);
  uint64_t given = n;
  for (size_t i = 0; i < n; ++i) {
    const double wanted = std::max(0.0, sources_[i].weight / sum * static_cast<double>(options_.period) - 1);
    const auto whole = std::min<uint64_t>(static_cast<uint64_t>(wanted), rest);
    shares_[i] += whole;
    given += whole;
    remainder[i] = wanted - static_cast<double>(whole);
  }
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return remainder[a] > remainder[b]; });
  for (size_t i = 0; given < options_.period; i = (i + 1) % n) {
    ++shares_[order[i]];
    ++given;
  }
  for (size_t i = n; given > options_.period; i = i == 1 ? n : i - 1) {  // when many had to get their one
    if (shares_[order[i - 1]] > 1) {
      --shares_[order[i - 1]];
      --given;
    }
  }
  // Each place goes to the source whose next turn is due first, so that shares hold within a period, too.
  std::vector<uint64_t> count(n, 0);
  for (uint64_t t = 0; t < options_.period; ++t) {
    size_t best = n;
    double due = 0;
    for (size_t i = 0; i < n; ++i) {
      const double at = (static_cast<double>(count[i]) + 0.5) / static_cast<double>(shares_[i]);
      if (count[i] < shares_[i] && (best == n || at < due)) {
        best = i;
        due = at;
      }
    }
    schedule_.push_back(static_cast<uint32_t>(best));
    before_.push_back(count[best]++);
  }
  for (size_t i = 0; i < n; ++i) {
    const auto most = static_cast<uint64_t>(std::llround(sources_[i].epochs * static_cast<double>(sources_[i].sequences)));
    if (sources_[i].epochs == 0) {
      continue;
    }
    // The place of its sequence number `most`, which is not there any more.
    uint64_t place = 0;
    while (schedule_[place] != i || before_[place] != most % shares_[i]) {
      ++place;
    }
    length_ = std::min(length_, most / shares_[i] * options_.period + place);
  }
}

uint64_t TokenStream::seen(size_t source, uint64_t position) const {
  const uint64_t place = position % options_.period;
  return position / options_.period * shares_[source] + before_[place];
}

TokenPlace TokenStream::at(uint64_t position) const {
  SLIPWAY_CHECK(position < length_);
  const uint32_t source = schedule_[position % options_.period];
  const uint64_t row = seen(source, position);
  const uint64_t rows = sources_[source].sequences;
  TokenPlace place{source, row / rows, row % rows};
  if (options_.shuffle) {
    const uint64_t key = mix(mix(options_.seed) ^ mix(place.epoch * 0x632be59bd9b4e019ULL + source));
    place.sequence = BlockShuffle(rows, options_.block, options_.window, key)(place.sequence);
  }
  return place;
}

}  // namespace slipway::data
