// What the texts of two versions have against one another: lengths, languages, words, copies, personal data.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/random.h"
#include "data/near_groups.h"
#include "data/table_compare_parts.h"
#include "data/word_sets.h"
#include "stats/distributions.h"
#include "stats/drift.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

constexpr size_t kWordRows = 2000;    // of each side, whose words are compared
constexpr int kWordPermutations = 300;
constexpr int kCopyPermutations = 500;
constexpr size_t kShownText = 120;

std::string beginning(const SampleRow& row) { return std::string(text::prefix_code_points(row.text, kShownText)); }

std::vector<const SampleRow*> with_text(const TableScan& scan, size_t limit) {
  std::vector<const SampleRow*> rows;
  for (const SampleRow& row : scan.sample) {
    if (rows.size() < limit && !row.text.empty()) {
      rows.push_back(&row);
    }
  }
  return rows;
}

void lengths(CompareParts& parts, const std::string& column) {
  for (const auto& [measure, member] : {std::pair{"length in words", &SampleRow::words}, std::pair{"length in characters", &SampleRow::chars}}) {
    std::vector<double> values[2];
    std::vector<const SampleRow*> after;
    for (const SampleRow* row : with_text(parts.before, SIZE_MAX)) {
      values[0].push_back(row->*member);
    }
    for (const SampleRow* row : with_text(parts.after, SIZE_MAX)) {
      values[1].push_back(row->*member);
      after.push_back(row);
    }
    number_tests(parts, column, measure, values[0], values[1], after);
  }
}

double divergence(const WordSets& sets, std::span<const uint32_t> order, size_t first, std::vector<double>& before, std::vector<double>& after) {
  before.assign(sets.vocabulary.size(), 0);
  after.assign(sets.vocabulary.size(), 0);
  for (size_t i = 0; i < order.size(); ++i) {
    for (const uint32_t word : sets.rows[order[i]]) {
      ++(i < first ? before : after)[word];
    }
  }
  return stats::js_divergence(stats::shares(before), stats::shares(after));
}

void words(CompareParts& parts, const std::string& column) {
  constexpr size_t kLeastRows = 100;
  std::vector<const SampleRow*> rows = with_text(parts.before, kWordRows);
  const size_t first = rows.size();
  const std::vector<const SampleRow*> after = with_text(parts.after, kWordRows);
  rows.insert(rows.end(), after.begin(), after.end());
  if (first < kLeastRows || after.size() < kLeastRows) {
    return;
  }
  std::vector<std::string_view> texts;
  for (const SampleRow* row : rows) {
    texts.push_back(row->text);
  }
  const WordSets sets = word_sets(texts, parts.context.pool);
  if (sets.vocabulary.size() < 2) {
    return;
  }
  std::vector<uint32_t> order(rows.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = static_cast<uint32_t>(i);
  }
  std::vector<double> before_counts;
  std::vector<double> after_counts;
  const double observed = divergence(sets, order, first, before_counts, after_counts);
  std::vector<double> null(kWordPermutations);
  parts.context.pool.parallel_for(kWordPermutations, [&](int64_t i) {
    base::Rng rng(parts.options.seed, fmt::format("words {}", i));
    std::vector<uint32_t> dealt = order;
    std::vector<double> a;
    std::vector<double> b;
    rng.shuffle(std::span(dealt));
    null[static_cast<size_t>(i)] = divergence(sets, dealt, first, a, b);
  });
  double mean = 0;
  double squares = 0;
  for (const double one : null) {
    mean += one / kWordPermutations;
  }
  for (const double one : null) {
    squares += (one - mean) * (one - mean) / (kWordPermutations - 1);
  }
  // A sum of squares of many words' differences: a scaled chi-square with the simulated mean and variance (Satterthwaite 1946), whose
  // tail reaches where permutations do not.
  const double degrees = squares > 0 ? 2 * mean * mean / squares : 1;
  const double scale = mean > 0 ? mean / degrees : 1;
  const double p = mean > 0 ? stats::chi2_upper(observed / scale, degrees) : 1;
  const double norm = std::sqrt(1 / std::log(2.0));
  parts.tests.push_back({{column, "words", "js", std::sqrt(std::max(0.0, observed)) * norm, 0, p, false},
                         [=](double alpha) { return std::sqrt(stats::chi2_quantile(1 - alpha, degrees) * scale) * norm; },
                         [=, sets = sets, rows = rows] {
                           std::vector<std::pair<double, uint32_t>> moved;
                           for (uint32_t word = 0; word < sets.vocabulary.size(); ++word) {
                             const double a = before_counts[word] / static_cast<double>(first);
                             const double b = after_counts[word] / static_cast<double>(rows.size() - first);
                             moved.emplace_back((b - a) / std::sqrt(a + b + 1e-9), word);
                           }
                           std::stable_sort(moved.begin(), moved.end(), [](const auto& a, const auto& b) { return std::abs(a.first) > std::abs(b.first); });
                           moved.resize(std::min<size_t>(moved.size(), 10));
                           std::vector<std::string> more;
                           std::vector<std::string> less;
                           std::set<uint32_t> risen;
                           for (const auto& [z, word] : moved) {
                             (z > 0 ? more : less).push_back(sets.vocabulary[word]);
                             if (z > 0) {
                               risen.insert(word);
                             }
                           }
                           Finding finding;
                           constexpr double kWarning = 0.05;
                           constexpr double kError = 0.2;
                           finding.before = std::sqrt(mean) * norm;
                           finding.after = std::sqrt(observed) * norm;
                           finding.severity = severity_of(finding.after - finding.before, kWarning, kError);
                           finding.check = "words";
                           finding.message = fmt::format("other words: more {}; less {}", more.empty() ? "none" : fmt::format("{}", fmt::join(more, ", ")),
                                                         less.empty() ? "none" : fmt::format("{}", fmt::join(less, ", ")));
                           std::vector<std::pair<size_t, size_t>> best;
                           for (size_t i = first; i < rows.size(); ++i) {
                             const auto hits = std::count_if(sets.rows[i].begin(), sets.rows[i].end(), [&](uint32_t word) { return risen.contains(word); });
                             if (hits > 0) {
                               best.emplace_back(static_cast<size_t>(hits), i);
                             }
                           }
                           std::stable_sort(best.begin(), best.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
                           for (size_t i = 0; i < best.size() && i < 3; ++i) {
                             finding.rows.push_back({{"at", rows[best[i].second]->at}, {"text", beginning(*rows[best[i].second])}});
                           }
                           return finding;
                         }});
}

// Rows that have another like them on their own side: samples of one size, for the share grows with it.
void copies_test(CompareParts& parts, const std::string& check, const std::string& column, const std::vector<std::vector<size_t>>& groups,
                 const std::vector<const SampleRow*>& rows, size_t half) {
  if (half == 0) {
    return;
  }
  const auto extra = [](size_t count) { return count > 0 ? count - 1 : 0; };
  double observed[2] = {0, 0};
  const std::vector<size_t>* largest = nullptr;
  for (const auto& group : groups) {
    const auto late = static_cast<size_t>(std::count_if(group.begin(), group.end(), [&](size_t i) { return i >= half; }));
    observed[0] += static_cast<double>(extra(group.size() - late));
    observed[1] += static_cast<double>(extra(late));
    if (late >= 2 && (largest == nullptr || group.size() > largest->size())) {
      largest = &group;
    }
  }
  double squares = 0;
  for (int i = 0; i < kCopyPermutations; ++i) {
    base::Rng rng(parts.options.seed, fmt::format("{} {}", check, i));
    double difference = 0;
    for (const auto& group : groups) {
      size_t late = 0;
      for (size_t k = 0; k < group.size(); ++k) {
        late += rng.next() >> 63U;
      }
      difference += static_cast<double>(extra(late)) - static_cast<double>(extra(group.size() - late));
    }
    squares += difference * difference / kCopyPermutations;
  }
  const double difference = observed[1] - observed[0];
  const double z = squares > 0 ? std::abs(difference) / std::sqrt(squares) : 0;
  const auto size = static_cast<double>(half);
  std::vector<std::string> shown;
  Json examples = Json::array();
  for (size_t k = 0; largest != nullptr && k < largest->size() && examples.size() < 3; ++k) {
    if ((*largest)[k] >= half) {
      const SampleRow& row = *rows[(*largest)[k]];
      examples.push_back({{"at", row.at}, {"text", beginning(row)}});
    }
  }
  parts.tests.push_back({{column, check == "copies" ? "copies" : "near-duplicates", "permutation", z, 0, squares > 0 ? std::min(1.0, 2 * stats::normal_upper(z)) : 1, false},
                         [](double alpha) { return stats::normal_quantile(1 - alpha / 2); },
                         [=] {
                           Finding finding;
                           constexpr double kWarning = 0.01;
                           constexpr double kError = 0.05;
                           finding.before = observed[0] / size;
                           finding.after = observed[1] / size;
                           finding.severity = severity_of(finding.after - finding.before, kWarning, kError);
                           finding.check = check;
                           finding.message = fmt::format("{} {:.2f} % -> {:.2f} % of {} rows", check == "copies" ? "copies" : "near-duplicates", 100 * finding.before,
                                                         100 * finding.after, half);
                           finding.rows = examples;
                           return finding;
                         }});
}

void copies(CompareParts& parts, const std::string& column) {
  const size_t half = std::min(parts.before.sample.size(), parts.after.sample.size());
  std::vector<const SampleRow*> rows;
  for (const TableScan* side : {&parts.before, &parts.after}) {
    for (size_t i = 0; i < half; ++i) {
      rows.push_back(&side->sample[i]);
    }
  }
  std::map<Hash128, std::vector<size_t>> same;
  for (size_t i = 0; i < rows.size(); ++i) {
    same[rows[i]->content].push_back(i);
  }
  std::vector<std::vector<size_t>> groups;
  for (auto& [hash, group] : same) {
    if (group.size() > 1) {
      groups.push_back(std::move(group));
    }
  }
  copies_test(parts, "copies", column, groups, rows, half);
  if (!parts.after.text || !parts.before.text) {
    return;
  }
  std::vector<std::string_view> texts;
  for (const SampleRow* row : rows) {
    texts.push_back(row->text);
  }
  const SpillSpace space{parts.options.work / "near", parts.options.memory_bytes, &parts.context.pool};
  copies_test(parts, "near_duplicates", column, near_groups(texts, parts.options.jaccard, space), rows, half);
}

}  // namespace

void compare_texts(CompareParts& parts) {
  const bool same = parts.before.text && parts.after.text &&
                    parts.before.profile.columns[*parts.before.text].name == parts.after.profile.columns[*parts.after.text].name;
  const std::string column = same ? parts.after.profile.columns[*parts.after.text].name : "";
  if (same) {
    lengths(parts, column);
    const auto where = [&after = parts.after](const std::string& language) {
      const auto row = std::find_if(after.sample.begin(), after.sample.end(), [&](const SampleRow& one) { return one.language == language && !one.text.empty(); });
      return row == after.sample.end() ? std::string() : row->at;
    };
    category_test(parts, "language", column, "language", parts.before.texts.languages, parts.after.texts.languages, where);
    words(parts, column);
    base::check_stop(parts.context, "comparing");
    constexpr std::pair<double, double> kPii = {0.0, 0.01};
    std::vector<std::string> places;
    for (const auto& [type, at] : parts.after.texts.pii_at) {
      if (places.size() < 3) {
        places.push_back(at);
      }
    }
    share_test(parts, "pii", column, "rows with personal data", {parts.before.texts.with_pii, parts.before.texts.texts}, {parts.after.texts.with_pii, parts.after.texts.texts},
               kPii, places);
    share_test(parts, "missing", column, "empty", {parts.before.texts.empty, parts.before.texts.texts}, {parts.after.texts.empty, parts.after.texts.texts}, {0.01, 0.05}, {});
  }
  copies(parts, column);
}

}  // namespace slipway::data
