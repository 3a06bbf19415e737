// The whole of a byte-level BPE tokenizer on the bytes of a text: a scanner finds the words, a cache knows the ids of
// most, merging makes the others. No intermediate text. The general path (pre_tokenizer.h, bpe.h) defines what is
// right; tests hold the two equal. Any thread.
#pragma once

#include <array>
#include <memory>

#include "text/bpe.h"
#include "text/tokenizer.h"
#include "text/word_cache.h"
#include "text/word_scanner.h"

namespace slipway::text {

class ByteEncoder {
 public:
  // nullptr when the parts need the general path. `model` and `vocabulary` are borrowed.
  static std::unique_ptr<ByteEncoder> make(const ScannerKind& kind, const Bpe& model, const Vocabulary& vocabulary);

  // Appends the ids of `text`, and their offsets from code point `first` on when asked; stops early once `max_ids` ids
  // are there.
  void encode(std::string_view text, uint32_t first, bool with_offsets, size_t max_ids, Encoding& out) const;

 private:
  ByteEncoder(const ScannerKind& kind, const Bpe& model, const Vocabulary& vocabulary);
  void merge(std::string_view word, std::vector<BpeSymbol>& symbols) const;
  void encode_ids(std::string_view text, size_t max_ids, std::vector<int32_t>& ids) const;
  void encode_offsets(std::string_view text, uint32_t first, bool prefixed, size_t max_ids, Encoding& out) const;

  WordScanner scanner_;
  bool prefix_space_;
  const Bpe& model_;
  const Vocabulary& vocabulary_;
  std::array<int32_t, 256> byte_ids_{};
  mutable WordCachePool caches_;
};

}  // namespace slipway::text
