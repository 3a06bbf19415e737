// Rows and windows reduced to what the tests look at. Internal to monitor.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "monitor/calibration.h"
#include "monitor/observation.h"
#include "monitor/reference.h"

namespace slipway::monitor {

inline constexpr size_t kMaxTextBytes = 8192;  // of a text are looked at and kept
inline constexpr size_t kFrequentWords = 300;  // classes of the word test: rarer words say more by chance than by drift
inline constexpr int kFrequentCount = 5;       // the least occurrences in the reference for a class of its own

// The text, cut at kMaxTextBytes between characters.
std::string_view bounded(std::string_view text) noexcept;

// Lower-cased words in order.
std::vector<std::string> words_of(std::string_view text);

using Vocabulary = std::unordered_map<std::string, int>;
Vocabulary make_vocabulary(const ReferenceSketch& sketch);

ReferenceRow reduce(const Observation& row, const std::vector<std::string>& words, const Vocabulary& vocabulary,
                    size_t labels);

// Several rows as columns.
struct Columns {
  std::vector<double> lengths;    // rising
  std::vector<double> scores;     // rising
  std::vector<double> labels;     // counts
  std::vector<int> words;         // counts by vocabulary number
  std::vector<double> words_log;  // count * ln(count) of each
  double all_words = 0;
};
Columns make_columns(std::span<const ReferenceRow* const> rows, size_t labels, size_t vocabulary);

// The reference side of the psi and js tests: bins and the words that are classes, chosen from the reference alone.
class Baseline {
 public:
  explicit Baseline(const Columns& columns);
  double score(const TestName& test, const Columns& window) const;
  // A score that a change of this share of the rows, all into one bin, reaches: no threshold is set below it.
  double floor(const TestName& test, double share) const;

 private:
  double word_distance(const Columns& window) const;
  std::vector<double> length_edges_;
  std::vector<double> score_edges_;
  std::vector<double> lengths_;  // counts
  std::vector<double> scores_;
  std::vector<double> labels_;
  std::vector<int> frequent_;  // vocabulary numbers
  std::vector<double> words_;  // shares of frequent_, then of the others
  double words_entropy_ = 0;   // sum p ln p of them
};

// The tests that can be done with this sketch, in order; throws Error(kInvalid) for names that are not known.
std::vector<TestName> tests_for(const ReferenceSketch& sketch, std::span<const std::string> wanted);

}  // namespace slipway::monitor
