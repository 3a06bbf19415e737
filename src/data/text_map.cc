#include "data/text_map.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "data/light_classifier.h"

namespace slipway::data {
namespace {

constexpr int kBits = 15;  // 32,768 columns: collisions are rare among the words of some thousand texts

// Columns of a [rows, k] matrix made orthonormal, one after the other (modified Gram-Schmidt, twice); a column that vanishes stays nought.
void orthonormalize(std::vector<double>& v, size_t rows, size_t k) {
  for (size_t j = 0; j < k; ++j) {
    for (int pass = 0; pass < 2; ++pass) {
      for (size_t i = 0; i < j; ++i) {
        double dot = 0;
        for (size_t r = 0; r < rows; ++r) {
          dot += v[r * k + i] * v[r * k + j];
        }
        for (size_t r = 0; r < rows; ++r) {
          v[r * k + j] -= dot * v[r * k + i];
        }
      }
    }
    double norm = 0;
    for (size_t r = 0; r < rows; ++r) {
      norm += v[r * k + j] * v[r * k + j];
    }
    norm = std::sqrt(norm);
    for (size_t r = 0; r < rows; ++r) {
      v[r * k + j] = norm > 1e-12 ? v[r * k + j] / norm : 0;
    }
  }
}

// Eigenvalues (falling) and vectors (columns) of a symmetric [k, k] matrix, by Jacobi's rotations.
void eigen_symmetric(std::vector<double> a, size_t k, std::vector<double>& values, std::vector<double>& vectors) {
  std::vector<double> v(k * k, 0);
  for (size_t i = 0; i < k; ++i) {
    v[i * k + i] = 1;
  }
  constexpr int kSweeps = 60;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double off = 0;
    double diagonal = 0;
    for (size_t p = 0; p < k; ++p) {
      diagonal += a[p * k + p] * a[p * k + p];
      for (size_t q = p + 1; q < k; ++q) {
        off += a[p * k + q] * a[p * k + q];
      }
    }
    if (off <= 1e-30 * diagonal || off == 0) {
      break;
    }
    for (size_t p = 0; p < k; ++p) {
      for (size_t q = p + 1; q < k; ++q) {
        if (a[p * k + q] == 0) {
          continue;
        }
        const double theta = (a[q * k + q] - a[p * k + p]) / (2 * a[p * k + q]);
        const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1);
        const double s = t * c;
        for (size_t r = 0; r < k; ++r) {
          const double x = a[r * k + p];
          const double y = a[r * k + q];
          a[r * k + p] = c * x - s * y;
          a[r * k + q] = s * x + c * y;
        }
        for (size_t r = 0; r < k; ++r) {
          const double x = a[p * k + r];
          const double y = a[q * k + r];
          a[p * k + r] = c * x - s * y;
          a[q * k + r] = s * x + c * y;
        }
        for (size_t r = 0; r < k; ++r) {
          const double x = v[r * k + p];
          const double y = v[r * k + q];
          v[r * k + p] = c * x - s * y;
          v[r * k + q] = s * x + c * y;
        }
      }
    }
  }
  std::vector<size_t> order(k);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t i, size_t j) { return a[i * k + i] > a[j * k + j]; });
  values.assign(k, 0);
  vectors.assign(k * k, 0);
  for (size_t j = 0; j < k; ++j) {
    values[j] = a[order[j] * k + order[j]];
    for (size_t r = 0; r < k; ++r) {
      vectors[r * k + j] = v[r * k + order[j]];
    }
  }
}

// The rows less their mean, as an operator.
class Centred {
 public:
  explicit Centred(const FeatureRows& features) : features_(features), mean_(features.columns, 0) {
    const auto n = static_cast<double>(features.rows.size());
    for (const auto& row : features.rows) {
      for (const auto& [column, value] : row) {
        mean_[static_cast<size_t>(column)] += static_cast<double>(value) / n;
        total_ += static_cast<double>(value) * static_cast<double>(value);
      }
    }
    for (const double one : mean_) {
      total_ -= n * one * one;
    }
  }
  double variance() const noexcept { return total_; }  // the sum of squares of all
  // y [rows, k] = X v, v [columns, k].
  void times(const std::vector<double>& v, size_t k, std::vector<double>& y) const {
    std::vector<double> shift(k, 0);
    for (size_t c = 0; c < mean_.size(); ++c) {
      if (mean_[c] != 0) {
        for (size_t j = 0; j < k; ++j) {
          shift[j] += mean_[c] * v[c * k + j];
        }
      }
    }
    y.assign(features_.rows.size() * k, 0);
    for (size_t r = 0; r < features_.rows.size(); ++r) {
      double* out = &y[r * k];
      for (const auto& [column, value] : features_.rows[r]) {
        const double* from = &v[static_cast<size_t>(column) * k];
        for (size_t j = 0; j < k; ++j) {
          out[j] += static_cast<double>(value) * from[j];
        }
      }
      for (size_t j = 0; j < k; ++j) {
        out[j] -= shift[j];
      }
    }
  }
  // v = X^T y.
  void transposed_times(const std::vector<double>& y, size_t k, std::vector<double>& v) const {
    std::vector<double> sums(k, 0);
    v.assign(features_.columns * k, 0);
    for (size_t r = 0; r < features_.rows.size(); ++r) {
      const double* from = &y[r * k];
      for (size_t j = 0; j < k; ++j) {
        sums[j] += from[j];
      }
      for (const auto& [column, value] : features_.rows[r]) {
        double* out = &v[static_cast<size_t>(column) * k];
        for (size_t j = 0; j < k; ++j) {
          out[j] += static_cast<double>(value) * from[j];
        }
      }
    }
    for (size_t c = 0; c < mean_.size(); ++c) {
      if (mean_[c] != 0) {
        for (size_t j = 0; j < k; ++j) {
          v[c * k + j] -= mean_[c] * sums[j];
        }
      }
    }
  }

 private:
  const FeatureRows& features_;
  std::vector<double> mean_;
  double total_ = 0;
};

// The conditional probabilities of row i's neighbours at the wanted perplexity, by bisection of the width.
void neighbours_of(std::span<const double> squares, size_t i, double perplexity, std::span<float> p) {
  const double wanted = std::log(perplexity);
  double low = 0;
  double high = INFINITY;
  double beta = 1;
  double least = INFINITY;
  for (size_t j = 0; j < squares.size(); ++j) {
    least = j == i ? least : std::min(least, squares[j]);
  }
  double sum = 0;
  constexpr int kSteps = 60;
  for (int step = 0; step < kSteps; ++step) {
    sum = 0;
    double weighted = 0;
    for (size_t j = 0; j < squares.size(); ++j) {
      if (j != i) {
        const double e = std::exp(-beta * (squares[j] - least));
        sum += e;
        weighted += e * (squares[j] - least);
      }
    }
    const double entropy = std::log(sum) + beta * weighted / sum;
    if (std::abs(entropy - wanted) < 1e-6) {
      break;
    }
    if (entropy > wanted) {
      low = beta;
      beta = std::isinf(high) ? beta * 2 : (beta + high) / 2;
    } else {
      high = beta;
      beta = (low + beta) / 2;
    }
  }
  for (size_t j = 0; j < squares.size(); ++j) {
    p[j] = j == i ? 0 : static_cast<float>(std::exp(-beta * (squares[j] - least)) / sum);
  }
}

}  // namespace

FeatureRows tfidf_rows(std::span<const std::string_view> texts, base::Pool& pool) {
  std::vector<TextFeatures> features(texts.size());
  pool.parallel_chunks(static_cast<int64_t>(texts.size()), 64, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      features[i] = text_features(texts[i], kBits);
    }
  });
  std::vector<int64_t> with(size_t{1} << kBits, 0);
  for (const TextFeatures& row : features) {
    for (const int32_t column : row.columns) {
      ++with[static_cast<size_t>(column)];
    }
  }
  FeatureRows rows;
  rows.columns = with.size();
  for (const TextFeatures& row : features) {
    auto& out = rows.rows.emplace_back();
    double squares = 0;
    for (size_t i = 0; i < row.columns.size(); ++i) {
      const double idf = std::log((1.0 + static_cast<double>(texts.size())) / (1.0 + static_cast<double>(with[static_cast<size_t>(row.columns[i])]))) + 1;
      const double value = static_cast<double>(row.values[i]) * idf;
      out.emplace_back(row.columns[i], static_cast<float>(value));
      squares += value * value;
    }
    for (auto& [column, value] : out) {
      value = static_cast<float>(static_cast<double>(value) / std::sqrt(squares));
    }
  }
  return rows;
}

FeatureRows dense_rows(std::span<const float> values, size_t columns) {
  FeatureRows rows;
  rows.columns = columns;
  rows.rows.resize(columns == 0 ? 0 : values.size() / columns);
  for (size_t r = 0; r < rows.rows.size(); ++r) {
    for (size_t c = 0; c < columns; ++c) {
      rows.rows[r].emplace_back(static_cast<int32_t>(c), values[r * columns + c]);
    }
  }
  return rows;
}

PrincipalComponents principal_components(const FeatureRows& rows, size_t components, uint64_t seed) {
  PrincipalComponents result;
  const size_t n = rows.rows.size();
  result.count = std::min({components, n, rows.columns});
  if (result.count == 0) {
    return result;
  }
  // More directions than asked for make the last ones converge.
  const size_t k = std::min({result.count + 6, n, rows.columns});
  const Centred x(rows);
  base::Rng rng(seed, "principal components");
  // In the space of rows, which are fewer than columns.
  std::vector<double> v(n * k);
  for (double& one : v) {
    one = rng.normal();
  }
  orthonormalize(v, n, k);
  std::vector<double> w;
  std::vector<double> z;
  std::vector<double> values;
  std::vector<double> before(k, 0);
  std::vector<double> rotation;
  constexpr int kRounds = 300;
  for (int round = 0; round < kRounds; ++round) {
    x.transposed_times(v, k, w);
    x.times(w, k, z);
    std::vector<double> gram(k * k, 0);  // v^T X X^T v
    for (size_t r = 0; r < n; ++r) {
      for (size_t i = 0; i < k; ++i) {
        for (size_t j = 0; j < k; ++j) {
          gram[i * k + j] += (v[r * k + i] * z[r * k + j] + v[r * k + j] * z[r * k + i]) / 2;
        }
      }
    }
    eigen_symmetric(gram, k, values, rotation);
    bool still = true;
    for (size_t i = 0; i < result.count; ++i) {
      still = still && std::abs(values[i] - before[i]) <= 1e-10 * std::max(values[0], 1e-300);
    }
    if (still || round + 1 == kRounds) {
      break;
    }
    before = values;
    v = z;
    orthonormalize(v, n, k);
  }
  result.scores.assign(n * result.count, 0);
  for (size_t c = 0; c < result.count; ++c) {
    const double length = std::sqrt(std::max(0.0, values[c]));
    double largest = 0;
    for (size_t r = 0; r < n; ++r) {
      double score = 0;
      for (size_t i = 0; i < k; ++i) {
        score += v[r * k + i] * rotation[i * k + c] * length;
      }
      result.scores[r * result.count + c] = score;
      largest = std::abs(score) > std::abs(largest) ? score : largest;
    }
    for (size_t r = 0; largest < 0 && r < n; ++r) {
      result.scores[r * result.count + c] = -result.scores[r * result.count + c];
    }
    result.explained.push_back(x.variance() > 0 ? std::max(0.0, values[c]) / x.variance() : 0);
  }
  return result;
}

std::vector<double> tsne(std::span<const double> x, size_t dim, double perplexity, base::Pool& pool) {
  constexpr size_t kMaxRows = 5000;
  const size_t n = dim == 0 ? 0 : x.size() / dim;
  if (n > kMaxRows) {
    throw base::Error(base::Code::kInvalid, "t-SNE of all pairs takes at most 5,000 points; ask for fewer");
  }
  std::vector<double> y(n * 2, 0);
  if (n < 3) {
    return y;
  }
  perplexity = std::min(perplexity, static_cast<double>(n - 1) / 3);
  std::vector<float> conditional(n * n);
  pool.parallel_for(static_cast<int64_t>(n), [&](int64_t row) {
    const auto i = static_cast<size_t>(row);
    std::vector<double> squares(n, 0);
    for (size_t j = 0; j < n; ++j) {
      for (size_t d = 0; d < dim; ++d) {
        const double difference = x[i * dim + d] - x[j * dim + d];
        squares[j] += difference * difference;
      }
    }
    neighbours_of(squares, i, perplexity, std::span(conditional).subspan(i * n, n));
  });
  std::vector<float> p(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      p[i * n + j] = std::max((conditional[i * n + j] + conditional[j * n + i]) / (2 * static_cast<float>(n)), 1e-12F);
    }
  }
  double spread = 0;
  for (size_t i = 0; i < n; ++i) {
    spread += x[i * dim] * x[i * dim] / static_cast<double>(n);
  }
  const double scale = spread > 0 ? 1e-4 / std::sqrt(spread) : 1;
  for (size_t i = 0; i < n; ++i) {
    y[i * 2] = x[i * dim] * scale;
    y[i * 2 + 1] = dim > 1 ? x[i * dim + 1] * scale : 0;
  }
  constexpr int kRounds = 500;
  constexpr int kEarly = 120;
  constexpr double kExaggeration = 12;
  const double rate = std::max(static_cast<double>(n) / kExaggeration, 50.0);
  std::vector<double> step(n * 2, 0);
  std::vector<double> gain(n * 2, 1);
  std::vector<double> gradient(n * 2, 0);
  std::vector<double> sums(n, 0);
  for (int round = 0; round < kRounds; ++round) {
    const double exaggeration = round < kEarly ? kExaggeration : 1;
    const double momentum = round < kEarly ? 0.5 : 0.8;
    pool.parallel_for(static_cast<int64_t>(n), [&](int64_t row) {
      const auto i = static_cast<size_t>(row);
      double sum = 0;
      for (size_t j = 0; j < n; ++j) {
        const double dx = y[i * 2] - y[j * 2];
        const double dy = y[i * 2 + 1] - y[j * 2 + 1];
        sum += j == i ? 0 : 1 / (1 + dx * dx + dy * dy);
      }
      sums[i] = sum;
    });
    const double all = std::accumulate(sums.begin(), sums.end(), 0.0);
    pool.parallel_for(static_cast<int64_t>(n), [&](int64_t row) {
      const auto i = static_cast<size_t>(row);
      double gx = 0;
      double gy = 0;
      for (size_t j = 0; j < n; ++j) {
        const double dx = y[i * 2] - y[j * 2];
        const double dy = y[i * 2 + 1] - y[j * 2 + 1];
        const double q = 1 / (1 + dx * dx + dy * dy);
        const double force = 4 * (exaggeration * static_cast<double>(p[i * n + j]) - q / all) * q;
        gx += force * dx;
        gy += force * dy;
      }
      gradient[i * 2] = gx;
      gradient[i * 2 + 1] = gy;
    });
    double mean[2] = {0, 0};
    for (size_t i = 0; i < n * 2; ++i) {
      gain[i] = std::max(0.01, (gradient[i] > 0) == (step[i] > 0) ? gain[i] * 0.8 : gain[i] + 0.2);
      step[i] = momentum * step[i] - rate * gain[i] * gradient[i];
      y[i] += step[i];
      mean[i % 2] += y[i] / static_cast<double>(n);
    }
    for (size_t i = 0; i < n * 2; ++i) {
      y[i] -= mean[i % 2];
    }
  }
  return y;
}

std::vector<int> k_means(std::span<const double> x, size_t dim, int clusters, uint64_t seed) {
  const size_t n = dim == 0 ? 0 : x.size() / dim;
  const size_t k = std::min(static_cast<size_t>(std::max(clusters, 1)), std::max<size_t>(n, 1));
  std::vector<int> of(n, 0);
  if (n == 0) {
    return of;
  }
  const auto distance = [&](size_t row, const std::vector<double>& centres, size_t c) {
    double sum = 0;
    for (size_t d = 0; d < dim; ++d) {
      const double difference = x[row * dim + d] - centres[c * dim + d];
      sum += difference * difference;
    }
    return sum;
  };
  base::Rng rng(seed, "k-means");
  std::vector<double> centres(k * dim, 0);
  std::vector<double> nearest(n, INFINITY);
  size_t pick = rng.below(n);
  for (size_t c = 0; c < k; ++c) {
    std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(pick * dim), dim, centres.begin() + static_cast<std::ptrdiff_t>(c * dim));
    double total = 0;
    for (size_t i = 0; i < n; ++i) {
      nearest[i] = std::min(nearest[i], distance(i, centres, c));
      total += nearest[i];
    }
    double left = rng.uniform() * total;
    pick = n - 1;
    for (size_t i = 0; i < n; ++i) {
      left -= nearest[i];
      if (left < 0) {
        pick = i;
        break;
      }
    }
  }
  std::vector<int64_t> sizes(k, 0);
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    bool moved = round == 0;
    for (size_t i = 0; i < n; ++i) {
      size_t best = 0;
      double least = INFINITY;
      for (size_t c = 0; c < k; ++c) {
        const double d = distance(i, centres, c);
        if (d < least) {
          least = d;
          best = c;
        }
      }
      moved = moved || of[i] != static_cast<int>(best);
      of[i] = static_cast<int>(best);
    }
    std::vector<double> sums(k * dim, 0);
    sizes.assign(k, 0);
    for (size_t i = 0; i < n; ++i) {
      ++sizes[static_cast<size_t>(of[i])];
      for (size_t d = 0; d < dim; ++d) {
        sums[static_cast<size_t>(of[i]) * dim + d] += x[i * dim + d];
      }
    }
    for (size_t c = 0; c < k; ++c) {
      for (size_t d = 0; sizes[c] > 0 && d < dim; ++d) {
        centres[c * dim + d] = sums[c * dim + d] / static_cast<double>(sizes[c]);
      }
    }
    if (!moved) {
      break;
    }
  }
  std::vector<size_t> order(k);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  std::vector<int> rank(k);
  for (size_t i = 0; i < k; ++i) {
    rank[order[i]] = static_cast<int>(i);
  }
  for (int& one : of) {
    one = rank[static_cast<size_t>(one)];
  }
  return of;
}

}  // namespace slipway::data
