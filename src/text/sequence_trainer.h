// Training of the sequence labeller: averaged passive-aggressive updates of a structured linear model (Crammer et al. 2006, PA-I;
// Collins 2002 for the perceptron and the average). One thread; the same examples, options and seed give the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "text/sequence_model.h"

namespace slipway::text {

struct SequenceTrainOptions {
  int epochs = 10;
  uint64_t seed = 1;
  int min_count = 2;  // features seen less often are not learnt
  std::string algorithm = "passive-aggressive";  // or "perceptron"
  double aggressiveness = 1;  // the largest step of passive-aggressive
  void describe(base::FieldTable& table);
};

class SequenceTrainer {
 public:
  // Puts the features of example `index` into the list.
  using Extract = std::function<void(size_t index, FeatureList& features)>;
  // `gold`: for each example the numbers of its labels. Both are borrowed. Throws Error(kInvalid) when there is nothing to learn from.
  SequenceTrainer(const SequenceDescription& description, const std::vector<std::vector<uint8_t>>& gold, Extract extract,
                  const SequenceTrainOptions& options);
  ~SequenceTrainer();
  SequenceTrainer(const SequenceTrainer&) = delete;
  SequenceTrainer& operator=(const SequenceTrainer&) = delete;

  // Goes through all examples once, in an order of its own; returns the share of positions that were labelled wrong on the way.
  double epoch();
  // The model as averaged so far.
  std::string model() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::text
