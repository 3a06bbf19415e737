// How matches cut a text, shared by the pre-tokenizers that match something. Internal to pre_tokenizer*.cc.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "text/pre_tokenizer.h"

namespace slipway::text {

// What becomes of the parts that match.
enum class Behavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// Throws Error(kInvalid) for an unknown name.
Behavior parse_behavior(const std::string& name, const std::string& source);

struct SplitPart {
  CharSpan span;
  bool matched;
};

// Appends the words that the parts of one span make under `behavior`.
void append_words(const std::vector<SplitPart>& parts, Behavior behavior, std::vector<CharSpan>& out);

// Cuts every span by the parts that `find(span, parts)` gives for it (covering the span in order).
template <class Find>
void split_by(Behavior behavior, const Find& find, std::vector<CharSpan>& spans) {
  std::vector<CharSpan> out;
  std::vector<SplitPart> parts;
  for (const CharSpan span : spans) {
    parts.clear();
    find(span, parts);
    append_words(parts, behavior, out);
  }
  std::erase_if(out, [](const CharSpan& span) { return span.begin == span.end; });
  spans = std::move(out);
}

// Reads Split and its like (String and Regex patterns), ByteLevel, Metaspace and FixedLength; nullptr
// for other types.
std::unique_ptr<PreTokenizer> parse_pattern_pre_tokenizer(const base::Json& json, const std::string& type,
                                                          const std::string& where);

}  // namespace slipway::text
