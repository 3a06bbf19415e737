#include "text/token_model.h"

#include <fmt/format.h>

#include "base/error.h"
#include "text/word_level.h"
#include "text/wordpiece.h"

namespace slipway::text {

WordLevel::WordLevel(const std::string& unk_token, const Vocabulary& vocabulary, const std::string& source)
    : vocabulary_(vocabulary), unk_id_(vocabulary.find(unk_token)) {
  if (unk_id_ < 0) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{}: the vocabulary has no unknown token '{}'", source, unk_token));
  }
}

void WordLevel::tokenize(std::string_view word, std::vector<Piece>& pieces) const {
  const int id = vocabulary_.find(word);
  pieces.push_back({id >= 0 ? id : unk_id_, 0, static_cast<uint32_t>(word.size())});
}

std::unique_ptr<TokenModel> parse_model(const base::Json& json, const Vocabulary& vocabulary,
                                        const std::string& source) {
  std::string type = base::get_or<std::string>(json, "type", "", source + ": model");
  if (type.empty()) {
    // Files older than 2021 name no type.
    type = json.contains("merges") ? "BPE" : json.contains("continuing_subword_prefix") ? "WordPiece" : "";
  }
  const std::string where = fmt::format("{}: model {}", source, type);
  if (type == "WordPiece") {
    WordPieceOptions options;
    options.unk_token = base::get_or(json, "unk_token", options.unk_token, where);
    options.continuing_subword_prefix =
        base::get_or(json, "continuing_subword_prefix", options.continuing_subword_prefix, where);
    options.max_input_chars_per_word =
        base::get_or(json, "max_input_chars_per_word", options.max_input_chars_per_word, where);
    if (options.max_input_chars_per_word < 0) {
      throw base::Error(base::Code::kInvalid, where + ": max_input_chars_per_word is negative");
    }
    return std::make_unique<WordPiece>(options, vocabulary, where);
  }
  if (type == "WordLevel") {
    return std::make_unique<WordLevel>(base::get_or<std::string>(json, "unk_token", "<unk>", where), vocabulary, where);
  }
  throw base::Error(base::Code::kInvalid,
                    type.empty() ? source + ": the model section has no type; supported: WordPiece, WordLevel"
                                 : fmt::format("{}: model type '{}' is not supported; supported: WordPiece, WordLevel",
                                               source, type));
}

}  // namespace slipway::text
