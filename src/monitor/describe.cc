#include "monitor/describe.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

#include "stats/bootstrap.h"
#include "stats/mmd.h"
#include "stats/multiple.h"
#include "text/identity.h"
#include "text/unicode.h"

namespace slipway::monitor {
namespace {

constexpr size_t kExampleCodePoints = 280;

}  // namespace

std::unordered_map<std::string, MovedWord> word_moves(const ReferenceSketch& sketch, const PreparedWindow& window) {
  std::unordered_map<std::string, MovedWord> moves;
  int64_t words = 0;
  for (const auto& row : window.words) {
    words += static_cast<int64_t>(row.size());
    for (const std::string& word : row) {
      ++moves[word].count;
    }
  }
  for (size_t i = 0; i < sketch.vocabulary.size(); ++i) {
    moves[sketch.vocabulary[i]].reference_count = sketch.word_counts[i];
  }
  constexpr double kPrior =
      500;  // words that the prior is worth: shrinks words seen a few times, leaves frequent ones alone
  const auto n = static_cast<double>(words);
  const auto m = static_cast<double>(sketch.words);
  for (auto& [word, move] : moves) {
    move.word = word;
    const auto x = static_cast<double>(move.count);
    const auto y = static_cast<double>(move.reference_count);
    const double prior = kPrior * (x + y) / std::max(1.0, n + m);
    const double now = std::log((x + prior) / std::max(1e-9, n + kPrior - x - prior));
    const double before = std::log((y + prior) / std::max(1e-9, m + kPrior - y - prior));
    move.z = (now - before) / std::sqrt(1 / (x + prior) + 1 / (y + prior));
  }
  return moves;
}

std::vector<MovedWord> top_moves(const std::unordered_map<std::string, MovedWord>& moves, int count) {
  std::vector<MovedWord> words;
  for (const auto& [word, move] : moves) {
    if (std::abs(move.z) >= 2) {
      words.push_back(move);
    }
  }
  const size_t keep = std::min(words.size(), static_cast<size_t>(count));
  std::partial_sort(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(keep), words.end(),
                    [](const MovedWord& a, const MovedWord& b) {
                      return std::abs(a.z) != std::abs(b.z) ? std::abs(a.z) > std::abs(b.z) : a.word < b.word;
                    });
  words.resize(keep);
  return words;
}

namespace {

// MMD's witness at each row of the window: its mean kernel with the window's other rows less that with the reference's.
std::vector<double> witness(const ReferenceSketch& sketch, const PreparedWindow& window, double sigma,
                            base::Pool* pool) {
  const auto dim = static_cast<size_t>(sketch.dim);
  std::vector<float> vectors;
  for (const Observation* row : window.rows) {
    vectors.insert(vectors.end(), row->embedding.begin(), row->embedding.end());
  }
  const size_t n = window.rows.size();
  const auto reference = static_cast<size_t>(sketch.embedding_rows());
  const stats::Matrix own{vectors.data(), n, dim};
  const auto inside = stats::rbf_matrix(own, own, sigma, pool);
  const auto outside = stats::rbf_matrix(own, {sketch.embeddings.data(), reference, dim}, sigma, pool);
  std::vector<double> result(n);
  for (size_t i = 0; i < n; ++i) {
    double like = -inside[i * n + i];
    double unlike = 0;
    for (size_t j = 0; j < n; ++j) {
      like += inside[i * n + j];
    }
    for (size_t j = 0; j < reference; ++j) {
      unlike += outside[i * reference + j];
    }
    result[i] = like / static_cast<double>(n - 1) - unlike / static_cast<double>(reference);
  }
  return result;
}

}  // namespace

std::vector<MovedExample> moved_examples(const ReferenceSketch& sketch, const PreparedWindow& window,
                                         const std::unordered_map<std::string, MovedWord>& moves, double sigma,
                                         int count, base::Pool* pool) {
  std::vector<double> distances;
  if (sigma > 0 && window.rows.size() >= 2) {
    distances = witness(sketch, window, sigma, pool);
  } else {
    for (const auto& words : window.words) {
      double sum = 0;
      for (const std::string& word : words) {
        sum += moves.at(word).z;
      }
      distances.push_back(words.empty() ? 0 : sum / std::sqrt(static_cast<double>(words.size())));
    }
  }
  std::vector<size_t> order(distances.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return distances[a] > distances[b]; });
  std::vector<MovedExample> examples;
  std::unordered_set<std::string_view> seen;
  for (const size_t i : order) {
    if (static_cast<int>(examples.size()) >= count) {
      break;
    }
    const Observation& row = *window.rows[i];
    if (!seen.insert(row.text).second) {
      continue;
    }
    const int label = window.reduced[i].label;
    examples.push_back({row.prediction_id, std::string(text::prefix_code_points(row.text, kExampleCodePoints)),
                        label >= 0 ? sketch.labels[label] : "", distances[i]});
  }
  return examples;
}

std::vector<GroupReport> group_rates(const ReferenceSketch& sketch, const PreparedWindow& window,
                                     const std::vector<std::string>& kinds) {
  if (sketch.labels.empty() || kinds.empty()) {
    return {};
  }
  std::map<std::string, GroupCount> counts;
  for (size_t i = 0; i < window.rows.size(); ++i) {
    const int label = window.reduced[i].label;
    if (label < 0) {
      continue;
    }
    for (const std::string& group : text::mentioned_groups(bounded(window.rows[i]->text))) {
      const std::string kind = group.substr(0, group.find(':'));
      if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) {
        GroupCount& count = counts[group];
        count.labels.resize(sketch.labels.size());
        ++count.rows;
        ++count.labels[label];
      }
    }
  }
  std::vector<GroupReport> reports;
  std::vector<double> p;
  for (const auto& [group, count] : counts) {
    for (size_t label = sketch.labels.size() == 2 ? 1 : 0; label < sketch.labels.size(); ++label) {
      GroupReport report{group, sketch.labels[label], stats::wilson(count.labels[label], count.rows), {}, 1};
      const auto known = sketch.groups.find(group);
      const int64_t rows = known == sketch.groups.end() ? 0 : known->second.rows;
      const int64_t hits = rows == 0 ? 0 : known->second.labels[label];
      report.reference = stats::wilson(hits, rows);
      p.push_back(rows == 0 ? 1 : stats::two_proportions(hits, rows, count.labels[label], count.rows).p);
      reports.push_back(std::move(report));
    }
  }
  const std::vector<double> corrected = stats::holm(p);
  for (size_t i = 0; i < reports.size(); ++i) {
    reports[i].p = corrected[i];
  }
  return reports;
}

}  // namespace slipway::monitor
