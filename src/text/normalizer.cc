#include "text/normalizer.h"

#include <array>
#include <fmt/format.h>
#include <utf8proc.h>

#include "base/base64.h"
#include "base/error.h"
#include "text/byte_level.h"
#include "text/charsmap.h"
#include "text/hf_unicode.h"
#include "text/regex.h"
#include "text/sentencepiece_normalizer.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr char32_t kNewVowelSign = 0x11938;  // decomposes since Unicode 13; not in Hugging Face's tables

int combining_class(char32_t c) noexcept {
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
}

// Decomposes with canonical order. The first character of a decomposition stands for its source, the others are
// insertions; reordering moves the changes along, as Hugging Face does.
std::vector<Change> decompose(const std::u32string& text, bool compatible) {
  std::vector<Change> out;
  out.reserve(text.size() + 16);
  size_t pending = 0;  // start of the run of combining characters not yet in order
  const auto options =
      static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : UTF8PROC_DECOMPOSE));
  const auto sort_pending = [&] {
    std::stable_sort(
        out.begin() + static_cast<std::ptrdiff_t>(pending), out.end(),
        [](const Change& a, const Change& b) { return combining_class(a.code) < combining_class(b.code); });
  };
  for (const char32_t c : text) {
    std::array<utf8proc_int32_t, 32> buffer{};
    int boundary = 0;
    utf8proc_ssize_t count = 1;
    buffer[0] = static_cast<utf8proc_int32_t>(c);
    if (c >= 0xC0 && c != kNewVowelSign) {
      count =
          utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer.data(), buffer.size(), options, &boundary);
    } else if (c >= 0x80 && compatible) {
      count =
          utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer.data(), buffer.size(), options, &boundary);
    }
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
      const auto code = static_cast<char32_t>(buffer[static_cast<size_t>(i)]);
      if (combining_class(code) == 0) {
        sort_pending();
        out.push_back({code, i > 0 ? 1 : 0});
        pending = out.size();
      } else {
        out.push_back({code, i > 0 ? 1 : 0});
      }
    }
  }
  sort_pending();
  return out;
}

// The primary composite of a pair, or 0.
char32_t compose_pair(char32_t a, char32_t b) noexcept {
  std::array<utf8proc_int32_t, 2> pair = {static_cast<utf8proc_int32_t>(a), static_cast<utf8proc_int32_t>(b)};
  const utf8proc_ssize_t size =
      utf8proc_normalize_utf32(pair.data(), 2, static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  return size == 1 ? static_cast<char32_t>(pair[0]) : 0;
}

// Canonical composition (UAX 15) of a decomposed text, merging the changes of what it composes.
std::vector<Change> compose(const std::vector<Change>& in) {
  std::vector<Change> out;
  out.reserve(in.size());
  size_t starter = SIZE_MAX;
  int last_class = -1;
  for (const Change& item : in) {
    const int ccc = combining_class(item.code);
    if (starter != SIZE_MAX && last_class < ccc) {
      const char32_t composed = compose_pair(out[starter].code, item.code);
      if (composed != 0) {
        out[starter] = {composed, out[starter].change + item.change - 1};
        continue;
      }
    }
    if (ccc == 0) {
      starter = out.size();
      last_class = -1;
    } else {
      last_class = ccc;
    }
    out.push_back(item);
  }
  return out;
}

void lowercase_text(AlignedText& text) {
  std::vector<Change> changes;
  changes.reserve(text.size());
  std::u32string lower;
  for (const char32_t c : text.chars) {
    lower.clear();
    hf_lowercase(c, lower);
    for (size_t i = 0; i < lower.size(); ++i) {
      changes.push_back({lower[i], i == 0 ? 0 : 1});
    }
  }
  text.transform(changes);
}

class BertNormalizer final : public Normalizer {
 public:
  explicit BertNormalizer(const BertNormalizerOptions& options) : options_(options) {}
  const BertNormalizerOptions* bert() const override { return &options_; }

  void apply(AlignedText& text) const override {
    if (options_.clean_text) {
      text.filter([](char32_t c) { return !in_ranges(hf_other_ranges(), c); });
      for (char32_t& c : text.chars) {
        c = hf_is_space(c) ? U' ' : c;
      }
    }
    if (options_.handle_chinese_chars) {
      space_ideographs(text);
    }
    if (options_.strip_accents) {
      text.transform(decompose(text.chars, false));
      text.filter([](char32_t c) { return !in_ranges(hf_nonspacing_ranges(), c); });
    }
    if (options_.lowercase) {
      lowercase_text(text);
    }
  }

 private:
  static void space_ideographs(AlignedText& text) {
    std::vector<Change> changes;
    changes.reserve(text.size());
    for (const char32_t c : text.chars) {
      if (is_cjk_ideograph(c)) {
        changes.push_back({U' ', 0});
        changes.push_back({c, 1});
        changes.push_back({U' ', 1});
      } else {
        changes.push_back({c, 0});
      }
    }
    text.transform(changes);
  }

  BertNormalizerOptions options_;
};

class FormNormalizer final : public Normalizer {
 public:
  FormNormalizer(bool compatible, bool composed) : compatible_(compatible), composed_(composed) {}
  void apply(AlignedText& text) const override {
    const std::vector<Change> decomposed = decompose(text.chars, compatible_);
    text.transform(composed_ ? compose(decomposed) : decomposed);
  }
  bool apply_bytes(std::string_view text, std::string& out) const override {
    if (!stays(text)) {
      return false;
    }
    out += text;
    return true;
  }

 private:
  // ASCII in every form; below U+0300, without compatibility, all that is composed.
  bool stays(std::string_view text) const noexcept {
    const unsigned limit = composed_ && !compatible_ ? 0xCC : 0x80;
    return std::all_of(text.begin(), text.end(), [limit](char c) { return static_cast<unsigned char>(c) < limit; });
  }
  bool compatible_;
  bool composed_;
};

class LowercaseNormalizer final : public Normalizer {
 public:
  void apply(AlignedText& text) const override { lowercase_text(text); }
};

class StripAccentsNormalizer final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    text.filter([](char32_t c) { return !in_ranges(hf_mark_ranges(), c); });
  }
};

class StripNormalizer final : public Normalizer {
 public:
  StripNormalizer(bool left, bool right) : left_(left), right_(right) {}
  void apply(AlignedText& text) const override {
    size_t begin = 0;
    size_t end = text.size();
    while (left_ && begin < end && hf_is_space(text.chars[begin])) {
      ++begin;
    }
    while (right_ && end > begin && hf_is_space(text.chars[end - 1])) {
      --end;
    }
    text.chars = text.chars.substr(begin, end - begin);
    text.origins.erase(text.origins.begin() + static_cast<std::ptrdiff_t>(end), text.origins.end());
    text.origins.erase(text.origins.begin(), text.origins.begin() + static_cast<std::ptrdiff_t>(begin));
  }

 private:
  bool left_;
  bool right_;
};

class ReplaceNormalizer final : public Normalizer {
 public:
  ReplaceNormalizer(const std::string& pattern, const std::string& content)
      : pattern_(to_utf32(pattern)), content_(to_utf32(content)), pattern_utf8_(pattern), content_utf8_(content) {}
  void apply(AlignedText& text) const override { text.replace(pattern_, content_); }
  bool apply_bytes(std::string_view text, std::string& out) const override {
    for (size_t at = 0;;) {
      const size_t hit = text.find(pattern_utf8_, at);
      out += text.substr(at, hit - at);
      if (hit == std::string_view::npos) {
        return true;
      }
      out += content_utf8_;
      at = hit + pattern_utf8_.size();
    }
  }

 private:
  std::u32string pattern_;
  std::u32string content_;
  std::string pattern_utf8_;
  std::string content_utf8_;
};

class RegexReplaceNormalizer final : public Normalizer {
 public:
  RegexReplaceNormalizer(const std::string& pattern, std::u32string content, const std::string& source)
      : regex_(pattern, source), content_(std::move(content)) {}
  void apply(AlignedText& text) const override { text.replace(regex_, content_); }

 private:
  Regex regex_;
  std::u32string content_;
};

// Every byte as its character (byte_level.h).
class ByteLevelNormalizer final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    std::vector<Change> changes;
    std::string utf8;
    for (const char32_t c : text.chars) {
      utf8.clear();
      append_utf8(c, utf8);
      for (size_t i = 0; i < utf8.size(); ++i) {
        changes.push_back({byte_to_char(static_cast<unsigned char>(utf8[i])), i == 0 ? 0 : 1});
      }
    }
    text.transform(changes);
  }
};

class PrependNormalizer final : public Normalizer {
 public:
  explicit PrependNormalizer(std::string prefix) : prefix_(std::move(prefix)) {}
  void apply(AlignedText& text) const override { text.prepend(to_utf32(prefix_)); }
  bool apply_bytes(std::string_view text, std::string& out) const override {
    if (!text.empty()) {
      out += prefix_;
      out += text;
    }
    return true;
  }

 private:
  std::string prefix_;
};

class SequenceNormalizer final : public Normalizer {
 public:
  explicit SequenceNormalizer(std::vector<std::unique_ptr<Normalizer>> parts) : parts_(std::move(parts)) {}
  void apply(AlignedText& text) const override {
    for (const auto& part : parts_) {
      part->apply(text);
    }
  }
  const BertNormalizerOptions* bert() const override { return parts_.size() == 1 ? parts_[0]->bert() : nullptr; }
  bool apply_bytes(std::string_view text, std::string& out) const override {
    std::string now;
    std::string next;
    for (size_t i = 0; i < parts_.size(); ++i) {
      next.clear();
      if (!parts_[i]->apply_bytes(i == 0 ? text : std::string_view(now), next)) {
        return false;
      }
      now.swap(next);
    }
    out += parts_.empty() ? text : std::string_view(now);
    return true;
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> parts_;
};

std::unique_ptr<Normalizer> parse_bert(const Json& json, const std::string& source) {
  BertNormalizerOptions options;
  options.clean_text = base::get_or(json, "clean_text", true, source);
  options.handle_chinese_chars = base::get_or(json, "handle_chinese_chars", true, source);
  options.lowercase = base::get_or(json, "lowercase", true, source);
  options.strip_accents = base::get_or(json, "strip_accents", options.lowercase, source);
  return make_bert_normalizer(options);
}

std::unique_ptr<Normalizer> parse_replace(const Json& json, const std::string& source) {
  const Json pattern = base::get<Json>(json, "pattern", source);
  const auto content = base::get<std::string>(json, "content", source);
  if (pattern.is_object() && pattern.contains("Regex")) {
    return std::make_unique<RegexReplaceNormalizer>(base::get<std::string>(pattern, "Regex", source), to_utf32(content),
                                                    source);
  }
  if (!pattern.is_object() || !pattern.contains("String")) {
    throw Error(Code::kInvalid, source + ": Replace needs a pattern {\"String\": ...} or {\"Regex\": ...}");
  }
  const auto text = base::get<std::string>(pattern, "String", source);
  if (text.empty()) {
    throw Error(Code::kInvalid, source + ": Replace with an empty pattern");
  }
  return std::make_unique<ReplaceNormalizer>(text, content);
}

std::unique_ptr<Normalizer> parse_precompiled(const Json& json, const std::string& source) {
  const auto blob = base::base64_decode(base::get_or<std::string>(json, "precompiled_charsmap", "", source));
  if (!blob) {
    throw Error(Code::kInvalid, source + ": precompiled_charsmap is not base64");
  }
  return make_precompiled(CharsMap(*blob, source));
}

}  // namespace

std::unique_ptr<Normalizer> make_bert_normalizer(const BertNormalizerOptions& options) {
  return std::make_unique<BertNormalizer>(options);
}

std::unique_ptr<Normalizer> parse_normalizer(const Json& json, const std::string& source) {
  if (json.is_null()) {
    return nullptr;
  }
  const auto type = base::get<std::string>(json, "type", source + ": normalizer");
  const std::string where = fmt::format("{}: normalizer {}", source, type);
  if (type == "BertNormalizer") {
    return parse_bert(json, where);
  }
  if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") {
    return std::make_unique<FormNormalizer>(type[2] == 'K', type.back() == 'C');
  }
  if (type == "Lowercase") {
    return std::make_unique<LowercaseNormalizer>();
  }
  if (type == "StripAccents") {
    return std::make_unique<StripAccentsNormalizer>();
  }
  if (type == "Strip") {
    return std::make_unique<StripNormalizer>(base::get_or(json, "strip_left", true, where),
                                             base::get_or(json, "strip_right", true, where));
  }
  if (type == "Replace") {
    return parse_replace(json, where);
  }
  if (type == "Prepend") {
    return std::make_unique<PrependNormalizer>(base::get<std::string>(json, "prepend", where));
  }
  if (type == "Precompiled") {
    return parse_precompiled(json, where);
  }
  if (type == "Nmt") {
    return make_nmt();
  }
  if (type == "ByteLevel") {
    return std::make_unique<ByteLevelNormalizer>();
  }
  if (type == "Sequence") {
    std::vector<std::unique_ptr<Normalizer>> parts;
    const Json normalizers = base::get<Json>(json, "normalizers", where);
    for (const Json& part : normalizers) {
      if (auto normalizer = parse_normalizer(part, source)) {
        parts.push_back(std::move(normalizer));
      }
    }
    return std::make_unique<SequenceNormalizer>(std::move(parts));
  }
  throw Error(Code::kInvalid,
              fmt::format("{}: normalizer type '{}' is not supported; supported: BertNormalizer, "
                          "ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, Replace, Sequence, "
                          "Strip, StripAccents",
                          source, type));
}

}  // namespace slipway::text
