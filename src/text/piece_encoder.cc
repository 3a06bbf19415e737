#include "text/piece_encoder.h"

#include "text/bpe.h"
#include "text/hf_unicode.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";
constexpr char32_t kMarkChar = 0x2581;

}  // namespace

std::unique_ptr<PieceEncoder> PieceEncoder::make(const Normalizer* normalizer, const PreTokenizer* pre_tokenizer,
                                                 const TokenModel& model, const Vocabulary& vocabulary) {
  PieceKind kind;
  if (pre_tokenizer != nullptr) {
    const auto pieces = pre_tokenizer->pieces();
    if (!pieces || (pieces->metaspace && pieces->metaspace->replacement != kMarkChar) ||
        (pieces->split_at_spaces && !pieces->metaspace)) {  // words without marks between them
      return nullptr;
    }
    kind = *pieces;
  }
  std::unique_ptr<PieceEncoder> encoder(new PieceEncoder(normalizer, kind, model));
  encoder->cut_every_mark_ = kind.metaspace && kind.metaspace->split;
  if (!encoder->cut_every_mark_ && !encoder->find_cuts(vocabulary)) {
    return nullptr;
  }
  return encoder;
}

// Merging is local: where no token has this byte before U+2581, nothing merges across, and the two sides are
// independent. That holds for BPE only (the sums of Unigram round differently in parts).
bool PieceEncoder::find_cuts(const Vocabulary& vocabulary) {
  const auto* bpe = dynamic_cast<const Bpe*>(&model_);
  if (bpe == nullptr) {
    return true;
  }
  const BpeOptions& options = bpe->options();
  if (!options.continuing_subword_prefix.empty() || !options.end_of_word_suffix.empty() || options.ignore_merges) {
    return false;
  }
  cut_at_marks_ = vocabulary.find(kMark) >= 0;
  for (int id = 0; id < vocabulary.size(); ++id) {
    const std::string_view token = vocabulary.token(id);
    if (token.size() > 6 && token.find("<0x") != std::string_view::npos) {
      cut_at_marks_ = false;  // a merge of byte tokens: its text is not what it says
    }
    for (size_t at = token.find(kMark, 1); at != std::string_view::npos; at = token.find(kMark, at + 1)) {
      if (!token.substr(0, at).ends_with(kMark)) {
        joins_mark_[static_cast<unsigned char>(token[at - 1])] = true;
      }
    }
  }
  return true;
}

void PieceEncoder::mark_spaces(std::string_view text, bool at_start, std::string& out) const {
  using Prepend = MetaspaceOptions::Prepend;
  const MetaspaceOptions& metaspace = *kind_.metaspace;
  const auto add = [&](std::string_view part, bool first) {
    const bool wanted = metaspace.prepend == Prepend::kAlways || (metaspace.prepend == Prepend::kFirst && first);
    if (wanted && !part.starts_with(' ') && !part.starts_with(kMark)) {
      out += kMark;
    }
    for (size_t at = 0; at < part.size();) {
      const size_t space = std::min(part.find(' ', at), part.size());
      out += part.substr(at, space - at);
      if (space < part.size()) {
        out += kMark;
      }
      at = space + 1;
    }
  };
  if (!kind_.split_at_spaces) {
    add(text, at_start);
    return;
  }
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const Decoded decoded = lead < 0x80 ? Decoded{lead, 1} : decode_at(text, at);
    if (hf_is_space(decoded.code)) {
      if (begin < at) {
        add(text.substr(begin, at - begin), at_start && begin == 0);
      }
      begin = at + decoded.size;
    }
    at += decoded.size;
  }
  if (begin < text.size()) {
    add(text.substr(begin), at_start && begin == 0);
  }
}

void PieceEncoder::encode_word(std::string_view text, size_t at, size_t size, WordCache& cache,
                               std::vector<Piece>& pieces, std::vector<int32_t>& ids) const {
  const bool small = size <= WordCache::kMaxBytes;
  const WordCache::Key key = small ? WordCache::key(text, at, size) : WordCache::Key{};
  WordCache::Entry& entry = cache.slot(key);
  if (small && WordCache::holds(entry, key)) {
    ids.insert(ids.end(), entry.ids, entry.ids + entry.count);
    return;
  }
  pieces.clear();
  model_.tokenize(text.substr(at, size), pieces);
  const bool keep = small && pieces.size() <= WordCache::kMaxIds;
  for (size_t i = 0; i < pieces.size(); ++i) {
    ids.push_back(pieces[i].id);
    if (keep) {
      entry.ids[i] = pieces[i].id;
    }
  }
  if (keep) {
    entry.key = key;
    entry.count = static_cast<uint32_t>(pieces.size());
  }
}

void PieceEncoder::encode_words(std::string_view text, size_t max_ids, std::vector<int32_t>& ids) const {
  const WordCachePool::Lease lease(caches_);
  std::vector<Piece> pieces;
  size_t begin = 0;
  while (begin < text.size() && ids.size() < max_ids) {
    size_t end = text.size();
    if (cut_every_mark_ || cut_at_marks_) {
      for (size_t at = text.find(kMark, begin + 1); at != std::string_view::npos; at = text.find(kMark, at + 1)) {
        if (cut_every_mark_ || (!joins_mark_[static_cast<unsigned char>(text[at - 1])] &&
                                !text.substr(begin, at - begin).ends_with(kMark))) {
          end = at;
          break;
        }
      }
    }
    encode_word(text, begin, end - begin, *lease, pieces, ids);
    begin = end;
  }
}

bool PieceEncoder::encode(std::string_view text, bool at_start, size_t max_ids, std::vector<int32_t>& ids) const {
  std::string normalized;
  if (normalizer_ != nullptr) {
    normalized.reserve(text.size() + text.size() / 2 + 8);
    if (!normalizer_->apply_bytes(text, normalized)) {
      return false;
    }
    text = normalized;
  }
  std::string marked;
  if (kind_.metaspace) {
    marked.reserve(text.size() + text.size() / 2 + 8);
    mark_spaces(text, at_start, marked);
    text = marked;
  }
  encode_words(text, max_ids, ids);
  return true;
}

}  // namespace slipway::text
