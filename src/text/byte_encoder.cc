#include "text/byte_encoder.h"

#include "text/byte_level.h"
#include "text/unicode.h"

namespace slipway::text {

std::unique_ptr<ByteEncoder> ByteEncoder::make(const ScannerKind& kind, const Bpe& model,
                                               const Vocabulary& vocabulary) {
  const BpeOptions& options = model.options();
  if (!kind.bytes || !options.continuing_subword_prefix.empty() || !options.end_of_word_suffix.empty()) {
    return nullptr;
  }
  std::unique_ptr<ByteEncoder> encoder(new ByteEncoder(kind, model, vocabulary));
  for (const int32_t id : encoder->byte_ids_) {
    if (id < 0) {
      return nullptr;
    }
  }
  return encoder;
}

ByteEncoder::ByteEncoder(const ScannerKind& kind, const Bpe& model, const Vocabulary& vocabulary)
    : scanner_(kind), prefix_space_(kind.prefix_space), model_(model), vocabulary_(vocabulary) {
  for (size_t byte = 0; byte < 256; ++byte) {
    std::string name;
    append_utf8(byte_to_char(static_cast<unsigned char>(byte)), name);
    byte_ids_[byte] = vocabulary.find(name);
  }
}

void ByteEncoder::merge(std::string_view word, std::vector<BpeSymbol>& symbols) const {
  symbols.clear();
  const auto size = static_cast<uint32_t>(word.size());
  if (model_.options().ignore_merges) {
    std::string chars;
    append_byte_chars(word, chars);
    if (const int id = vocabulary_.find(chars); id >= 0) {
      symbols.push_back({id, 0, size});
      return;
    }
  }
  for (uint32_t i = 0; i < size; ++i) {
    symbols.push_back({byte_ids_[static_cast<unsigned char>(word[i])], i, i + 1});
  }
  model_.merges().apply(symbols);
}

void ByteEncoder::encode_ids(std::string_view text, size_t max_ids, std::vector<int32_t>& ids) const {
  const WordCachePool::Lease lease(caches_);
  WordCache& cache = *lease;
  std::vector<BpeSymbol> symbols;
  size_t part_end = 0;
  for (size_t at = 0; at < text.size() && ids.size() < max_ids;) {
    const size_t end = scanner_.next(text, at, part_end);
    const size_t size = end - at;
    if (size > WordCache::kMaxBytes) {
      merge(text.substr(at, size), symbols);
      for (const BpeSymbol& symbol : symbols) {
        ids.push_back(symbol.id);
      }
      at = end;
      continue;
    }
    const WordCache::Key key = WordCache::key(text, at, size);
    WordCache::Entry& entry = cache.slot(key);
    if (WordCache::holds(entry, key)) {
      ids.insert(ids.end(), entry.ids, entry.ids + entry.count);
    } else {
      merge(text.substr(at, size), symbols);
      const bool keep = symbols.size() <= WordCache::kMaxIds;
      for (size_t i = 0; i < symbols.size(); ++i) {
        ids.push_back(symbols[i].id);
        if (keep) {
          entry.ids[i] = symbols[i].id;
        }
      }
      if (keep) {
        entry.key = key;
        entry.count = static_cast<uint32_t>(symbols.size());
      }
    }
    at = end;
  }
}

// A token's offsets are those of the characters that its first and last bytes belong to.
void ByteEncoder::encode_offsets(std::string_view text, uint32_t first, bool prefixed, size_t max_ids,
                                 Encoding& out) const {
  std::vector<BpeSymbol> symbols;
  size_t part_end = 0;
  size_t byte = 0;  // chars counts the characters that begin in text[0, byte)
  uint32_t chars = 0;
  const auto char_of = [&](size_t at) {  // the number of the character of byte `at`; `at` never falls
    for (; byte <= at; ++byte) {
      chars += (static_cast<unsigned char>(text[byte]) & 0xC0) != 0x80 ? 1 : 0;
    }
    const uint32_t number = chars - 1;
    return first + (prefixed && number > 0 ? number - 1 : number);
  };
  for (size_t at = 0; at < text.size() && out.ids.size() < max_ids;) {
    const size_t end = scanner_.next(text, at, part_end);
    merge(text.substr(at, end - at), symbols);
    for (const BpeSymbol& symbol : symbols) {
      out.ids.push_back(symbol.id);
      const uint32_t from = char_of(at + symbol.begin);
      out.offsets.emplace_back(from, char_of(at + symbol.end - 1) + 1);
    }
    at = end;
  }
}

void ByteEncoder::encode(std::string_view text, uint32_t first, bool with_offsets, size_t max_ids,
                         Encoding& out) const {
  std::string changed;
  if (!is_valid_utf8(text)) {
    changed = sanitize_utf8(text);
    text = changed;
  }
  const bool prefixed = prefix_space_ && !text.empty() && text[0] != ' ';
  if (prefixed) {
    changed = " " + std::string(text);
    text = changed;
  }
  if (with_offsets) {
    encode_offsets(text, first, prefixed, max_ids, out);
  } else {
    encode_ids(text, max_ids, out.ids);
  }
}

}  // namespace slipway::text
