// Scores a classifier on labelled texts: each measure with a bootstrap 95 % interval and its n, the confusion matrix,
// slices, the calibration curve. Deterministic: the same rows, model and seed give the same report. Plain values; one
// call at a time per predictor.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "model/predictor.h"
#include "stats/classification.h"
#include "stats/interval.h"

namespace slipway::evaluate {

using base::Json;

// Labelled texts; the vectors are as long as each other, `sources` may be empty.
struct Rows {
  std::vector<std::string> texts;
  std::vector<int> truth;  // index into the predictor's labels
  std::vector<std::string> sources;
};

struct EvaluateOptions {
  std::vector<std::string> slices = {"length", "source"};
  int resamples = 2000;
  uint64_t seed = 7;
};

struct Slice {
  std::string by;    // "length", "source"
  std::string name;  // "9-16 words"
  int64_t n = 0;
  stats::Interval accuracy;  // Wilson
  stats::Interval f1;        // macro, bootstrap
};

struct Report {
  std::vector<std::string> labels;
  int64_t n = 0;
  // "accuracy", "precision", "recall", "f1" (macro), "roc_auc", "ece", "log_loss", "mcc", … and of each label
  // "f1.LABEL", "precision.LABEL", "recall.LABEL": the names that gates use.
  std::map<std::string, stats::Interval> measures;
  stats::ConfusionMatrix confusion;
  std::vector<stats::CalibrationBin> calibration;  // 15 bins of equal width that hold rows
  std::vector<Slice> slices;
  // What the model said, row by row: for comparison with another model.
  std::vector<int> predicted;
  std::vector<double> probabilities;  // [rows, labels]
};

// Everything but the row-by-row part.
Json to_json(const Report& report);

// Throws Error(kInvalid) when there are no rows, a truth is not one of the labels, or the model has no labels;
// kInterrupted.
Report evaluate(model::Predictor& predictor, const Rows& rows, const EvaluateOptions& options, base::Context& context);
// The same from probabilities that are there already.
Report score(std::vector<std::string> labels, const Rows& rows, std::vector<double> probabilities,
             const EvaluateOptions& options);

// Probabilities [texts, labels] with progress ("evaluate", texts) and stop checks.
std::vector<double> predict_all(model::Predictor& predictor, const std::vector<std::string>& texts,
                                base::Context& context);

// Names that a gate may use for a model with these labels: the measures above, and the bias probe's.
std::vector<std::string> known_measures(const std::vector<std::string>& labels);

}  // namespace slipway::evaluate
