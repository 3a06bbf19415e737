#include "text/sequence_trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"

namespace slipway::text {
namespace {

constexpr uint32_t kNoRow = ~uint32_t{0};

// Features to rows of weights: open addressing, and a row only for what was ever updated.
class RowTable {
 public:
  RowTable() : keys_(size_t{1} << 16, 0), rows_(size_t{1} << 16, kNoRow) {}

  uint32_t find(uint64_t feature) const noexcept { return rows_[place(feature)]; }

  uint32_t find_or_add(uint64_t feature) {
    size_t at = place(feature);
    if (rows_[at] == kNoRow) {
      if (features_.size() * 2 > keys_.size()) {
        grow();
        at = place(feature);
      }
      keys_[at] = feature;
      rows_[at] = static_cast<uint32_t>(features_.size());
      features_.push_back(feature);
    }
    return rows_[at];
  }
  const std::vector<uint64_t>& features() const noexcept { return features_; }

 private:
  size_t place(uint64_t feature) const noexcept {
    const size_t mask = keys_.size() - 1;
    size_t at = feature & mask;
    while (rows_[at] != kNoRow && keys_[at] != feature) {
      at = (at + 1) & mask;
    }
    return at;
  }
  void grow() {
    keys_.assign(keys_.size() * 2, 0);
    rows_.assign(keys_.size(), kNoRow);
    for (size_t row = 0; row < features_.size(); ++row) {
      const size_t at = place(features_[row]);
      keys_[at] = features_[row];
      rows_[at] = static_cast<uint32_t>(row);
    }
  }

  std::vector<uint64_t> keys_;
  std::vector<uint32_t> rows_;
  std::vector<uint64_t> features_;
};

// How often features were seen, up to 255, in 16 MiB: counts of two features that meet are added, which only keeps a few more.
class Counts {
 public:
  Counts() : counts_(size_t{1} << 24, 0) {}
  void add(uint64_t feature) noexcept {
    uint8_t& count = counts_[(feature >> 20) & (counts_.size() - 1)];
    count = static_cast<uint8_t>(count + (count < 255 ? 1 : 0));
  }
  int of(uint64_t feature) const noexcept { return counts_[(feature >> 20) & (counts_.size() - 1)]; }

 private:
  std::vector<uint8_t> counts_;
};

}  // namespace

void SequenceTrainOptions::describe(base::FieldTable& table) {
  table.add("epochs", epochs, "passes over the examples; the best on --dev is kept", {1, 1000});
  table.add("seed", seed, "of the order of examples");
  table.add("min_count", min_count, "features seen less often are not learnt", {1, 255});
  table.add("algorithm", algorithm, "how weights are updated", {"passive-aggressive", "perceptron"});
  table.add("aggressiveness", aggressiveness, "largest step of passive-aggressive", {1e-6, 1e6});
}

struct SequenceTrainer::State {
  State(const SequenceDescription& d, const std::vector<std::vector<uint8_t>>& g, Extract e, const SequenceTrainOptions& o)
      : description(d), gold(g), extract(std::move(e)), options(o), labels(d.labels.size()), rules(rules_of(d.task, d.labels)),
        transitions(labels * labels, 0), transition_sums(labels * labels, 0), order(g.size()), random(o.seed, "order of examples") {
    std::iota(order.begin(), order.end(), size_t{0});
  }

  void score();
  void update(const std::vector<uint8_t>& truth, size_t wrong);
  void add(uint32_t row, size_t label, float step);

  SequenceDescription description;
  const std::vector<std::vector<uint8_t>>& gold;
  Extract extract;
  SequenceTrainOptions options;
  size_t labels;
  SequenceRules rules;
  Counts counts;
  RowTable table;
  std::vector<float> weights;  // [rows, labels]
  std::vector<double> sums;    // weights times the number of the example that changed them: the average is w - sum / examples
  std::vector<float> transitions;
  std::vector<double> transition_sums;
  std::vector<size_t> order;
  base::Rng random;
  double examples = 1;

  // Of the example at hand.
  FeatureList list;
  std::vector<uint32_t> rows;
  std::vector<float> scores;
  std::vector<float> best;
  std::vector<uint8_t> back;
  std::vector<uint8_t> path;
};

void SequenceTrainer::State::score() {
  const size_t n = list.size();
  rows.resize(list.hashes.size());
  scores.assign(n * labels, 0);
  for (size_t i = 0; i < n; ++i) {
    float* const out = scores.data() + i * labels;
    for (uint32_t f = list.begins[i]; f < list.begins[i + 1]; ++f) {
      rows[f] = table.find(list.hashes[f]);
      if (rows[f] != kNoRow) {
        const float* const row = weights.data() + rows[f] * labels;
        for (size_t y = 0; y < labels; ++y) {
          out[y] += row[y];
        }
      }
    }
  }
  if (has_transitions(description.task)) {
    viterbi<float>(rules, scores, transitions, n, back, best, path);
    return;
  }
  path.resize(n);
  for (size_t i = 0; i < n; ++i) {
    const auto begin = scores.begin() + static_cast<std::ptrdiff_t>(i * labels);
    path[i] = static_cast<uint8_t>(std::max_element(begin, begin + static_cast<std::ptrdiff_t>(labels)) - begin);
  }
}

void SequenceTrainer::State::add(uint32_t row, size_t label, float step) {
  const size_t at = row * labels + label;
  if (at >= weights.size()) {
    weights.resize(size_t{row + 1} * labels, 0);
    sums.resize(weights.size(), 0);
  }
  weights[at] += step;
  sums[at] += examples * step;
}

void SequenceTrainer::State::update(const std::vector<uint8_t>& truth, size_t wrong) {
  const size_t n = list.size();
  const bool chained = has_transitions(description.task);
  double step = 1;
  if (options.algorithm != "perceptron") {
    double margin = 0;  // of the wrong path over the right one
    double norm = 0;
    for (size_t i = 0; i < n; ++i) {
      if (path[i] != truth[i]) {
        margin += scores[i * labels + path[i]] - scores[i * labels + truth[i]];
        norm += 2.0 * static_cast<double>(list.begins[i + 1] - list.begins[i]);
      }
      if (chained && i > 0 && (path[i] != truth[i] || path[i - 1] != truth[i - 1])) {
        margin += transitions[path[i - 1] * labels + path[i]] - transitions[truth[i - 1] * labels + truth[i]];
        norm += 2;
      }
    }
    step = std::min(options.aggressiveness, (margin + std::sqrt(static_cast<double>(wrong))) / norm);
  }
  const auto up = static_cast<float>(step);
  for (size_t i = 0; i < n; ++i) {
    if (path[i] != truth[i]) {
      for (uint32_t f = list.begins[i]; f < list.begins[i + 1]; ++f) {
        if (rows[f] == kNoRow) {
          if (options.min_count > 1 && counts.of(list.hashes[f]) < options.min_count) {
            continue;
          }
          rows[f] = table.find_or_add(list.hashes[f]);
        }
        add(rows[f], truth[i], up);
        add(rows[f], path[i], -up);
      }
    }
    if (chained && i > 0 && (path[i] != truth[i] || path[i - 1] != truth[i - 1])) {
      const size_t right = truth[i - 1] * labels + truth[i];
      const size_t bad = path[i - 1] * labels + path[i];
      transitions[right] += up;
      transition_sums[right] += examples * up;
      transitions[bad] -= up;
      transition_sums[bad] -= examples * up;
    }
  }
}

SequenceTrainer::SequenceTrainer(const SequenceDescription& description, const std::vector<std::vector<uint8_t>>& gold, Extract extract,
                                 const SequenceTrainOptions& options)
    : state_(std::make_unique<State>(description, gold, std::move(extract), options)) {
  if (gold.empty() || description.labels.empty() || description.labels.size() > 255) {
    throw base::Error(base::Code::kInvalid, "a tagger needs examples with 1 to 255 different labels");
  }
  if (options.min_count > 1) {
    for (size_t i = 0; i < gold.size(); ++i) {
      state_->extract(i, state_->list);
      for (const uint64_t feature : state_->list.hashes) {
        state_->counts.add(feature);
      }
    }
  }
}

SequenceTrainer::~SequenceTrainer() = default;

double SequenceTrainer::epoch() {
  State& s = *state_;
  s.random.shuffle(std::span<size_t>(s.order));
  size_t positions = 0;
  size_t wrong_positions = 0;
  for (const size_t index : s.order) {
    s.extract(index, s.list);
    const std::vector<uint8_t>& truth = s.gold[index];
    SLIPWAY_CHECK(s.list.size() == truth.size());
    s.score();
    size_t wrong = 0;
    for (size_t i = 0; i < truth.size(); ++i) {
      wrong += s.path[i] != truth[i] ? 1 : 0;
    }
    if (wrong > 0) {
      s.update(truth, wrong);
    }
    s.examples += 1;
    positions += truth.size();
    wrong_positions += wrong;
  }
  return positions == 0 ? 0 : static_cast<double>(wrong_positions) / static_cast<double>(positions);
}

std::string SequenceTrainer::model() const {
  const State& s = *state_;
  std::vector<float> weights(s.weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>(s.weights[i] - s.sums[i] / s.examples);
  }
  weights.resize(s.table.features().size() * s.labels, 0);
  std::vector<float> transitions(s.transitions.size());
  for (size_t i = 0; i < transitions.size(); ++i) {
    transitions[i] = static_cast<float>(s.transitions[i] - s.transition_sums[i] / s.examples);
  }
  return write_sequence_model(s.description, s.table.features(), weights, transitions);
}

}  // namespace slipway::text
