#include "text/bert_encoder.h"

#include <cstring>
#include <utf8proc.h>

#include "text/hf_unicode.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

enum Action : uint8_t { kKeep, kSpace, kPunctuation, kDrop, kDecode };

// 120 characters of up to four bytes, and the four bytes of the character that shows that a word is too long.
constexpr size_t kWordBytes = static_cast<size_t>(BertEncoder::kMaxWordChars) * 4 + 4;
static_assert(kWordBytes <= PrefixHash::kMaxLength);

constexpr char32_t kNewVowelSign = 0x11938;  // see normalizer.cc

}  // namespace

// One text being encoded: the word so far and where it came from.
template <bool kOffsets>
class BertEncoder::Run {
 public:
  Run(const BertEncoder& encoder, uint32_t first, size_t max_ids, Encoding& out)
      : encoder_(encoder), max_ids_(max_ids), out_(out), at_char_(first) {
    hashes_[0] = 0;
  }

  // False when the text needs canonical reordering.
  bool encode(std::string_view text);

 private:
  void push(unsigned char byte) {
    if (size_ < kWordBytes) {
      if constexpr (kOffsets) {
        origins_[size_] = at_char_;
      }
      bytes_[size_] = static_cast<char>(byte);
      hashes_[size_ + 1] = PrefixHash::step(hashes_[size_], byte);
      ++size_;
    }
  }
  void push_char(char32_t c);
  // A character of the normalised text goes where the pre-tokenizer puts it.
  void add_normalized(char32_t c);
  bool add_changed(char32_t c);
  bool add_decoded(char32_t c);
  void flush();
  void emit(int32_t id, uint32_t begin, uint32_t end) {
    out_.ids.push_back(id);
    if constexpr (kOffsets) {
      out_.offsets.emplace_back(origins_[begin], origins_[end - 1] + 1);
    }
  }

  const BertEncoder& encoder_;
  const size_t max_ids_;
  Encoding& out_;
  uint32_t at_char_;        // the code point of the original now looked at
  uint32_t last_char_ = 0;  // the last one of the word, for words too long to keep
  size_t size_ = 0;         // bytes of the word kept
  int64_t chars_ = 0;       // characters of the word
  std::array<char, kWordBytes> bytes_;
  std::array<uint64_t, kWordBytes + 1> hashes_;              // of the word's prefixes
  std::array<uint32_t, kOffsets ? kWordBytes : 1> origins_;  // the code point of each byte
};

template <bool kOffsets>
void BertEncoder::Run<kOffsets>::push_char(char32_t c) {
  ++chars_;
  last_char_ = at_char_;
  if (c < 0x80) {
    push(static_cast<unsigned char>(c));
  } else if (c < 0x800) {
    push(static_cast<unsigned char>(0xC0 | (c >> 6)));
    push(static_cast<unsigned char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    push(static_cast<unsigned char>(0xE0 | (c >> 12)));
    push(static_cast<unsigned char>(0x80 | ((c >> 6) & 0x3F)));
    push(static_cast<unsigned char>(0x80 | (c & 0x3F)));
  } else {
    push(static_cast<unsigned char>(0xF0 | (c >> 18)));
    push(static_cast<unsigned char>(0x80 | ((c >> 12) & 0x3F)));
    push(static_cast<unsigned char>(0x80 | ((c >> 6) & 0x3F)));
    push(static_cast<unsigned char>(0x80 | (c & 0x3F)));
  }
}

template <bool kOffsets>
void BertEncoder::Run<kOffsets>::flush() {
  if (size_ == 0) {
    return;
  }
  const WordPiece& model = encoder_.model_;
  const bool known = chars_ <= model.max_input_chars_per_word() &&
                     model.cut(bytes_.data(), size_, hashes_.data(),
                               [this](int32_t id, uint32_t begin, uint32_t end) { emit(id, begin, end); });
  if (!known) {
    out_.ids.push_back(model.unk_id());
    if constexpr (kOffsets) {
      out_.offsets.emplace_back(origins_[0], last_char_ + 1);
    }
  }
  size_ = 0;
  chars_ = 0;
}

template <bool kOffsets>
void BertEncoder::Run<kOffsets>::add_normalized(char32_t c) {
  const uint8_t kind = c < kFastCodePoints ? encoder_.classes_[c] & kClassMask : char_class(c) & kClassMask;
  if (kind == kPunctuationChar) {
    flush();
    push_char(c);
    flush();
  } else if (kind == kSpaceChar || (kind == kOtherChar && hf_is_space(c))) {
    flush();
  } else {
    push_char(c);
  }
}

// A character that decomposes or has a lower case.
template <bool kOffsets>
bool BertEncoder::Run<kOffsets>::add_changed(char32_t c) {
  std::array<utf8proc_int32_t, 32> parts{};
  parts[0] = static_cast<utf8proc_int32_t>(c);
  utf8proc_ssize_t count = 1;
  if (encoder_.options_.strip_accents && c != kNewVowelSign) {
    int boundary = 0;
    count = utf8proc_decompose_char(parts[0], parts.data(), parts.size(), UTF8PROC_DECOMPOSE, &boundary);
  }
  std::u32string lower;
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    const auto part = static_cast<char32_t>(parts[static_cast<size_t>(i)]);
    if (encoder_.options_.strip_accents) {
      const uint8_t flags = char_class(part);
      if ((flags & kNonspacingFlag) != 0) {
        continue;
      }
      if ((flags & kReorderFlag) != 0) {
        return false;
      }
    }
    if (!encoder_.options_.lowercase) {
      add_normalized(part);
      continue;
    }
    lower.clear();  // at most two characters: no allocation
    hf_lowercase(part, lower);
    for (const char32_t l : lower) {
      add_normalized(l);
    }
  }
  return true;
}

template <bool kOffsets>
bool BertEncoder::Run<kOffsets>::add_decoded(char32_t c) {
  const BertNormalizerOptions& options = encoder_.options_;
  const uint8_t flags = c < kFastCodePoints ? encoder_.classes_[c] : char_class(c);
  const uint8_t kind = flags & kClassMask;
  if (kind == kOtherChar && options.clean_text) {
    return true;
  }
  if (kind == kSpaceChar) {
    flush();
    return true;
  }
  const bool spaced = kind == kIdeographChar && options.handle_chinese_chars;
  if (spaced) {
    flush();
  }
  if ((flags & (kChangesFlag | kNonspacingFlag | kReorderFlag)) == 0) {
    add_normalized(c);
  } else if (!add_changed(c)) {
    return false;
  }
  if (spaced) {
    flush();
  }
  return true;
}

template <bool kOffsets>
bool BertEncoder::Run<kOffsets>::encode(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const size_t size = text.size();
  for (size_t at = 0; at < size;) {
    const unsigned char byte = p[at];
    switch (encoder_.action_[byte]) {
      case kKeep:
        ++chars_;
        last_char_ = at_char_;
        push(encoder_.lower_[byte]);
        break;
      case kSpace: flush(); break;
      case kPunctuation:
        flush();
        out_.ids.push_back(encoder_.ascii_id_[byte]);
        if constexpr (kOffsets) {
          out_.offsets.emplace_back(at_char_, at_char_ + 1);
        }
        break;
      case kDrop: break;
      default: {
        const Decoded decoded = decode_at(text, at);
        if (!add_decoded(decoded.code)) {
          return false;
        }
        at += decoded.size - 1;
        break;
      }
    }
    ++at;
    ++at_char_;
    if (out_.ids.size() >= max_ids_) {
      return true;
    }
  }
  flush();
  return true;
}

BertEncoder::BertEncoder(const BertNormalizerOptions& options, const WordPiece& model, const Vocabulary& vocabulary)
    : options_(options), model_(model), classes_(char_class_table()) {
  for (unsigned b = 0; b < 256; ++b) {
    if (b >= 0x80) {
      action_[b] = kDecode;
      continue;
    }
    const uint8_t kind = classes_[b] & kClassMask;
    const bool drop = kind == kOtherChar && options.clean_text;
    const bool space = kind == kSpaceChar || (kind == kOtherChar && hf_is_space(b));
    action_[b] = drop ? kDrop : space ? kSpace : kind == kPunctuationChar ? kPunctuation : kKeep;
    lower_[b] = static_cast<unsigned char>(options.lowercase && b >= 'A' && b <= 'Z' ? b + 32 : b);
    const char c = static_cast<char>(b);
    const int id = vocabulary.find(std::string_view(&c, 1));
    ascii_id_[b] = id >= 0 ? id : model.unk_id();
  }
}

bool BertEncoder::encode(std::string_view text, uint32_t first, bool with_offsets, size_t max_ids,
                         Encoding& out) const {
  const size_t ids_before = out.ids.size();
  const size_t offsets_before = out.offsets.size();
  const bool done = with_offsets ? Run<true>(*this, first, max_ids, out).encode(text)
                                 : Run<false>(*this, first, max_ids, out).encode(text);
  if (!done) {
    out.ids.resize(ids_before);
    out.offsets.resize(offsets_before);
  }
  return done;
}

}  // namespace slipway::text
