// Byte-pair encoding (Sennrich et al. 2016) over the characters of a word, or over its bytes with byte-level
// vocabularies (Radford et al. 2019): the best-ranked pair of neighbours is merged first, the leftmost of equals. The
// merges come from a list ("a b", best first), from the ranks of the tokens (tiktoken) or from their scores
// (SentencePiece). Immutable: any thread.
#pragma once

#include <array>
#include <optional>

#include "text/token_model.h"

namespace slipway::text {

struct BpeOptions {
  std::string unk_token;  // empty: characters that are no token vanish
  std::string continuing_subword_prefix;
  std::string end_of_word_suffix;
  bool fuse_unk = false;
  bool byte_fallback = false;  // a character that is no token becomes its bytes <0xXX>
  bool ignore_merges = false;  // a word that is a token is that token
};

// A symbol of a word: a token and where it lies.
struct BpeSymbol {
  int32_t id;
  uint32_t begin;
  uint32_t end;
};

// Pairs of tokens and what they merge to.
class MergeTable {
 public:
  struct Merge {
    uint32_t rank;  // 0 is best
    int32_t id;
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  // The first of two merges of one pair counts when `keep_first`, else the last (as Hugging Face's map has it).
  void add(int32_t left, int32_t right, uint32_t rank, int32_t id) { raw_.push_back({key(left, right), rank, id}); }
  void build(bool keep_first);
  size_t size() const noexcept { return count_; }

  Merge find(int32_t left, int32_t right) const noexcept {
    const uint64_t wanted = key(left, right);
    for (size_t at = (wanted * kMix) >> shift_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.key == wanted) {
        return {slot.rank, slot.id};
      }
      if (slot.key == kEmpty) {
        return {kNone, -1};
      }
    }
  }
  // Merges until no pair of neighbours is in the table. Symbols are in order; `symbols` is changed in place.
  void apply(std::vector<BpeSymbol>& symbols) const;

 private:
  struct Slot {
    uint64_t key;
    uint32_t rank;
    int32_t id;
  };
  static constexpr uint64_t kEmpty = UINT64_MAX;
  static constexpr uint64_t kMix = 0x9E3779B97F4A7C15ULL;
  static constexpr uint64_t key(int32_t left, int32_t right) noexcept {
    return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
  }
  void apply_short(std::vector<BpeSymbol>& symbols) const;
  void apply_long(std::vector<BpeSymbol>& symbols) const;

  std::vector<Slot> raw_;
  std::vector<Slot> slots_ = {{kEmpty, 0, 0}, {kEmpty, 0, 0}};
  size_t mask_ = 1;
  int shift_ = 63;
  size_t count_ = 0;
};

class Bpe final : public TokenModel {
 public:
  // `vocabulary` is borrowed and built. Throws Error(kInvalid) when it has no unknown token of that name.
  Bpe(const BpeOptions& options, MergeTable merges, const Vocabulary& vocabulary, const std::string& source);
  void tokenize(std::string_view word, std::vector<Piece>& pieces) const override;

  const BpeOptions& options() const noexcept { return options_; }
  const MergeTable& merges() const noexcept { return merges_; }
  // The characters of `word` as symbols, before any merge.
  void start(std::string_view word, std::vector<BpeSymbol>& symbols) const;
  // The token <0xXX> of each byte, when all are there.
  const std::optional<std::array<int32_t, 256>>& byte_ids() const noexcept { return byte_ids_; }

 private:
  BpeOptions options_;
  MergeTable merges_;
  const Vocabulary& vocabulary_;
  int32_t unk_id_ = -1;
  std::array<int32_t, 256> byte_id_{};  // of <0xXX>, -1 when absent
  std::optional<std::array<int32_t, 256>> byte_ids_;
};

// Every way to cut a token into two tokens is a merge of the token's rank. rank[id], MergeTable::kNone for tokens that
// are not made by merging. The vocabulary is built.
MergeTable merges_by_rank(const Vocabulary& vocabulary, const std::vector<uint32_t>& rank);

}  // namespace slipway::text
