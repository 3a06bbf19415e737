#include "data/light_classifier.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "text/unicode.h"
#include "text/words.h"

namespace slipway::data {
namespace {

constexpr int kMaxBits = 18;
constexpr int64_t kMaxWeights = int64_t{1} << 24;  // 64 MiB, and as much for AdaGrad while it is trained

uint64_t hash_of(std::string_view text, uint64_t from) noexcept {  // FNV-1a
  for (const char c : text) {
    from = (from ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return from;
}

uint64_t mixed(uint64_t hash) noexcept {
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 33);
}

void to_probabilities(std::span<double> scores, bool several) {
  if (several) {
    for (double& score : scores) {
      score = 1 / (1 + std::exp(-score));
    }
    return;
  }
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) {
    score = std::exp(score - most);
    sum += score;
  }
  for (double& score : scores) {
    score /= sum;
  }
}

}  // namespace

TextFeatures text_features(std::string_view text, int bits) {
  constexpr uint64_t kBasis = 0xcbf29ce484222325ULL;
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  std::map<int32_t, float> counts;
  uint64_t before = 0;
  for (const text::Span word : text::split_words(text)) {
    const std::string folded = text::casefold(text::slice(text, word));
    const uint64_t hash = hash_of(folded, kBasis);
    counts[static_cast<int32_t>(mixed(hash) & mask)] += 1;
    if (before != 0) {
      counts[static_cast<int32_t>(mixed(hash_of(folded, before * 31 + 7)) & mask)] += 1;
    }
    before = hash;
  }
  TextFeatures features;
  double length = 0;
  for (const auto& [column, count] : counts) {
    features.columns.push_back(column);
    features.values.push_back(std::sqrt(count));
    length += count;
  }
  const float scale = length > 0 ? static_cast<float>(1 / std::sqrt(length)) : 0;
  for (float& value : features.values) {
    value *= scale;
  }
  return features;
}

int LightClassifier::bits_for(int classes) noexcept {
  int bits = kMaxBits;
  while (bits > 1 && (int64_t{classes} << bits) > kMaxWeights) {
    --bits;
  }
  return bits;
}

LightClassifier LightClassifier::train(std::span<const std::string> texts, std::span<const std::vector<int>> labels, int classes, const Options& options) {
  std::vector<TextFeatures> features;
  features.reserve(texts.size());
  for (const std::string& text : texts) {
    features.push_back(text_features(text, bits_for(classes)));
  }
  std::vector<const TextFeatures*> rows;
  for (const TextFeatures& one : features) {
    rows.push_back(&one);
  }
  return train_rows(rows, labels, classes, options);
}

LightClassifier LightClassifier::train_rows(std::span<const TextFeatures* const> rows, std::span<const std::vector<int>> labels, int classes, const Options& options) {
  if (rows.empty() || rows.size() != labels.size() || classes < 2) {
    throw base::Error(base::Code::kInvalid, fmt::format("a classifier is trained on texts of two classes or more; there are {} texts, {} classes", rows.size(), classes));
  }
  LightClassifier made;
  made.classes_ = classes;
  made.several_ = options.several;
  made.bits_ = bits_for(classes);
  std::vector<std::vector<char>> wanted;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<char>& row = wanted.emplace_back(static_cast<size_t>(classes), 0);
    for (const int label : labels[i]) {
      if (label < 0 || label >= classes) {
        throw base::Error(base::Code::kInvalid, fmt::format("text {} has class {}; there are {}", i, label, classes));
      }
      row[static_cast<size_t>(label)] = 1;
    }
  }
  const size_t width = static_cast<size_t>(classes);
  made.weights_.assign(width << made.bits_, 0);
  made.bias_.assign(width, 0);
  std::vector<float> squares(made.weights_.size(), 1e-2F);
  std::vector<float> bias_squares(width, 1e-2F);
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  base::Rng random(options.seed, "light classifier");
  const float rate = static_cast<float>(options.rate);
  for (int epoch = 0; epoch < options.epochs && !(options.stop && options.stop()); ++epoch) {
    random.shuffle(std::span(order));
    for (const size_t i : order) {
      const TextFeatures& row = *rows[i];
      const std::vector<double> p = made.probabilities(row);
      for (size_t c = 0; c < width; ++c) {
        const float error = static_cast<float>(p[c] - (wanted[i][c] != 0 ? 1.0 : 0.0));
        if (std::fabs(error) < 1e-4F) {
          continue;
        }
        for (size_t k = 0; k < row.columns.size(); ++k) {
          const size_t at = static_cast<size_t>(row.columns[k]) * width + c;
          const float gradient = error * row.values[k];
          squares[at] += gradient * gradient;
          made.weights_[at] -= rate * gradient / std::sqrt(squares[at]);
        }
        bias_squares[c] += error * error;
        made.bias_[c] -= rate * error / std::sqrt(bias_squares[c]);
      }
    }
  }
  return made;
}

std::vector<double> LightClassifier::probabilities(const TextFeatures& features) const {
  std::vector<double> scores(bias_.begin(), bias_.end());
  const size_t width = bias_.size();
  for (size_t k = 0; k < features.columns.size(); ++k) {
    const float* row = weights_.data() + static_cast<size_t>(features.columns[k]) * width;
    for (size_t c = 0; c < width; ++c) {
      scores[c] += static_cast<double>(row[c]) * static_cast<double>(features.values[k]);
    }
  }
  to_probabilities(scores, several_);
  return scores;
}

}  // namespace slipway::data
