#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

#include "base/error.h"
#include "monitor/describe.h"
#include "monitor/features.h"
#include "monitor/window.h"
#include "stats/bootstrap.h"
#include "stats/mmd.h"
#include "stats/sketch.h"
#include "text/language.h"

namespace slipway::monitor {
namespace {

constexpr int kLeastRows = 20;  // below it nothing is tested

// "auto" gives nothing; a number gives itself.
std::optional<double> fixed_threshold(const std::string& text) {
  if (text == "auto") {
    return std::nullopt;
  }
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value > 0)) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("monitor threshold '{}' is neither \"auto\" nor a number above 0", text));
  }
  return value;
}

std::vector<std::string> group_kinds(const std::vector<std::string>& groups) {
  std::vector<std::string> kinds;
  for (const std::string& group : groups) {
    kinds.push_back(group == "race" ? "ethnicity" : group);
  }
  return kinds;
}

}  // namespace

struct WindowJudge::Impl {
  std::shared_ptr<const ReferenceSketch> sketch;
  MonitorOptions options;
  std::optional<double> fixed;
  std::vector<std::string> kinds;
  Vocabulary vocabulary;
  std::optional<Baseline> baseline;
  std::optional<stats::MmdReference> embeddings;
  Calibration main;
  mutable std::mutex mutex;
  mutable std::map<int, Calibration> others;  // by window size; guarded by mutex

  CalibrationOptions calibration_options() const { return {.tests = options.tests, .seed = options.seed}; }

  // Thresholds for `rows` rows: of the next smaller size on a grid, whose thresholds are a little higher.
  const Calibration& calibration_for(int rows, base::Pool* pool) const {
    if (rows >= options.window) {
      return main;
    }
    const int grid = std::max(1, options.window / 20);
    const int size = std::max(kLeastRows, rows / grid * grid);
    const std::lock_guard lock(mutex);
    const auto it = others.find(size);
    return it != others.end()
               ? it->second
               : others.emplace(size, calibrate(*sketch, size, calibration_options(), pool)).first->second;
  }

  PreparedWindow prepare(std::span<const Observation> window, bool keep_words) const {
    PreparedWindow prepared;
    for (const Observation& row : window) {
      if (row.error) {
        continue;
      }
      std::vector<std::string> words = words_of(row.text);
      prepared.rows.push_back(&row);
      prepared.reduced.push_back(reduce(row, words, vocabulary, sketch->labels.size()));
      if (keep_words) {
        prepared.words.push_back(std::move(words));
      }
    }
    return prepared;
  }

  bool has_embeddings(const PreparedWindow& window) const {
    return embeddings && std::all_of(window.rows.begin(), window.rows.end(), [&](const Observation* row) {
             return row->embedding.size() == static_cast<size_t>(sketch->dim);
           });
  }

  double embedding_score(const PreparedWindow& window, base::Pool* pool) const {
    std::vector<float> vectors;
    vectors.reserve(window.rows.size() * static_cast<size_t>(sketch->dim));
    for (const Observation* row : window.rows) {
      vectors.insert(vectors.end(), row->embedding.begin(), row->embedding.end());
    }
    return embeddings->mmd2({vectors.data(), window.rows.size(), static_cast<size_t>(sketch->dim)}, pool);
  }

  std::vector<TestScore> scores(const PreparedWindow& window, base::Pool* pool) const {
    std::vector<TestScore> result;
    const int rows = static_cast<int>(window.rows.size());
    if (rows < kLeastRows) {
      return result;
    }
    std::vector<const ReferenceRow*> pointers;
    for (const ReferenceRow& row : window.reduced) {
      pointers.push_back(&row);
    }
    const Columns columns = make_columns(pointers, sketch->labels.size(), sketch->vocabulary.size());
    for (const TestNull& null : calibration_for(rows, pool).tests) {
      const bool mmd = null.name.test == "mmd";
      if (mmd && !has_embeddings(window)) {
        continue;
      }
      TestScore score{null.name.test, null.name.column, 0, null.threshold, 1, false};
      score.score = mmd ? embedding_score(window, pool) : baseline->score(null.name, columns);
      if (fixed && !mmd) {
        score.threshold = *fixed;
      }
      score.p = null.p_value(score.score);
      score.alarm = score.score > score.threshold;
      result.push_back(std::move(score));
    }
    return result;
  }
};

WindowJudge::WindowJudge(std::shared_ptr<const ReferenceSketch> sketch, const MonitorOptions& options, base::Pool* pool)
    : impl_(std::make_unique<Impl>()) {
  SLIPWAY_CHECK(sketch != nullptr);
  impl_->options = options;
  impl_->fixed = fixed_threshold(options.threshold);
  impl_->kinds = group_kinds(options.groups);
  impl_->vocabulary = make_vocabulary(*sketch);
  std::vector<const ReferenceRow*> rows;
  for (const ReferenceRow& row : sketch->rows) {
    rows.push_back(&row);
  }
  impl_->baseline.emplace(make_columns(rows, sketch->labels.size(), sketch->vocabulary.size()));
  if (sketch->embedding_rows() >= 2) {
    impl_->embeddings.emplace(stats::Matrix{sketch->embeddings.data(), static_cast<size_t>(sketch->embedding_rows()),
                                            static_cast<size_t>(sketch->dim)},
                              0.0, pool);
  }
  impl_->sketch = std::move(sketch);
  impl_->main = calibrate(*impl_->sketch, options.window, impl_->calibration_options(), pool);
}

WindowJudge::~WindowJudge() = default;

const Calibration& WindowJudge::calibration() const { return impl_->main; }

std::vector<TestScore> WindowJudge::scores(std::span<const Observation> window, base::Pool* pool) const {
  return impl_->scores(impl_->prepare(window, false), pool);
}

WindowReport WindowJudge::judge(std::span<const Observation> window, base::Pool* pool) const {
  const ReferenceSketch& sketch = *impl_->sketch;
  const PreparedWindow prepared = impl_->prepare(window, true);
  WindowReport report;
  report.n = static_cast<int64_t>(window.size());
  report.tests = impl_->scores(prepared, pool);
  report.drift = std::any_of(report.tests.begin(), report.tests.end(), [](const TestScore& t) { return t.alarm; });
  const auto moves = word_moves(sketch, prepared);
  report.words = top_moves(moves, impl_->options.top_words);
  const double sigma = impl_->has_embeddings(prepared) ? impl_->embeddings->sigma() : 0;
  report.examples = moved_examples(sketch, prepared, moves, sigma, impl_->options.examples, pool);
  report.groups = group_rates(sketch, prepared, impl_->kinds);

  stats::QuantileSketch latency;
  const auto answered = static_cast<double>(std::max<size_t>(1, prepared.rows.size()));
  for (size_t i = 0; i < prepared.rows.size(); ++i) {
    latency.add(prepared.rows[i]->latency_ms);
    if (prepared.reduced[i].label >= 0) {
      report.labels[sketch.labels[prepared.reduced[i].label]] += 1 / answered;
    }
    report.languages[text::detect_language(bounded(prepared.rows[i]->text)).code] += 1 / answered;
  }
  if (latency.count() > 0) {
    report.latency_p50_ms = latency.quantile(0.5);
    report.latency_p95_ms = latency.quantile(0.95);
    report.latency_p99_ms = latency.quantile(0.99);
  }
  report.error_rate = stats::wilson(static_cast<int64_t>(window.size() - prepared.rows.size()), report.n);
  return report;
}

}  // namespace slipway::monitor
