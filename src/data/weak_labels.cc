#include "data/weak_labels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <numeric>
#include <limits>

#include "base/error.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kTiny = 1e-10;  // no probability is less: a voter that never erred may err (crowd-kit's value)
constexpr int kMaxClasses = 10000;
constexpr std::array<std::string_view, 4> kKinds = {"majority", "dawid-skene", "one-coin", "generative"};

[[noreturn]] void invalid(const std::string& what) { throw Error(Code::kInvalid, "votes: " + what); }

void check(const VoteMatrix& votes) {
  if (votes.items < 1 || votes.voters < 1 || votes.classes < 2 || votes.classes > kMaxClasses) {
    invalid(fmt::format("there are {} items, {} voters and {} classes; at least 1, 1 and 2 are needed, and at most {} classes", votes.items, votes.voters,
                        votes.classes, kMaxClasses));
  }
  if (votes.votes.size() != static_cast<size_t>(votes.items) * static_cast<size_t>(votes.voters)) {
    invalid(fmt::format("{} votes are not {} items times {} voters", votes.votes.size(), votes.items, votes.voters));
  }
  for (size_t i = 0; i < votes.votes.size(); ++i) {
    if (votes.votes[i] < kAbstain || votes.votes[i] >= votes.classes) {
      invalid(fmt::format("item {} has a vote for class {}; classes are 0 to {}", i / static_cast<size_t>(votes.voters), votes.votes[i], votes.classes - 1));
    }
  }
}

// The EM of all models: P(class | votes of an item) is proportional to the class' share times the product of each voter's table.
class Em {
 public:
  Em(const VoteMatrix& votes, LabelModelKind kind, const LabelModelOptions& options)
      : votes_(votes), kind_(kind), options_(options), k_(static_cast<size_t>(votes.classes)), voters_(static_cast<size_t>(votes.voters)),
        rows_(kind == LabelModelKind::kGenerative ? k_ + 1 : k_), probabilities_(static_cast<size_t>(votes.items) * k_), balance_(k_, 1.0 / static_cast<double>(k_)),
        tables_(voters_ * rows_ * k_), logs_(tables_.size()) {
    if (!options.balance.empty()) {
      balance_ = options.balance;
    }
  }

  LabelModelResult run() {
    majority();
    LabelModelResult result;
    if (kind_ != LabelModelKind::kMajority) {
      if (kind_ == LabelModelKind::kGenerative) {
        prior_tables();
        expect();
      }
      update_balance();
      maximize();
      double moved = 0;
      do {
        moved = expect();
        update_balance();
        maximize();
        ++result.iterations;
      } while (result.iterations < options_.iterations && moved > options_.tolerance);
    } else {
      update_balance();
      without_votes();
    }
    result.balance = balance_;
    result.accuracy = accuracies();
    if (kind_ != LabelModelKind::kMajority) {
      result.confusion = confusion();
    }
    result.probabilities = std::move(probabilities_);
    return result;
  }

 private:
  double& table(size_t voter, size_t vote, size_t truth) { return tables_[(voter * rows_ + vote) * k_ + truth]; }

  // Shares of votes; items without votes have none yet.
  void majority() {
    for (int64_t item = 0; item < votes_.items; ++item) {
      double n = 0;
      double* p = &probabilities_[static_cast<size_t>(item) * k_];
      for (int voter = 0; voter < votes_.voters; ++voter) {
        if (const int vote = votes_.at(item, voter); vote != kAbstain) {
          p[vote] += 1;
          n += 1;
        }
      }
      for (size_t c = 0; c < k_ && n > 0; ++c) {
        p[c] /= n;
      }
      answered_ += n > 0 ? 1 : 0;
    }
    if (answered_ == 0) {
      invalid("nobody votes");
    }
  }

  bool has_votes(int64_t item) const {
    for (int voter = 0; voter < votes_.voters; ++voter) {
      if (votes_.at(item, voter) != kAbstain) {
        return true;
      }
    }
    return false;
  }

  // The classes' shares among items that say something (of kGenerative all do).
  void update_balance() {
    if (!options_.balance.empty()) {
      return;
    }
    std::fill(balance_.begin(), balance_.end(), 0.0);
    double n = 0;
    for (int64_t item = 0; item < votes_.items; ++item) {
      if (kind_ == LabelModelKind::kGenerative || has_votes(item)) {
        n += 1;
        for (size_t c = 0; c < k_; ++c) {
          balance_[c] += probabilities_[static_cast<size_t>(item) * k_ + c];
        }
      }
    }
    for (double& share : balance_) {
      share = std::max(share / n, kTiny);
    }
  }

  void without_votes() {
    for (int64_t item = 0; item < votes_.items; ++item) {
      if (!has_votes(item)) {
        std::copy(balance_.begin(), balance_.end(), probabilities_.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(item) * k_));
      }
    }
  }

  // kGenerative's first guess: whoever votes is right with options.accuracy; abstaining says nothing.
  void prior_tables() {
    for (size_t voter = 0; voter < voters_; ++voter) {
      for (size_t truth = 0; truth < k_; ++truth) {
        for (size_t vote = 0; vote < k_; ++vote) {
          table(voter, vote, truth) = prior(vote, truth);
        }
        table(voter, k_, truth) = 1;
      }
    }
  }
  double prior(size_t vote, size_t truth) const {
    return vote == truth ? options_.accuracy : (1 - options_.accuracy) / static_cast<double>(k_ - 1);
  }

  // M: the tables of voters.
  void maximize() {
    std::fill(tables_.begin(), tables_.end(), 0.0);
    std::vector<bool> used(voters_ * rows_);
    for (int64_t item = 0; item < votes_.items; ++item) {
      const double* p = &probabilities_[static_cast<size_t>(item) * k_];
      for (size_t voter = 0; voter < voters_; ++voter) {
        const int vote = votes_.at(item, static_cast<int>(voter));
        if (vote == kAbstain && kind_ != LabelModelKind::kGenerative) {
          continue;
        }
        const size_t row = vote == kAbstain ? k_ : static_cast<size_t>(vote);
        used[voter * rows_ + row] = true;
        for (size_t c = 0; c < k_; ++c) {
          table(voter, row, c) += p[c];
        }
      }
    }
    for (size_t voter = 0; voter < voters_; ++voter) {
      kind_ == LabelModelKind::kOneCoin ? one_coin(voter) : normalize(voter, used);
    }
  }

  void normalize(size_t voter, const std::vector<bool>& used) {
    const bool generative = kind_ == LabelModelKind::kGenerative;
    double propensity = 0;  // shares of items it votes on: what the prior's votes are spread over
    for (size_t row = 0; generative && row < k_; ++row) {
      for (size_t c = 0; c < k_; ++c) {
        propensity += table(voter, row, c) / static_cast<double>(votes_.items);
      }
    }
    for (size_t c = 0; c < k_; ++c) {
      double sum = 0;
      for (size_t row = 0; row < rows_; ++row) {
        double& cell = table(voter, row, c);
        if (generative) {
          cell += options_.prior_votes * (row == k_ ? 1 - propensity : propensity * prior(row, c));
        }
        cell = generative || used[voter * rows_ + row] ? std::max(cell, kTiny) : 0;
        sum += cell;
      }
      for (size_t row = 0; row < rows_ && sum > 0; ++row) {
        table(voter, row, c) /= sum;
      }
    }
  }

  void one_coin(size_t voter) {
    double right = 0;
    double all = 0;
    for (size_t row = 0; row < k_; ++row) {
      right += table(voter, row, row);
      for (size_t c = 0; c < k_; ++c) {
        all += table(voter, row, c);
      }
    }
    const double skill = all > 0 ? right / all : 0.5;
    for (size_t row = 0; row < k_; ++row) {
      for (size_t c = 0; c < k_; ++c) {
        table(voter, row, c) = std::clamp(row == c ? skill : (1 - skill) / static_cast<double>(k_ - 1), kTiny, 1 - kTiny);
      }
    }
  }

  // E: the largest change of a probability.
  double expect() {
    std::vector<double> prior_log(k_);
    for (size_t c = 0; c < k_; ++c) {
      prior_log[c] = std::log(std::max(balance_[c], kTiny));
    }
    for (size_t i = 0; i < tables_.size(); ++i) {
      logs_[i] = std::log(std::max(tables_[i], kTiny));
    }
    double moved = 0;
    std::vector<double> log_p(k_);
    for (int64_t item = 0; item < votes_.items; ++item) {
      log_p = prior_log;
      for (size_t voter = 0; voter < voters_; ++voter) {
        const int vote = votes_.at(item, static_cast<int>(voter));
        if (vote == kAbstain && kind_ != LabelModelKind::kGenerative) {
          continue;
        }
        const double* row = &logs_[(voter * rows_ + (vote == kAbstain ? k_ : static_cast<size_t>(vote))) * k_];
        for (size_t c = 0; c < k_; ++c) {
          log_p[c] += row[c];
        }
      }
      const double highest = *std::max_element(log_p.begin(), log_p.end());
      double sum = 0;
      for (double& value : log_p) {
        value = std::exp(value - highest);
        sum += value;
      }
      double* p = &probabilities_[static_cast<size_t>(item) * k_];
      for (size_t c = 0; c < k_; ++c) {
        const double now = log_p[c] / sum;
        moved = std::max(moved, std::abs(now - p[c]));
        p[c] = now;
      }
    }
    return moved;
  }

  std::vector<double> accuracies() const {
    std::vector<double> right(voters_);
    std::vector<double> all(voters_);
    for (int64_t item = 0; item < votes_.items; ++item) {
      for (size_t voter = 0; voter < voters_; ++voter) {
        if (const int vote = votes_.at(item, static_cast<int>(voter)); vote != kAbstain) {
          right[voter] += probabilities_[static_cast<size_t>(item) * k_ + static_cast<size_t>(vote)];
          all[voter] += 1;
        }
      }
    }
    for (size_t voter = 0; voter < voters_; ++voter) {
      right[voter] = all[voter] > 0 ? right[voter] / all[voter] : kNan;
    }
    return right;
  }

  std::vector<double> confusion() {
    std::vector<double> result;
    for (size_t voter = 0; voter < voters_; ++voter) {
      for (size_t vote = 0; vote < k_; ++vote) {
        for (size_t c = 0; c < k_; ++c) {
          result.push_back(table(voter, vote, c));
        }
      }
    }
    return result;
  }

  const VoteMatrix& votes_;
  LabelModelKind kind_;
  const LabelModelOptions& options_;
  size_t k_;
  size_t voters_;
  size_t rows_;  // of a voter's table: classes, and abstaining for kGenerative
  std::vector<double> probabilities_;
  std::vector<double> balance_;
  std::vector<double> tables_;  // [voters, rows, classes]: P(vote | class)
  std::vector<double> logs_;
  int64_t answered_ = 0;
};

}  // namespace

VoteSummary summarize_votes(const VoteMatrix& votes, std::span<const int> truth) {
  check(votes);
  if (!truth.empty() && truth.size() != static_cast<size_t>(votes.items)) {
    invalid(fmt::format("the truth has {} items, the votes {}", truth.size(), votes.items));
  }
  const auto voters = static_cast<size_t>(votes.voters);
  const auto classes = static_cast<size_t>(votes.classes);
  VoteSummary summary;
  summary.voters.resize(voters);
  std::vector<bool> used(voters * classes);
  std::vector<double> known(voters);
  std::vector<int> count(classes);
  for (int64_t item = 0; item < votes.items; ++item) {
    int all = 0;
    std::fill(count.begin(), count.end(), 0);
    for (int voter = 0; voter < votes.voters; ++voter) {
      if (const int vote = votes.at(item, voter); vote != kAbstain) {
        ++count[static_cast<size_t>(vote)];
        ++all;
      }
    }
    bool conflict = false;
    for (size_t voter = 0; voter < voters; ++voter) {
      const int vote = votes.at(item, static_cast<int>(voter));
      if (vote == kAbstain) {
        continue;
      }
      VoterSummary& of = summary.voters[voter];
      const bool alone = count[static_cast<size_t>(vote)] == all;
      of.coverage += 1;
      of.overlaps += all > 1 ? 1 : 0;
      of.conflicts += alone ? 0 : 1;
      conflict = conflict || !alone;
      used[voter * classes + static_cast<size_t>(vote)] = true;
      if (!truth.empty() && truth[static_cast<size_t>(item)] != kAbstain) {
        known[voter] += 1;
        of.accuracy += truth[static_cast<size_t>(item)] == vote ? 1 : 0;
      }
    }
    summary.coverage += all > 0 ? 1 : 0;
    summary.overlaps += all > 1 ? 1 : 0;
    summary.conflicts += conflict ? 1 : 0;
  }
  const auto n = static_cast<double>(votes.items);
  summary.coverage /= n;
  summary.overlaps /= n;
  summary.conflicts /= n;
  for (size_t voter = 0; voter < voters; ++voter) {
    VoterSummary& of = summary.voters[voter];
    of.coverage /= n;
    of.overlaps /= n;
    of.conflicts /= n;
    of.accuracy = known[voter] > 0 ? of.accuracy / known[voter] : kNan;
    for (size_t c = 0; c < classes; ++c) {
      if (used[voter * classes + c]) {
        of.polarity.push_back(static_cast<int>(c));
      }
    }
  }
  return summary;
}

std::string_view name_of(LabelModelKind kind) noexcept { return kKinds[static_cast<size_t>(kind)]; }

LabelModelKind label_model_named(std::string_view name) {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == name) {
      return static_cast<LabelModelKind>(i);
    }
  }
  throw Error(Code::kInvalid, fmt::format("a label model is one of {}, not '{}'", fmt::join(kKinds, ", "), name.substr(0, 100)));
}

LabelModelResult fit_label_model(const VoteMatrix& votes, LabelModelKind kind, const LabelModelOptions& options) {
  check(votes);
  if (options.iterations < 1 || !(options.accuracy > 0 && options.accuracy < 1) || !(options.prior_votes >= 0)) {
    invalid("iterations are at least 1, accuracy is between 0 and 1, prior_votes not below 0");
  }
  if (!options.balance.empty()) {
    double sum = 0;
    for (const double share : options.balance) {
      sum += share > 0 ? share : kNan;
    }
    if (options.balance.size() != static_cast<size_t>(votes.classes) || !(std::abs(sum - 1) < 1e-6)) {
      invalid(fmt::format("the balance is a positive share for each of {} classes, 1 together", votes.classes));
    }
  }
  return Em(votes, kind, options).run();
}

std::vector<double> label_probabilities(const LabelModelResult& fitted, LabelModelKind kind, std::span<const int> row) {
  const size_t k = fitted.balance.size();
  const bool right_size = row.size() == fitted.accuracy.size();
  if (!right_size || std::any_of(row.begin(), row.end(), [&](int vote) { return vote < kAbstain || vote >= static_cast<int>(k); })) {
    invalid(fmt::format("a row of votes is one of each of {} voters, each below {}", fitted.accuracy.size(), k));
  }
  std::vector<double> p(k, 0);
  double votes = 0;
  for (const int vote : row) {
    if (vote != kAbstain) {
      p[static_cast<size_t>(vote)] += 1;
      votes += 1;
    }
  }
  if (votes == 0) {
    return fitted.balance;
  }
  if (kind != LabelModelKind::kMajority) {
    for (size_t c = 0; c < k; ++c) {
      p[c] = std::log(std::max(fitted.balance[c], kTiny));
      for (size_t voter = 0; voter < row.size(); ++voter) {
        const double* table = &fitted.confusion[voter * k * k];
        double chance = 1;
        if (row[voter] != kAbstain) {
          chance = table[static_cast<size_t>(row[voter]) * k + c];
        } else if (kind == LabelModelKind::kGenerative) {
          for (size_t vote = 0; vote < k; ++vote) {
            chance -= table[vote * k + c];
          }
        }
        p[c] += std::log(std::max(chance, kTiny));
      }
    }
    const double highest = *std::max_element(p.begin(), p.end());
    std::transform(p.begin(), p.end(), p.begin(), [&](double value) { return std::exp(value - highest); });
  }
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  std::transform(p.begin(), p.end(), p.begin(), [&](double value) { return value / sum; });
  return p;
}

base::Json to_json(const VoteSummary& summary, std::span<const std::string> voters, std::span<const std::string> classes) {
  base::Json list = base::Json::array();
  for (size_t i = 0; i < summary.voters.size(); ++i) {
    const VoterSummary& of = summary.voters[i];
    base::Json polarity = base::Json::array();
    for (const int c : of.polarity) {
      polarity.push_back(classes[static_cast<size_t>(c)]);
    }
    list.push_back({{"name", voters[i]},
                    {"polarity", std::move(polarity)},
                    {"coverage", of.coverage},
                    {"overlaps", of.overlaps},
                    {"conflicts", of.conflicts},
                    {"accuracy", std::isnan(of.accuracy) ? base::Json(nullptr) : base::Json(of.accuracy)}});
  }
  return {{"functions", std::move(list)}, {"coverage", summary.coverage}, {"overlaps", summary.overlaps}, {"conflicts", summary.conflicts}};
}

}  // namespace slipway::data
