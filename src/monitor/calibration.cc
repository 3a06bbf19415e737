// The crossed bootstrap. References and windows are both drawn, with replacement, from the sketch's rows: a stand-in
// for drawing them from the domain itself, so both the luck of the reference and that of the window are in the scores.
// Each simulated reference meets each simulated window, so a few hundred draws give tens of thousands of pairs, and the
// rate of false alarms is known for every reference by itself: an unlucky reference would otherwise alarm on window
// after window while the average looks fine.
#include "monitor/calibration.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "monitor/features.h"
#include "stats/mmd.h"

namespace slipway::monitor {
namespace {

constexpr size_t kNullKept = 2000;

void for_each(base::Pool* pool, int64_t count, const std::function<void(int64_t)>& body) {
  if (pool != nullptr) {
    pool->parallel_for(count, body);
  } else {
    for (int64_t i = 0; i < count; ++i) {
      body(i);
    }
  }
}

// Scores of every test for every pair: [tests][references * windows].
class Crossing {
 public:
  Crossing(const ReferenceSketch& sketch, int window, std::vector<TestName> tests, const CalibrationOptions& options,
           base::Pool* pool)
      : sketch_(sketch), window_(window), tests_(std::move(tests)), options_(options), pool_(pool) {
    scores_.assign(tests_.size(), std::vector<float>(static_cast<size_t>(options.references) * options.windows));
  }

  void run() {
    for (size_t t = 0; t < tests_.size(); ++t) {
      if (tests_[t].test == "mmd") {
        cross_embeddings(scores_[t]);
      }
    }
    cross_columns();
  }

  const std::vector<std::vector<float>>& scores() const { return scores_; }

 private:
  // The rows of draw `index` of a kind, with replacement.
  std::vector<int> draw(const char* kind, int index, size_t from, size_t count) const {
    base::Rng rng(options_.seed, fmt::format("{} {}", kind, index));
    std::vector<int> rows(count);
    for (int& row : rows) {
      row = static_cast<int>(rng.below(from));
    }
    return rows;
  }

  Columns columns_of(const std::vector<int>& rows) const {
    std::vector<const ReferenceRow*> pointers;
    pointers.reserve(rows.size());
    for (const int row : rows) {
      pointers.push_back(&sketch_.rows[row]);
    }
    return make_columns(pointers, sketch_.labels.size(), sketch_.vocabulary.size());
  }

  void cross_columns() {
    const size_t n = sketch_.rows.size();
    std::vector<Columns> windows(options_.windows);
    for_each(pool_, options_.windows, [&](int64_t h) {
      windows[h] = columns_of(draw("window", static_cast<int>(h), n, static_cast<size_t>(window_)));
    });
    for_each(pool_, options_.references, [&](int64_t g) {
      const Baseline baseline(columns_of(draw("reference", static_cast<int>(g), n, n)));
      for (size_t t = 0; t < tests_.size(); ++t) {
        for (int h = 0; tests_[t].test != "mmd" && h < options_.windows; ++h) {
          scores_[t][g * options_.windows + h] = static_cast<float>(baseline.score(tests_[t], windows[h]));
        }
      }
    });
  }

  // With the counts of draws w (reference) and v (window) over the kernel K of the sample: pairs of different draws
  // within a side are w'Kw - |w|, as each row's kernel with itself is 1; across sides w'Kv.
  void cross_embeddings(std::vector<float>& out) const {
    const auto n = static_cast<size_t>(sketch_.embedding_rows());
    const stats::Matrix sample{sketch_.embeddings.data(), n, static_cast<size_t>(sketch_.dim)};
    const std::vector<float> kernel = stats::rbf_matrix(sample, sample, stats::median_sigma(sample), pool_);
    const auto size = static_cast<double>(window_);
    struct Side {
      std::vector<float> counts;
      std::vector<float> product;  // K counts
      double within = 0;           // mean over pairs
    };
    const auto make = [&](const char* kind, int64_t index, size_t draws) {
      Side side;
      side.counts.resize(n);
      for (const int row : draw(kind, static_cast<int>(index), n, draws)) {
        side.counts[row] += 1;
      }
      side.product.resize(n);
      for (size_t i = 0; i < n; ++i) {
        if (side.counts[i] != 0) {
          for (size_t j = 0; j < n; ++j) {
            side.product[j] += side.counts[i] * kernel[i * n + j];
          }
        }
      }
      double sum = 0;
      for (size_t i = 0; i < n; ++i) {
        sum += static_cast<double>(side.counts[i]) * side.product[i] -
               static_cast<double>(side.counts[i]) * kernel[i * n + i];
      }
      const auto rows = static_cast<double>(draws);
      side.within = sum / (rows * (rows - 1));
      return side;
    };
    std::vector<Side> windows(options_.windows);
    for_each(pool_, options_.windows,
             [&](int64_t h) { windows[h] = make("embedding window", h, static_cast<size_t>(window_)); });
    for_each(pool_, options_.references, [&](int64_t g) {
      const Side reference = make("embedding reference", g, n);
      for (int h = 0; h < options_.windows; ++h) {
        double across = 0;
        for (size_t i = 0; i < n; ++i) {
          across += static_cast<double>(reference.product[i]) * windows[h].counts[i];
        }
        out[g * options_.windows + h] =
            static_cast<float>(reference.within + windows[h].within - 2 * across / (static_cast<double>(n) * size));
      }
    });
  }

  const ReferenceSketch& sketch_;
  int window_;
  std::vector<TestName> tests_;
  CalibrationOptions options_;
  base::Pool* pool_;
  std::vector<std::vector<float>> scores_;
};

struct FamilyRates {
  double mean = 0;
  double worst = 0;  // of 95 in 100 references
};

FamilyRates family_rates(const std::vector<std::vector<float>>& scores, const std::vector<double>& thresholds,
                         int references, int windows) {
  std::vector<double> rates(references);
  for (int g = 0; g < references; ++g) {
    for (int h = 0; h < windows; ++h) {
      bool any = false;
      for (size_t t = 0; t < scores.size(); ++t) {
        any = any || scores[t][static_cast<size_t>(g) * windows + h] > thresholds[t];
      }
      rates[g] += any ? 1.0 / windows : 0;
    }
  }
  FamilyRates result;
  result.mean = std::accumulate(rates.begin(), rates.end(), 0.0) / references;
  std::sort(rates.begin(), rates.end());
  result.worst = rates[std::min<size_t>(rates.size() - 1, static_cast<size_t>(std::ceil(0.95 * references)) - 1)];
  return result;
}

}  // namespace

double TestNull::p_value(double score) const {
  const auto larger = null.end() - std::lower_bound(null.begin(), null.end(), static_cast<float>(score));
  return (1.0 + static_cast<double>(larger)) / (1.0 + static_cast<double>(null.size()));
}

Calibration calibrate(const ReferenceSketch& sketch, int window, const CalibrationOptions& options, base::Pool* pool) {
  if (window < 20) {
    throw base::Error(base::Code::kInvalid, fmt::format("a monitoring window needs at least 20 rows, not {}", window));
  }
  const std::vector<TestName> tests = tests_for(sketch, options.tests);
  Crossing crossing(sketch, window, tests, options, pool);
  crossing.run();
  const auto& scores = crossing.scores();
  std::vector<std::vector<float>> sorted = scores;
  for (auto& column : sorted) {
    std::sort(column.begin(), column.end());
  }
  const size_t pairs = static_cast<size_t>(options.references) * options.windows;
  const auto thresholds_at = [&](size_t beyond) {  // each test is beaten by as many simulated pairs
    std::vector<double> thresholds;
    for (const auto& column : sorted) {
      thresholds.push_back(column[pairs - 1 - beyond]);
    }
    return thresholds;
  };
  // The largest common tail for which the family of tests keeps both bounds: rates only grow with it.
  size_t low = 0;
  auto high = static_cast<size_t>(options.target * static_cast<double>(pairs));
  while (low < high) {
    const size_t middle = (low + high + 1) / 2;
    const FamilyRates rates = family_rates(scores, thresholds_at(middle), options.references, options.windows);
    if (rates.mean <= options.target && rates.worst <= options.limit) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  std::vector<double> thresholds = thresholds_at(low);
  // What never happened in n rows may yet have a share of up to 3/n (rule of three): a window may show that much, and
  // its own noise.
  const auto n = static_cast<double>(sketch.rows.size());
  const double unseen = 3 / n + 3 * std::sqrt(3 / (n * window)) + 1.0 / window;
  std::vector<const ReferenceRow*> all;
  for (const ReferenceRow& row : sketch.rows) {
    all.push_back(&row);
  }
  const Baseline baseline(make_columns(all, sketch.labels.size(), sketch.vocabulary.size()));
  Calibration result;
  result.window = window;
  for (size_t t = 0; t < tests.size(); ++t) {
    if (tests[t].test == "psi") {
      thresholds[t] = std::max(thresholds[t], baseline.floor(tests[t], unseen));
    }
    TestNull null{tests[t], thresholds[t], {}};
    const size_t keep = std::min(kNullKept, pairs);
    for (size_t i = 0; i < keep; ++i) {
      null.null.push_back(sorted[t][keep == 1 ? pairs - 1 : i * (pairs - 1) / (keep - 1)]);
    }
    result.tests.push_back(std::move(null));
  }
  const FamilyRates rates = family_rates(scores, thresholds, options.references, options.windows);
  result.family_rate = rates.mean;
  result.worst_rate = rates.worst;
  return result;
}

base::Json to_json(const Calibration& calibration) {
  base::Json tests = base::Json::array();
  for (const TestNull& test : calibration.tests) {
    tests.push_back({{"test", test.name.test}, {"column", test.name.column}, {"threshold", test.threshold}});
  }
  return {{"window", calibration.window},
          {"family_rate", calibration.family_rate},
          {"worst_rate", calibration.worst_rate},
          {"tests", std::move(tests)}};
}

}  // namespace slipway::monitor
