#include "explain/lime.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <unordered_map>

#include "base/error.h"
#include "base/random.h"

namespace slipway::explain {
namespace {

using base::Code;
using base::Error;

// Weighted sums of centred data: all that a linear regression needs.
struct Moments {
  size_t words = 0;
  std::vector<double> gram;   // [words, words]: sum of w (x_i - mean_i) (x_j - mean_j)
  std::vector<double> cross;  // [words]: sum of w (x_i - mean_i) (y - mean_y)
  std::vector<double> mean;   // [words]
  double mean_y = 0;
  double total_y = 0;  // sum of w (y - mean_y)^2

  double at(size_t i, size_t j) const { return gram[i * words + j]; }
};

Moments moments_of(const std::vector<Mask>& masks, const std::vector<double>& y, const std::vector<double>& weights) {
  Moments m;
  m.words = masks[0].size();
  m.gram.assign(m.words * m.words, 0);
  m.cross.assign(m.words, 0);
  m.mean.assign(m.words, 0);
  double total = 0;
  double sum_yy = 0;
  std::vector<size_t> there;
  // Sums of raw products touch only the words that are there, then the means are taken out.
  for (size_t r = 0; r < masks.size(); ++r) {
    const double w = weights[r];
    there.clear();
    for (size_t i = 0; i < m.words; ++i) {
      if (masks[r][i]) {
        there.push_back(i);
      }
    }
    total += w;
    m.mean_y += w * y[r];
    sum_yy += w * y[r] * y[r];
    for (size_t a = 0; a < there.size(); ++a) {
      m.mean[there[a]] += w;
      m.cross[there[a]] += w * y[r];
      double* row = m.gram.data() + there[a] * m.words;
      for (size_t b = 0; b <= a; ++b) {
        row[there[b]] += w;
      }
    }
  }
  m.mean_y /= total;
  for (size_t i = 0; i < m.words; ++i) {
    m.cross[i] -= m.mean[i] * m.mean_y;
    m.mean[i] /= total;
  }
  for (size_t i = 0; i < m.words; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      const double centred = m.gram[i * m.words + j] - total * m.mean[i] * m.mean[j];
      m.gram[i * m.words + j] = m.gram[j * m.words + i] = centred;
    }
  }
  m.total_y = std::max(0.0, sum_yy - total * m.mean_y * m.mean_y);
  return m;
}

// Solves (G + alpha I) b = c over the chosen words by Cholesky; a word that adds nothing new gets 0.
std::vector<double> ridge(const Moments& m, const std::vector<size_t>& words, double alpha) {
  const size_t n = words.size();
  std::vector<double> l(n * n, 0);
  std::vector<double> b(n, 0);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = m.at(words[i], words[j]) + (i == j ? alpha : 0);
      for (size_t k = 0; k < j; ++k) {
        sum -= l[i * n + k] * l[j * n + k];
      }
      if (i == j) {
        const double scale = m.at(words[i], words[i]) + alpha;
        l[i * n + i] = sum > 1e-12 * scale && sum > 0 ? std::sqrt(sum) : 0;
      } else {
        l[i * n + j] = l[j * n + j] > 0 ? sum / l[j * n + j] : 0;
      }
    }
  }
  for (size_t i = 0; i < n; ++i) {
    double sum = m.cross[words[i]];
    for (size_t k = 0; k < i; ++k) {
      sum -= l[i * n + k] * b[k];
    }
    b[i] = l[i * n + i] > 0 ? sum / l[i * n + i] : 0;
  }
  for (size_t i = n; i-- > 0;) {
    double sum = b[i];
    for (size_t k = i + 1; k < n; ++k) {
      sum -= l[k * n + i] * b[k];
    }
    b[i] = l[i * n + i] > 0 ? sum / l[i * n + i] : 0;
  }
  return b;
}

// Weighted R^2 of coefficients b over the chosen words.
double r_squared(const Moments& m, const std::vector<size_t>& words, const std::vector<double>& b) {
  double explained = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    explained += 2 * b[i] * m.cross[words[i]];
    for (size_t j = 0; j < words.size(); ++j) {
      explained -= b[i] * b[j] * m.at(words[i], words[j]);
    }
  }
  return m.total_y > 0 ? explained / m.total_y : 1;
}

std::vector<size_t> forward_selection(const Moments& m, size_t count) {
  std::vector<size_t> used;
  while (used.size() < std::min(count, m.words)) {
    double best_score = -INFINITY;
    size_t best = 0;
    for (size_t word = 0; word < m.words; ++word) {
      if (std::find(used.begin(), used.end(), word) != used.end()) {
        continue;
      }
      std::vector<size_t> candidate = used;
      candidate.push_back(word);
      const double score = r_squared(m, candidate, ridge(m, candidate, 0));
      if (score > best_score) {
        best_score = score;
        best = word;
      }
    }
    used.push_back(best);
  }
  return used;
}

std::vector<size_t> highest_weights(const Moments& m, size_t count) {
  constexpr double kAlpha = 0.01;
  std::vector<size_t> order(m.words);
  std::iota(order.begin(), order.end(), size_t{0});
  const std::vector<double> b = ridge(m, order, kAlpha);
  std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) { return std::abs(b[x]) > std::abs(b[y]); });
  order.resize(std::min(count, order.size()));
  return order;
}

std::vector<size_t> select_features(const Moments& m, const LimeOptions& options) {
  constexpr int kForwardLimit = 6;
  const auto count = static_cast<size_t>(std::max(1, options.num_features));
  const std::string& how = options.feature_selection;
  std::vector<size_t> chosen;
  if (how == "none") {
    chosen.resize(m.words);
    std::iota(chosen.begin(), chosen.end(), size_t{0});
  } else if (how == "forward_selection" || (how == "auto" && options.num_features <= kForwardLimit)) {
    chosen = forward_selection(m, count);
  } else if (how == "highest_weights" || how == "auto") {
    chosen = highest_weights(m, count);
  } else {
    throw Error(Code::kInvalid,
                fmt::format("lime: unknown feature_selection '{}'; known: auto, none, forward_selection, "
                            "highest_weights",
                            how));
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

// The distinct words: which feature each word of the text is.
std::vector<size_t> bag_of(const MaskedText& text, size_t& distinct) {
  std::unordered_map<std::string_view, size_t> index;
  std::vector<size_t> feature;
  for (size_t i = 0; i < text.size(); ++i) {
    feature.push_back(index.try_emplace(text.word(i), index.size()).first->second);
  }
  distinct = index.size();
  return feature;
}

// Row 0: everything there. Then: how many to remove, uniform in 1..words, and which.
std::vector<Mask> sample_masks(size_t words, const LimeOptions& options) {
  std::vector<Mask> masks(static_cast<size_t>(std::max(2, options.num_samples)), Mask(words, true));
  base::Rng rng(options.seed, "lime");
  std::vector<size_t> order(words);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t r = 1; r < masks.size(); ++r) {
    const size_t remove = 1 + rng.below(words);
    // The first steps of a shuffle choose without replacement.
    for (size_t i = 0; i < remove; ++i) {
      std::swap(order[i], order[i + rng.below(words - i)]);
      masks[r][order[i]] = false;
    }
  }
  return masks;
}

}  // namespace

LimeFit lime_fit(const std::vector<Mask>& masks, const std::vector<double>& answers, const LimeOptions& options) {
  if (masks.empty() || masks.size() != answers.size() || masks[0].empty() || !(options.kernel_width > 0)) {
    throw Error(Code::kInvalid, "lime: needs as many answers as masks, at least one word and a kernel width above 0");
  }
  LimeFit fit;
  const auto words = static_cast<double>(masks[0].size());
  for (const Mask& mask : masks) {
    if (mask.size() != masks[0].size()) {
      throw Error(Code::kInvalid, "lime: masks of different lengths");
    }
    const auto there = static_cast<double>(std::count(mask.begin(), mask.end(), true));
    const double distance = 100 * (1 - std::sqrt(there / words));
    fit.distance.push_back(distance);
    fit.weight.push_back(std::sqrt(std::exp(-distance * distance / (options.kernel_width * options.kernel_width))));
  }
  const Moments m = moments_of(masks, answers, fit.weight);
  fit.features = select_features(m, options);
  fit.coefficients = ridge(m, fit.features, 1.0);
  fit.r2 = r_squared(m, fit.features, fit.coefficients);
  fit.intercept = m.mean_y;
  for (size_t i = 0; i < fit.features.size(); ++i) {
    fit.intercept -= fit.coefficients[i] * m.mean[fit.features[i]];
  }
  fit.local_prediction = fit.intercept;
  for (size_t i = 0; i < fit.features.size(); ++i) {
    fit.local_prediction += masks[0][fit.features[i]] ? fit.coefficients[i] : 0;
  }
  return fit;
}

Explanation explain_lime(Answers& answers, const MaskedText& text, const LimeOptions& options) {
  Explanation result;
  result.text = text.text();
  result.method = "lime";
  result.seed = options.seed;
  const int64_t before = answers.evaluations();
  size_t distinct = 0;
  const std::vector<size_t> feature = bag_of(text, distinct);
  if (distinct == 0) {
    result.prediction = result.base_value = answers.value(text.text());
    result.samples = result.evaluations = 1;
    return result;
  }
  const std::vector<Mask> masks = sample_masks(distinct, options);
  std::vector<std::string> texts;
  texts.reserve(masks.size());
  Mask there(text.size());
  for (const Mask& mask : masks) {
    for (size_t i = 0; i < text.size(); ++i) {
      there[i] = mask[feature[i]];
    }
    texts.push_back(text.without(there));
  }
  const std::vector<double> values = answers.values(texts);
  const LimeFit fit = lime_fit(masks, values, options);
  std::vector<double> value_of(distinct, 0);
  for (size_t i = 0; i < fit.features.size(); ++i) {
    value_of[fit.features[i]] = fit.coefficients[i];
  }
  for (size_t i = 0; i < text.size(); ++i) {
    result.words.push_back(
        {text.words()[i].begin, text.words()[i].end, std::string(text.word(i)), value_of[feature[i]]});
  }
  result.base_value = fit.intercept;
  result.prediction = values[0];
  result.local_r2 = fit.r2;
  result.samples = static_cast<int64_t>(masks.size());
  result.evaluations = answers.evaluations() - before;
  return result;
}

}  // namespace slipway::explain
