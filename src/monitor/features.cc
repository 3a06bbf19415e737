#include "monitor/features.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numbers>

#include "base/error.h"
#include "base/suggest.h"
#include "stats/drift.h"
#include "text/unicode.h"
#include "text/words.h"

namespace slipway::monitor {
namespace {

constexpr int kBins = 10;

// Quantile edges; a constant column gets bins for below, at and above its value, so that leaving it is seen.
std::vector<double> edges_of(const std::vector<double>& values) {
  if (values.empty()) {
    return {0, 0};
  }
  std::vector<double> edges = stats::quantile_edges(values, kBins);
  if (edges.size() == 2 && edges[0] == edges[1]) {
    const double v = edges[0];
    edges = {v, v, std::nextafter(v, std::numeric_limits<double>::infinity()), v + 1};
  }
  return edges;
}

// Counts per bin of values in rising order: a search for each edge instead of one for each value.
std::vector<double> sorted_counts(const std::vector<double>& values, const std::vector<double>& edges) {
  std::vector<double> counts(edges.size() - 1);
  auto from = values.begin();
  for (size_t i = 1; i < edges.size(); ++i) {
    const auto to = i + 1 == edges.size() ? values.end() : std::lower_bound(from, values.end(), edges[i]);
    counts[i - 1] = static_cast<double>(to - from);
    from = to;
  }
  return counts;
}

double psi_of(const std::vector<double>& reference, const std::vector<double>& window) {
  return stats::distance(stats::Distance::kPsi, reference, window);
}

}  // namespace

std::string_view bounded(std::string_view text) noexcept {
  if (text.size() <= kMaxTextBytes) {
    return text;
  }
  size_t end = kMaxTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return text.substr(0, end);
}

std::vector<std::string> words_of(std::string_view text) {
  const std::string_view part = bounded(text);
  std::vector<std::string> words;
  for (const text::Span span : text::split_words(part)) {
    words.push_back(text::lowercase(text::slice(part, span)));
  }
  return words;
}

Vocabulary make_vocabulary(const ReferenceSketch& sketch) {
  Vocabulary vocabulary;
  vocabulary.reserve(sketch.vocabulary.size());
  for (size_t i = 0; i < sketch.vocabulary.size(); ++i) {
    vocabulary.emplace(sketch.vocabulary[i], static_cast<int>(i));
  }
  return vocabulary;
}

ReferenceRow reduce(const Observation& row, const std::vector<std::string>& words, const Vocabulary& vocabulary,
                    size_t labels) {
  ReferenceRow reduced;
  reduced.length = static_cast<float>(row.tokens);
  if (!row.scores.empty() && row.scores.size() == labels) {
    const auto best = std::max_element(row.scores.begin(), row.scores.end());
    reduced.label = static_cast<int>(best - row.scores.begin());
    reduced.score = labels == 2 ? row.scores[1] : *best;
  }
  reduced.words = static_cast<int>(words.size());
  for (const std::string& word : words) {
    const auto it = vocabulary.find(word);
    if (it != vocabulary.end()) {
      reduced.vocabulary.push_back(it->second);
    }
  }
  return reduced;
}

Columns make_columns(std::span<const ReferenceRow* const> rows, size_t labels, size_t vocabulary) {
  Columns columns;
  columns.lengths.reserve(rows.size());
  columns.scores.reserve(rows.size());
  columns.labels.resize(labels);
  columns.words.resize(vocabulary);
  columns.words_log.resize(vocabulary);
  for (const ReferenceRow* row : rows) {
    columns.lengths.push_back(row->length);
    if (row->label >= 0) {
      columns.scores.push_back(row->score);
      ++columns.labels[row->label];
    }
    for (const int word : row->vocabulary) {
      ++columns.words[word];
    }
    columns.all_words += row->words;
  }
  std::sort(columns.lengths.begin(), columns.lengths.end());
  std::sort(columns.scores.begin(), columns.scores.end());
  for (size_t w = 0; w < vocabulary; ++w) {
    const double count = columns.words[w];
    columns.words_log[w] = count > 1 ? count * std::log(count) : 0;
  }
  return columns;
}

Baseline::Baseline(const Columns& columns)
    : length_edges_(edges_of(columns.lengths)),
      score_edges_(edges_of(columns.scores)),
      lengths_(sorted_counts(columns.lengths, length_edges_)),
      scores_(sorted_counts(columns.scores, score_edges_)),
      labels_(columns.labels) {
  std::vector<int> order;
  for (size_t w = 0; w < columns.words.size(); ++w) {
    if (columns.words[w] >= kFrequentCount) {
      order.push_back(static_cast<int>(w));
    }
  }
  const size_t keep = std::min(order.size(), kFrequentWords);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keep), order.end(), [&](int a, int b) {
    return columns.words[a] != columns.words[b] ? columns.words[a] > columns.words[b] : a < b;
  });
  order.resize(keep);
  frequent_ = std::move(order);
  double rest = columns.all_words;
  for (const int word : frequent_) {
    words_.push_back(columns.words[word]);
    rest -= columns.words[word];
  }
  words_.push_back(std::max(0.0, rest));
  words_ = stats::shares(words_);
  for (const double p : words_) {
    words_entropy_ += p > 0 ? p * std::log(p) : 0;
  }
}

// The Jensen-Shannon distance to base 2, as stats::js_distance, with one logarithm a class: for m = (p + q) / 2,
// 2 JS = sum p ln p + sum q ln q - 2 sum m ln m, and sum q ln q comes from the window's count * ln(count).
double Baseline::word_distance(const Columns& window) const {
  const double total = window.all_words;
  double rest = total;
  double logs = 0;
  double middle = 0;
  for (size_t i = 0; i < frequent_.size(); ++i) {
    const double count = window.words[frequent_[i]];
    rest -= count;
    logs += window.words_log[frequent_[i]];
    const double m = (words_[i] + count / total) / 2;
    middle += m > 0 ? m * std::log(m) : 0;
  }
  logs += rest > 0 ? rest * std::log(rest) : 0;
  const double m = (words_.back() + rest / total) / 2;
  middle += m > 0 ? m * std::log(m) : 0;
  const double divergence = (words_entropy_ + logs / total - std::log(total)) / 2 - middle;
  return std::sqrt(std::max(0.0, divergence) / std::numbers::ln2);
}

double Baseline::score(const TestName& test, const Columns& window) const {
  if (test.column == "length") {
    return psi_of(lengths_, sorted_counts(window.lengths, length_edges_));
  }
  if (test.column == "score") {
    return window.scores.empty() ? 0 : psi_of(scores_, sorted_counts(window.scores, score_edges_));
  }
  if (test.column == "label") {
    return window.scores.empty() ? 0 : psi_of(labels_, window.labels);
  }
  return window.all_words == 0 ? 0 : word_distance(window);
}

double Baseline::floor(const TestName& test, double share) const {
  const std::vector<double>& counts = test.column == "length"  ? lengths_
                                      : test.column == "score" ? scores_
                                      : test.column == "label" ? labels_
                                                               : words_;
  if (test.column == "words" || counts.size() < 2) {
    return 0;
  }
  std::vector<double> moved = stats::shares(counts);
  const auto [least, most] = std::minmax_element(moved.begin(), moved.end());
  const double part = std::min(share, *most);
  *least += part;
  *most -= part;
  return psi_of(counts, moved);
}

std::vector<TestName> tests_for(const ReferenceSketch& sketch, std::span<const std::string> wanted) {
  const bool scored =
      std::any_of(sketch.rows.begin(), sketch.rows.end(), [](const auto& row) { return row.label >= 0; });
  std::vector<TestName> tests;
  for (const std::string& test : wanted) {
    if (test == "psi") {
      tests.push_back({"psi", "length"});
      if (scored) {
        tests.push_back({"psi", "score"});
        tests.push_back({"psi", "label"});
      }
    } else if (test == "js") {
      tests.push_back({"js", "words"});
    } else if (test == "mmd") {
      if (sketch.embedding_rows() >= 2) {
        tests.push_back({"mmd", "embedding"});
      }
    } else {
      const std::vector<std::string> known = {"psi", "js", "mmd"};
      throw base::Error(base::Code::kInvalid,
                        fmt::format("there is no drift test '{}'{}", test, base::suggestion(test, known)));
    }
  }
  return tests;
}

}  // namespace slipway::monitor
