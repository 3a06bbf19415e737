// One answer out of several people's, where nobody decided: by majority, or by the model of Dawid and Skene (weak_labels.h), which learns from
// all answers how each annotator confuses the classes. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "record/annotation.h"

namespace slipway::data {

enum class ConsensusKind { kNone, kMajority, kDawidSkene };
std::string_view name_of(ConsensusKind kind) noexcept;  // "none", "majority", "dawid-skene"
ConsensusKind consensus_named(std::string_view name);    // throws Error(kInvalid) naming them

// See all tasks, fit, then add. What the question is decides: class, each of several classes, rating, preference: by the model, or the most
// frequent (of ratings, also of a chat's messages, the median; ties go to the scheme's first); texts: the most frequent; spans and relations:
// those that more than half of the annotators marked just so. Memory: the categories of the answers; Dawid and Skene 4 bytes for each task
// and annotator too.
class Consensus {
 public:
  Consensus(const record::AnnotationScheme& scheme, ConsensusKind kind) : scheme_(scheme), kind_(kind) {}
  void see(const record::AnnotatedTask& task);
  // Throws Error(kInvalid) for more than kMaxCells tasks times annotators. O(what fit_label_model costs), for each of several classes.
  static constexpr size_t kMaxCells = 100'000'000;
  void fit();
  // A ground truth by "consensus:KIND" goes in front of the answers of a task that two or more answered and nobody decided; its note tells the
  // least of its classes' probabilities (dawid-skene). True: it did. Any thread once it is fitted.
  bool add(record::AnnotatedTask& task) const;

 private:
  using Row = std::vector<std::pair<int, int>>;  // annotator, category
  struct Column {                                // of one question, or of one of several classes
    std::vector<Row> rows;                       // a task's
    int categories = 0;
    std::vector<int> chosen;                     // of each task; -1: nobody answered
    std::vector<double> probability;
  };
  size_t columns() const noexcept;
  int category(const record::Answer& answer, size_t column) const;
  record::Answer agreed(const std::vector<const record::Answer*>& answers) const;
  void put_fitted(size_t row, record::Answer& answer, double& least) const;

  record::AnnotationScheme scheme_;
  ConsensusKind kind_;
  std::map<std::string, int> annotators_;
  std::map<std::string, size_t> tasks_;  // by key
  std::vector<Column> columns_;
};

}  // namespace slipway::data
