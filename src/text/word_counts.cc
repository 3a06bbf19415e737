#include "text/word_counts.h"

#include <algorithm>

#include "text/unicode.h"

namespace slipway::text {

void WordCounts::add(std::string_view word, int64_t count) {
  const auto known = counts_.find(word);
  if (known != counts_.end()) {
    known->second += count;
    return;
  }
  if (counts_.size() >= max_words_) {
    forget_rare();
  }
  counts_.emplace(word, count);
}

// Until a quarter is free: forgetting costs a walk over all.
void WordCounts::forget_rare() {
  while (counts_.size() > max_words_ - max_words_ / 4) {
    ++floor_;
    std::erase_if(counts_, [&](const auto& entry) {
      const bool rare = entry.second <= floor_;
      forgotten_ += rare ? entry.second : 0;
      return rare;
    });
  }
}

std::vector<CountedWord> WordCounts::sorted() const {
  std::vector<CountedWord> words(counts_.begin(), counts_.end());
  std::sort(words.begin(), words.end());
  return words;
}

void TextWords::add(std::string_view text) {
  std::string changed;
  if (!is_valid_utf8(text)) {
    changed = sanitize_utf8(text);
    text = changed;
  }
  const auto printable = [&](size_t at) { return text[at] > ' ' && text[at] <= '~'; };
  size_t begin = 0;
  for (size_t at = 1; at + 1 < text.size(); ++at) {
    if (text[at] == ' ' && printable(at - 1) && printable(at + 1)) {
      parts_.add(text.substr(begin, at - begin));
      begin = at + 1;
    }
  }
  if (begin < text.size()) {
    parts_.add(text.substr(begin));
  }
}

WordCounts TextWords::words() const {
  WordCounts words(max_words_);
  std::vector<CharSpan> spans;
  std::string word;
  for (const auto& [part, count] : parts_.sorted()) {
    AlignedText text = AlignedText::decode(part, 0);
    if (normalizer_) {
      normalizer_->apply(text);
    }
    if (text.size() == 0) {
      continue;
    }
    spans.assign(1, {0, static_cast<uint32_t>(text.size())});
    pre_tokenizer_->split(text, spans, true);
    for (const CharSpan span : spans) {
      word.clear();
      text.encode(span.begin, span.end, word, nullptr);
      if (!word.empty()) {
        words.add(word, count);
      }
    }
  }
  return words;
}

}  // namespace slipway::text
