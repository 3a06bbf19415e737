#include "text/pii_context.h"

#include <algorithm>

#include "text/hf_unicode.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr size_t kWords = 6;      // the finding's own and five before
constexpr uint32_t kFurthest = 400;  // characters looked at

// Words that say nothing of what follows; short on purpose.
constexpr std::string_view kFunctionWords[] = {
    "a",    "about", "after", "all",  "also", "am",   "an",   "and",  "any",  "are",   "as",    "at",    "be",    "been",
    "but",  "by",    "can",   "did",  "do",   "does", "for",  "from", "had",  "has",   "have",  "he",    "her",   "here",
    "him",  "his",   "how",   "i",    "if",   "in",   "into", "is",   "it",   "its",   "just",  "me",    "more",  "my",
    "no",   "not",   "of",    "on",   "or",   "our",  "out",  "she",  "so",   "some",  "than",  "that",  "the",   "their",
    "them", "then",  "there", "they", "this", "to",   "up",   "us",   "was",  "we",    "were",  "what",  "when",  "where",
    "which", "who",  "will",  "with", "would", "you", "your"};

bool inner(char32_t c) noexcept { return hf_is_word(c) || c == U'-' || c == U'.'; }

}  // namespace

void pii_context_words(std::u32string_view text, uint32_t at, std::vector<std::string>& words) {
  words.clear();
  uint32_t end = at;
  while (end < text.size() && end - at < 64 && hf_is_word(text[end])) {
    ++end;
  }
  const uint32_t floor = at > kFurthest ? at - kFurthest : 0;
  while (words.size() < kWords && end > floor) {
    while (end > floor && !hf_is_word(text[end - 1])) {
      --end;
    }
    uint32_t begin = end;
    while (begin > floor && inner(text[begin - 1])) {
      --begin;
    }
    if (begin == end) {
      break;
    }
    std::string word;
    for (uint32_t i = begin; i < end; ++i) {
      append_utf8(to_lower(text[i]), word);
    }
    if (!std::ranges::binary_search(kFunctionWords, std::string_view(word))) {
      words.push_back(std::move(word));
    }
    end = begin;
  }
}

bool pii_has_context(const std::vector<std::string>& words, const std::vector<const char*>& context) {
  return std::any_of(context.begin(), context.end(), [&](const char* wanted) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return word.find(wanted) != std::string::npos; });
  });
}

}  // namespace slipway::text
