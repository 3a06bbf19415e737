// Labels from votes that are often wrong: of labelling functions (labelling_functions.h) or of annotators. How much votes cover and conflict,
// and models of who is right when. Pure functions on arrays, deterministic; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::data {

constexpr int kAbstain = -1;

struct VoteMatrix {
  int64_t items = 0;
  int voters = 0;
  int classes = 0;
  std::vector<int> votes;  // [items, voters]; kAbstain, or 0 … classes - 1
  int at(int64_t item, int voter) const { return votes[static_cast<size_t>(item * voters + voter)]; }
};

// What Snorkel's LFAnalysis tells of each voter, as shares of all items.
struct VoterSummary {
  std::vector<int> polarity;  // classes that it ever voted for
  double coverage = 0;        // it votes
  double overlaps = 0;        // and another does
  double conflicts = 0;       // and another votes otherwise
  double accuracy = 0;        // of its votes where the truth is known; NaN where there are none
};
struct VoteSummary {
  std::vector<VoterSummary> voters;
  double coverage = 0, overlaps = 0, conflicts = 0;  // items with a vote; with two or more; that disagree
};
// `truth` [items] or empty; kAbstain: not known. Throws Error(kInvalid) for lengths that differ or votes out of range. O(items * voters).
VoteSummary summarize_votes(const VoteMatrix& votes, std::span<const int> truth = {});

enum class LabelModelKind {
  kMajority,    // shares of the votes
  kDawidSkene,  // Dawid & Skene 1979: a confusion matrix for each voter, by EM from the majority
  kOneCoin,     // the same with one accuracy for each voter (Zhang et al. 2014)
  kGenerative,  // voters independent given the class, abstaining included (the model of Ratner et al. 2016 and 2019), by EM with a prior
};
std::string_view name_of(LabelModelKind kind) noexcept;  // "majority", "dawid-skene", "one-coin", "generative"
LabelModelKind label_model_named(std::string_view name);  // throws Error(kInvalid) naming them

struct LabelModelOptions {
  int iterations = 100;
  double tolerance = 1e-7;  // stop when no probability moves more; < 0: never
  // kGenerative: P(vote right | it votes) of the prior, and its weight in votes of each class; Snorkel's prec_init.
  double accuracy = 0.7;
  double prior_votes = 1;
  std::vector<double> balance;  // P(class), fixed; empty: learned
};

struct LabelModelResult {
  std::vector<double> probabilities;  // [items, classes]; of an item without votes the classes' balance
  std::vector<double> balance;        // [classes]
  std::vector<double> accuracy;       // [voters] expected, of its votes; NaN where it never voted
  std::vector<double> confusion;      // [voters, classes voted, classes true]; kMajority: empty. kGenerative: shares of all items of the class
  int iterations = 0;
};

// Cost: O(iterations * items * voters * classes), memory O(items * classes + voters * classes^2). Throws Error(kInvalid) for no
// items, voters, votes or fewer than two classes, or more than 10^4 classes.
LabelModelResult fit_label_model(const VoteMatrix& votes, LabelModelKind kind, const LabelModelOptions& options = {});

// What the fitted model says of an item that it was not fitted on: probabilities [classes] from its row of votes [voters]. Without a vote the
// balance. Throws Error(kInvalid) for another number of voters or a vote out of range. O(voters * classes).
std::vector<double> label_probabilities(const LabelModelResult& fitted, LabelModelKind kind, std::span<const int> row);

base::Json to_json(const VoteSummary& summary, std::span<const std::string> voters, std::span<const std::string> classes);

}  // namespace slipway::data
