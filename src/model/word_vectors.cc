#include "model/word_vectors.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>

#include "base/error.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

float dot(const float* a, const float* b, int dim) noexcept {
  double sum = 0;
  for (int i = 0; i < dim; ++i) {
    sum += static_cast<double>(a[i]) * b[i];
  }
  return static_cast<float>(sum);
}

// fastText's hash of an n-gram (FNV-1a of 32 bits over signed bytes).
uint32_t ngram_hash(std::string_view ngram) noexcept {
  uint32_t hash = 2166136261U;
  for (const char c : ngram) {
    hash = (hash ^ static_cast<uint32_t>(static_cast<int8_t>(c))) * 16777619U;
  }
  return hash;
}

bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

}  // namespace

const char* word_vector_format_name(WordVectorFormat format) noexcept {
  switch (format) {
    case WordVectorFormat::kWord2VecText: return "word2vec text";
    case WordVectorFormat::kWord2VecBinary: return "word2vec binary";
    case WordVectorFormat::kGlove: return "GloVe text";
    case WordVectorFormat::kFastTextBinary: return "fastText binary";
  }
  return "";
}

void WordVectors::finish() {
  const size_t dim = static_cast<size_t>(dim_);
  norms_.resize(words_.size());
  index_.reserve(words_.size());
  for (size_t i = 0; i < words_.size(); ++i) {
    norms_[i] = std::sqrt(dot(&matrix_[i * dim], &matrix_[i * dim], dim_));
    index_.emplace(words_[i], static_cast<int64_t>(i));
  }
}

int64_t WordVectors::index(std::string_view word) const {
  const auto it = index_.find(word);
  return it == index_.end() ? -1 : it->second;
}

std::span<const float> WordVectors::row(int64_t place) const {
  if (place < 0 || static_cast<size_t>(place) >= words_.size()) {
    return {};
  }
  return {&matrix_[static_cast<size_t>(place) * static_cast<size_t>(dim_)], static_cast<size_t>(dim_)};
}

std::span<const float> WordVectors::find(std::string_view word) const { return row(index(word)); }

// Rows of the n-grams of <word>: of every start at a character, min to max characters, but not of one that is only an
// end mark (fastText's Dictionary::computeSubwords).
void WordVectors::subword_rows(std::string_view word, std::vector<int64_t>& rows) const {
  const std::string marked = fmt::format("<{}>", word);
  for (size_t begin = 0; begin < marked.size(); ++begin) {
    if (continues(marked[begin])) {
      continue;
    }
    size_t end = begin;
    for (int n = 1; n <= max_ngram_ && end < marked.size(); ++n) {
      ++end;
      while (end < marked.size() && continues(marked[end])) {
        ++end;
      }
      if (n >= min_ngram_ && !(n == 1 && (begin == 0 || end == marked.size()))) {
        rows.push_back(static_cast<int64_t>(ngram_hash(std::string_view(marked).substr(begin, end - begin)) %
                                            static_cast<uint32_t>(buckets_)));
      }
    }
  }
}

std::optional<std::vector<float>> WordVectors::vector(std::string_view word) const {
  if (const auto stored = find(word); !stored.empty()) {
    return std::vector<float>(stored.begin(), stored.end());
  }
  if (buckets_ == 0 || word.empty() || word.size() > kMaxWordBytes) {
    return std::nullopt;
  }
  std::vector<int64_t> rows;
  subword_rows(word, rows);
  if (rows.empty()) {
    return std::nullopt;
  }
  std::vector<float> sum(static_cast<size_t>(dim_), 0);
  for (const int64_t row : rows) {
    const float* from = &subwords_[static_cast<size_t>(row) * static_cast<size_t>(dim_)];
    for (int i = 0; i < dim_; ++i) {
      sum[static_cast<size_t>(i)] += from[i];
    }
  }
  for (float& value : sum) {
    value /= static_cast<float>(rows.size());
  }
  return sum;
}

std::vector<WordVectors::Neighbour> WordVectors::nearest(std::span<const float> query, int count,
                                                         const std::vector<std::string>& except) const {
  SLIPWAY_CHECK(query.size() == static_cast<size_t>(dim_));
  std::set<int64_t> left_out;
  for (const std::string& word : except) {
    if (const auto it = index_.find(word); it != index_.end()) {
      left_out.insert(it->second);
    }
  }
  const float norm = std::sqrt(dot(query.data(), query.data(), dim_));
  std::vector<std::pair<float, int64_t>> best;  // similarity negated, so that the default order puts the best first
  const size_t wanted = static_cast<size_t>(std::max(count, 0));
  for (size_t i = 0; i < words_.size() && wanted > 0; ++i) {
    if (left_out.contains(static_cast<int64_t>(i))) {
      continue;
    }
    const float both = norm * norms_[i];
    const float similarity = both > 0 ? dot(query.data(), &matrix_[i * static_cast<size_t>(dim_)], dim_) / both : 0;
    const std::pair<float, int64_t> one(-similarity, static_cast<int64_t>(i));
    if (best.size() < wanted) {
      best.push_back(one);
      std::push_heap(best.begin(), best.end());
    } else if (one < best.front()) {
      std::pop_heap(best.begin(), best.end());
      best.back() = one;
      std::push_heap(best.begin(), best.end());
    }
  }
  std::sort_heap(best.begin(), best.end());
  std::vector<Neighbour> out;
  for (const auto& [similarity, row] : best) {
    out.push_back({words_[static_cast<size_t>(row)], -similarity});
  }
  return out;
}

std::vector<float> WordVectors::unit(const std::string& word) const {
  auto values = vector(word);
  if (!values) {
    throw Error(Code::kNotFound, fmt::format("the word '{}' has no vector", word));
  }
  const float norm = std::sqrt(dot(values->data(), values->data(), dim_));
  for (float& value : *values) {
    value = norm > 0 ? value / norm : 0;
  }
  return std::move(*values);
}

std::vector<WordVectors::Neighbour> WordVectors::analogy(const std::string& a, const std::string& b,
                                                         const std::string& c, int count) const {
  std::vector<float> query = unit(b);
  const std::vector<float> from = unit(a);
  const std::vector<float> to = unit(c);
  for (size_t i = 0; i < query.size(); ++i) {
    query[i] += to[i] - from[i];
  }
  return nearest(query, count, {a, b, c});
}

float WordVectors::similarity(const std::string& a, const std::string& b) const {
  const std::vector<float> first = unit(a);
  const std::vector<float> second = unit(b);
  return dot(first.data(), second.data(), dim_);
}

}  // namespace slipway::model
