// What SentencePiece does to a text before it looks for pieces: its charsmap, white space, a space in front. Immutable:
// any thread.
#pragma once

#include "text/byte_trie.h"
#include "text/charsmap.h"
#include "text/normalizer.h"

namespace slipway::text {

struct SentencePieceOptions {
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;           // spaces become U+2581
  bool treat_whitespace_as_suffix = false;  // the dummy goes to the end
};

class SentencePieceNormalizer final : public Normalizer {
 public:
  // `symbols`: user-defined pieces, which stay as they are.
  SentencePieceNormalizer(const SentencePieceOptions& options, CharsMap map, const std::vector<std::string>& symbols);
  void apply(AlignedText& text) const override;
  bool apply_bytes(std::string_view text, std::string& out) const override;

 private:
  // Calls emit(output, begin, end) for each part of the output and the bytes of `text` that it came from, in order;
  // `out` is what emit has written, for the white space at the end.
  template <class Emit>
  void run(std::string_view text, const Emit& emit) const;
  CharsMap::Hit next(std::string_view text) const noexcept;
  std::string_view space() const noexcept { return options_.escape_whitespaces ? "\xE2\x96\x81" : " "; }

  SentencePieceOptions options_;
  CharsMap map_;
  std::vector<std::string> symbols_;
  ByteTrie symbol_trie_;
};

// Hugging Face's Precompiled (grapheme by grapheme) and Nmt.
std::unique_ptr<Normalizer> make_precompiled(CharsMap map);
std::unique_ptr<Normalizer> make_nmt();

}  // namespace slipway::text
