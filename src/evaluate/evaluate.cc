#include "evaluate/evaluate.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <span>

#include "base/error.h"
#include "stats/bootstrap.h"
#include "text/words.h"

namespace slipway::evaluate {
namespace {

using base::Code;
using base::Error;

constexpr size_t kChunk = 256;  // texts between two looks at the stop token: about a second of work
constexpr int kCalibrationBins = 15;
constexpr std::array<size_t, 5> kLengthEdges = {8, 16, 32, 64,
                                                128};  // words; doubling, as errors change with the ratio

std::string length_bucket(const std::string& text, size_t& order) {
  const size_t words = text::count_words(text);
  order = 0;
  while (order < kLengthEdges.size() && words > kLengthEdges[order]) {
    ++order;
  }
  if (order == kLengthEdges.size()) {
    return fmt::format("more than {} words", kLengthEdges.back());
  }
  return fmt::format("{}-{} words", order == 0 ? 1 : kLengthEdges[order - 1] + 1, kLengthEdges[order]);
}

void check(const std::vector<std::string>& labels, const Rows& rows) {
  if (labels.size() < 2) {
    throw Error(Code::kInvalid, "cannot evaluate: the model has no classification head (no labels)");
  }
  if (rows.texts.empty()) {
    throw Error(Code::kInvalid, "cannot evaluate: there are no rows");
  }
  SLIPWAY_CHECK(rows.truth.size() == rows.texts.size());
  SLIPWAY_CHECK(rows.sources.empty() || rows.sources.size() == rows.texts.size());
  for (size_t i = 0; i < rows.truth.size(); ++i) {
    if (rows.truth[i] < 0 || rows.truth[i] >= static_cast<int>(labels.size())) {
      throw Error(Code::kInvalid,
                  fmt::format("cannot evaluate: row {} has a label that the model does not know", i + 1));
    }
  }
}

// One slice a key, in the order of `order`, then of first appearance.
class Slicer {
 public:
  Slicer(std::string by) : by_(std::move(by)) {}
  void add(const std::string& name, size_t order, int row) {
    for (Part& part : parts_) {
      if (part.name == name) {
        part.rows.push_back(row);
        return;
      }
    }
    parts_.push_back({name, order, {row}});
  }
  void finish(const Report& report, const std::vector<int>& truth, const EvaluateOptions& options,
              std::vector<Slice>& out) {
    std::stable_sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) { return a.order < b.order; });
    for (const Part& part : parts_) {
      std::vector<int> slice_truth;
      std::vector<int> slice_predicted;
      int64_t right = 0;
      for (const int row : part.rows) {
        slice_truth.push_back(truth[static_cast<size_t>(row)]);
        slice_predicted.push_back(report.predicted[static_cast<size_t>(row)]);
        right += slice_truth.back() == slice_predicted.back() ? 1 : 0;
      }
      Slice slice{by_,
                  part.name,
                  static_cast<int64_t>(part.rows.size()),
                  stats::wilson(right, static_cast<int64_t>(part.rows.size())),
                  {}};
      const stats::Classified classified{slice_truth, slice_predicted, {}, static_cast<int>(report.labels.size())};
      slice.f1 =
          stats::classification_intervals(classified, {.resamples = options.resamples, .seed = options.seed}).at("f1");
      out.push_back(std::move(slice));
    }
  }

 private:
  struct Part {
    std::string name;
    size_t order = 0;
    std::vector<int> rows;
  };
  std::string by_;
  std::vector<Part> parts_;
};

// "f1.1" -> "f1.positive".
std::string measure_name(const std::string& name, const std::vector<std::string>& labels) {
  const size_t dot = name.find('.');
  return dot == std::string::npos
             ? name
             : name.substr(0, dot + 1) + labels.at(static_cast<size_t>(std::stoul(name.substr(dot + 1))));
}

}  // namespace

std::vector<double> predict_all(model::Predictor& predictor, const std::vector<std::string>& texts,
                                base::Context& context) {
  std::vector<double> probabilities;
  context.progress.start("evaluate", static_cast<int64_t>(texts.size()), "texts");
  for (size_t begin = 0; begin < texts.size(); begin += kChunk) {
    base::check_stop(context, "evaluation");
    const size_t count = std::min(kChunk, texts.size() - begin);
    const model::Matrix part = model::probabilities(predictor, std::span(texts).subspan(begin, count));
    probabilities.insert(probabilities.end(), part.values.begin(), part.values.end());
    context.progress.update(static_cast<int64_t>(begin + count), "");
  }
  context.progress.finish("");
  return probabilities;
}

Report score(std::vector<std::string> labels, const Rows& rows, std::vector<double> probabilities,
             const EvaluateOptions& options) {
  check(labels, rows);
  const int classes = static_cast<int>(labels.size());
  SLIPWAY_CHECK(probabilities.size() == rows.texts.size() * labels.size());
  Report report;
  report.labels = std::move(labels);
  report.n = static_cast<int64_t>(rows.texts.size());
  report.probabilities = std::move(probabilities);
  report.predicted.resize(rows.texts.size());
  std::vector<double> confidence(rows.texts.size());
  stats::top_labels(report.probabilities, classes, report.predicted, confidence);

  const stats::Classified classified{rows.truth, report.predicted, report.probabilities, classes};
  for (auto& [name, interval] :
       stats::classification_intervals(classified, {.resamples = options.resamples, .seed = options.seed})) {
    report.measures[measure_name(name, report.labels)] = interval;
  }
  report.confusion = stats::confusion_matrix(rows.truth, report.predicted, classes);
  std::vector<int> correct(rows.texts.size());
  for (size_t i = 0; i < correct.size(); ++i) {
    correct[i] = report.predicted[i] == rows.truth[i] ? 1 : 0;
  }
  for (const stats::CalibrationBin& bin : stats::calibration_equal_width(confidence, correct, kCalibrationBins).bins) {
    if (bin.n > 0) {
      report.calibration.push_back(bin);
    }
  }
  for (const std::string& by : options.slices) {
    Slicer slicer(by);
    for (size_t i = 0; i < rows.texts.size(); ++i) {
      size_t order = 0;
      if (by == "length") {
        const std::string name = length_bucket(rows.texts[i], order);
        slicer.add(name, order, static_cast<int>(i));
      } else if (by == "source") {
        slicer.add(rows.sources.empty() ? "unknown" : rows.sources[i], 0, static_cast<int>(i));
      } else {
        throw Error(Code::kInvalid, fmt::format("cannot slice by '{}'; known: length, source", by));
      }
    }
    slicer.finish(report, rows.truth, options, report.slices);
  }
  return report;
}

Report evaluate(model::Predictor& predictor, const Rows& rows, const EvaluateOptions& options, base::Context& context) {
  check(predictor.labels(), rows);
  return score(predictor.labels(), rows, predict_all(predictor, rows.texts, context), options);
}

Json to_json(const Report& report) {
  Json json = {{"n", report.n}, {"labels", report.labels}, {"measures", Json::object()}};
  for (const auto& [name, interval] : report.measures) {
    json["measures"][name] = stats::to_json(interval);
  }
  Json confusion = Json::array();
  for (int truth = 0; truth < report.confusion.labels; ++truth) {
    Json row = Json::array();
    for (int predicted = 0; predicted < report.confusion.labels; ++predicted) {
      row.push_back(report.confusion.at(truth, predicted));
    }
    confusion.push_back(std::move(row));
  }
  json["confusion"] = std::move(confusion);
  json["calibration"] = Json::array();
  for (const stats::CalibrationBin& bin : report.calibration) {
    json["calibration"].push_back({{"low", bin.low},
                                   {"high", bin.high},
                                   {"confidence", bin.confidence},
                                   {"accuracy", bin.accuracy},
                                   {"n", bin.n}});
  }
  json["slices"] = Json::array();
  for (const Slice& slice : report.slices) {
    json["slices"].push_back({{"by", slice.by},
                              {"name", slice.name},
                              {"n", slice.n},
                              {"accuracy", stats::to_json(slice.accuracy)},
                              {"f1", stats::to_json(slice.f1)}});
  }
  return json;
}

std::vector<std::string> known_measures(const std::vector<std::string>& labels) {
  std::vector<std::string> names = {"accuracy",
                                    "balanced_accuracy",
                                    "precision",
                                    "recall",
                                    "f1",
                                    "precision_weighted",
                                    "recall_weighted",
                                    "f1_weighted",
                                    "mcc",
                                    "kappa",
                                    "roc_auc",
                                    "log_loss",
                                    "brier",
                                    "ece",
                                    "mce",
                                    "bias.flip_rate",
                                    "bias.max_shift"};
  if (labels.size() == 2) {
    names.emplace_back("average_precision");
  }
  for (const std::string& label : labels) {
    for (const char* measure : {"precision.", "recall.", "f1."}) {
      names.push_back(measure + label);
    }
  }
  return names;
}

}  // namespace slipway::evaluate
