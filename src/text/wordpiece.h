// WordPiece (Schuster & Nakajima 2012; BERT): the longest piece of the vocabulary first; a word with a part that is not
// in the vocabulary is one unknown token. Immutable: any thread.
#pragma once

#include <algorithm>

#include "text/token_model.h"

namespace slipway::text {

struct WordPieceOptions {
  std::string unk_token = "[UNK]";
  std::string continuing_subword_prefix = "##";
  int64_t max_input_chars_per_word = 100;
};

class WordPiece final : public TokenModel {
 public:
  // `vocabulary` is borrowed. Throws Error(kInvalid) when it has no unknown token.
  WordPiece(const WordPieceOptions& options, const Vocabulary& vocabulary, const std::string& source);
  void tokenize(std::string_view word, std::vector<Piece>& pieces) const override;

  int32_t unk_id() const noexcept { return unk_id_; }
  int64_t max_input_chars_per_word() const noexcept { return options_.max_input_chars_per_word; }

  // The pieces of a word of at most PrefixHash::kMaxLength bytes, given the hashes of its prefixes (hashes[k] of the
  // first k bytes, k = 0..size): calls emit(id, begin, end) for each, or returns false, having called nothing, when a
  // part is unknown.
  template <class Emit>
  bool cut(const char* word, size_t size, const uint64_t* hashes, Emit&& emit) const noexcept;

 private:
  WordPieceOptions options_;
  int32_t unk_id_;
  FlatIndex first_;  // every token
  FlatIndex rest_;   // tokens that start with the prefix, without it
};

template <class Emit>
bool WordPiece::cut(const char* word, size_t size, const uint64_t* hashes, Emit&& emit) const noexcept {
  constexpr size_t kMaxPieces = PrefixHash::kMaxLength;
  const std::string_view view(word, size);
  // The common case, nine words of ten in running text: the word itself is a token.
  if (size <= first_.longest_key()) {
    const int32_t id = first_.find(view, hashes[size]);
    if (id >= 0) {
      emit(id, 0U, static_cast<uint32_t>(size));
      return true;
    }
  }
  Piece found[kMaxPieces];
  size_t count = 0;
  size_t begin = 0;
  while (begin < size) {
    const FlatIndex& index = begin == 0 ? first_ : rest_;
    size_t length = std::min(begin == 0 ? size - 1 : size - begin, index.longest_key());
    int32_t id = -1;
    for (; length > 0; --length) {
      // A piece ends where a character ends: the next byte is not a continuation byte.
      if (begin + length < size && (static_cast<unsigned char>(word[begin + length]) & 0xC0) == 0x80) {
        continue;
      }
      id = index.find(view.substr(begin, length), PrefixHash::between(hashes[begin], hashes[begin + length], length));
      if (id >= 0) {
        break;
      }
    }
    if (id < 0) {
      return false;
    }
    found[count++] = {id, static_cast<uint32_t>(begin), static_cast<uint32_t>(begin + length)};
    begin += length;
  }
  for (size_t i = 0; i < count; ++i) {
    emit(found[i].id, found[i].begin, found[i].end);
  }
  return true;
}

}  // namespace slipway::text
