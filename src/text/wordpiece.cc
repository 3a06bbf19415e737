#include "text/wordpiece.h"

#include <fmt/format.h>

#include "base/error.h"
#include "text/unicode.h"

namespace slipway::text {

WordPiece::WordPiece(const WordPieceOptions& options, const Vocabulary& vocabulary, const std::string& source)
    : options_(options), unk_id_(vocabulary.find(options.unk_token)) {
  if (unk_id_ < 0) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: the vocabulary has no unknown token '{}'; add it or name "
                                                        "another as unk_token",
                                                        source, options.unk_token));
  }
  std::vector<FlatIndex::Entry> first;
  std::vector<FlatIndex::Entry> rest;
  first.reserve(vocabulary.count());
  const std::string_view prefix = options_.continuing_subword_prefix;
  for (int id = 0; id < vocabulary.size(); ++id) {
    const std::string_view token = vocabulary.token(id);
    if (token.empty()) {
      continue;
    }
    first.push_back({token, id});
    if (token.size() > prefix.size() && token.starts_with(prefix)) {
      rest.push_back({token.substr(prefix.size()), id});
    }
  }
  first_ = FlatIndex(first);
  rest_ = FlatIndex(rest);
}

void WordPiece::tokenize(std::string_view word, std::vector<Piece>& pieces) const {
  const Piece unknown{unk_id_, 0, static_cast<uint32_t>(word.size())};
  if (static_cast<int64_t>(count_code_points(word)) > options_.max_input_chars_per_word) {
    pieces.push_back(unknown);
    return;
  }
  const size_t before = pieces.size();
  std::string_view left = word;
  while (!left.empty()) {
    const FlatIndex& index = left.size() == word.size() ? first_ : rest_;
    std::string_view piece = left.substr(0, index.longest_key());
    int32_t id = -1;
    for (; !piece.empty(); piece.remove_suffix(1)) {
      id = index.find(piece, PrefixHash::of(piece));
      if (id >= 0) {
        break;
      }
    }
    if (id < 0) {
      pieces.resize(before);
      pieces.push_back(unknown);
      return;
    }
    const auto begin = static_cast<uint32_t>(word.size() - left.size());
    pieces.push_back({id, begin, begin + static_cast<uint32_t>(piece.size())});
    left.remove_prefix(piece.size());
  }
}

}  // namespace slipway::text
