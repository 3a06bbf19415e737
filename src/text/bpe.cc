#include "text/bpe.h"

#include <bit>
#include <fmt/format.h>
#include <queue>

#include "base/error.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr size_t kShortWord = 48;  // symbols: below, looking at all pairs beats a heap (bench_text)

}  // namespace

void MergeTable::build(bool keep_first) {
  const size_t capacity = std::bit_ceil(std::max<size_t>(raw_.size() * 2, 2));
  slots_.assign(capacity, {kEmpty, kNone, -1});
  mask_ = capacity - 1;
  shift_ = 64 - std::countr_zero(capacity);
  count_ = 0;
  for (const Slot& merge : raw_) {
    size_t at = (merge.key * kMix) >> shift_;
    while (slots_[at].key != kEmpty && slots_[at].key != merge.key) {
      at = (at + 1) & mask_;
    }
    if (slots_[at].key == kEmpty) {
      ++count_;
    } else if (keep_first) {
      continue;
    }
    slots_[at] = merge;
  }
  raw_ = {};
}

void MergeTable::apply(std::vector<BpeSymbol>& symbols) const {
  if (symbols.size() > kShortWord) {
    apply_long(symbols);
  } else if (symbols.size() > 1) {
    apply_short(symbols);
  }
}

void MergeTable::apply_short(std::vector<BpeSymbol>& symbols) const {
  std::array<Merge, kShortWord> merges;  // of symbol i and the next one
  size_t count = symbols.size();
  BpeSymbol* s = symbols.data();
  for (size_t i = 0; i + 1 < count; ++i) {
    merges[i] = find(s[i].id, s[i + 1].id);
  }
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      best = merges[i].rank < merges[best].rank ? i : best;
    }
    if (merges[best].rank == kNone) {
      break;
    }
    s[best].id = merges[best].id;
    s[best].end = s[best + 1].end;
    std::copy(s + best + 2, s + count, s + best + 1);
    std::copy(merges.begin() + static_cast<std::ptrdiff_t>(best) + 1,
              merges.begin() + static_cast<std::ptrdiff_t>(count) - 1,
              merges.begin() + static_cast<std::ptrdiff_t>(best));
    --count;
    if (best + 1 < count) {
      merges[best] = find(s[best].id, s[best + 1].id);
    }
    if (best > 0) {
      merges[best - 1] = find(s[best - 1].id, s[best].id);
    }
  }
  symbols.resize(count);
}

void MergeTable::apply_long(std::vector<BpeSymbol>& symbols) const {
  struct Candidate {
    uint32_t rank;
    uint32_t left;
    int32_t id;
    bool operator>(const Candidate& other) const noexcept {
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };
  constexpr uint32_t kEnd = UINT32_MAX;
  const auto size = static_cast<uint32_t>(symbols.size());
  std::vector<uint32_t> next(size);
  std::vector<uint32_t> previous(size);
  std::vector<Candidate> first;
  const auto candidate = [&](uint32_t left, uint32_t right) -> Candidate {
    const Merge merge = find(symbols[left].id, symbols[right].id);
    return {merge.rank, left, merge.id};
  };
  for (uint32_t i = 0; i < size; ++i) {
    next[i] = i + 1 < size ? i + 1 : kEnd;
    previous[i] = i > 0 ? i - 1 : kEnd;
    if (i + 1 < size) {
      if (const Candidate c = candidate(i, i + 1); c.rank != kNone) {
        first.push_back(c);
      }
    }
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue(std::greater<>(), std::move(first));
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    const uint32_t left = top.left;
    const uint32_t right = next[left];
    // Stale when either side has changed since: then the pair merges to something else, or is gone.
    if (symbols[left].id < 0 || right == kEnd || find(symbols[left].id, symbols[right].id).id != top.id) {
      continue;
    }
    symbols[left].id = top.id;
    symbols[left].end = symbols[right].end;
    symbols[right].id = -1;
    next[left] = next[right];
    if (next[left] != kEnd) {
      previous[next[left]] = left;
      if (const Candidate c = candidate(left, next[left]); c.rank != kNone) {
        queue.push(c);
      }
    }
    if (previous[left] != kEnd) {
      if (const Candidate c = candidate(previous[left], left); c.rank != kNone) {
        queue.push(c);
      }
    }
  }
  std::erase_if(symbols, [](const BpeSymbol& symbol) { return symbol.id < 0; });
}

MergeTable merges_by_rank(const Vocabulary& vocabulary, const std::vector<uint32_t>& rank) {
  MergeTable merges;
  std::vector<uint64_t> hashes;
  for (int id = 0; id < vocabulary.size(); ++id) {
    const std::string_view token = vocabulary.token(id);
    if (token.size() < 2 || rank[static_cast<size_t>(id)] == MergeTable::kNone ||
        token.size() > PrefixHash::kMaxLength) {
      continue;
    }
    hashes.assign(1, 0);
    for (const char c : token) {
      hashes.push_back(PrefixHash::step(hashes.back(), static_cast<unsigned char>(c)));
    }
    for (size_t cut = 1; cut < token.size(); ++cut) {
      if ((static_cast<unsigned char>(token[cut]) & 0xC0) == 0x80) {
        continue;
      }
      const int left = vocabulary.find(token.substr(0, cut), hashes[cut]);
      if (left < 0) {
        continue;
      }
      const int right = vocabulary.find(token.substr(cut),
                                        PrefixHash::between(hashes[cut], hashes[token.size()], token.size() - cut));
      if (right >= 0) {
        merges.add(left, right, rank[static_cast<size_t>(id)], id);
      }
    }
  }
  merges.build(true);
  return merges;
}

Bpe::Bpe(const BpeOptions& options, MergeTable merges, const Vocabulary& vocabulary, const std::string& source)
    : options_(options), merges_(std::move(merges)), vocabulary_(vocabulary) {
  if (!options_.unk_token.empty()) {
    unk_id_ = vocabulary.find(options_.unk_token);
    if (unk_id_ < 0) {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("{}: the vocabulary has no unknown token '{}'", source, options_.unk_token));
    }
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    byte_id_[byte] = vocabulary.find(fmt::format("<0x{:02X}>", byte));
  }
  if (std::find(byte_id_.begin(), byte_id_.end(), -1) == byte_id_.end()) {
    byte_ids_ = byte_id_;
  }
}

void Bpe::start(std::string_view word, std::vector<BpeSymbol>& symbols) const {
  int64_t unknown_from = -1;  // a run of unknown characters not yet written
  uint32_t place = 0;
  std::string changed;
  const auto flush_unknown = [&](size_t end) {
    if (unknown_from >= 0) {
      symbols.push_back({unk_id_, static_cast<uint32_t>(unknown_from), static_cast<uint32_t>(end)});
      unknown_from = -1;
    }
  };
  for (size_t at = 0; at < word.size();) {
    const size_t size = decode_at(word, at).size;
    std::string_view text = word.substr(at, size);
    const bool prefixed = at > 0 && !options_.continuing_subword_prefix.empty();
    const bool suffixed = at + size == word.size() && !options_.end_of_word_suffix.empty();
    if (prefixed || suffixed) {
      changed = (prefixed ? options_.continuing_subword_prefix : std::string());
      changed += text;
      changed += suffixed ? options_.end_of_word_suffix : std::string();
      text = changed;
    }
    at += size;
    const uint32_t begin = place;
    const uint32_t end = place + static_cast<uint32_t>(size);
    place = end;
    if (const int id = vocabulary_.find(text); id >= 0) {
      flush_unknown(begin);
      symbols.push_back({id, begin, end});
      continue;
    }
    if (options_.byte_fallback && std::all_of(text.begin(), text.end(), [this](char c) {
          return byte_id_[static_cast<unsigned char>(c)] >= 0;
        })) {
      flush_unknown(begin);
      for (uint32_t i = 0; i < text.size(); ++i) {
        symbols.push_back({byte_id_[static_cast<unsigned char>(text[i])], std::min(begin + i, end - 1),
                           std::min(begin + i + 1, end)});
      }
      continue;
    }
    if (unk_id_ < 0) {
      place = begin;  // it vanishes, and Hugging Face counts on as if it had not been there
      continue;
    }
    if (!options_.fuse_unk) {
      flush_unknown(begin);
    }
    unknown_from = unknown_from < 0 ? begin : unknown_from;
  }
  flush_unknown(place);
}

void Bpe::tokenize(std::string_view word, std::vector<Piece>& pieces) const {
  if (options_.ignore_merges) {
    if (const int id = vocabulary_.find(word); id >= 0) {
      pieces.push_back({id, 0, static_cast<uint32_t>(word.size())});
      return;
    }
  }
  std::vector<BpeSymbol> symbols;
  symbols.reserve(word.size());
  start(word, symbols);
  merges_.apply(symbols);
  for (const BpeSymbol& symbol : symbols) {
    pieces.push_back({symbol.id, symbol.begin, symbol.end});
  }
}

}  // namespace slipway::text
