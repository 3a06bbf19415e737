#include "text/pre_tokenizer.h"

#include <fmt/format.h>
#include <functional>

#include "base/error.h"
#include "text/hf_unicode.h"
#include "text/pre_tokenizer_split.h"
#include "text/unicode.h"

namespace slipway::text {
using base::Code;
using base::Error;
using base::Json;

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

void append_words(const std::vector<SplitPart>& parts, Behavior behavior, std::vector<CharSpan>& out) {
  const size_t first = out.size();
  bool previous_matched = false;
  for (const SplitPart& part : parts) {
    const bool can_merge = out.size() > first;
    switch (behavior) {
      case Behavior::kRemoved:
        if (!part.matched) {
          out.push_back(part.span);
        }
        break;
      case Behavior::kIsolated:
      case Behavior::kMergedWithNext:  // merged below, from the right
        out.push_back(part.span);
        break;
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

namespace {

// Matches single characters.
class CharSplit final : public PreTokenizer {
 public:
  using Predicate = std::function<bool(char32_t)>;
  CharSplit(Predicate predicate, Behavior behavior) : predicate_(std::move(predicate)), behavior_(behavior) {}
  void split(AlignedText& text, std::vector<CharSpan>& spans, bool /*at_start*/) const override {
    split_by(
        behavior_,
        [&](CharSpan span, std::vector<SplitPart>& parts) {
          uint32_t begin = span.begin;
          for (uint32_t i = span.begin; i < span.end; ++i) {
            if (predicate_(text.chars[i])) {
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

// The regular expression \w+|[^\w\s]+.
class WhitespaceSplit final : public PreTokenizer {
 public:
  void split(AlignedText& text, std::vector<CharSpan>& spans, bool /*at_start*/) const override {
    std::vector<CharSpan> out;
    for (const CharSpan span : spans) {
      int previous = 0;  // 0 white space, 1 word, 2 other
      for (uint32_t i = span.begin; i < span.end; ++i) {
        const int kind = hf_is_space(text.chars[i]) ? 0 : hf_is_word(text.chars[i]) ? 1 : 2;
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

class SpacesPreTokenizer final : public PreTokenizer {
 public:
  void split(AlignedText& text, std::vector<CharSpan>& spans, bool at_start) const override {
    split_.split(text, spans, at_start);
  }
  std::optional<PieceKind> pieces() const override { return PieceKind{true, std::nullopt}; }

 private:
  CharSplit split_{hf_is_space, Behavior::kRemoved};
};

class BertPreTokenizer final : public PreTokenizer {
 public:
  void split(AlignedText& text, std::vector<CharSpan>& spans, bool /*at_start*/) const override {
    std::vector<CharSpan> out;
    for (const CharSpan span : spans) {
      bool open = false;
      for (uint32_t i = span.begin; i < span.end; ++i) {
        const bool punctuation = in_ranges(hf_punctuation_ranges(), text.chars[i]);
        if (hf_is_space(text.chars[i])) {
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

class DigitsPreTokenizer final : public PreTokenizer {
 public:
  explicit DigitsPreTokenizer(bool individual)
      : individual_(individual), split_(hf_is_number, individual ? Behavior::kIsolated : Behavior::kContiguous) {}
  void split(AlignedText& text, std::vector<CharSpan>& spans, bool at_start) const override {
    split_.split(text, spans, at_start);
  }
  std::optional<ScannerKind> scanner() const override {
    return individual_ ? std::optional(ScannerKind{.isolate_digits = true}) : std::nullopt;
  }

 private:
  bool individual_;
  CharSplit split_;
};

class SequencePreTokenizer final : public PreTokenizer {
 public:
  explicit SequencePreTokenizer(std::vector<std::unique_ptr<PreTokenizer>> parts) : parts_(std::move(parts)) {}
  void split(AlignedText& text, std::vector<CharSpan>& spans, bool at_start) const override {
    for (const auto& part : parts_) {
      part->split(text, spans, at_start);
    }
  }
  bool is_bert() const override { return parts_.size() == 1 && parts_[0]->is_bert(); }
  std::optional<ScannerKind> scanner() const override {
    std::optional<ScannerKind> kind;
    for (const auto& part : parts_) {
      const auto next = part->scanner();
      if (!next) {
        return std::nullopt;
      }
      kind = kind ? chain_scanners(*kind, *next) : next;
      if (!kind) {
        return std::nullopt;
      }
    }
    return kind;
  }
  std::optional<PieceKind> pieces() const override {
    PieceKind kind;
    for (const auto& part : parts_) {
      const auto next = part->pieces();
      if (!next || kind.metaspace || (next->split_at_spaces && kind.split_at_spaces)) {
        return std::nullopt;
      }
      kind.split_at_spaces |= next->split_at_spaces;
      kind.metaspace = next->metaspace;
    }
    return kind;
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> parts_;
};

std::unique_ptr<PreTokenizer> parse_delimiter(const Json& json, const std::string& where) {
  const std::u32string delimiter = to_utf32(base::get<std::string>(json, "delimiter", where));
  if (delimiter.size() != 1) {
    throw Error(Code::kInvalid, where + ": the delimiter is not one character");
  }
  return std::make_unique<CharSplit>([c = delimiter[0]](char32_t x) { return x == c; }, Behavior::kRemoved);
}

}  // namespace

std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer() { return std::make_unique<BertPreTokenizer>(); }
std::unique_ptr<PreTokenizer> make_digits(bool individual) { return std::make_unique<DigitsPreTokenizer>(individual); }
std::unique_ptr<PreTokenizer> make_pre_tokenizer_sequence(std::vector<std::unique_ptr<PreTokenizer>> parts) {
  return std::make_unique<SequencePreTokenizer>(std::move(parts));
}

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
    return std::make_unique<SpacesPreTokenizer>();
  }
  if (type == "Punctuation") {
    const auto behavior = base::get_or<std::string>(json, "behavior", "Isolated", where);
    return std::make_unique<CharSplit>([](char32_t c) { return in_ranges(hf_punctuation_ranges(), c); },
                                       parse_behavior(behavior, where));
  }
  if (type == "Digits") {
    return make_digits(base::get_or(json, "individual_digits", false, where));
  }
  if (type == "CharDelimiterSplit" || type == "Delimiter") {
    return parse_delimiter(json, where);
  }
  if (auto pre_tokenizer = parse_pattern_pre_tokenizer(json, type, where)) {
    return pre_tokenizer;
  }
  if (type == "Sequence") {
    std::vector<std::unique_ptr<PreTokenizer>> parts;
    const Json pre_tokenizers = base::get<Json>(json, "pretokenizers", where);
    for (const Json& part : pre_tokenizers) {
      if (auto pre_tokenizer = parse_pre_tokenizer(part, source)) {
        parts.push_back(std::move(pre_tokenizer));
      }
    }
    return std::make_unique<SequencePreTokenizer>(std::move(parts));
  }
  throw Error(Code::kInvalid, fmt::format("{}: pre_tokenizer type '{}' is not supported; supported: BertPreTokenizer, "
                                          "ByteLevel, CharDelimiterSplit, Digits, FixedLength, Metaspace, Punctuation, "
                                          "Sequence, Split, Whitespace, WhitespaceSplit",
                                          source, type));
}

}  // namespace slipway::text
