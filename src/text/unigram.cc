#include "text/unigram.h"

#include <fmt/format.h>
#include <limits>

#include "base/error.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr double kUnknownPenalty = 10.0;

size_t lead_size(std::string_view text, size_t at) noexcept {
  return std::min<size_t>("\1\1\1\1\1\1\1\1\1\1\1\1\2\2\3\4"[static_cast<unsigned char>(text[at]) >> 4],
                          text.size() - at);
}

}  // namespace

Unigram::Unigram(const UnigramOptions& options, std::vector<double> scores, const std::vector<Kind>& kinds,
                 const Vocabulary& vocabulary, const std::string& source)
    : options_(options), scores_(std::move(scores)), user_defined_(scores_.size()), vocabulary_(vocabulary) {
  if (options_.unk_id >= 0 && static_cast<size_t>(options_.unk_id) >= scores_.size()) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: unk_id {} is not in the vocabulary of {} pieces", source,
                                                        options_.unk_id, scores_.size()));
  }
  double min_score = std::numeric_limits<double>::infinity();
  max_score_ = -min_score;
  std::vector<ByteTrie::Key> keys;
  for (size_t id = 0; id < scores_.size(); ++id) {
    const std::string_view token = vocabulary.token(static_cast<int>(id));
    if (kinds[id] == Kind::kNormal) {
      min_score = std::min(min_score, scores_[id]);
      max_score_ = std::max(max_score_, scores_[id]);
    }
    user_defined_[id] = kinds[id] == Kind::kUserDefined;
    if ((kinds[id] == Kind::kNormal || user_defined_[id]) && !token.empty()) {
      keys.push_back({token, static_cast<int32_t>(id)});
    }
  }
  unk_score_ = (keys.empty() ? 0 : min_score) - kUnknownPenalty;
  if (options_.sentencepiece) {
    unk_score_ = static_cast<float>(static_cast<float>(min_score) - static_cast<float>(kUnknownPenalty));
  }
  trie_ = ByteTrie(std::move(keys));
  if (options_.byte_fallback) {
    std::array<int32_t, 256> ids{};
    for (size_t byte = 0; byte < 256; ++byte) {
      ids[byte] = vocabulary.find(fmt::format("<0x{:02X}>", byte));
    }
    if (std::find(ids.begin(), ids.end(), -1) == ids.end()) {
      byte_ids_ = ids;
    }
  }
}

// The pieces of the best path, last first. Score is what sums are kept in; candidates are compared in double, as both
// programs do (SentencePiece's bonus for user-defined pieces is a double).
template <class Score>
void Unigram::best_path(std::string_view text, std::vector<Piece>& reversed) const {
  struct Node {
    Score score;
    int32_t id;
    uint32_t begin;
  };
  constexpr uint32_t kNowhere = UINT32_MAX;
  const size_t size = text.size();
  std::vector<Node> ends(size + 1, {0, -1, kNowhere});  // of the best path up to each byte
  for (size_t at = 0; at < size;) {
    const Score here = ends[at].score;
    const size_t char_size = lead_size(text, at);
    bool has_single = false;
    const auto offer = [&](size_t end, int32_t id, double score) {
      Node& node = ends[end];
      if (node.begin == kNowhere || score > node.score) {
        node = {static_cast<Score>(score), id, static_cast<uint32_t>(at)};
      }
    };
    uint32_t node = ByteTrie::kRoot;
    for (size_t end = at; end < size && trie_.step(node, static_cast<unsigned char>(text[end]));) {
      ++end;
      const int32_t id = trie_.value(node);
      if (id < 0) {
        continue;
      }
      has_single = has_single || end - at == char_size;
      const auto index = static_cast<size_t>(id);
      if (user_defined_[index] && options_.sentencepiece) {
        const auto bonus = static_cast<Score>(static_cast<Score>(end - at) * static_cast<Score>(max_score_));
        offer(end, id, static_cast<double>(bonus) - 0.1 + static_cast<double>(here));
      } else {
        offer(end, id, static_cast<Score>(static_cast<Score>(scores_[index]) + here));
      }
    }
    if (!has_single) {
      offer(at + char_size, options_.unk_id, static_cast<Score>(static_cast<Score>(unk_score_) + here));
    }
    at += char_size;
  }
  for (size_t end = size; end > 0;) {
    const Node& node = ends[end];
    reversed.push_back({node.id, node.begin, static_cast<uint32_t>(end)});
    end = node.begin;
  }
}

void Unigram::add_unknown(std::string_view text, Piece piece, std::vector<Piece>& pieces) const {
  if (!byte_ids_) {
    pieces.push_back(piece);
    return;
  }
  for (uint32_t i = piece.begin; i < piece.end; ++i) {
    pieces.push_back({(*byte_ids_)[static_cast<unsigned char>(text[i])], piece.begin, piece.end});
  }
}

void Unigram::tokenize(std::string_view text, std::vector<Piece>& pieces) const {
  std::vector<Piece> reversed;
  if (options_.sentencepiece) {
    best_path<float>(text, reversed);
  } else {
    best_path<double>(text, reversed);
  }
  for (size_t i = reversed.size(); i-- > 0;) {
    Piece piece = reversed[i];
    if (piece.id != options_.unk_id) {
      pieces.push_back(piece);
      continue;
    }
    while (i > 0 && reversed[i - 1].id == options_.unk_id) {  // a run of unknown characters is one token
      piece.end = reversed[--i].end;
    }
    if (options_.unk_id < 0) {
      throw base::Error(base::Code::kInvalid,
                        "this Unigram tokenizer has no unknown token (unk_id), and the text has a character that is in "
                        "no piece");
    }
    add_unknown(text, piece, pieces);
  }
}

}  // namespace slipway::text
