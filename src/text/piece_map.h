// Tokenizers that cut with a SentencePiece model and number the pieces by a file of their own: Marian (source.spm,
// target.spm, vocab.json) and M2M100 (sentencepiece.bpe.model, vocab.json). Internal to the loaders of text.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace slipway::text {

struct PieceMapOptions {
  std::string unk_token = "<unk>";
  std::vector<std::string> before = {};  // tokens before a text, and after it
  std::vector<std::string> after = {};
  std::vector<std::string> special =
      {};  // left out by decode(); those that the vocabulary lacks get the ids after its last
  // A text may begin with a token in >> <<: the target language of Marian's models of several.
  bool language_codes = false;
};

// `vocab_json`: {piece: id}. Throws Error(kInvalid) naming what is wrong: a token of the options that is nowhere, an id
// taken twice or above the limit.
std::unique_ptr<Tokenizer> parse_piece_map(std::string_view sentencepiece, std::string_view vocab_json,
                                           const PieceMapOptions& options, const std::string& source);

// The folder's tokenizer when it is of one of these kinds (and has no tokenizer.json); else null.
std::unique_ptr<Tokenizer> load_piece_map(const std::filesystem::path& folder);

}  // namespace slipway::text
