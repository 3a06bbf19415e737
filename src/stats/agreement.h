// Do annotators agree? Coefficients corrected for chance, of any number of annotators, with answers missing anywhere, and of pairs
// of annotators; each with its interval. Spans: span_agreement.h. Pure functions on the caller's data; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stats/bootstrap.h"
#include "stats/interval.h"

namespace slipway::stats {

// How far apart two categories are.
enum class MeasureLevel {
  kNominal,   // names: the same or not
  kOrdinal,   // grades in order
  kInterval,  // numbers: by their difference
  kRatio,     // numbers >= 0 with a true zero: by their difference over their sum
};

// What annotators said of items. Items are rows, added in order.
class Ratings {
 public:
  // `scale`: the number of each category, ascending, for kInterval and kRatio; 0, 1, 2, … when left out. Throws Error(kInvalid)
  // for no categories, numbers that do not ascend, more than 100,000.
  explicit Ratings(int categories);
  explicit Ratings(std::vector<double> scale);

  struct Answer {
    int annotator = 0;
    int category = 0;
  };
  // The answers to the next item, at most one of each annotator; none for an item that nobody answered. Throws Error(kInvalid)
  // for a category or annotator out of range, or one annotator twice. O(answers log answers).
  void add(std::span<const Answer> answers);

  int64_t items() const noexcept { return static_cast<int64_t>(begins_.size()) - 1; }
  int categories() const noexcept { return static_cast<int>(scale_.size()); }
  std::span<const double> scale() const noexcept { return scale_; }
  int annotators() const noexcept { return annotators_; }  // 1 + the largest number
  // By annotator.
  std::span<const Answer> of(int64_t item) const { return std::span(answers_).subspan(begins_[item], begins_[item + 1] - begins_[item]); }

  // The same items with two categories: 1 for `category`, 0 for all others.
  Ratings one_against_others(int category) const;

 private:
  std::vector<double> scale_;
  std::vector<size_t> begins_ = {0};
  std::vector<Answer> answers_;
  int annotators_ = 0;
};

struct AgreementOptions {
  // Items drawn with replacement (Efron 1979) up to `bootstrap_items`; above, or with bootstrap.resamples == 0, the delete-one jackknife
  // with normal limits (Efron & Stein 1981), whose cost is that of the distinct rows.
  BootstrapOptions bootstrap = {1000, 0.95, 7};
  int64_t bootstrap_items = 2000;
};

// All are NaN where they are not defined: nobody answered an item twice, or (but for raw and Gwet's) one category alone was used.
// `n` of each is the number of items with two answers or more.
struct Agreement {
  Interval raw;     // mean over items of the share of pairs of annotators that say the same
  Interval fleiss;  // kappa of Fleiss 1971; with other levels than nominal weighted, items of unequal numbers of answers as Gwet 2014, ch. 5
  Interval alpha;   // Krippendorff 2011, from the coincidence matrix
  Interval gwet;    // AC1 (Gwet 2008); AC2 with other levels (Gwet 2014)
  int64_t answers = 0;
  int annotators = 0;  // that answered anything
};

// Weights of Fleiss' and Gwet's: nominal identity, ordinal 1 - C(|c-k|+1, 2) / C(q, 2), interval quadratic, ratio as Gwet 2014, ch. 3.
// Cost: O(items + R * (items + P c^2 + K)) for R resamples (or P in the jackknife's place of R), P distinct rows of c categories, K
// categories; K^2 in place of K when not nominal. Not nominal with more than 1,000 categories throws Error(kInvalid).
Agreement agreement(const Ratings& ratings, MeasureLevel level = MeasureLevel::kNominal, const AgreementOptions& options = {});

// Weights of Cohen's kappa by the distance of category numbers, as scikit-learn's cohen_kappa_score(weights=…) with labels=0…K-1.
enum class KappaWeights { kNone, kLinear, kQuadratic };

struct PairAgreement {
  int first = 0, second = 0;  // annotators, first < second
  Interval raw;               // Wilson 1927
  Interval kappa;             // Cohen 1960, 1968; NaN when both used one and the same category only
};

// Each pair that answered some item both, by number. Cost: O(sum over items of answers^2) and for each pair that of its own kappa's
// interval, which is as agreement()'s.
std::vector<PairAgreement> pair_agreement(const Ratings& ratings, KappaWeights weights = KappaWeights::kNone, const AgreementOptions& options = {});

// Cohen's kappa of counts [categories, categories] (weights of rows allowed); NaN where expected disagreement is 0. O(categories^2).
double cohen_kappa(std::span<const double> counts, int categories, KappaWeights weights = KappaWeights::kNone);

}  // namespace slipway::stats
