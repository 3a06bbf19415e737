#include "data/statistics.h"

#include <algorithm>

#include "text/language.h"
#include "text/unicode.h"
#include "text/words.h"

namespace slipway::data {
namespace {

constexpr int64_t kHistogramBins = 24;  // what a chart shows well
constexpr size_t kLengthLimit = 1 << 16;
constexpr size_t kDistinctWords = 1 << 20;  // from here on, words seen once per pruning are forgotten
constexpr size_t kTopWords = 50;

struct Facts {
  std::vector<std::string> words;
  std::string language;
};

}  // namespace

void TextStatistics::add(const std::vector<Document>& documents, base::Pool& pool) {
  lengths_.resize(kLengthLimit + 1);
  std::vector<Facts> facts(documents.size());
  pool.parallel_chunks(static_cast<int64_t>(documents.size()), 32, [&](int64_t begin, int64_t end) {
    std::vector<text::Span> spans;
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const std::string lower = text::lowercase(documents[i].text);
      text::split_words(lower, spans);
      facts[i].words.reserve(spans.size());
      for (const text::Span span : spans) {
        facts[i].words.emplace_back(text::slice(lower, span));
      }
      facts[i].language = text::detect_language(documents[i].text).code;
    }
  });
  for (Facts& fact : facts) {
    const size_t length = fact.words.size();
    ++documents_;
    words_ += static_cast<int64_t>(length);
    longest_ = std::max(longest_, static_cast<int64_t>(length));
    ++lengths_[std::min(length, kLengthLimit)];
    ++languages_[fact.language];
    for (std::string& word : fact.words) {
      ++counts_[std::move(word)];
    }
    if (counts_.size() > kDistinctWords) {
      prune();
    }
  }
}

// Lossy counting (Manku & Motwani 2002): every count loses one, so a frequent word loses at most the number of
// prunings.
void TextStatistics::prune() {
  for (auto entry = counts_.begin(); entry != counts_.end();) {
    entry = --entry->second <= 0 ? counts_.erase(entry) : std::next(entry);
  }
}

// Equal bins from 0 to about `high` words; the last one takes all longer documents and ends where the others would.
Json TextStatistics::histogram(int64_t high) const {
  const int64_t width = std::max<int64_t>(1, (high + kHistogramBins - 1) / kHistogramBins);
  std::vector<int64_t> counts(static_cast<size_t>((high / width) + 1));
  for (size_t length = 0; length < lengths_.size(); ++length) {
    counts[std::min(length / static_cast<size_t>(width), counts.size() - 1)] += lengths_[length];
  }
  Json bins = Json::array();
  for (size_t i = 0; i < counts.size(); ++i) {
    const int64_t low = static_cast<int64_t>(i) * width;
    bins.push_back({{"low", low}, {"high", low + width}, {"count", counts[i]}});
  }
  return bins;
}

Json TextStatistics::to_json() const {
  const auto quantile = [&](double q) {
    const auto rank = static_cast<int64_t>(q * static_cast<double>(documents_ - 1));
    int64_t seen = 0;
    for (size_t length = 0; length < lengths_.size(); ++length) {
      seen += lengths_[length];
      if (seen > rank) {
        return length == kLengthLimit ? longest_ : static_cast<int64_t>(length);
      }
    }
    return longest_;
  };
  Json words = Json::object();
  if (documents_ > 0) {
    words = {{"mean", static_cast<double>(words_) / static_cast<double>(documents_)},
             {"min", quantile(0)},
             {"p5", quantile(0.05)},
             {"p25", quantile(0.25)},
             {"p50", quantile(0.5)},
             {"p75", quantile(0.75)},
             {"p95", quantile(0.95)},
             {"p99", quantile(0.99)},
             {"max", longest_},
             {"histogram", histogram(quantile(0.99))}};
  }
  std::vector<std::pair<int64_t, std::string>> order;
  for (const auto& [word, count] : counts_) {
    order.emplace_back(-count, word);
  }
  const size_t top = std::min(kTopWords, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(top), order.end());
  Json top_words = Json::array();
  for (size_t i = 0; i < top; ++i) {
    top_words.push_back({order[i].second, -order[i].first});
  }
  return {{"words", std::move(words)}, {"languages", languages_}, {"top_words", std::move(top_words)}};
}

}  // namespace slipway::data
