#include "text/pre_tokenizer.h"

#include <fmt/format.h>
#include <functional>

#include "base/error.h"
#include "text/hf_unicode.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using base::Json;

// What becomes of the characters that match.
enum class Behavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

Behavior parse_behavior(const std::string& name, const std::string& source) {
  constexpr std::pair<std::string_view, Behavior> kNames[] = {{"Removed", Behavior::kRemoved},
                                                              {"Isolated", Behavior::kIsolated},
                                                              {"MergedWithPrevious", Behavior::kMergedWithPrevious},
                                                              {"MergedWithNext", Behavior::kMergedWithNext},
                                                              {"Contiguous", Behavior::kContiguous}};
  for (const auto& [known, behavior] : kNames) {
    if (name == known) {
      return behavior;
    }
  }
  throw Error(Code::kInvalid, fmt::format("{}: unknown behavior '{}'", source, name));
}

struct Match {
  CharSpan span;
  bool matched;
};

// Cuts every span by the matches that `find` gives for it (covering the span in order), under `behavior`.
template <class Find>
void split_by(const std::u32string& chars, Behavior behavior, const Find& find, std::vector<CharSpan>& spans) {
  std::vector<CharSpan> out;
  std::vector<Match> parts;
  for (const CharSpan span : spans) {
    parts.clear();
    find(chars, span, parts);
    const size_t first = out.size();
    bool previous_matched = false;
    for (const Match& part : parts) {
      const bool can_merge = out.size() > first;
      switch (behavior) {
        case Behavior::kRemoved:
          if (!part.matched) {
            out.push_back(part.span);
          }
          break;
        case Behavior::kIsolated: out.push_back(part.span); break;
        case Behavior::kContiguous:
          if (can_merge && part.matched == previous_matched) {
            out.back().end = part.span.end;
          } else {
            out.push_back(part.span);
          }
          break;
        case Behavior::kMergedWithPrevious:
          if (part.matched && !previous_matched && can_merge) {
            out.back().end = part.span.end;
          } else {
            out.push_back(part.span);
          }
          break;
        case Behavior::kMergedWithNext:
          // Merged below, from the right.
          out.push_back(part.span);
          break;
      }
      previous_matched = part.matched;
    }
    if (behavior == Behavior::kMergedWithNext) {
      std::vector<CharSpan> merged;
      bool next_matched = false;
      for (size_t i = parts.size(); i-- > 0;) {
        if (parts[i].matched && !next_matched && !merged.empty()) {
          merged.back().begin = parts[i].span.begin;
        } else {
          merged.push_back(parts[i].span);
        }
        next_matched = parts[i].matched;
      }
      out.resize(first);
      out.insert(out.end(), merged.rbegin(), merged.rend());
    }
  }
  std::erase_if(out, [](const CharSpan& span) { return span.begin == span.end; });
  spans = std::move(out);
}

// Matches single characters.
class CharSplit final : public PreTokenizer {
 public:
  using Predicate = std::function<bool(char32_t)>;
  CharSplit(Predicate predicate, Behavior behavior) : predicate_(std::move(predicate)), behavior_(behavior) {}
  void split(const std::u32string& chars, std::vector<CharSpan>& spans) const override {
    split_by(
        chars, behavior_,
        [this](const std::u32string& text, CharSpan span, std::vector<Match>& parts) {
          uint32_t begin = span.begin;
          for (uint32_t i = span.begin; i < span.end; ++i) {
            if (predicate_(text[i])) {
              if (begin < i) {
                parts.push_back({{begin, i}, false});
              }
              parts.push_back({{i, i + 1}, true});
              begin = i + 1;
            }
          }
          if (begin < span.end) {
            parts.push_back({{begin, span.end}, false});
          }
        },
        spans);
  }

 private:
  Predicate predicate_;
  Behavior behavior_;
};

// Matches a fixed text.
class StringSplit final : public PreTokenizer {
 public:
  StringSplit(std::u32string pattern, Behavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}
  void split(const std::u32string& chars, std::vector<CharSpan>& spans) const override {
    split_by(
        chars, behavior_,
        [this](const std::u32string& text, CharSpan span, std::vector<Match>& parts) {
          const std::u32string_view part = std::u32string_view(text).substr(span.begin, span.end - span.begin);
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
  static void add(size_t begin, size_t end, bool matched, std::vector<Match>& parts) {
    parts.push_back({{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}, matched});
  }
  std::u32string pattern_;
  Behavior behavior_;
  bool invert_;
};

// The regular expression \w+|[^\w\s]+.
class WhitespaceSplit final : public PreTokenizer {
 public:
  void split(const std::u32string& chars, std::vector<CharSpan>& spans) const override {
    std::vector<CharSpan> out;
    for (const CharSpan span : spans) {
      int previous = 0;  // 0 white space, 1 word, 2 other
      for (uint32_t i = span.begin; i < span.end; ++i) {
        const int kind = hf_is_space(chars[i]) ? 0 : hf_is_word(chars[i]) ? 1 : 2;
        if (kind != 0) {
          if (kind == previous) {
            out.back().end = i + 1;
          } else {
            out.push_back({i, i + 1});
          }
        }
        previous = kind;
      }
    }
    spans = std::move(out);
  }
};

class BertPreTokenizer final : public PreTokenizer {
 public:
  void split(const std::u32string& chars, std::vector<CharSpan>& spans) const override {
    std::vector<CharSpan> out;
    for (const CharSpan span : spans) {
      bool open = false;
      for (uint32_t i = span.begin; i < span.end; ++i) {
        const bool punctuation = in_ranges(hf_punctuation_ranges(), chars[i]);
        if (hf_is_space(chars[i])) {
          open = false;
        } else if (punctuation || !open) {
          out.push_back({i, i + 1});
          open = !punctuation;
        } else {
          out.back().end = i + 1;
        }
      }
    }
    spans = std::move(out);
  }
  bool is_bert() const override { return true; }
};

class SequencePreTokenizer final : public PreTokenizer {
 public:
  explicit SequencePreTokenizer(std::vector<std::unique_ptr<PreTokenizer>> parts) : parts_(std::move(parts)) {}
  void split(const std::u32string& chars, std::vector<CharSpan>& spans) const override {
    for (const auto& part : parts_) {
      part->split(chars, spans);
    }
  }
  bool is_bert() const override { return parts_.size() == 1 && parts_[0]->is_bert(); }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> parts_;
};

std::unique_ptr<PreTokenizer> parse_split(const Json& json, const std::string& where) {
  const Json pattern = base::get<Json>(json, "pattern", where);
  if (!pattern.is_object() || !pattern.contains("String")) {
    throw Error(Code::kInvalid, where + ": needs a pattern {\"String\": ...}; regular expressions are not supported");
  }
  const auto text = base::get<std::string>(pattern, "String", where);
  if (text.empty()) {
    throw Error(Code::kInvalid, where + ": the pattern is empty");
  }
  return std::make_unique<StringSplit>(to_utf32(text),
                                       parse_behavior(base::get<std::string>(json, "behavior", where), where),
                                       base::get_or(json, "invert", false, where));
}

std::unique_ptr<PreTokenizer> parse_delimiter(const Json& json, const std::string& where) {
  const std::u32string delimiter = to_utf32(base::get<std::string>(json, "delimiter", where));
  if (delimiter.size() != 1) {
    throw Error(Code::kInvalid, where + ": the delimiter is not one character");
  }
  return std::make_unique<CharSplit>([c = delimiter[0]](char32_t x) { return x == c; }, Behavior::kRemoved);
}

}  // namespace

std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer() { return std::make_unique<BertPreTokenizer>(); }

std::unique_ptr<PreTokenizer> parse_pre_tokenizer(const Json& json, const std::string& source) {
  if (json.is_null()) {
    return nullptr;
  }
  const auto type = base::get<std::string>(json, "type", source + ": pre_tokenizer");
  const std::string where = fmt::format("{}: pre_tokenizer {}", source, type);
  if (type == "BertPreTokenizer") {
    return make_bert_pre_tokenizer();
  }
  if (type == "Whitespace") {
    return std::make_unique<WhitespaceSplit>();
  }
  if (type == "WhitespaceSplit") {
    return std::make_unique<CharSplit>(hf_is_space, Behavior::kRemoved);
  }
  if (type == "Punctuation") {
    const auto behavior = base::get_or<std::string>(json, "behavior", "Isolated", where);
    return std::make_unique<CharSplit>([](char32_t c) { return in_ranges(hf_punctuation_ranges(), c); },
                                       parse_behavior(behavior, where));
  }
  if (type == "Digits") {
    const bool individual = base::get_or(json, "individual_digits", false, where);
    return std::make_unique<CharSplit>(hf_is_number, individual ? Behavior::kIsolated : Behavior::kContiguous);
  }
  if (type == "CharDelimiterSplit" || type == "Delimiter") {
    return parse_delimiter(json, where);
  }
  if (type == "Split") {
    return parse_split(json, where);
  }
  if (type == "Sequence") {
    std::vector<std::unique_ptr<PreTokenizer>> parts;
    for (const Json& part : base::get<Json>(json, "pretokenizers", where)) {
      if (auto pre_tokenizer = parse_pre_tokenizer(part, source)) {
        parts.push_back(std::move(pre_tokenizer));
      }
    }
    return std::make_unique<SequencePreTokenizer>(std::move(parts));
  }
  throw Error(Code::kInvalid, fmt::format("{}: pre_tokenizer type '{}' is not supported; supported: BertPreTokenizer, "
                                          "CharDelimiterSplit, Digits, Punctuation, Sequence, Split, Whitespace, "
                                          "WhitespaceSplit",
                                          source, type));
}

}  // namespace slipway::text
