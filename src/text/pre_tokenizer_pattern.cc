// Pre-tokenizers that match patterns or rewrite the text: Split, ByteLevel, Metaspace, FixedLength.
#include <fmt/format.h>

#include "base/error.h"
#include "text/byte_level.h"
#include "text/pre_tokenizer_split.h"
#include "text/unicode.h"
#include "text/word_patterns.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using base::Json;

// Matches a fixed text.
class StringSplit final : public PreTokenizer {
 public:
  StringSplit(std::u32string pattern, Behavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}
  void split(AlignedText& text, std::vector<CharSpan>& spans, bool /*at_start*/) const override {
    split_by(
        behavior_,
        [&](CharSpan span, std::vector<SplitPart>& parts) {
          const std::u32string_view part = std::u32string_view(text.chars).substr(span.begin, span.end - span.begin);
          size_t at = 0;
          while (at < part.size()) {
            const size_t hit = std::min(part.find(pattern_, at), part.size());
            if (at < hit) {
              add(span.begin + at, span.begin + hit, invert_, parts);
            }
            if (hit < part.size()) {
              add(span.begin + hit, span.begin + hit + pattern_.size(), !invert_, parts);
            }
            at = hit + pattern_.size();
          }
        },
        spans);
  }

 private:
  static void add(size_t begin, size_t end, bool matched, std::vector<SplitPart>& parts) {
    parts.push_back({{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}, matched});
  }
  std::u32string pattern_;
  Behavior behavior_;
  bool invert_;
};

// The parts of a span that a regular expression matches, and those between.
void find_parts(const Regex& regex, std::u32string_view chars, CharSpan span, bool invert,
                std::vector<SplitPart>& parts) {
  uint32_t done = span.begin;
  uint32_t from = span.begin;
  Regex::Match match{};
  while (from <= span.end && regex.find(chars, span.begin, span.end, from, match)) {
    if (match.begin == match.end) {  // an empty match cuts
      if (done < match.begin) {
        parts.push_back({{done, match.begin}, invert});
        done = match.begin;
      }
      from = match.end + 1;
      continue;
    }
    if (done < match.begin) {
      parts.push_back({{done, match.begin}, invert});
    }
    parts.push_back({{match.begin, match.end}, !invert});
    done = from = match.end;
  }
  if (done < span.end) {
    parts.push_back({{done, span.end}, invert});
  }
}

class RegexSplit final : public PreTokenizer {
 public:
  RegexSplit(const std::string& pattern, Regex::Flavor flavor, Behavior behavior, bool invert,
             const std::string& source)
      : regex_(pattern, source, flavor), behavior_(behavior), invert_(invert) {
    // With these every part is a word, matched or not.
    const bool all_kept = behavior == Behavior::kIsolated && !invert;
    const bool none_between = behavior == Behavior::kRemoved && invert;
    if (all_kept || none_between) {
      scanner_ = scanner_of_pattern(pattern, flavor);
    }
  }
  void split(AlignedText& text, std::vector<CharSpan>& spans, bool /*at_start*/) const override {
    split_by(
        behavior_,
        [&](CharSpan span, std::vector<SplitPart>& parts) { find_parts(regex_, text.chars, span, invert_, parts); },
        spans);
  }
  std::optional<ScannerKind> scanner() const override { return scanner_; }

 private:
  Regex regex_;
  Behavior behavior_;
  bool invert_;
  std::optional<ScannerKind> scanner_;
};

// Rewrites each span by `rewrite(part)`, which works on it as a text of its own.
template <class Rewrite>
void rewrite_spans(AlignedText& text, std::vector<CharSpan>& spans, const Rewrite& rewrite) {
  AlignedText result;
  result.chars.reserve(text.size() + spans.size());
  result.origins.reserve(text.size() + spans.size());
  AlignedText part;
  for (CharSpan& span : spans) {
    part.chars.assign(text.chars, span.begin, span.end - span.begin);
    part.origins.assign(text.origins.begin() + span.begin, text.origins.begin() + span.end);
    rewrite(part, span);
    span.begin = static_cast<uint32_t>(result.size());
    result.chars += part.chars;
    result.origins.insert(result.origins.end(), part.origins.begin(), part.origins.end());
    span.end = static_cast<uint32_t>(result.size());
  }
  text = std::move(result);
}

class ByteLevel final : public PreTokenizer {
 public:
  explicit ByteLevel(const ByteLevelOptions& options)
      : options_(options), regex_(kGpt2Pattern, "ByteLevel", Regex::Flavor::kOniguruma) {}
  void split(AlignedText& text, std::vector<CharSpan>& spans, bool /*at_start*/) const override {
    if (options_.add_prefix_space) {
      rewrite_spans(text, spans, [](AlignedText& part, CharSpan) {
        if (part.chars.front() != U' ') {
          part.prepend(U" ");
        }
      });
    }
    if (options_.use_regex) {
      split_by(
          Behavior::kIsolated,
          [&](CharSpan span, std::vector<SplitPart>& parts) { find_parts(regex_, text.chars, span, false, parts); },
          spans);
    }
    rewrite_spans(text, spans, [](AlignedText& part, CharSpan) { to_byte_chars(part); });
  }
  std::optional<ScannerKind> scanner() const override {
    ScannerKind kind;
    kind.pattern = options_.use_regex ? WordPattern::kGpt2 : WordPattern::kWhole;
    kind.prefix_space = options_.add_prefix_space;
    kind.bytes = true;
    return kind;
  }

 private:
  static void to_byte_chars(AlignedText& part) {
    AlignedText result;
    std::string utf8;
    for (size_t i = 0; i < part.size(); ++i) {
      utf8.clear();
      append_utf8(part.chars[i], utf8);
      for (const char byte : utf8) {
        result.chars += byte_to_char(static_cast<unsigned char>(byte));
        result.origins.push_back(part.origins[i]);
      }
    }
    part = std::move(result);
  }

  ByteLevelOptions options_;
  Regex regex_;
};

class Metaspace final : public PreTokenizer {
 public:
  explicit Metaspace(const MetaspaceOptions& options) : options_(options) {}
  std::optional<PieceKind> pieces() const override { return PieceKind{false, options_}; }
  void split(AlignedText& text, std::vector<CharSpan>& spans, bool at_start) const override {
    using Prepend = MetaspaceOptions::Prepend;
    const std::u32string mark(1, options_.replacement);
    rewrite_spans(text, spans, [&](AlignedText& part, CharSpan span) {
      for (char32_t& c : part.chars) {
        c = c == U' ' ? options_.replacement : c;
      }
      const bool wanted =
          options_.prepend == Prepend::kAlways || (options_.prepend == Prepend::kFirst && at_start && span.begin == 0);
      if (wanted && part.chars.front() != options_.replacement) {
        part.prepend(mark);
      }
    });
    if (options_.split) {
      StringSplit(mark, Behavior::kMergedWithNext, false).split(text, spans, at_start);
    }
  }

 private:
  MetaspaceOptions options_;
};

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(uint32_t length) : length_(length) {}
  void split(AlignedText& /*text*/, std::vector<CharSpan>& spans, bool /*at_start*/) const override {
    std::vector<CharSpan> out;
    for (const CharSpan span : spans) {
      for (uint32_t at = span.begin; at < span.end; at += std::min(length_, span.end - at)) {
        out.push_back({at, at + std::min(length_, span.end - at)});
      }
    }
    spans = std::move(out);
  }

 private:
  uint32_t length_;
};

Behavior behavior_of(const Json& json, const std::string& where) {
  return parse_behavior(base::get<std::string>(json, "behavior", where), where);
}

std::unique_ptr<PreTokenizer> parse_split(const Json& json, const std::string& where) {
  const Json pattern = base::get<Json>(json, "pattern", where);
  const bool invert = base::get_or(json, "invert", false, where);
  if (pattern.is_object() && pattern.contains("Regex")) {
    return std::make_unique<RegexSplit>(base::get<std::string>(pattern, "Regex", where), Regex::Flavor::kOniguruma,
                                        behavior_of(json, where), invert, where);
  }
  if (!pattern.is_string() && (!pattern.is_object() || !pattern.contains("String"))) {
    throw Error(Code::kInvalid, where + ": needs a pattern {\"String\": ...} or {\"Regex\": ...}");
  }
  const auto text = pattern.is_string() ? pattern.get<std::string>() : base::get<std::string>(pattern, "String", where);
  if (text.empty()) {
    throw Error(Code::kInvalid, where + ": the pattern is empty");
  }
  return std::make_unique<StringSplit>(to_utf32(text), behavior_of(json, where), invert);
}

}  // namespace

MetaspaceOptions parse_metaspace(const Json& json, const std::string& where) {
  using Prepend = MetaspaceOptions::Prepend;
  MetaspaceOptions options;
  const std::u32string replacement = to_utf32(base::get_or<std::string>(json, "replacement", "\u2581", where));
  if (replacement.size() != 1) {
    throw Error(Code::kInvalid, where + ": the replacement is not one character");
  }
  options.replacement = replacement[0];
  const auto scheme = base::get_or<std::string>(json, "prepend_scheme", "", where);
  if (scheme == "always" || scheme == "first" || scheme == "never") {
    options.prepend = scheme == "always" ? Prepend::kAlways : scheme == "first" ? Prepend::kFirst : Prepend::kNever;
  } else if (!scheme.empty()) {
    throw Error(Code::kInvalid, fmt::format("{}: prepend_scheme '{}' is not always, first or never", where, scheme));
  } else {
    options.prepend = base::get_or(json, "add_prefix_space", true, where) ? Prepend::kAlways : Prepend::kNever;
  }
  options.split = base::get_or(json, "split", true, where);
  return options;
}

std::unique_ptr<PreTokenizer> make_byte_level(const ByteLevelOptions& options) {
  return std::make_unique<ByteLevel>(options);
}

std::unique_ptr<PreTokenizer> make_metaspace(const MetaspaceOptions& options) {
  return std::make_unique<Metaspace>(options);
}

std::unique_ptr<PreTokenizer> make_regex_split(const std::string& pattern, Regex::Flavor flavor,
                                               const std::string& source) {
  return std::make_unique<RegexSplit>(pattern, flavor, Behavior::kIsolated, false, source);
}

std::unique_ptr<PreTokenizer> parse_pattern_pre_tokenizer(const Json& json, const std::string& type,
                                                          const std::string& where) {
  if (type == "Split") {
    return parse_split(json, where);
  }
  if (type == "ByteLevel") {
    ByteLevelOptions options;
    options.add_prefix_space = base::get_or(json, "add_prefix_space", true, where);
    options.use_regex = base::get_or(json, "use_regex", true, where);
    return make_byte_level(options);
  }
  if (type == "Metaspace") {
    return make_metaspace(parse_metaspace(json, where));
  }
  if (type == "FixedLength") {
    const auto length = base::get_or<int64_t>(json, "length", 5, where);
    if (length < 1 || length > INT32_MAX) {
      throw Error(Code::kInvalid, fmt::format("{}: length {} is out of range", where, length));
    }
    return std::make_unique<FixedLength>(static_cast<uint32_t>(length));
  }
  return nullptr;
}

}  // namespace slipway::text
