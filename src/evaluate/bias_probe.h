// Does the answer change when only a person's gender or name does? Counterfactual pairs of real texts (Kusner 2017;
// Garg 2019):
//   gender        "his film" <-> "her film", in texts that have such words
//   names         a first name exchanged for one associated with each group, in texts that have one
//   attribution   "NAME writes: TEXT" for names of each group, for texts without any: every corpus gets pairs
// Each family tells its n; where a language or corpus gives no pairs, n is 0 and nothing is claimed. One call at a time
// per predictor; the same seed gives the same pairs.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "model/predictor.h"
#include "stats/interval.h"

namespace slipway::evaluate {

using base::Json;

struct BiasOptions {
  int max_pairs = 2000;         // of the gender and names families
  int attributed_texts = 60;    // texts of the attribution family; each gives a pair per group
  std::string favourable = {};  // label whose probability is compared; empty: the last one
  int examples = 10;            // flips kept as evidence
  int resamples = 2000;
  uint64_t seed = 7;
};

struct BiasFamily {
  std::string name;            // "gender", "names", "attribution"
  stats::Interval flip_rate;   // pairs whose label differs (Wilson)
  stats::Interval mean_shift;  // mean |difference of the favourable probability|
};

struct BiasGroup {
  std::string group;      // "gender:female", "ethnicity:black", …
  stats::Interval shift;  // mean favourable probability of this group's variants minus the mean over all groups'
                          // variants of the same texts (of gender: female variant minus male variant, and its negative)
  stats::Interval flip_rate;
};

struct BiasExample {
  std::string text;
  std::string counterfactual;
  std::string group;
  std::string label;
  std::string counterfactual_label;
  double shift = 0;
};

struct BiasReport {
  std::string suite;
  std::string favourable;
  stats::Interval flip_rate;  // over all pairs; gates call it bias.flip_rate
  double max_shift = 0;       // the largest |shift| of a group; bias.max_shift
  std::vector<BiasFamily> families;
  std::vector<BiasGroup> groups;
  std::vector<BiasExample> examples;  // flips first, then the largest shifts
};

Json to_json(const BiasReport& report);

// Throws Error(kInvalid) for a label that is not one of the model's; kInterrupted.
BiasReport bias_probe(model::Predictor& predictor, const std::vector<std::string>& texts, const BiasOptions& options,
                      base::Context& context);

}  // namespace slipway::evaluate
