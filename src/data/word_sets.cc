#include "data/word_sets.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "text/unicode.h"
#include "text/words.h"

namespace slipway::data {
namespace {

constexpr size_t kVocabulary = 3000;
constexpr size_t kMaxWords = 200;

}  // namespace

WordSets word_sets(std::span<const std::string_view> texts, base::Pool& pool) {
  std::vector<std::vector<std::string>> words(texts.size());
  pool.parallel_chunks(static_cast<int64_t>(texts.size()), 64, [&](int64_t begin, int64_t end) {
    std::vector<text::Span> spans;
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const std::string lower = text::lowercase(texts[i]);
      text::split_words(lower, spans);
      for (const text::Span span : spans) {
        words[i].emplace_back(text::slice(lower, span));
      }
      std::sort(words[i].begin(), words[i].end());
      words[i].erase(std::unique(words[i].begin(), words[i].end()), words[i].end());
      words[i].resize(std::min(words[i].size(), kMaxWords));
    }
  });
  std::map<std::string, int64_t> counts;
  for (const auto& row : words) {
    for (const std::string& word : row) {
      ++counts[word];
    }
  }
  std::vector<std::pair<std::string, int64_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  order.resize(std::min(order.size(), kVocabulary));
  WordSets sets;
  std::unordered_map<std::string, uint32_t> number;
  for (const auto& [word, count] : order) {
    number[word] = static_cast<uint32_t>(sets.vocabulary.size());
    sets.vocabulary.push_back(word);
  }
  for (const auto& row : words) {
    auto& out = sets.rows.emplace_back();
    for (const std::string& word : row) {
      if (const auto it = number.find(word); it != number.end()) {
        out.push_back(it->second);
      }
    }
  }
  return sets;
}

}  // namespace slipway::data
